"""Which tasks have broken something that is not put right yet.

A later cell puts right what a task's first cell has broken, so that nothing later depends on the task. After that, the
target looks as if the participant had mended it. So the task's first cell notes that the drill has begun, the last one
that it is over, and `check` takes the task as done only in between (`Task.is_drill`).
"""

from __future__ import annotations

from labkit.steps.lab_steps import LabSteps

_begun: set[tuple[str, str, str]] = set()


def begin(lab: LabSteps, task_id: str) -> None:
    """Note that a cell has broken something."""
    _begun.add(_key(lab, task_id))


def over(lab: LabSteps, task_id: str) -> None:
    """Note that a cell has put everything right."""
    _begun.discard(_key(lab, task_id))


def is_on(lab: LabSteps, task_id: str) -> bool:
    """Whether something is broken that no cell has put right. The participant may have mended it."""
    return _key(lab, task_id) in _begun


def _key(lab: LabSteps, task_id: str) -> tuple[str, str, str]:
    return str(lab.config.home), lab.config.prefix, task_id
