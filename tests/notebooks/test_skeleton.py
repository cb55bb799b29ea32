"""All notebooks have the same skeleton, and stored outputs that are worth comparing."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from story import NAMES

Notebook = Callable[[str], Any]

SECTIONS = ["Parameters", "Check", "Tasks", "Recap", "Next"]
WORDS_A_MINUTE = 200
MOST_LINES_OF_CODE, MOST_LINES_OF_OUTPUT = 15, 45
THIS_RUNS_ONLY = re.compile(
    r"arn:|\b(?:vpc|subnet|sg|igw|rtb|vpce)-[0-9a-f]{6,}|\b(?:jr|wr)_[0-9a-f]{8,}|0x[0-9a-f]{6,}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}|127\.0\.0\.1|localhost|/home/|/root/|/tmp/"
    r"|\d\d:\d\d:\d\d|\d ?(?:s|ms|seconds)\b"
)
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
"""The hints and solutions of a task: they come from the package."""
HIDDEN_BY_NBVAL = {"image/png", "image/jpeg"}


def code(book: Any) -> list[Any]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def markdown(book: Any) -> str:
    return "\n\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")


def is_ignored(cell: Any) -> bool:
    return "nbval-ignore-output" in tags(cell) or "NBVAL_IGNORE_OUTPUT" in cell.source


def compared_data(cell: Any) -> bool:
    """Does nbval compare something in the outputs that came from the target?"""
    texts = [output.get("text") or output["data"].get("text/plain", "") for output in cell.outputs]
    return not is_ignored(cell) and any(text.strip() and not text.startswith("local AWS") for text in texts)


def test_the_notebooks_are_in_the_order_of_the_story(root: Path) -> None:
    assert tuple(file.stem for file in sorted((root / "notebooks").glob("*.ipynb"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_the_common_structure(notebook: Notebook, name: str) -> None:
    book = notebook(name)
    opening, picture = (cell.source for cell in book.cells[:2])
    assert opening.startswith(f"# {name[:2]} · ")
    assert "**After this notebook you can**" in opening
    assert re.search(r"\*\*Time:\*\* \d+ minutes? to read, .+ to run, about \d+ for the tasks\.", opening)
    assert "**Cost on AWS:**" in opening
    assert picture.startswith("![")
    headings = re.findall(r"^## (.+)$", markdown(book), re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS
    assert headings[-4:] == SECTIONS[-4:]


@pytest.mark.parametrize("name", NAMES)
def test_the_stated_reading_time_is_that_of_the_prose(notebook: Notebook, name: str) -> None:
    """The tasks have a time of their own."""
    book = notebook(name)
    book.cells = [cell for cell in book.cells if not any(tag.startswith("task") for tag in tags(cell))]
    seen = re.sub(r"\]\([^)]*\)|<[^>]+>|[|`*#]", " ", markdown(book))  # what a reader does not read
    stated = re.search(r"\*\*Time:\*\* (\d+) minutes? to read", book.cells[0].source)
    assert stated
    assert int(stated[1]) == -(-len(seen.split()) // WORDS_A_MINUTE)


def test_only_the_first_notebook_says_that_nothing_was_run_on_a_real_account(notebook: Notebook) -> None:
    assert [name for name in NAMES if "not been run" in markdown(notebook(name))] == ["00_start"]


@pytest.mark.parametrize("name", NAMES)
def test_departures_from_the_original_are_folded(notebook: Notebook, name: str) -> None:
    folded = re.sub(r"<details>.*?</details>", "", markdown(notebook(name)), flags=re.DOTALL)
    said = [line for line in folded.splitlines() if re.search(r"\b[Tt]he (original|description)('s)?\b", line)]
    assert all("If you don't know the original" in line for line in said), said


@pytest.mark.parametrize("name", NAMES)
def test_prose_comes_before_every_code_cell(notebook: Notebook, name: str) -> None:
    cells = notebook(name).cells
    assert cells[0].cell_type == cells[-1].cell_type == "markdown"
    for before, cell in itertools.pairwise(cells):
        if cell.cell_type == "code":
            is_task = "task-check" in tags(cell) and "task" in tags(before)
            assert before.cell_type == "markdown" or is_task, cell.source


@pytest.mark.parametrize("name", NAMES)
def test_code_cells_and_outputs_fit_a_screen(notebook: Notebook, name: str) -> None:
    for cell in code(notebook(name)):
        assert len(cell.source.splitlines()) <= MOST_LINES_OF_CODE, cell.source
        shown = [output.get("text") or output["data"].get("text/plain", "") for output in cell.outputs]
        assert sum(len(text.splitlines()) for text in shown) <= MOST_LINES_OF_OUTPUT, cell.source


@pytest.mark.parametrize("name", NAMES)
def test_parameters_have_simple_types_and_a_comment(notebook: Notebook, name: str) -> None:
    (cell,) = [cell for cell in code(notebook(name)) if "parameters" in tags(cell)]
    for line in cell.source.splitlines():
        assert re.fullmatch(r"\w+: (int|str|bool|float) = [^=#]+  # .+", line), line
        assert isinstance(ast.parse(line).body[0], ast.AnnAssign)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_checks_its_step(notebook: Notebook, name: str) -> None:
    source = "\n".join(cell.source for cell in code(notebook(name)))
    assert ".check()" in source or "lab.status()" in source


@pytest.mark.parametrize("name", NAMES)
def test_every_code_cell_was_executed_in_order(notebook: Notebook, name: str) -> None:
    cells = code(notebook(name))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_all_outputs_are_compared_and_at_most_two_are_ignored(notebook: Notebook, name: str) -> None:
    cells = code(notebook(name))
    for cell in cells:
        assert not {"nbval-skip", "nbval-raises-exception", "raises-exception"} & set(tags(cell))
        assert "NBVAL_SKIP" not in cell.source
        assert "NBVAL_RAISES_EXCEPTION" not in cell.source
        assert all(output.output_type != "error" for output in cell.outputs)
    assert sum(map(is_ignored, cells)) <= 2
    assert sum(map(compared_data, cells)) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_the_data_of_a_plot_is_also_shown_as_a_table(notebook: Notebook, name: str) -> None:
    """nbval doesn't compare pictures, so the data of a plot must be in a table of the same notebook."""
    cells = code(notebook(name))
    for cell in cells:
        if any(HIDDEN_BY_NBVAL & set(output.get("data", {})) for output in cell.outputs):
            frames = set(re.findall(r"\b(by_\w+)\b", cell.source))
            shown = "\n".join(f"{other.source.splitlines()[0]}\n{other.source.splitlines()[-1]}" for other in cells)
            assert frames
            assert frames <= set(re.findall(r"^(?:%%redshift )?(by_\w+)(?:\.head\(\d+\))?$", shown, re.MULTILINE))


