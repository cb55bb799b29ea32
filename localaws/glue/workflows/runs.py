"""Workflows and their runs: what has been started, how it ended, and what is due next.

The rules are AWS's: https://docs.aws.amazon.com/glue/latest/dg/workflows_overview.html, resuming-workflow.html and
blueprint_workflow_restrictions.html beside it. This module only keeps the records; engine.py starts things.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from moto.core.utils import utcnow

from localaws.core.events import Predecessors
from localaws.glue.history import History
from localaws.glue.workflows.trigger_definitions import NodeType, Target, Trigger, TriggerState

# AWS keeps ninety days of runs; a lab keeps this many of each workflow.
KEPT_RUNS = 1000

Details = Callable[[Target], list[dict[str, Any]]]


class RunStatus(StrEnum):
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"  # even if actions failed: only the statistics show that
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    ERROR = "ERROR"


# The count of WorkflowRunStatistics for each state of a job run or crawl.
_COUNTED_AS = {
    "STARTING": "RunningActions",
    "RUNNING": "RunningActions",
    "STOPPING": "RunningActions",
    "CANCELLING": "RunningActions",
    "WAITING": "WaitingActions",
    "SUCCEEDED": "SucceededActions",
    "FAILED": "FailedActions",
    "TIMEOUT": "TimeoutActions",
    "STOPPED": "StoppedActions",
    "CANCELLED": "StoppedActions",
    "ERROR": "ErroredActions",
}
_COUNTS = (
    "TotalActions",
    "TimeoutActions",
    "FailedActions",
    "StoppedActions",
    "SucceededActions",
    "RunningActions",
    "ErroredActions",
    "WaitingActions",
)


def is_final(state: str) -> bool:
    """Whether `state` is a final state of a job run or crawl."""
    return _COUNTED_AS[state] not in ("RunningActions", "WaitingActions")


@dataclass
class ActionRun:
    """One action that a workflow run has begun: a job with its attempts, or a crawl."""

    trigger: str
    target: Target
    state: str = "STARTING"
    run_ids: list[str] = field(default_factory=list)
    started_on: datetime = field(default_factory=utcnow)
    completed_on: datetime | None = None
    error_message: str | None = None

    @property
    def is_over(self) -> bool:
        return is_final(self.state)

    def started_as(self, run_id: str) -> None:
        """Note the crawl or job run that was started for it; each retry of a job is a separate job run."""
        if run_id not in self.run_ids:
            self.run_ids.append(run_id)
        self.state = "RUNNING"

    def finish(self, state: str, error_message: str | None = None) -> None:
        """Note how it ended."""
        self.state = state
        self.completed_on = utcnow()
        self.error_message = error_message

    def as_job_run(self) -> dict[str, Any]:
        """Return the API's `JobRun`, as far as known: the job run itself never existed or is gone."""
        described = {
            "Id": self.run_ids[-1] if self.run_ids else None,
            "JobName": self.target.name,
            "TriggerName": self.trigger,
            "JobRunState": self.state,
            "StartedOn": self.started_on,
            "CompletedOn": self.completed_on,
            "ErrorMessage": self.error_message,
        }
        return {key: value for key, value in described.items() if value is not None}

    def as_crawl(self) -> dict[str, Any]:
        """Return the API's `Crawl`, without the members that only the crawl itself knows."""
        described = {
            "State": "RUNNING" if self.state == "STARTING" else self.state,
            "StartedOn": self.started_on,
            "CompletedOn": self.completed_on,
            "ErrorMessage": self.error_message,
        }
        return {key: value for key, value in described.items() if value is not None}


