"""All notebooks have the same skeleton, and stored outputs that are worth comparing."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from story import NAMES

Notebook = Callable[[str], Any]

SECTIONS = ["What it costs and takes on AWS", "Parameters", "Check", "Exercise", "What we learned", "Next"]
THIS_RUNS_ONLY = re.compile(
    r"arn:|\b(?:vpc|subnet|sg|igw|rtb|vpce)-[0-9a-f]{6,}|\b(?:jr|wr)_[0-9a-f]{8,}|0x[0-9a-f]{6,}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}|127\.0\.0\.1|localhost|/home/|/root/|/tmp/"
    r"|\d\d:\d\d:\d\d|\d ?(?:s|ms|seconds)\b"
)
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
    texts = [
        output.get("text") or output["data"].get("text/plain", "")
        for output in cell.outputs
        if output.output_type == "stream" or "image/svg+xml" not in output.get("data", {})
    ]
    return not is_ignored(cell) and any(text.strip() and not text.startswith("local AWS") for text in texts)


def test_the_notebooks_are_in_the_order_of_the_story(root: Path) -> None:
    assert tuple(file.stem for file in sorted((root / "notebooks").glob("*.ipynb"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_the_common_structure(notebook: Notebook, name: str) -> None:
    book = notebook(name)
    text = markdown(book)
    assert text.startswith(f"# {name[:2]} · ")
    assert "In this notebook you " in text.split("## ")[0]
    assert code(book)[0].outputs[0].data["image/svg+xml"]
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS
    assert headings[:2] == SECTIONS[:2]
    assert headings[-4:] == SECTIONS[-4:]
    assert "not been run" in text, "it must say that it was never tried on a real account"


@pytest.mark.parametrize("name", NAMES)
def test_prose_comes_before_code(notebook: Notebook, name: str) -> None:
    cells = notebook(name).cells
    assert cells[0].cell_type == "markdown"
    assert cells[-1].cell_type == "markdown"
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    assert words > 300


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
def test_an_exercise_has_a_place_for_the_answer_a_check_and_a_hidden_solution(notebook: Notebook, name: str) -> None:
    book = notebook(name)
    assert sum("exercise" in tags(cell) for cell in code(book)) == 1
    assert sum("exercise-check" in tags(cell) for cell in code(book)) == 1
    assert re.search(r"<details><summary>Solution</summary>\n\n```python\n.*answer.*```", markdown(book), re.DOTALL)


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
            shown = {other.source.splitlines()[-1] for other in cells}
            assert frames
            assert frames <= shown


@pytest.mark.parametrize("name", NAMES)
def test_stored_outputs_contain_no_ids_times_addresses_or_paths(notebook: Notebook, name: str) -> None:
    for cell in code(notebook(name)):
        for output in cell.outputs:
            data = {kind: text for kind, text in output.get("data", {}).items() if not kind.startswith("image/")}
            text = output.get("text", "") + "".join(data.values())
            found = THIS_RUNS_ONLY.search(text)
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
    allowed = {"labkit", "labkit.show.picture", "labkit.show.exercise", "labkit.errors", "labkit.data"}
    for name in NAMES:
        source = "\n".join(cell.source for cell in code(notebook(name)) if not cell.source.startswith("%"))
        imported = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
        assert {module for module in imported if module and module.startswith(("labkit", "localaws"))} <= allowed
