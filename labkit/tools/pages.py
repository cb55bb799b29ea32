"""HTML pages that need no network: the frame of a page, and an executed notebook as a page."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter

from labkit.tools.notebook_links import with_links
from labkit.tools.page_style import STYLE


def page(title: str, body: str) -> str:
    """A complete page."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    )


def notebook_page(file: Path, content: str, navigation: str) -> str:
    """An executed notebook as a page. `navigation` is HTML that stands above and below the content."""
    return page(title_of(file), f"{navigation}\n<main>{content}</main>\n{navigation}")


def content_of(file: Path, change_link: Callable[[str], str]) -> str:
    """An executed notebook as HTML, with its pictures embedded.

    Args:
        file: the executed notebook. Its pictures are found from its folder.
        change_link: called with each relative link's target in the texts; returns the target in the page, or "" if the
            text should have no link.
    """
    notebook = nbformat.read(file, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = with_links(cell.source, change_link)
        else:
            cell.outputs = [output for output in cell.outputs if not _is_live(output)]
    # The basic template has no scripts and no style.
    exporter = HTMLExporter(template_name="basic", embed_images=True)
    content, _ = exporter.from_notebook_node(notebook, {"metadata": {"path": str(file.parent)}})
    return re.sub(r'<a href="">(.*?)</a>', r"\1", content, flags=re.DOTALL)


def to_page(link: str) -> str:
    """A link from one notebook to another, in their pages."""
    return re.sub(r"^(\d\d_\w+)\.ipynb$", r"\1.html", link)


@functools.cache
def title_of(file: Path) -> str:
    """The notebook's heading, or its name if it has none."""
    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type == "markdown" and (found := re.search(r"^# +(.+)$", cell.source, re.MULTILINE)):
            return found[1].strip()
    return file.stem


def _is_live(output: Any) -> bool:
    """Whether an output is a widget, which shows nothing without a kernel."""
    return "application/vnd.jupyter.widget-view+json" in output.get("data", {})
