"""The report of `labkit run`: one page that says whether all is well, and shows what happened. It needs no network."""

from __future__ import annotations

import html
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from labkit.tools import report_parts
from labkit.tools.batch import Batch
from labkit.tools.pages import content_of, notebook_page, page, to_page


class Contents:
    """The executed notebooks as HTML. Each is converted in the background while the next one runs."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="pages")
        self._converted: dict[Path, Future[str]] = {}

    def begin(self, notebook: Path) -> None:
        """Convert an executed notebook, in the background."""
        self._converted[notebook] = self._worker.submit(content_of, notebook, to_page)

    def of(self, notebook: Path) -> str:
        """The notebook's content."""
        if notebook not in self._converted:
            self.begin(notebook)
        return self._converted[notebook].result()


def write(batch: Batch, contents: Contents | None = None) -> Path:
    """Write `report.html`, and an HTML page beside each notebook. Return the report's file."""
    contents = contents or Contents()
    pages = [executed.file for executed in batch.executed]
    for number, file in enumerate(pages):
        file.with_suffix(".html").write_text(notebook_page(file, contents.of(file), _navigation(pages, number)))
    title = f"Lab run of {batch.began:%-d %B %Y, %H:%M}"
    parts = (
        report_parts.verdict(batch),
        report_parts.rows(batch),
        report_parts.pipeline(batch),
        report_parts.checks(batch),
        report_parts.tasks(batch),
        report_parts.plots(batch),
        report_parts.notebooks(batch),
        report_parts.footer(batch),
    )
    report = batch.directory / "report.html"
    report.write_text(page(title, "\n".join([f"<h1>{html.escape(title)}</h1>", *filter(None, parts)])))
    return report


def _navigation(pages: list[Path], number: int) -> str:
    """Links to the notebook before, the report and the notebook after."""
    links = ['<a href="report.html">Report</a>']
    if number > 0:
        links.insert(0, f'<a href="{pages[number - 1].stem}.html">← {html.escape(pages[number - 1].stem)}</a>')
    if number + 1 < len(pages):
        links.append(f'<a href="{pages[number + 1].stem}.html">{html.escape(pages[number + 1].stem)} →</a>')
    return f"<nav>{''.join(links)}</nav>"
