"""`make site`: the executed notebooks as pages that need no network."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
import run_pages
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labkit import project
from labkit.errors import LabError
from labkit.tools import site


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with two executed notebooks."""
    folder = tmp_path / "runs/1"
    (folder / "images").mkdir(parents=True)
    (folder / "images/start.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    first = "# 00 · Start\n\n![The pipeline](images/start.svg)\n\nYou build the *start*. Then [more](../../docs/a.md)."
    outputs = [
        new_output("stream", text="made"),
        new_output("display_data", {"text/html": "<div style='color:red'>made</div>", "text/plain": "made"}),
        new_output("display_data", {"image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg"><title>x</title></svg>'}),
    ]
    write(folder / "00_start.ipynb", first + " [Next](01_network.ipynb)", outputs)
    write(folder / "01_network.ipynb", "# 01 · Network\n\nYou build a network: see [AWS](https://aws.amazon.com/vpc/).")
    return folder


def write(file: Path, text: str, outputs: list[object] | None = None, *, ended: str | None = "2026-11-30") -> None:
    cells = [new_markdown_cell(text), new_code_cell("import boto3", outputs=outputs or [])]
    nbformat.write(new_notebook(cells=cells, metadata={"papermill": {"end_time": ended}}), file)


def test_no_page_loads_anything_from_the_network_or_from_another_file(run: Path, tmp_path: Path) -> None:
    pages = site.build(run, tmp_path / "site")
    assert [page.name for page in pages] == ["index.html", "00_start.html", "01_network.html"]
    for page in pages:
        assert run_pages.loaded_from_elsewhere(page) == []
        assert "<script" not in page.read_text()


def test_every_link_within_the_site_leads_to_a_page_of_it(run: Path, tmp_path: Path) -> None:
    index, first, second = site.build(run, tmp_path / "site")
    assert run_pages.links(index) == ["00_start.html", "01_network.html"]
    # Above and below the page: the index and the next page; in the text: the next page, and no file of the repository.
    assert run_pages.links(first) == [
        "index.html",
        "01_network.html",
        "01_network.html",
        "index.html",
        "01_network.html",
    ]
    assert run_pages.links(second) == ["00_start.html", "index.html"] * 2
    assert "Then more. Next" in run_pages.text(first)


def test_the_index_says_what_each_notebook_is_about(run: Path, tmp_path: Path) -> None:
    text = run_pages.text(site.build(run, tmp_path / "site")[0])
    assert "00 · Start You build the start. 01 · Network You build a network" in text


def test_a_site_can_be_built_again_but_nothing_else_is_removed(run: Path, tmp_path: Path) -> None:
    site.build(run, tmp_path / "site")
    (tmp_path / "site/11_gone.html").touch()
    assert len(site.build(run, tmp_path / "site")) == 3
    assert not (tmp_path / "site/11_gone.html").exists()
    (tmp_path / "site/mine.txt").touch()
    with pytest.raises(LabError, match=r"holds other things than a site: mine\.txt"):
        site.build(run, tmp_path / "site")


def test_the_newest_run_in_which_all_notebooks_succeeded_is_taken(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "folder", lambda _name: run)
    later, *others = folders = [tmp_path / "runs" / name for name in "23456"]
    failed, killed, cut, by_hand = others
    for folder in folders:
        folder.mkdir()
        write(folder / "00_start.ipynb", "# 00")
    assert site.newest_run(tmp_path / "runs") == run  # the others lack a notebook
    for folder in folders:
        write(folder / "01_network.ipynb", "# 01")
    write(failed / "01_network.ipynb", "# 01", [new_output("error", ename="ValueError", evalue="", traceback=[])])
    write(killed / "01_network.ipynb", "# 01", ended=None)
    (cut / "01_network.ipynb").write_text('{"cells": [')
    nbformat.write(new_notebook(cells=[new_markdown_cell("# 01")]), by_hand / "01_network.ipynb")
    assert site.newest_run(tmp_path / "runs") == later


def test_without_a_run_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="labkit run"):
        site.newest_run(tmp_path)
