"""The contrast of text that a display colours, on JupyterLab's light and dark backgrounds.

https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

BACKGROUNDS = "#ffffff", "#111111"
TEXT = {"#ffffff": "#000000", "#111111": "#ffffff"}
"""JupyterLab's colour of text, about, by background."""
VOID = {"br", "img", "hr", "input", "meta"}


def lowest_contrast(html: str) -> float:
    """The lowest contrast of any text in an HTML display, in the light and in the dark theme."""
    return min(_Reader(background).read(html) for background in BACKGROUNDS)


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
            self._lowest = min(self._lowest, _ratio(colour, background))


def _colour(style: str, name: str) -> str:
    found = re.search(rf"(?:^|;)\s*{name}\s*:\s*([^;]+)", style)
    if not found or found.group(1).strip() in ("inherit", "transparent"):
        return ""
    colour = found.group(1).strip()
    assert re.fullmatch("#[0-9a-f]{6}", colour), f"{colour}: write colours as #rrggbb"
    return colour


def _ratio(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
