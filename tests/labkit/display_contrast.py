"""The contrast of text that a display colours, on JupyterLab's light and dark backgrounds."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.contrast import DARK, LIGHT, contrast

TEXT = {LIGHT: "#000000", DARK: "#ffffff"}
"""JupyterLab's colour of text, about, by background."""
VOID = {"br", "img", "hr", "input", "meta"}


def lowest_contrast(html: str) -> float:
    """The lowest contrast of any text in an HTML display, in the light and in the dark theme."""
    return min(_Reader(background).read(html) for background in TEXT)


class _Reader(HTMLParser):
    def __init__(self, background: str) -> None:
        super().__init__()
        self._open = [("", TEXT[background], background)]
        self._lowest = 21.0

    def read(self, html: str) -> float:
        self.feed(html)
        self.close()
        return self._lowest

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = dict(attrs).get("style") or ""
        _, colour, background = self._open[-1]
        colour = _colour(style, "color") or colour
        background = _colour(style, "background(?:-color)?") or background
        assert "opacity" not in style, "opacity lowers the contrast by an amount that this does not compute"
        if tag not in VOID:
            self._open.append((tag, colour, background))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            _, colour, background = self._open[-1]
            self._lowest = min(self._lowest, contrast(colour, background))


def _colour(style: str, name: str) -> str:
    found = re.search(rf"(?:^|;)\s*{name}\s*:\s*([^;]+)", style)
    if not found or found.group(1).strip() in ("inherit", "transparent"):
        return ""
    colour = found.group(1).strip()
    assert re.fullmatch("#[0-9a-f]{6}", colour), f"{colour}: write colours as #rrggbb"
    return colour
