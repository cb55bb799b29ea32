"""The report of `labkit run`: one page with links to the executed notebooks, readable offline."""

from __future__ import annotations

import html
from pathlib import Path

from labkit.tools.batch import Batch, Executed

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2024; }
table { border-collapse: collapse; } th, td { padding: .3rem .8rem; text-align: left; border-bottom: 1px solid #ddd; }
pre { background: #f6f7f9; padding: .6rem; overflow-x: auto; white-space: pre-wrap; font-size: 14px; }
img, svg { max-width: 100%; height: auto; } .ok { color: #1a7f37; } .failed { color: #b42318; }
.jp-InputPrompt, .jp-OutputPrompt, .prompt { display: none; }
@media (prefers-color-scheme: dark) {
  body { background: #16181b; color: #e6e6e6; } pre { background: #22262b; } th, td { border-color: #444; }
  a { color: #8ab4f8; }
}
"""

SOURCES = {
    "landed": "records in the S3 objects",
    "loaded": "from sys_load_history",
    "rejected": "kept by the job, with their reasons",
    "queried": "by SQL",
}


def write(batch: Batch) -> Path:
    """Write `report.html`, and an HTML page beside each notebook. Return the report's file."""
    for executed in batch.executed:
        _page_file(executed).write_text(_notebook_page(executed))
    rows = "".join(
        f"<tr><td>{html.escape(executed.name)}</td>"
        f'<td class="{"failed" if executed.error else "ok"}">{"failed" if executed.error else "ok"}</td>'
        f"<td>{executed.seconds:.1f} s</td>"
        f'<td><a href="{_page_file(executed).name}">read</a> · <a href="{executed.file.name}">notebook</a></td></tr>'
        for executed in batch.executed
    )
    body = [f"<h1>Lab run {html.escape(batch.directory.name)}</h1>"]
    if batch.failure:
        body.append(f'<pre class="failed">{html.escape(str(batch.failure))}</pre>')
    if batch.counts:
        counts = batch.counts
        lines = "".join(
            f"<tr><th>rows {label}</th><td>{SOURCES.get(label, '')}</td><td>{html.escape(number)}</td></tr>"
            for label, number in counts.shown()
        )
        verdict = "ok" if counts.agree else "failed"
        body.append(f'<table>{lines}</table><p class="{verdict}">{html.escape(counts.sentence)}</p>')
    body.append(f"<h2>Notebooks</h2><table>{rows}</table>")
    report = batch.directory / "report.html"
    report.write_text(_page(f"Lab run {batch.directory.name}", "".join(body)))
    return report


def _notebook_page(executed: Executed) -> str:
    """An executed notebook as an HTML page, with nbconvert's basic template, which loads no scripts."""
    from nbconvert.exporters import HTMLExporter

    content, _resources = HTMLExporter(template_name="basic").from_filename(str(executed.file))
    back = '<p><a href="report.html">Report</a></p>'
    return _page(executed.name, back + content)


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>{body}</body></html>'
    )


def _page_file(executed: Executed) -> Path:
    return executed.file.with_suffix(".html")
