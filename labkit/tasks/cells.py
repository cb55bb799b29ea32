"""The notebooks' cells of the tasks, made from the tasks themselves.

A notebook's author writes one Markdown cell per task, as a placeholder, with the tag `tasks:05.2`. `fill(notebook)`
replaces it by the task's cells, and later by fresh ones: every generated cell has the task's id among its tags.

| tags | cell |
|---|---|
| task-breaks, 05.2 | only some tasks: Markdown (the title and prose), then code that breaks something |
| task-text, 05.2 | Markdown: the title, unless there was one before, and what to do |
| task, 05.2 | the cell for the answer |
| task-check, 05.2 | `check("05.2", answer)` |
| task-mends, 05.2 | only some tasks: Markdown, then code that puts everything right |
"""

from __future__ import annotations

import copy
import re
from typing import Any

import nbformat

from labkit.tasks import registry
from labkit.tasks.task import Task

PLACEHOLDER = "tasks:"
TASK_ID = re.compile(r"\d\d\.\d+")


def cells(task: Task) -> list[Any]:
    """The cells of a task, as nbformat's cells."""
    title = f"### Task {task.id} · {task.title}"
    parts = [
        ("markdown", "breaks", f"{title}\n\n{task.breaks_text}" if task.breaks else "", "breaks-text"),
        ("code", "breaks", task.breaks, "breaks"),
        ("markdown", "text", task.text if task.breaks else f"{title}\n\n{task.text}", "text"),
        ("code", "", task.start, "answer"),
        ("code", "check", task.check, "check"),
        ("markdown", "mends", task.mends_text, "mends-text"),
        ("code", "mends", task.mends, "mends"),
    ]
    return [_cell(kind, task.id, tag, source.strip(), name) for kind, tag, source, name in parts if source]


def _cell(kind: str, task_id: str, tag: str, source: str, name: str) -> Any:
    new = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    cell = new(source, metadata={"tags": [f"task-{tag}" if tag else "task", task_id]})
    cell["id"] = f"task-{task_id.replace('.', '-')}-{name}"
    return cell


def fill(notebook: Any) -> Any:
    """A copy of the notebook in which each placeholder, and each run of a task's cells, is the task's fresh cells.

    A code cell whose source is as before keeps its outputs.

    Raises:
        UsageError: there is no such task.
    """
    filled = copy.deepcopy(notebook)
    new: list[Any] = []
    before = ""
    for cell in filled["cells"]:
        task_id = id_of(cell)
        if not task_id:
            new.append(cell)
        elif task_id != before:
            new += cells(registry.task(task_id))
        before = task_id
    stored = {cell["id"]: cell for cell in filled["cells"] if "id" in cell}
    filled["cells"] = [_with_outputs(cell, stored) for cell in new]
    return filled


def _with_outputs(cell: Any, stored: dict[str, Any]) -> Any:
    same = stored.get(cell.get("id", ""))
    return same if same and same["source"] == cell["source"] and tags(same) == tags(cell) else cell


def solved(notebook: Any) -> Any:
    """A copy of the notebook in which each answer cell contains the solution."""
    with_solutions = copy.deepcopy(notebook)
    for cell in with_solutions["cells"]:
        if "task" in tags(cell):
            cell["source"] = registry.task(id_of(cell)).solution.strip()
    return with_solutions


def unsolved(notebook: Any) -> list[str]:
    """The ids of the tasks whose check did not say ✓ in this executed notebook."""
    return [id_of(cell) for cell in notebook["cells"] if "task-check" in tags(cell) and not _said(cell).startswith("✓")]


def _said(cell: Any) -> str:
    texts = [output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", [])]
    return next(("".join(text) for text in texts if text), "")


def task_ids(notebook: Any) -> list[str]:
    """The ids of the notebook's tasks, in their order there."""
    return list(dict.fromkeys(filter(None, map(id_of, notebook["cells"]))))


def tags(cell: Any) -> list[str]:
    """The cell's tags."""
    return list(cell.get("metadata", {}).get("tags", []))


def id_of(cell: Any) -> str:
    """The id of the task that a cell belongs to; empty if it belongs to none."""
    for tag in tags(cell):
        if tag.startswith(PLACEHOLDER):
            return tag.removeprefix(PLACEHOLDER)
    if any(tag == "task" or tag.startswith("task-") for tag in tags(cell)):
        return next((tag for tag in tags(cell) if TASK_ID.fullmatch(tag)), "")
    return ""
