"""Definitions of triggers: when a trigger fires, and what it starts.

A definition is immutable: an update replaces it. So a workflow run that keeps the definitions from the moment it
started has the snapshot that AWS promises ("Workflow Run Snapshots",
https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html), and pickling a run stays cheap.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from moto.glue.exceptions import InvalidInputException

from localaws.core.events import Predecessors
from localaws.glue.jobs.definitions import refuse_without_effect
from localaws.glue.workflows.schedule import InvalidSchedule, Schedule


class TriggerType(StrEnum):
    ON_DEMAND = "ON_DEMAND"
    SCHEDULED = "SCHEDULED"
    CONDITIONAL = "CONDITIONAL"
    EVENT = "EVENT"


class TriggerState(StrEnum):
    """The lasting states. ON_DEMAND triggers stay CREATED whatever happens to them."""

    CREATED = "CREATED"
    ACTIVATED = "ACTIVATED"
    DEACTIVATED = "DEACTIVATED"


class Logical(StrEnum):
    AND = "AND"
    ANY = "ANY"


class NodeType(StrEnum):
    """The types of nodes in a workflow's graph."""

    CRAWLER = "CRAWLER"
    JOB = "JOB"
    TRIGGER = "TRIGGER"


# The states that a trigger can wait for: https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html
JOB_CONDITION_STATES: tuple[str, ...] = ("SUCCEEDED", "STOPPED", "FAILED", "TIMEOUT")
CRAWL_CONDITION_STATES: tuple[str, ...] = ("SUCCEEDED", "FAILED", "CANCELLED")

# "Only two crawlers can be activated by a single trigger", on the same page.
MAX_CRAWLERS_PER_TRIGGER = 2


@dataclass(frozen=True)
class Target:
    """A job or a crawler, as a trigger names it."""

    type: NodeType
    name: str

    def __str__(self) -> str:
        return f"{self.type.capitalize()} {self.name}"


@dataclass(frozen=True)
class Action:
    """One thing that a trigger starts; `request` is the Action as the API got it."""

    target: Target
    request: Mapping[str, Any]

    @property
    def arguments(self) -> dict[str, str]:
        return dict(self.request.get("Arguments") or {})


@dataclass(frozen=True)
class Condition:
    """One thing that a conditional trigger waits for."""

    target: Target
    state: str

    def as_dict(self) -> dict[str, str]:
        if self.target.type is NodeType.JOB:
            return {"LogicalOperator": "EQUALS", "JobName": self.target.name, "State": self.state}
        return {"LogicalOperator": "EQUALS", "CrawlerName": self.target.name, "CrawlState": self.state}


@dataclass(frozen=True)
class Trigger:
    """A trigger as it is defined at one moment."""

    name: str
    arn: str
    type: TriggerType
    actions: tuple[Action, ...]
    workflow_name: str | None = None
    conditions: tuple[Condition, ...] = ()
    logical: Logical | None = None
    schedule: str | None = None
    description: str | None = None
    state: TriggerState = TriggerState.CREATED
    tags: Mapping[str, str] = field(default_factory=dict)

    def get_name(self) -> str:
        """Return the name; moto's shared request parsing calls this."""
        return self.name

    @property
    def starts_workflow(self) -> bool:
        return self.type is not TriggerType.CONDITIONAL

    def is_met(self, met: Collection[int]) -> bool:
        """Whether the predicate holds when the conditions numbered in `met` do."""
        wanted = len(self.conditions)
        return len(met) == wanted if self.logical is Logical.AND else bool(met)

    def predecessors(self, met: Mapping[int, str]) -> Predecessors:
        """Return the job runs in `met`, which maps a condition's number to the id of the run that met it."""
        named = [(self.conditions[number].target, run_id) for number, run_id in sorted(met.items())]
        return tuple((target.name, run_id) for target, run_id in named if target.type is NodeType.JOB and run_id)

    def as_dict(self) -> dict[str, Any]:
        """The API's `Trigger`."""
        described: dict[str, Any] = {
            "Name": self.name,
            "Type": self.type.value,
            "State": self.state.value,
            "Actions": [dict(action.request) for action in self.actions],
            "WorkflowName": self.workflow_name,
            "Description": self.description,
            "Schedule": self.schedule,
        }
        if self.conditions:
            described["Predicate"] = {
                "Logical": (self.logical or Logical.AND).value,
                "Conditions": [condition.as_dict() for condition in self.conditions],
            }
        return {key: value for key, value in described.items() if value is not None}


