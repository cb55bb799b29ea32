"""nbval really compares: in an edited copy of each notebook, exactly the edited output fails.

In the same run each task is solved with its own solution. So its check says something else than the stored output, and
nothing else does: what a task makes or mends changes no later output.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from story import NAMES

from labkit.tasks import cells as task_cells

# notebook → (a piece of the cell's source, what its stored output says, what we make of it)
EDITS = {
    "00_start": ("by_booth.agg", "110.3", "110.4"),
    "01_network": ('"way out"', "to the internet", "to the moon"),
    "02_redshift": ("datediff", "unknown", "known"),
    "03_secrets": ("shown.items()", "redshift", "postgres"),
    "04_crawlers": ("landed.columns", "double", "float"),
    "05_job": ("lab.counts() - before", "100", "101"),
    "06_workflow": ("Statistics", "2", "3"),
    "07_notification": ("put_bucket_notification", "InvalidArgument", "AccessDenied"),
    "08_query": ("revenue desc", "437.77", "437.78"),
    "09_reliability": ("count(transaction_amount)", "3", "4"),
    "10_cleanup": ("lab.leftovers()", "0 resources remain", "1 remain: something"),
}


def edit(cell: Any, before: str, after: str) -> None:
    """Edit a stored output in all its forms."""
    edited = json.loads(json.dumps(cell.outputs).replace(before, after))
    assert edited != json.loads(json.dumps(cell.outputs)), f"{before!r} is not in the output of {cell.source!r}"
    cell.outputs = [type(cell)(output) for output in edited]


# make test-notebooks runs and compares all notebooks, as they are.
@pytest.mark.parametrize(
    "names",
    [pytest.param(("00_start", "01_network"), id="two"), pytest.param(NAMES, id="all", marks=pytest.mark.nightly)],
)
def test_only_an_edited_output_fails_the_comparison(
    empty_lab: dict[str, str], notebook: Callable[[str], Any], tmp_path: Path, names: Sequence[str]
) -> None:
    failed = failures(empty_lab, {name: notebook(name) for name in names}, tmp_path)
    for name in names:
        source, before, after = EDITS[name]
        cells = [cell for cell in notebook(name).cells if cell.cell_type == "code"]
        edited = next(number for number, cell in enumerate(cells) if source in cell.source)
        checks = {number for number, cell in enumerate(cells) if "task-check" in task_cells.tags(cell)}
        answers = {number for number, cell in enumerate(cells) if "task" in task_cells.tags(cell)}
        messages = {number: message for number, message in failed[name] if number not in answers}
        assert set(messages) == {edited, *checks}, f"{name}: " + "\n".join(messages.values())
        assert [number for number in checks if "✓" not in messages[number]] == []
        message = messages[edited]
        assert "Cell outputs differ" in message
        assert before in message
        assert after in message


def failures(environment: dict[str, str], books: dict[str, Any], directory: Path) -> dict[str, list[tuple[int, str]]]:
    """Notebook → the code cells that failed under nbval, each with its message, once edited and solved."""
    cells = {name: sum(cell.cell_type == "code" for cell in book.cells) for name, book in books.items()}
    for name, book in books.items():
        source, before, after = EDITS[name]
        (cell, *_) = [cell for cell in book.cells if cell.cell_type == "code" and source in cell.source]
        edit(cell, before, after)
        (directory / f"{name}.ipynb").write_text(json.dumps(task_cells.solved(book)))
    result = directory / "result.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", str(directory), "--rootdir", str(directory), "-q",
         "-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junitxml={result}"],
        env=environment, cwd=directory, capture_output=True, timeout=600, check=False,
    )  # fmt: skip
    failed: dict[str, list[tuple[int, str]]] = {name: [] for name in books}
    ran = dict.fromkeys(books, 0)
    for case in ElementTree.parse(result).iter("testcase"):
        name = Path(case.attrib["file"]).stem
        ran[name] += 1
        for failure in (*case.findall("failure"), *case.findall("error")):
            failed[name].append((int(case.attrib["name"].split()[-1]), failure.text or ""))
    assert ran == cells
    return failed


@pytest.mark.nightly
def test_the_stored_outputs_are_the_same_on_a_lab_that_was_used_before(
    empty_lab: dict[str, str], root: Path, tmp_path: Path
) -> None:
    for name in NAMES[:-1]:  # without the cleanup in between
        shutil.copy(root / "notebooks" / f"{name}.ipynb", tmp_path)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--nbval", str(tmp_path), "--rootdir", str(tmp_path), "-q",
             "-p", "no:cacheprovider", "--color=no"],
            env=empty_lab, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
