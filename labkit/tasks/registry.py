"""All tasks, in the order of the notebooks."""

from __future__ import annotations

from types import ModuleType

from labkit.errors import UsageError
from labkit.steps.lab_steps import LabSteps
from labkit.tasks import crawlers, network, redshift, secrets, start
from labkit.tasks.task import Task

MODULES: tuple[ModuleType, ...] = (
    start,
    network,
    redshift,
    secrets,
    crawlers,
)
"""A module for each notebook that has tasks. Each has a list TASKS.

If its tasks make things that no step destroys, it has a function `remains`, which removes them and yields their names.
"""

TASKS: dict[str, Task] = {task.id: task for module in MODULES for task in module.TASKS}


def task(task_id: str) -> Task:
    """The task with this id.

    Raises:
        UsageError: there is no such task; the message lists the known ones.
    """
    if found := TASKS.get(task_id.strip() if isinstance(task_id, str) else task_id):
        return found
    raise UsageError(f"There is no task {task_id!r}.", fix=f"Tasks: {', '.join(TASKS)}.")


def remove_remains(lab: LabSteps) -> tuple[str, ...]:
    """Remove what unfinished tasks have left on the target: a task's last cell was not run. Return what was removed."""
    return tuple(gone for module in MODULES if hasattr(module, "remains") for gone in module.remains(lab))


def of_notebook(number: str) -> tuple[Task, ...]:
    """The tasks of a notebook, such as "05"."""
    return tuple(task for task in TASKS.values() if task.notebook == number)
