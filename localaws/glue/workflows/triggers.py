"""Triggers: the operations on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from moto.core.utils import utcnow
from moto.glue.exceptions import (
    AlreadyExistsException,
    EntityNotFoundException,
    InvalidInputException,
    TriggerNotFoundException,
)

from localaws.core import context
from localaws.glue.workflows.backend import WorkflowRunOperations
from localaws.glue.workflows.trigger_definitions import NodeType, Trigger, TriggerRequest, TriggerState, TriggerType


class WorkflowOperations(WorkflowRunOperations):
    """The operations on triggers, workflows and workflow runs."""

    _runs_that_met: dict[str, dict[int, str]]

    @property
    def runs_that_met(self) -> dict[str, dict[int, str]]:
        """Of each conditional trigger outside workflows: its conditions that hold since it last fired, by number, and
        the runs by which they do."""
        if not hasattr(self, "_runs_that_met"):  # also where the state is of an earlier version, which had none
            self._runs_that_met = {}
        return self._runs_that_met

    def new_trigger(self, request: Mapping[str, Any]) -> str:
        """CreateTrigger.

        Raises:
            AlreadyExistsException: the name is taken.
            EntityNotFoundException: the workflow, or a job or crawler to start, doesn't exist.
            InvalidInputException: the request is not valid, or the workflow has a start trigger already.
        """
        name = request.get("Name")
        if not name:
            raise InvalidInputException("CreateTrigger", "Name cannot be null or empty")
        if name in self.triggers:
            raise AlreadyExistsException(f"Trigger with name {name}")
        trigger = TriggerRequest("CreateTrigger", request).new(name, self._trigger_arn(name))
        self._check_targets(trigger)
        self._check_place_in_workflow(trigger)
        self._put_trigger(trigger)
        self.tag_resource(trigger.arn, dict(trigger.tags))
        return str(name)

    def update_trigger(self, name: str, update: Mapping[str, Any]) -> Trigger:
        """UpdateTrigger: replaces all but the trigger's type, workflow and state. Running workflows don't see it."""
        trigger = TriggerRequest("UpdateTrigger", update).applied_to(self.get_trigger(name))
        self._check_targets(trigger)
        self._put_trigger(trigger)
        return trigger

    def get_trigger(self, name: str) -> Trigger:  # type: ignore[override]
        """Return the trigger of that name.

        Raises:
            TriggerNotFoundException: there is no such trigger.
        """
        trigger: Any = self.triggers.get(name)
        if trigger is None:
            raise TriggerNotFoundException(name)
        return cast("Trigger", trigger)

    def triggers_starting(self, job_name: str | None) -> list[Trigger]:
        """Return the triggers that can start the job; all triggers if no job is given or no trigger starts it."""
        return self._starting(job_name) or self._starting(None)

    def start_trigger(self, name: str) -> None:
        """StartTrigger: fires an ON_DEMAND trigger, activates a trigger of any other type.

        https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html. Firing a workflow's ON_DEMAND trigger starts
        a run of the workflow.

        Raises:
            InvalidInputException: the trigger is activated already.
            ConcurrentRunsExceededException, CrawlerRunningException, EntityNotFoundException: what an ON_DEMAND
                trigger starts can't be started.
        """
        trigger = self.get_trigger(name)
        if trigger.type is not TriggerType.ON_DEMAND:
            if trigger.state is TriggerState.ACTIVATED:
                raise _not_allowed("StartTrigger", trigger)
            self._put_trigger(replace(trigger, state=TriggerState.ACTIVATED))
        elif trigger.workflow_name:
            self.start_workflow_run(trigger.workflow_name, None)
        else:
            context.current().ports.workflows.fire(self.region_name, trigger)

    def stop_trigger(self, name: str) -> None:
        """StopTrigger: deactivates it.

        Raises:
            InvalidInputException: it is not activated. ON_DEMAND triggers never are; the sentence is AWS's:
                https://github.com/hashicorp/terraform-provider-aws/pull/49408
        """
        trigger = self.get_trigger(name)
        if trigger.state is not TriggerState.ACTIVATED:
            raise _not_allowed("StopTrigger", trigger)
        self._put_trigger(replace(trigger, state=TriggerState.DEACTIVATED))

    def delete_trigger(self, name: str) -> None:
        """DeleteTrigger: a missing trigger is not an error, as on AWS. Running workflows keep their snapshot."""
        trigger: Any = self.triggers.pop(name, None)
        if trigger is None:
            return
        self.runs_that_met.pop(name, None)
        self.tagger.delete_all_tags_for_resource(trigger.arn)
        self._touch_workflow(trigger)
        context.current().ports.workflows.schedule(self.region_name, name)

    def _put_trigger(self, trigger: Trigger) -> None:
        stored: Any = trigger
        self.triggers[trigger.name] = stored
        self.runs_that_met.pop(trigger.name, None)
        self._touch_workflow(trigger)
        context.current().ports.workflows.schedule(self.region_name, trigger.name)

    def _starting(self, job_name: str | None) -> list[Trigger]:
        triggers: list[Any] = list(self.triggers.values())
        if job_name is None:
            return triggers
        return [
            trigger
            for trigger in triggers
            if any(a.target.type is NodeType.JOB and a.target.name == job_name for a in trigger.actions)
        ]

    def _check_targets(self, trigger: Trigger) -> None:
        for action in trigger.actions:
            known = self.jobs if action.target.type is NodeType.JOB else self.crawlers
            if action.target.name not in known:
                raise EntityNotFoundException(f"{action.target} not found.")

    def _check_place_in_workflow(self, trigger: Trigger) -> None:
        if trigger.workflow_name is None:
            return
        self.find_workflow(trigger.workflow_name)
        if not trigger.starts_workflow:
            return
        for other in self.triggers_of(trigger.workflow_name):
            if other.starts_workflow:
                # https://docs.aws.amazon.com/glue/latest/dg/blueprint_workflow_restrictions.html
                raise InvalidInputException(
                    "CreateTrigger",
                    f"Workflow {trigger.workflow_name} already has the start trigger {other.name}: only one starting "
                    "trigger is permitted.",
                )

    def _touch_workflow(self, trigger: Trigger) -> None:
        if trigger.workflow_name in self.workflows:
            self.workflows[trigger.workflow_name].last_modified_on = utcnow()

    def _trigger_arn(self, name: str) -> str:
        return f"arn:aws:glue:{self.region_name}:{self.account_id}:trigger/{name}"


def _not_allowed(operation: str, trigger: Trigger) -> InvalidInputException:
    return InvalidInputException(operation, f"The operation is not allowed when trigger is in state: {trigger.state}")