class WorkflowRun:
    """One run of a workflow, with the triggers as they were when it started."""

    def __init__(
        self,
        workflow_name: str,
        triggers: tuple[Trigger, ...],
        properties: Mapping[str, str],
        previous_run_id: str | None = None,
    ) -> None:
        self.workflow_name = workflow_name
        self.workflow_run_id = f"wr_{secrets.token_hex(32)}"
        self.previous_run_id = previous_run_id
        self.triggers = triggers
        self.properties = dict(properties)
        self.status = RunStatus.RUNNING
        self.started_on = utcnow()
        self.completed_on: datetime | None = None
        self.error_message: str | None = None
        self.actions: list[ActionRun] = []
        self.fired: set[str] = set()

    @property
    def key(self) -> str:
        """Its id, for the history."""
        return self.workflow_run_id

    @property
    def is_over(self) -> bool:
        return self.status not in (RunStatus.RUNNING, RunStatus.STOPPING)

    def unfinished(self) -> list[ActionRun]:
        """The actions that are under way."""
        return [action for action in self.actions if not action.is_over]

    def action(self, trigger: str, target: Target) -> ActionRun | None:
        """Return the action of `trigger` that runs `target`; the newest, if it was begun more than once."""
        for action in reversed(self.actions):
            if action.trigger == trigger and action.target == target:
                return action
        return None

    def request_of(self, action: ActionRun) -> Mapping[str, Any]:
        """Return the `Action` in the trigger's definition, as the API got it, that led to `action`."""
        trigger = next(trigger for trigger in self.triggers if trigger.name == action.trigger)
        return next(one.request for one in trigger.actions if one.target == action.target)

    def due(self) -> list[Trigger]:
        """Return the triggers to fire now: first the start trigger, then conditional ones whose predicate holds.

        A trigger fires at most once in a run, so one with ANY fires on the first of its events. A conditional trigger
        that was not activated when the run started does not fire.
        """
        if self.status is not RunStatus.RUNNING:
            return []
        if not self.fired:
            return [trigger for trigger in self.triggers if trigger.starts_workflow]
        return [
            trigger
            for trigger in self.triggers
            if trigger.name not in self.fired
            and not trigger.starts_workflow
            and trigger.state is TriggerState.ACTIVATED
            and trigger.is_met(self._conditions_met(trigger))
        ]

    def predecessors_of(self, action: ActionRun) -> Predecessors:
        """Return the job runs that met the conditions of the action's trigger."""
        trigger = next(trigger for trigger in self.triggers if trigger.name == action.trigger)
        return trigger.predecessors(self._conditions_met(trigger))

    def _conditions_met(self, trigger: Trigger) -> dict[int, str]:
        """Return the conditions that hold, by number, with the id of the run that met each."""
        ended = {action.target: action for action in self.actions if action.is_over}
        return {
            number: (ended[condition.target].run_ids or [""])[-1]
            for number, condition in enumerate(trigger.conditions)
            if condition.target in ended and ended[condition.target].state == condition.state
        }

    def refuse(self, error_message: str) -> None:
        """End the run with an error before any of its actions begins."""
        self.error_message = error_message
        self._end_as(RunStatus.ERROR)

    def settle(self) -> bool:
        """End the run if nothing in it is under way or due; return whether this call ended it."""
        if self.is_over or self.unfinished() or self.due():
            return False
        self._end_as(RunStatus.STOPPED if self.status is RunStatus.STOPPING else RunStatus.COMPLETED)
        return True

    def _end_as(self, status: RunStatus) -> None:
        self.completed_on = utcnow()
        self.status = status  # set last: the history may pack a finished run at any moment

    def statistics(self) -> dict[str, int]:
        """Return the API's `WorkflowRunStatistics`; the total includes actions that were never begun."""
        counts = dict.fromkeys(_COUNTS, 0)
        counts["TotalActions"] = sum(len(trigger.actions) for trigger in self.triggers)
        newest = {(action.trigger, action.target): action for action in self.actions}
        for action in newest.values():
            counts[_COUNTED_AS[action.state]] += 1
        return counts

    def resumed(self, selected: Iterable[Target]) -> tuple[WorkflowRun, list[ActionRun]]:
        """Return a new run that repeats `selected` and everything downstream, and the actions that it begins with.

        The other actions are copied, with their details. A selected node that is downstream of another selected one
        is started by its trigger as usual. The statistics and the graph are those of the whole workflow.
        """
        chosen = set(selected)
        first = {target for target in chosen if not any(target in self._downstream(o) for o in chosen - {target})}
        again = chosen.union(*(self._downstream(target) for target in chosen))
        run = WorkflowRun(self.workflow_name, self.triggers, self.properties, previous_run_id=self.workflow_run_id)
        run.actions = [replace(action) for action in self.actions if action.target not in again]
        refired = {t.name for t in self.triggers if any(c.target in again for c in t.conditions)}
        run.fired = self.fired - refired
        begun = {action.target: action.trigger for action in self.actions}
        return run, [ActionRun(begun[target], target) for target in sorted(first, key=str)]

    def _downstream(self, target: Target) -> set[Target]:
        found: set[Target] = set()
        open_ends = [target]
        while open_ends:
            watched = open_ends.pop()
            for trigger in self.triggers:
                if any(condition.target == watched for condition in trigger.conditions):
                    new = {action.target for action in trigger.actions} - found
                    found |= new
                    open_ends.extend(new)
        return found

    def as_dict(self, details: Details | None = None) -> dict[str, Any]:
        """Return the API's `WorkflowRun`; with a graph if `details` gives the runs to list in its nodes."""
        described: dict[str, Any] = {
            "Name": self.workflow_name,
            "WorkflowRunId": self.workflow_run_id,
            "PreviousRunId": self.previous_run_id,
            "WorkflowRunProperties": dict(self.properties),
            "StartedOn": self.started_on,
            "CompletedOn": self.completed_on,
            "Status": self.status.value,
            "ErrorMessage": self.error_message,
            "Statistics": self.statistics(),
        }
        if details is not None:
            described["Graph"] = graph(self.workflow_name, self.triggers, details)
        return {key: value for key, value in described.items() if value is not None}


