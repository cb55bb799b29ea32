"""`make site`: the executed notebooks as a small static site, to read before one installs anything.

Every page holds its pictures and its style: nothing is loaded from the network. The site can lie on any web server, or
be opened from the disk.

    python -m labkit.tools.site [RUN] [--to DIRECTORY]

RUN is a folder in runs/; by default the newest one in which no notebook failed.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat

from labkit import project
from labkit.config import load
from labkit.errors import LabError
from labkit.tools.notebook_links import PICTURES
from labkit.tools.pages import content_of, notebook_page, page, title_of, to_page

PATTERN = "[0-9][0-9]_*.ipynb"
LEAD = """
<h1>Event-driven serverless ETL on AWS: a lab that really runs</h1>
<p>Toll plazas send JSON files. Each file that lands in S3 starts a chain, without anyone pressing a button: a Lambda
function starts a Glue workflow, a crawler looks at the file, a Spark job loads it into Redshift, and SQL finds its
rows.</p>
<p>These are the lab's notebooks as they ran, with what they showed. To run them yourself, get the repository and type
<code>make lab</code>: no account and no Docker is needed. The README says more.</p>
"""


def build(run: Path, site: Path) -> list[Path]:
    """Write the site from the executed notebooks of a run. What was in the directory before is replaced.

    Args:
        run: the folder with the executed notebooks.
        site: the directory of the site.

    Returns:
        The pages, the index first.

    Raises:
        LabError: there are no executed notebooks, or the directory holds something else than an earlier site.
    """
    files = sorted(run.glob(PATTERN))
    if not files:
        raise LabError(f"There are no executed notebooks in {run}.", fix="Make some: labkit run")
    _empty(site)
    index = site / "index.html"
    index.write_text(page("The notebooks of the lab", _index(files)))
    pages = [index]
    for number, file in enumerate(files):
        pages.append(site / f"{file.stem}.html")
        pages[-1].write_text(notebook_page(file, content_of(file, _link(files)), _navigation(files, number)))
    return pages


def _empty(site: Path) -> None:
    """Make the directory, or remove the pages of an earlier site from it."""
    if site.exists() and (others := [file.name for file in site.iterdir() if file.suffix != ".html"]):
        raise LabError(
            f"{site} holds other things than a site: {', '.join(sorted(others)[:3])}.",
            fix="Name another directory: --to DIRECTORY",
        )
    if site.exists():
        shutil.rmtree(site)
    site.mkdir(parents=True)


def _index(files: Sequence[Path]) -> str:
    entries = "".join(
        f'<li><a href="{file.stem}.html">{html.escape(title_of(file))}</a><br>'
        f'<span class="soft">{html.escape(_first_sentence(file))}</span></li>'
        for file in files
    )
    return f'<main>{LEAD}<h2>The notebooks</h2><ul class="index">{entries}</ul></main>'


def _first_sentence(file: Path) -> str:
    """The first sentence below the notebook's heading, as plain text."""
    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type == "markdown":
            for paragraph in cell.source.split("\n\n"):
                if re.match(r"[#<!|*-]", paragraph.strip()) or not paragraph.strip():
                    continue
                text = re.sub(r"\[([^]]+)\]\([^)]*\)|[*`]", r"\1", " ".join(paragraph.split()))
                return re.split(r"(?<=[.!?:]) (?=[A-Z])", text)[0]
    return ""


def _navigation(files: Sequence[Path], number: int) -> str:
    before = f'<a href="{files[number - 1].stem}.html">← {html.escape(title_of(files[number - 1]))}</a>'
    after = files[number + 1] if number + 1 < len(files) else None
    links = [
        before if number else "<span></span>",
        '<a href="index.html">All notebooks</a>',
        f'<a href="{after.stem}.html">{html.escape(title_of(after))} →</a>' if after else "<span></span>",
    ]
    return f"<nav>{''.join(links)}</nav>"


def _link(files: Sequence[Path]) -> Callable[[str], str]:
    """How a page's relative links change: notebooks become pages, pictures stay, other files have no link."""

    def change(link: str) -> str:
        if Path(link).suffix.lower() in PICTURES:
            return link
        return to_page(link) if any(file.name == link for file in files) else ""

    return change


def newest_run(runs: Path) -> Path:
    """The newest folder of executed notebooks in which no notebook is missing, unfinished or failed.

    Raises:
        LabError: there is none.
    """
    wanted = {file.name for file in project.folder("notebooks").glob(PATTERN)}
    for folder in sorted((folder for folder in runs.glob("*") if folder.is_dir()), reverse=True):
        files = sorted(folder.glob(PATTERN))
        if {file.name for file in files} == wanted and all(map(_succeeded, files)):
            return folder
    raise LabError(f"In {runs}, there is no run in which all notebooks succeeded.", fix="Make one: labkit run")


def _succeeded(notebook: Path) -> bool:
    """Whether the run reached the notebook's end, and no cell failed. papermill saves the file after each cell."""
    try:
        read = json.loads(notebook.read_text())
    except ValueError:  # the run was killed while papermill wrote the file
        return False
    outputs = [output for cell in read["cells"] for output in cell.get("outputs", [])]
    ended = read["metadata"].get("papermill", {}).get("end_time")  # without it, somebody saved the notebook by hand
    return bool(ended) and all(one["output_type"] != "error" for one in outputs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site, and print where it is. Return 1 if that is not possible, else 0."""
    parser = argparse.ArgumentParser(prog="python -m labkit.tools.site", description="Build the static site.")
    parser.add_argument("run", nargs="?", type=Path, help="a folder of runs/; by default the newest complete one")
    parser.add_argument("--to", type=Path, default=project.working_directory() / "site", metavar="DIRECTORY")
    given = parser.parse_args(arguments)
    try:
        run = given.run or newest_run(load().runs)
        pages = build(run, given.to)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in pages) / 1e6
    print(f"{pages[0]}: {len(pages)} pages, {size:.1f} MB, from {run}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
