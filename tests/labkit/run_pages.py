"""Looks at the pages of a run and of the site."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

LOADING = {
    "img": "src", "script": "src", "link": "href", "iframe": "src", "object": "data", "embed": "src", "source": "src",
    "video": "src", "audio": "src", "image": "href", "use": "href",
}  # fmt: skip


class _Loaded(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self._in_style = False
        self.found: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        given = dict(attrs)
        if (address := given.get(LOADING.get(tag, ""))) is not None:
            self.found.append(address)
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        self.found += re.findall(r"url\(([^)]*)\)", given.get("style") or "")

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.text.append(data)


def _parsed(page: Path) -> _Loaded:
    parser = _Loaded()
    parser.feed(page.read_text())
    return parser


def loaded_from_elsewhere(page: Path) -> list[str]:
    """What a browser would load to show the page: everything that is not part of the page itself."""
    parser = _parsed(page)
    in_styles = re.findall(
        r"@import[^;]*|url\([^)]*\)", "".join(re.findall(r"<style.*?</style>", page.read_text(), re.S))
    )
    return [address for address in parser.found if not address.startswith(("data:", "#"))] + in_styles


def links(page: Path) -> list[str]:
    """The targets of the page's links, without those to other web sites and to places in the page."""
    return [link for link in _parsed(page).links if not link.startswith(("http://", "https://", "#", "mailto:"))]


def text(page: Path) -> str:
    """The page's text: what stands between tags, and its words, with single spaces between them."""
    return " ".join(" ".join(_parsed(page).text).split())
