"""The report of `labkit run` and the pages beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
import run_pages
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labkit.data.counts import Counts, ExactlyOnceCounts
from labkit.errors import LabError, NotebookFailed
from labkit.show.display import Check, Checks, Fact
from labkit.steps.runs import Run
from labkit.tools import report
from labkit.tools.batch import Batch, Executed
from labkit.tools.notebook_links import for_a_run
from labkit.tools.run_facts import Facts

BEGAN = datetime(2026, 11, 30, 17, 18)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
NOW = datetime(2026, 11, 30, 17, 19, tzinfo=UTC)
FACTS = Facts(
    ExactlyOnceCounts(1016, 1010, 6, 1010),
    (("not a JSON object", 4), ("toll_booth is <missing>", 2)),
    Checks((Check("buckets", (Fact(True, "bucket a exists"), Fact(True, "it is versioned"))),)),
    (Run("redshift_workflow", "COMPLETED", "SUCCEEDED", "FAILED", "wr_1", NOW, NOW + timedelta(seconds=2.5),
         message="no such table", landed_key="a & b.json"),),
)  # fmt: skip


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """A finished run of two notebooks."""
    plot = new_output("display_data", {"image/png": PIXEL})
    check = new_output("display_data", {"text/plain": "○ 00.1 not attempted: …"})
    cells = [
        new_markdown_cell("# 00 · Start\n\n[next](08_query.ipynb)"),
        new_code_cell("check('00.1')", outputs=[check], metadata={"tags": ["task-check", "00.1"]}),
    ]
    executed = [written(tmp_path, "00_start", cells, seconds=1.5)]
    cells = [new_markdown_cell("# 08 · Query"), new_markdown_cell("## Which booth?"), new_code_cell("", outputs=[plot])]
    executed.append(written(tmp_path, "08_query", cells, seconds=3))
    return Batch(tmp_path, BEGAN, executed=executed, facts=FACTS, seconds=4.6)


def written(folder: Path, name: str, cells: list[Any], *, seconds: float, failure: LabError | None = None) -> Executed:
    file = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells), file)
    return Executed(name, file, seconds, failure)


def test_the_first_sentence_says_that_all_is_well_and_counts_the_rows(batch: Batch) -> None:
    text = run_pages.text(report.write(batch))
    assert text.split("Rows at every hop")[0].strip().endswith(
        "✓ All is well. 2 notebooks ran in 5 seconds. 1,016 rows landed: 1,010 were loaded, 6 were rejected with a "
        "reason, and SQL finds each loaded row exactly once."
    )  # fmt: skip


@pytest.mark.parametrize(
    "shown",
    [
        "landed 1,016", "loaded 1,010", "rejected 6", "queried 1,010",
        "4 not a JSON object", "2 toll_booth is <missing>",
        "redshift_workflow a & b.json no such table ✓ succeeded ✗ failed – 2.5 s",
        "1 of 1 steps hold", "✓ buckets 2 of 2 facts hold", "it is versioned",
        "0 of 1 tasks are done", "○ open",
        "Which booth? (08_query)",
        "00 · Start 1.5 s", "08 · Query 3.0 s",
    ],
)  # fmt: skip
def test_the_report_shows(batch: Batch, shown: str) -> None:
    report.write(batch)
    assert shown in run_pages.text(batch.directory / "report.html")


def test_the_report_and_its_pages_need_no_network_and_their_links_lead_somewhere(batch: Batch) -> None:
    report.write(batch)
    pages = sorted(batch.directory.glob("*.html"))
    assert [page.name for page in pages] == ["00_start.html", "08_query.html", "report.html"]
    for page in pages:
        assert run_pages.loaded_from_elsewhere(page) == []
        for link in run_pages.links(page):
            assert (batch.directory / link).exists(), link
    assert "08_query.html" in run_pages.links(pages[0])


def test_a_failed_run_has_a_report_with_the_cell_and_the_error(batch: Batch) -> None:
    file = batch.executed[-1].file
    failure = NotebookFailed("08_query", 3, "ValueError", "what went <wrong>", file, source="a = 1\nraise it", line=2)
    batch.executed[-1] = replace(batch.executed[-1], failure=failure)
    batch.not_executed = ("09_reliability",)
    batch.facts = Facts(unknown={"rows": "the local AWS does not answer"})
    text = run_pages.text(report.write(batch))
    assert "✗ This run failed. Notebook 08_query failed in cell 3 with ValueError: what went <wrong>" in text
    assert "1 of 3 notebooks succeeded." in text
    assert "→ 2 raise it" in text
    assert "09_reliability not run" in text
    assert "not known: rows: the local AWS does not answer" in text
    assert "All is well" not in text


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (Counts(100, 90, 90), "✗ This run failed. The rows don't agree: landed 100, queried 90: 10 missing."),
        (Counts(100, 100, 100), "✓ All is well. 2 notebooks ran in 5 seconds. 100 rows landed, and SQL finds all"),
        (None, "✗ This run failed. The rows could not be counted."),
    ],
)
def test_the_verdict_depends_on_the_rows(batch: Batch, counts: Counts | None, said: str) -> None:
    batch.facts = replace(FACTS, counts=counts)
    assert said in run_pages.text(report.write(batch))


def test_rows_that_wait_for_their_load_are_no_failure_of_notebooks_that_load_nothing(batch: Batch) -> None:
    batch.executed.pop()
    batch.facts = replace(FACTS, counts=Counts(1100, 0, 0))
    text = run_pages.text(report.write(batch))
    waiting = "1,100 landed, 0 in the table; notebook 05_job loads what waits"
    assert f"✓ All is well. 1 notebook ran in 5 seconds. Rows: {waiting}." in text
    assert f"– {waiting}" in text
    assert batch.problem is None
    batch.facts = replace(FACTS, counts=Counts(100, 200, 200))
    assert "100 doubled" in str(batch.problem), "they don't wait"
    batch.facts = replace(FACTS, counts=Counts(1100, 0, 0))
    batch.executed[0] = replace(batch.executed[0], name="05_job")
    assert "The rows don't agree: landed 1100, queried 0: 1100 missing." in str(batch.problem)


def test_rows_that_could_not_be_counted_are_not_taken_for_a_missing_table(batch: Batch) -> None:
    batch.executed.pop()
    batch.facts = Facts()
    assert "✓ All is well. 1 notebook ran in 5 seconds; rows were not counted" in run_pages.text(report.write(batch))
    batch.facts = Facts(unknown={"rows": "the local AWS does not answer"})
    text = run_pages.text(report.write(batch))
    assert "✗ This run failed. The rows could not be counted. 1 of 1 notebooks succeeded. the local AWS" in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"unknown": {"checks": "AWS refused"}}, "not known: checks: AWS refused"),
        ({"checks": Checks((Check("buckets", (Fact(False, "a exists"),)),))}, "the check of step buckets failed"),
    ],
)
def test_all_is_well_only_if_everything_was_looked_at_and_the_checks_of_what_was_built_hold(
    batch: Batch, changed: dict[str, Any], said: str
) -> None:
    batch.facts = replace(FACTS, **changed)
    text = run_pages.text(report.write(batch))
    assert "! All notebooks ran, but something may be wrong. 2 notebooks ran in 5 seconds." in text
    assert said in text
    assert "All is well" not in text


def test_the_check_of_a_step_whose_notebook_did_not_run_may_fail(batch: Batch) -> None:
    batch.facts = replace(FACTS, checks=Checks((Check("network", (Fact(False, "the VPC exists"),)),)))
    assert "✓ All is well." in run_pages.text(report.write(batch))


def test_a_widget_leaves_nothing_in_the_page(batch: Batch) -> None:
    data = {"text/plain": "IntSlider()", "application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
    cells = [new_code_cell("slider", outputs=[new_output("display_data", data)])]
    batch.executed.append(written(batch.directory, "09_reliability", cells, seconds=1))
    page = report.write(batch).with_name("09_reliability.html").read_text()
    assert "<script" not in page
    assert "IntSlider()" not in page


@pytest.fixture
def pictured(tmp_path: Path) -> Callable[[str], tuple[Any, Path]]:
    """`pictured(markdown)` is a notebook in a checkout, as it is for a run, and the run's folder."""
    notebooks, images, run = (tmp_path / name for name in ("repo/notebooks", "repo/docs/images", "runs/1"))
    for folder in (notebooks, images, run):
        folder.mkdir(parents=True)
    (images / "start.svg").write_text(SVG)
    (notebooks / "01_network.ipynb").touch()

    def moved(markdown: str) -> tuple[Any, Path]:
        return for_a_run(new_notebook(cells=[new_markdown_cell(markdown)]), notebooks, run), run

    return moved


