"""The notebooks' cells of the tasks come from the tasks, and can be solved and read back."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest

from labkit.errors import UsageError
from labkit.tasks import cells, registry
from labkit.tasks.task import Task

ANSWERED, BREAKING = registry.task("02.1"), registry.task("00.2")
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
EVERY = pytest.mark.parametrize("task", registry.TASKS.values(), ids=lambda task: task.id)


def notebook(*tags: str) -> Any:
    """A notebook with one cell for each tag, between a title and an end."""
    made = nbformat.v4.new_notebook()
    markdown = nbformat.v4.new_markdown_cell
    made.cells = [
        markdown("# Title"),
        *(markdown("here", metadata={"tags": [tag]}) for tag in tags),
        markdown("## Next"),
    ]
    return made


def kinds(filled: Any) -> list[str]:
    return [cell.metadata.get("tags", [""])[0] for cell in filled.cells]


def test_a_placeholder_becomes_the_cells_of_its_task() -> None:
    filled = cells.fill(notebook("tasks:02.1"))
    nbformat.validate(filled)
    assert kinds(filled) == ["", "task-text", "task", "task-check", ""]
    assert filled.cells[1].source.startswith("### Task 02.1 · The average of integers\n\nTwo cars")
    assert filled.cells[3].source == 'check("02.1", answer)'
    assert all("02.1" in cell.metadata.tags for cell in filled.cells[1:4])


def test_a_task_that_breaks_something_says_so_first_and_mends_it_at_the_end() -> None:
    filled = cells.fill(notebook("tasks:00.2"))
    assert kinds(filled)[1:-1] == [
        "task-breaks", "task-breaks", "task-text", "task", "task-check", "task-mends", "task-mends",
    ]  # fmt: skip
    assert filled.cells[1].source.startswith("### Task 00.2")
    assert not filled.cells[3].source.startswith("#")


def test_filling_again_changes_nothing_and_keeps_outputs() -> None:
    filled = cells.fill(notebook("tasks:02.1", "tasks:00.2"))
    filled.cells[3].outputs = [nbformat.v4.new_output("stream", text="kept")]
    assert cells.fill(filled) == filled


def test_filling_replaces_cells_that_have_changed() -> None:
    filled = cells.fill(notebook("tasks:02.1", "tasks:02.2"))
    changed = cells.fill(filled)
    changed.cells[1].source = "### Something old"
    del changed.cells[2]
    assert cells.fill(changed) == filled
    assert cells.task_ids(filled) == ["02.1", "02.2"]


def test_a_placeholder_of_an_unknown_task_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"There is no task '99\.9'"):
        cells.fill(notebook("tasks:99.9"))


def test_a_solved_notebook_has_the_solutions_and_the_original_stays_as_it_is() -> None:
    filled = cells.fill(notebook("tasks:02.1", "tasks:00.2"))
    sources = [cell.source for cell in cells.solved(filled).cells if "task" in cell.metadata.get("tags", [])]
    assert sources == [ANSWERED.solution.strip(), BREAKING.solution.strip()]
    assert filled.cells[2].source == ANSWERED.start


def test_the_checks_that_did_not_pass_are_listed() -> None:
    executed = cells.fill(notebook("tasks:02.1", "tasks:02.2", "tasks:02.3"))
    said = {"02.1": "✓ 02.1 Right.", "02.2": "✗ 02.2 not right yet"}
    for cell in executed.cells:
        if "task-check" in cell.metadata.get("tags", []) and (text := said.get(cells.id_of(cell))):
            cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": text})]
    assert cells.unsolved(executed) == ["02.2", "02.3"]


@EVERY
def test_a_task_is_complete(task: Task) -> None:
    assert registry.task(task.id) is task
    for code in (task.start, task.solution, task.breaks, task.mends):
        ast.parse(code)
        assert len(code.strip().splitlines()) <= 15
    assert bool(task.mends) == bool(task.mends_text)
    assert bool(task.breaks) == bool(task.breaks_text)
    assert not (task.breaks and not task.mends)
    assert task.title
    assert all(len(text) > 20 for text in (task.text, *task.hints))
    assert ("answer" in task.start) is (task.wants is not None)
    assert task.solution.strip() not in task.text + task.breaks_text + task.mends_text


@EVERY
def test_a_task_s_cells_contain_no_solution(task: Task) -> None:
    visible = [cell for cell in cells.cells(task) if "task-mends" not in cell.metadata.tags]
    assert not any(task.solution.strip() in cell.source for cell in visible)


def test_the_tasks_are_in_order() -> None:
    ids = [(task.notebook, int(task.id.partition(".")[2])) for task in registry.TASKS.values()]
    assert ids == sorted(ids)
    assert sum(len(module.TASKS) for module in registry.MODULES) == len(registry.TASKS)


@pytest.mark.parametrize("name", sorted(file.stem for file in NOTEBOOKS.glob("*.ipynb")))
def test_a_notebook_s_task_cells_are_up_to_date(name: str) -> None:
    there = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    assert cells.fill(there) == there, "run: python tests/notebooks/fill_tasks.py"
    assert cells.task_ids(there) == [task.id for task in registry.of_notebook(name[:2])]
