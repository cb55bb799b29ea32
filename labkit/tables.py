"""Tables for displays: HTML with inline styles only, and plain text.

JupyterLab removes everything but inline styles from the outputs of a notebook that it does not trust, and a
code-hosting page removes those as well. So the text alone must make sense. Colours are inherited: a colour of our own
would have to be readable in the light and in the dark theme.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

LEFT = "text-align:left;vertical-align:top"
SCROLLS = "max-height:24em;overflow:auto"


def text_table(rows: Iterable[Sequence[str]], *, longest: int = 100) -> str:
    """Rows as lines, with their cells below each other. Longer cells than `longest` are cut."""
    cut = [[cell if len(cell) <= longest else f"{cell[: longest - 1]}…" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cut)
    return "\n".join(line.rstrip() for line in lines)


def html_table(rows: Iterable[Sequence[str]], heads: Sequence[str] = (), *, first_is_head: bool = False) -> str:
    """Rows as an HTML table. With `first_is_head`, each row's first cell is its header."""
    head = "".join(cell("th", text) for text in heads)
    body = "".join(
        f"<tr>{''.join(cell('th' if first_is_head and place == 0 else 'td', text) for place, text in enumerate(row))}"
        "</tr>"
        for row in rows
    )
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def cell(tag: str, text: str) -> str:
    """One cell of a table. Line breaks in its text are kept."""
    return f'<{tag} style="{LEFT}">{escaped(text)}</{tag}>'


def escaped(text: str) -> str:
    """Text in HTML. Line breaks are kept."""
    return html.escape(text).replace("\n", "<br>")
