"""How far a participant has come: which tasks of which notebook are done."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.config import LabConfig
from labkit.tasks import record, registry
from labkit.tasks.task import Task


@dataclass(frozen=True)
class NotebookProgress:
    """The tasks of one notebook."""

    notebook: str
    done: tuple[Task, ...]
    open: tuple[Task, ...]

    @property
    def all(self) -> int:
        """The number of its tasks."""
        return len(self.done) + len(self.open)

    def __str__(self) -> str:
        line = f"{'○' if self.open else '✓'} {self.notebook}  {len(self.done)}/{self.all}"
        return f"{line}  open: {self.titles}" if self.open else line

    @property
    def titles(self) -> str:
        """The open tasks, with their titles."""
        return ", ".join(f"{task.id} {task.title}" for task in self.open)


@dataclass(frozen=True)
class Progress:
    """The tasks of all notebooks. It contains no times, except in the JSON."""

    prefix: str
    notebooks: tuple[NotebookProgress, ...]
    times: tuple[tuple[str, str], ...]
    """The tasks that are done, each with the time when it was done first (UTC)."""

    @classmethod
    def of(cls, config: LabConfig) -> Progress:
        """Read the record of this lab.

        Raises:
            LabError: the record is damaged; the message says where it is.
        """
        done = record.done(config)
        return cls(config.prefix, tuple(_by_notebook(done)), tuple(done.items()))

    @property
    def done(self) -> int:
        """The number of tasks that are done."""
        return sum(len(one.done) for one in self.notebooks)

    @property
    def all(self) -> int:
        """The number of tasks."""
        return sum(one.all for one in self.notebooks)

    def as_json(self) -> dict[str, Any]:
        """For `labkit progress --json`."""
        times = dict(self.times)
        return {
            "prefix": self.prefix,
            "done": self.done,
            "all": self.all,
            "notebooks": {
                one.notebook: {
                    "done": len(one.done),
                    "all": one.all,
                    "tasks": [
                        {"id": task.id, "title": task.title, "done": task in one.done, "done_at": times.get(task.id)}
                        for task in sorted((*one.done, *one.open), key=_number)
                    ],
                }
                for one in self.notebooks
            },
        }

    def __str__(self) -> str:
        return "\n".join([*map(str, self.notebooks), f"{self.done} of {self.all} tasks are done"])

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        left = 'style="text-align:left"'
        rows = "".join(
            f"<tr><td {left}>{'○' if one.open else '✓'} {one.notebook}</td><td {left}>{len(one.done)}/{one.all}</td>"
            f"<td {left}>{html.escape(one.titles)}</td></tr>"
            for one in self.notebooks
        )
        head = "".join(f"<th {left}>{title}</th>" for title in ("notebook", "tasks done", "open"))
        return f"<table><tr>{head}</tr>{rows}</table><div>{self.done} of {self.all} tasks are done</div>"


def _by_notebook(done: dict[str, str]) -> Iterator[NotebookProgress]:
    for number in dict.fromkeys(task.notebook for task in registry.TASKS.values()):
        tasks = registry.of_notebook(number)
        yield NotebookProgress(
            number,
            tuple(task for task in tasks if task.id in done),
            tuple(task for task in tasks if task.id not in done),
        )


def _number(task: Task) -> int:
    return int(task.id.partition(".")[2])