@pytest.mark.parametrize(
    "markdown", ["![The pipeline](../docs/images/start.svg)", '<img alt="The pipeline" src="../docs/images/start.svg">']
)
def test_a_picture_beside_the_docs_is_shown_in_the_executed_notebook_and_in_its_page(
    pictured: Callable[[str], tuple[Any, Path]], markdown: str
) -> None:
    notebook, run = pictured(f"# Start\n\n{markdown}")
    assert "images/start.svg" in notebook.cells[0].source
    assert "docs" not in notebook.cells[0].source
    assert (run / "images/start.svg").read_text() == SVG
    executed = written(run, "00_start", notebook.cells, seconds=1)
    page = report.write(Batch(run, BEGAN, executed=[executed])).with_name("00_start.html")
    assert run_pages.loaded_from_elsewhere(page) == []
    assert 'src="data:image/svg+xml;base64,' in page.read_text()
    assert 'alt="The pipeline"' in page.read_text()


@pytest.mark.parametrize(
    ("link", "moved"),
    [
        ("[the docs](../docs/images)", "[the docs](../../repo/docs/images)"),
        ("[next](01_network.ipynb)", "[next](01_network.ipynb)"),
        ("[web](https://example.com/a)", "[web](https://example.com/a)"),
        ("[there](#there)", "[there](#there)"),
        ("[gone](../gone.md)", "[gone](../gone.md)"),
    ],
)
def test_links_still_lead_to_the_same_files(pictured: Callable[[str], tuple[Any, Path]], link: str, moved: str) -> None:
    assert pictured(link)[0].cells[0].source == moved