class TriggerRequest:
    """Reads CreateTrigger's and UpdateTrigger's parameters, refusing what AWS refuses."""

    def __init__(self, operation: str, request: Mapping[str, Any]) -> None:
        self._operation = operation
        self._request = request

    def new(self, name: str, arn: str) -> Trigger:
        """Return the trigger that a CreateTrigger request describes.

        Raises:
            InvalidInputException: the request is not valid for its trigger type, or asks for something not supported.
        """
        kind = TriggerType(self._request["Type"])
        if kind is TriggerType.EVENT:
            raise self._refused(
                "Trigger type EVENT needs Amazon EventBridge, which the embedded AWS does not run. Start the workflow "
                "from an S3 notification's function instead, or use an ON_DEMAND, SCHEDULED or CONDITIONAL trigger."
            )
        start_now = bool(self._request.get("StartOnCreation"))
        if start_now and kind is TriggerType.ON_DEMAND:
            raise self._refused("StartOnCreation is not supported for ON_DEMAND triggers")
        trigger = Trigger(
            name=name,
            arn=arn,
            type=kind,
            actions=(),
            workflow_name=self._request.get("WorkflowName") or None,
            state=TriggerState.ACTIVATED if start_now else TriggerState.CREATED,
            tags=dict(self._request.get("Tags") or {}),
        )
        return self.applied_to(trigger)

    def applied_to(self, trigger: Trigger) -> Trigger:
        """Return `trigger` with everything that can be updated replaced by what this request says."""
        if self._request.get("EventBatchingCondition"):
            raise self._refused("EventBatchingCondition is only supported for EVENT triggers")
        actions = self._actions()
        conditions, logical = self._predicate(trigger.type)
        watched = {condition.target for condition in conditions}
        for action in actions:
            if action.target in watched:
                kind = action.target.type.capitalize()
                # The sentence is AWS's: https://github.com/hashicorp/terraform-provider-aws/issues/39571
                raise self._refused(f"{kind} cannot be a Predicate and Action for Conditional Trigger.")
        return replace(
            trigger,
            actions=actions,
            conditions=conditions,
            logical=logical,
            schedule=self._schedule(trigger.type),
            description=self._request.get("Description"),
        )

    def _actions(self) -> tuple[Action, ...]:
        requests = self._request.get("Actions") or []
        if not requests:
            raise self._refused("Actions cannot be null or empty")
        actions = []
        for request in requests:
            job, crawler = request.get("JobName"), request.get("CrawlerName")
            if job and crawler:
                raise self._refused("Both JobName and CrawlerName cannot be set together in an action")
            if not job and not crawler:
                raise self._refused("JobName or CrawlerName in action cannot be null or empty")
            target = Target(NodeType.JOB, job) if job else Target(NodeType.CRAWLER, crawler)
            self._check_action_options(request, target)
            actions.append(Action(target, request))
        if sum(action.target.type is NodeType.CRAWLER for action in actions) > MAX_CRAWLERS_PER_TRIGGER:
            raise self._refused(f"Only {MAX_CRAWLERS_PER_TRIGGER} crawlers can be activated by a single trigger")
        return tuple(actions)

    def _check_action_options(self, request: Mapping[str, Any], target: Target) -> None:
        if target.type is NodeType.JOB:
            refuse_without_effect(request)
        else:
            for name in ("Arguments", "Timeout", "SecurityConfiguration", "NotificationProperty"):
                if request.get(name):
                    raise self._refused(f"{name} cannot be set for an action that starts a crawler")

    def _predicate(self, kind: TriggerType) -> tuple[tuple[Condition, ...], Logical | None]:
        predicate = self._request.get("Predicate")
        if kind is not TriggerType.CONDITIONAL:
            if predicate and predicate.get("Conditions"):
                raise self._refused(f"Predicate cannot be set for a trigger of type {kind}")
            return (), None
        requests = (predicate or {}).get("Conditions") or []
        if not predicate or not requests:
            raise self._refused("Predicate cannot be null or empty")
        conditions = tuple(self._condition(request) for request in requests)
        if not predicate.get("Logical"):
            if len(conditions) > 1:
                raise self._refused("Logical cannot be null or empty when multiple conditions are listed")
            return conditions, Logical.AND
        return conditions, Logical(predicate["Logical"])

    def _condition(self, request: Mapping[str, Any]) -> Condition:
        job, crawler = request.get("JobName"), request.get("CrawlerName")
        if not job and not crawler:
            raise self._refused("JobName or CrawlerName in condition cannot be null or empty")
        if not request.get("LogicalOperator"):
            raise self._refused("Logical operator cannot be null or empty")
        if request["LogicalOperator"] != "EQUALS":
            raise self._refused("Logical operator must be EQUALS")
        if job:
            target, state, allowed = Target(NodeType.JOB, job), request.get("State"), JOB_CONDITION_STATES
        else:
            target, state, allowed = (
                Target(NodeType.CRAWLER, str(crawler)),
                request.get("CrawlState"),
                CRAWL_CONDITION_STATES,
            )
        if state not in allowed:
            what = "cannot be null or empty" if not state else f"{state} cannot be watched"
            of = f"one of the following {target.type.lower()} state: [{', '.join(allowed)}]"
            raise self._refused(f"State {what}, choose from {of}")
        return Condition(target, str(state))

    def _schedule(self, kind: TriggerType) -> str | None:
        schedule = self._request.get("Schedule") or None
        if kind is not TriggerType.SCHEDULED:
            if schedule:
                raise self._refused(f"Schedule cannot be set for a trigger of type {kind}")
            return None
        if not schedule:
            raise self._refused("Schedule cannot be null or empty")
        try:
            Schedule.parse(schedule)
        except InvalidSchedule as error:
            raise self._refused(str(error)) from error
        return str(schedule)

    def _refused(self, message: str) -> InvalidInputException:
        return InvalidInputException(self._operation, message)
