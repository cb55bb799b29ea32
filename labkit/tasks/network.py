"""The tasks of notebook 01: the VPC."""

from __future__ import annotations

from labkit.tasks.task import Task

TASKS: list[Task] = []
