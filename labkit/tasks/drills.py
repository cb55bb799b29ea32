"""Which tasks have broken something that is not put right yet.

A later cell puts right what a task's first cell has broken, so that nothing later depends on the task. After that, the
target looks as if the participant had mended it. So the task's first cell notes that the drill has begun, the last one
that it is over, and a task is done only in between.
"""

from __future__ import annotations

from labkit.steps.lab_steps import LabSteps
from labkit.tasks.task import Finding, not_attempted

_begun: set[tuple[str, str, str]] = set()


def begin(lab: LabSteps, task_id: str) -> None:
    """Note that a cell breaks something now."""
    _begun.add(_key(lab, task_id))


def over(lab: LabSteps, task_id: str) -> None:
    """Note that a cell has put everything right."""
    _begun.discard(_key(lab, task_id))


def mended(lab: LabSteps, task_id: str, finding: Finding) -> Finding:
    """`finding`, which says that all is well now, if there was something to mend; else "not attempted"."""
    if _key(lab, task_id) in _begun:
        return finding
    return not_attempted("nothing is broken now. First run the task's first cell.")


def _key(lab: LabSteps, task_id: str) -> tuple[str, str, str]:
    return str(lab.config.home), lab.config.prefix, task_id
