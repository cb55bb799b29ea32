"""The tasks of notebook 04: the catalog."""

from __future__ import annotations

from labkit.tasks.task import Task

TASKS: list[Task] = []