class Workflow:
    """A workflow: its settings and its runs. Its triggers refer to it by name."""

    def __init__(
        self,
        name: str,
        default_run_properties: Mapping[str, str] | None,
        description: str | None,
        max_concurrent_runs: int | None,
    ) -> None:
        self.name = name
        self.default_run_properties = dict(default_run_properties or {})
        self.description = description
        self.max_concurrent_runs = max_concurrent_runs
        self.created_on = utcnow()
        self.last_modified_on = self.created_on
        self.runs: History[WorkflowRun] = History(KEPT_RUNS)

    def is_full(self) -> bool:
        """Whether MaxConcurrentRuns forbids another run."""
        return self.max_concurrent_runs is not None and len(self.runs.under_way()) >= self.max_concurrent_runs

    def as_dict(self) -> dict[str, Any]:
        """Return the API's `Workflow`, without its graph."""
        newest = self.runs.newest
        described: dict[str, Any] = {
            "Name": self.name,
            "Description": self.description,
            "DefaultRunProperties": self.default_run_properties,
            "CreatedOn": self.created_on,
            "LastModifiedOn": self.last_modified_on,
            "MaxConcurrentRuns": self.max_concurrent_runs,
            "LastRun": newest.as_dict() if newest else None,
        }
        return {key: value for key, value in described.items() if value is not None}


def graph(workflow_name: str, triggers: Iterable[Trigger], details: Details) -> dict[str, Any]:
    """The API's `WorkflowGraph`: https://docs.aws.amazon.com/glue/latest/dg/workflows_api_concepts.html."""
    nodes: dict[str, dict[str, Any]] = {}
    edges = []

    def node(type_: NodeType, name: str, described: Callable[[], dict[str, Any]]) -> str:
        unique_id = node_id(workflow_name, type_, name)
        if unique_id not in nodes:
            nodes[unique_id] = {"Type": type_.value, "Name": name, "UniqueId": unique_id} | described()
        return unique_id

    def action_node(target: Target) -> str:
        field_name, runs = ("JobDetails", "JobRuns") if target.type is NodeType.JOB else ("CrawlerDetails", "Crawls")
        return node(target.type, target.name, lambda: {field_name: {runs: details(target)}})

    for trigger in triggers:
        described = {"TriggerDetails": {"Trigger": trigger.as_dict()}}
        trigger_id = node(NodeType.TRIGGER, trigger.name, described.copy)
        for condition in trigger.conditions:
            edges.append({"SourceId": action_node(condition.target), "DestinationId": trigger_id})
        for action in trigger.actions:
            edges.append({"SourceId": trigger_id, "DestinationId": action_node(action.target)})
    return {"Nodes": list(nodes.values()), "Edges": edges}


def node_id(workflow_name: str, type_: NodeType, name: str) -> str:
    """Return a node's UniqueId: it is the same in the workflow's design and in every run."""
    digest = hashlib.sha256("\0".join((workflow_name, type_, name)).encode())
    return f"wnode_{digest.hexdigest()}"
