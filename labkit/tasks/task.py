"""What a task is, and what a judge finds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from labkit.steps.lab_steps import LabSteps
from labkit.tasks.answers import Kind, shown


class Outcome(StrEnum):
    """What a verdict says."""

    NOT_ATTEMPTED = "not attempted"
    WRONG_TYPE = "wrong type"
    WRONG_VALUE = "not right yet"
    RIGHT = "right"


@dataclass(frozen=True)
class Finding:
    """What a judge found, and one helpful sentence."""

    outcome: Outcome
    note: str = ""


def right(note: str = "Right.") -> Finding:
    """The task is done. The note may say what this shows."""
    return Finding(Outcome.RIGHT, note)


def wrong(note: str) -> Finding:
    """The answer is wrong, or what was made does not do what it should. The note says how, but not the solution."""
    return Finding(Outcome.WRONG_VALUE, note)


def wrong_type(note: str) -> Finding:
    """The answer, or a part of it, is of the wrong type."""
    return Finding(Outcome.WRONG_TYPE, note)


def not_attempted(note: str) -> Finding:
    """Nothing has been made yet, or what a cell broke is still broken."""
    return Finding(Outcome.NOT_ATTEMPTED, note)


class Found(Exception):
    """A judge's way to end early, from inside a helper: `raise Found(wrong("…"))`."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.note)
        self.finding = finding


Judge = Callable[[LabSteps, Any], Finding]
"""Looks at the target, or tries the answer. It gets the answer as the task's kind, or None if the task takes none.

It leaves nothing behind on the target. An error of AWS, of the target or of the judge itself must not become "wrong":
a judge raises it as it is. What the answer itself causes is a finding (`reading`, `trying`).
"""


@dataclass(frozen=True)
class Task:
    """One task of a notebook."""

    id: str
    """The notebook's number and the task's, such as "05.2"."""
    title: str
    text: str
    """What to do, in Markdown, without the solution."""
    start: str
    """The source of the cell that the participant fills in: `answer: int | None = None`, or `# Your code`."""
    hints: tuple[str, str]
    """The first says where to look, the second nearly says what to write. `Code` in backticks."""
    solution: str
    """Code for the answer cell."""
    judge: Judge
    wants: Kind | None = None
    """What kind of answer is wanted; None for a task that makes or mends something on the target."""
    breaks: str = ""
    """Code of a cell before the task that breaks something."""
    breaks_text: str = ""
    """Prose before that cell."""
    mends: str = ""
    """Code of a cell after the check. It puts everything right, whatever the participant did, and shows nothing new."""
    mends_text: str = ""
    """Prose before that cell, which says so."""

    @property
    def notebook(self) -> str:
        """The notebook's number, such as "05"."""
        return self.id.partition(".")[0]

    @property
    def is_drill(self) -> bool:
        """Whether the last cell does what the participant has to do: see `labkit/tasks/drills.py`."""
        return "drills.over(" in self.mends

    @property
    def check(self) -> str:
        """The source of the cell that checks the task."""
        return f'check("{self.id}", answer)' if self.wants else f'check("{self.id}")'


@contextlib.contextmanager
def reading(wanted: str) -> Iterator[None]:
    """Around code that takes the answer apart: what the answer's form makes it raise is a wrong type.

    Args:
        wanted: what is wanted, such as "a list of key names".
    """
    try:
        yield
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise Found(wrong_type(f"Wanted: {wanted}.")) from error


def trying(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the participant's function and return what it returns. What it raises is a wrong value."""
    try:
        return function(*arguments)
    except Exception as error:
        given = ", ".join(map(shown, arguments))
        raise Found(wrong(f"your function raised {type(error).__name__} for {given}: {error}")) from error
