"""The tasks of notebook 00: buckets, roles, functions."""

from __future__ import annotations

from labkit.tasks.task import Task

TASKS: list[Task] = []
