"""`check("02.1", answer)`: judges a task, records it if it is done, and returns the verdict."""

from __future__ import annotations

import sys
from typing import Any

from labkit.errors import LabError, UsageError
from labkit.steps.lab_steps import LabSteps
from labkit.tasks import answers, drills, record, registry
from labkit.tasks.task import Finding, Found, Outcome, Task, not_attempted, wrong_type
from labkit.tasks.verdict import Verdict

_NOTHING: Any = object()


def check(task_id: str, answer: Any = _NOTHING, *, lab: LabSteps | None = None) -> Verdict:
    """Check a task: `check("02.1", answer)`, or `check("01.2")` for a task that makes something on the target.

    A task that is done is recorded in the lab's home: `labkit progress`, `lab.progress()`.

    Args:
        task_id: the notebook's number and the task's.
        answer: what you found out, in any sensible form. None means that there is no answer yet.
        lab: the lab that the task is about. By default it is the notebook's variable `lab`, or else the lab of the
            settings.

    Raises:
        UsageError: there is no such task, or it needs an answer, or takes none.
        LabError: the check itself failed. It says nothing about the answer.
    """
    task = registry.task(task_id)
    _require_answer(task, given=answer is not _NOTHING)
    if task.wants is not None:
        if answers.is_blank(answer := answers.normalize(answer)):
            return Verdict(task, not_attempted("put your answer into the cell above, and run both cells."))
        try:
            answer = answers.take(task.wants, answer)
        except TypeError:
            return Verdict(task, wrong_type(f"you gave {answers.describe(answer)}. Wanted: {task.wants.words}."))
    else:
        answer = None
    lab = lab or _own_lab()
    finding = _judged(task, lab, answer)
    if finding.outcome is Outcome.RIGHT:
        if task.is_drill and not drills.is_on(lab, task.id):
            return Verdict(task, not_attempted("nothing is broken now. First run the task's first cell."))
        return Verdict(task, finding, record.note_done(lab, task.id))
    return Verdict(task, _with_answer(task, finding, answer))


def _own_lab() -> LabSteps:
    """The notebook's own lab, which has its clients already and may have other settings; else one from the settings."""
    ipython = sys.modules.get("IPython")  # in a notebook it is loaded already
    shell = ipython.get_ipython() if ipython else None
    lab = shell.user_ns.get("lab") if shell else None
    return lab if isinstance(lab, LabSteps) else LabSteps()


def _require_answer(task: Task, *, given: bool) -> None:
    if task.wants is not None and not given:
        raise UsageError(f"Task {task.id} needs an answer.", fix=f"Write: {task.check}")
    if task.wants is None and given:
        raise UsageError(f"Task {task.id} takes no answer: it looks at the target.", fix=f"Write: {task.check}")


def _judged(task: Task, lab: LabSteps, answer: Any) -> Finding:
    try:
        return task.judge(lab, answer)
    except Found as found:
        return found.finding
    except LabError:
        raise  # the target's own words, which say what to do
    except Exception as error:
        raise LabError(
            f"The check of task {task.id} failed: {type(error).__name__}: {error}",
            fix="This says nothing about your answer. The fault is in the check: labkit/tasks/.",
        ) from error


def _with_answer(task: Task, finding: Finding, answer: Any) -> Finding:
    """Say what was given, if it is an answer that can be shown."""
    if task.wants is None or callable(answer) or finding.outcome not in (Outcome.WRONG_VALUE, Outcome.WRONG_TYPE):
        return finding
    given = answers.describe(answer) if finding.outcome is Outcome.WRONG_TYPE else answers.shown(answer)
    return Finding(finding.outcome, f"you gave {given}. {finding.note}")
