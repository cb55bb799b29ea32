"""Attempts at the tasks, for table-driven tests: each is the code of an answer cell, and what the verdict must be."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from labkit import Lab, check
from labkit.tasks import registry
from labkit.tasks.task import Outcome
from labkit.tasks.verdict import Verdict

RIGHT, WRONG, TYPE, NONE = Outcome.RIGHT, Outcome.WRONG_VALUE, Outcome.WRONG_TYPE, Outcome.NOT_ATTEMPTED


@dataclass(frozen=True)
class Attempt:
    """What a participant writes into the answer cell of a task, and the verdict."""

    task_id: str
    outcome: Outcome
    code: str
    says: str = ""
    """A part of the verdict's text."""


def attempts(*written: Attempt) -> Iterable[Any]:
    """Parameters for pytest: these attempts, and for each of their tasks its solution and an empty cell.

    After the first attempt of each kind at a task, the others of that kind are nightly.
    """
    tasks = dict.fromkeys(attempt.task_id for attempt in written)
    parameters, seen = [], set()
    for task_id in tasks:
        parameters.append(_parameter(Attempt(task_id, RIGHT, registry.task(task_id).solution), "solution"))
        parameters.append(_parameter(Attempt(task_id, NONE, ""), "nothing"))
    for number, attempt in enumerate(written, start=1):
        kind = (attempt.task_id, attempt.outcome)
        marks = [pytest.mark.nightly] if kind in seen else []
        parameters.append(_parameter(attempt, f"{attempt.outcome} {number}", *marks))
        seen.add(kind)
    return parameters


def _parameter(attempt: Attempt, name: str, *marks: Any) -> Any:
    return pytest.param(attempt, id=f"{attempt.task_id} {name}", marks=marks)


def verdict_on(lab: Lab, attempt: Attempt) -> Verdict:
    """Run the task's cells as a notebook does, with the attempt in the answer cell, and return the verdict."""
    task = registry.task(attempt.task_id)
    cells: dict[str, Any] = {"lab": lab, "check": check}
    run(task.breaks, cells)
    run(task.start, cells)
    run(textwrap.dedent(attempt.code), cells)
    try:
        return check(task.id, cells["answer"], lab=lab) if task.wants else check(task.id, lab=lab)
    finally:
        run(task.mends, cells)


def assert_as_expected(lab: Lab, attempt: Attempt) -> None:
    """Make the attempt. If nothing was done, the cell that puts everything right must not count as done."""
    verdict = verdict_on(lab, attempt)
    assert verdict.outcome is attempt.outcome, str(verdict)
    assert attempt.says in str(verdict), str(verdict)
    task = registry.task(attempt.task_id)
    if attempt.outcome is NONE and not task.wants:
        assert not check(task.id, lab=lab), f"task {task.id} is done by its own cells"


def run(code: str, cells: dict[str, Any]) -> None:
    """Run the code of a cell."""
    exec(compile(code, "<cell>", "exec"), cells)


def enough_attempts(written: Iterable[Attempt], task_id: str) -> bool:
    """Whether a task has another right attempt, two wrong ones and, if it takes an answer, one of a wrong type."""
    outcomes = [attempt.outcome for attempt in written if attempt.task_id == task_id]
    typed = TYPE in outcomes or registry.task(task_id).wants is None
    return outcomes.count(RIGHT) >= 1 and outcomes.count(WRONG) >= 2 and typed