@pytest.mark.parametrize("name", NAMES)
def test_stored_outputs_contain_no_ids_times_addresses_or_paths(notebook: Notebook, name: str) -> None:
    for cell in code(notebook(name)):
        for output in cell.outputs:
            data = {kind: text for kind, text in output.get("data", {}).items() if not kind.startswith("image/")}
            text = output.get("text", "") + "".join(data.values())
            found = THIS_RUNS_ONLY.search(FOLDED.sub("", text))
            assert not found, f"{found.group()!r} in the output of: {cell.source}" if found else ""


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_small(root: Path, name: str) -> None:
    limit = 120_000 if name == "08_query" else 50_000  # plots
    assert (root / "notebooks" / f"{name}.ipynb").stat().st_size < limit


DESCRIBED = ("05_job", "06_workflow", "07_notification", "08_query", "09_reliability")


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_notebook_of_the_described_system_requires_its_delivery_first(notebook: Notebook, name: str) -> None:
    first = next(cell for cell in code(notebook(name)) if "lab = Lab()" in cell.source)
    assert first.source.splitlines()[-2:] == ["print(lab.up())", 'lab.require("as-described")']


def test_every_notebook_links_to_the_next_one(notebook: Notebook) -> None:
    for name, following in zip(NAMES, (*NAMES[1:], NAMES[0]), strict=True):
        assert f"({following}.ipynb)" in markdown(notebook(name)).split("## Next")[1]


def test_notebooks_use_only_the_public_api_of_labkit(notebook: Notebook) -> None:
    allowed = {"labkit", "labkit.errors", "labkit.data"}
    for name in NAMES:
        source = "\n".join(cell.source for cell in code(notebook(name)) if not cell.source.startswith("%"))
        imported = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
        ours = {module for module in imported if module and module.startswith(("labkit", "localaws"))}
        assert {module for module in ours if not module.startswith("labkit.tasks")} <= allowed
