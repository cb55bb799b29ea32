"""The tasks of notebook 03: the secret and the connection."""

from __future__ import annotations

from labkit.tasks.task import Task

TASKS: list[Task] = []
