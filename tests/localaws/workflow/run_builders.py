"""Helpers that create triggers and workflow runs in tests, without a server."""

from __future__ import annotations

from collections.abc import Sequence

from localaws.glue.workflows.runs import ActionRun, WorkflowRun
from localaws.glue.workflows.trigger_definitions import (
    Action,
    Condition,
    Logical,
    NodeType,
    Target,
    Trigger,
    TriggerState,
    TriggerType,
)


def target(name: str) -> Target:
    """Return a crawler if the name begins with `crawler`, otherwise a job."""
    return Target(NodeType.CRAWLER if name.startswith("crawler") else NodeType.JOB, name)


def started_by(name: str, starts: Sequence[str], kind: TriggerType = TriggerType.ON_DEMAND) -> Trigger:
    actions = tuple(Action(target(one), {"JobName": one}) for one in starts)
    return Trigger(name, f"arn:{name}", kind, actions, "flow")


def after(
    name: str,
    watched: dict[str, str],
    starts: Sequence[str],
    logical: Logical = Logical.AND,
    state: TriggerState = TriggerState.ACTIVATED,
) -> Trigger:
    """Return a trigger that fires when jobs and crawlers have ended as `watched` says."""
    actions = tuple(Action(target(one), {"JobName": one}) for one in starts)
    conditions = tuple(Condition(target(one), end) for one, end in watched.items())
    return Trigger(name, f"arn:{name}", TriggerType.CONDITIONAL, actions, "flow", conditions, logical, state=state)


def run_of(*triggers: Trigger) -> WorkflowRun:
    return WorkflowRun("flow", triggers, {})


def begin(run: WorkflowRun) -> list[str]:
    """Fire the triggers that are due; return their names."""
    due = run.due()
    for trigger in due:
        run.fired.add(trigger.name)
        run.actions += [ActionRun(trigger.name, action.target) for action in trigger.actions]
    return [trigger.name for trigger in due]


def end(run: WorkflowRun, **states: str) -> None:
    """End the newest run of each named action: `a="FAILED"`."""
    for name, state in states.items():
        action = [one for one in run.actions if one.target.name == name][-1]
        action.started_as(f"jr_{name}")
        action.finish(state)


def due(run: WorkflowRun) -> list[str]:
    return [trigger.name for trigger in run.due()]


def counts(run: WorkflowRun) -> dict[str, int]:
    return {name: count for name, count in run.statistics().items() if count}
