"""The triggers' and workflows' part of the Glue API."""

from __future__ import annotations

from typing import cast

from moto.core.responses import ActionResult
from moto.glue.exceptions import EntityNotFoundException

from localaws.glue.lists import Lists
from localaws.glue.workflows.trigger_definitions import Trigger
from localaws.glue.workflows.triggers import WorkflowOperations

_LARGEST_PAGE_OF_WORKFLOWS = 25


class WorkflowResponses(Lists):
    """The triggers' and workflows' part of the Glue API. moto's own parsing handles the operations not listed here."""

    @property
    def _workflows(self) -> WorkflowOperations:
        return cast("WorkflowOperations", self.glue_backend)

    @property
    def _include_graph(self) -> bool:
        return bool(self._get_bool_param("IncludeGraph", False))

    def create_trigger(self) -> ActionResult:
        return ActionResult({"Name": self._workflows.new_trigger(self.parameters)})

    def update_trigger(self) -> ActionResult:
        trigger = self._workflows.update_trigger(self._get_param("Name"), self._get_param("TriggerUpdate") or {})
        return ActionResult({"Trigger": trigger.as_dict()})

    def get_triggers(self) -> ActionResult:
        shown, token = self.page_by_name(self._dependent, lambda trigger: trigger.name)
        return self.paged("Triggers", [trigger.as_dict() for trigger in shown], token)

    def list_triggers(self) -> ActionResult:
        tags = self.parameters.get("Tags")
        names = [trigger.name for trigger in self._dependent if self.has_tags(trigger.arn, tags)]
        return self.paged("TriggerNames", *self.page_by_name(names, str))

    @property
    def _dependent(self) -> list[Trigger]:
        return self._workflows.triggers_starting(self.parameters.get("DependentJobName"))

    def list_workflows(self) -> ActionResult:
        names = list(self._workflows.workflows)
        return self.paged("Workflows", *self.page_by_name(names, str, default=_LARGEST_PAGE_OF_WORKFLOWS))

    def get_workflow(self) -> ActionResult:
        workflow = self._workflows.get_workflow(self._get_param("Name"), self._include_graph)
        return ActionResult({"Workflow": workflow})

    def batch_get_workflows(self) -> ActionResult:
        names = self._get_param("Names") or []
        found, missing = [], []
        for name in names:
            try:
                found.append(self._workflows.get_workflow(name, self._include_graph))
            except EntityNotFoundException:
                missing.append(name)
        return ActionResult({"Workflows": found, "MissingWorkflows": missing})

    def get_workflow_run(self) -> ActionResult:
        run = self._workflows.get_workflow_run(self._get_param("Name"), self._get_param("RunId"), self._include_graph)
        return ActionResult({"Run": run})

    def get_workflow_runs(self) -> ActionResult:
        runs = list(reversed(self._workflows.find_workflow(self._get_param("Name")).runs))
        shown, token = self.page_by_age(runs, lambda run: run.key)
        described = [self._workflows.describe_workflow_run(run, self._include_graph) for run in shown]
        return self.paged("Runs", described, token)

    def resume_workflow_run(self) -> ActionResult:
        run_id, node_ids = self._workflows.resume_workflow_run(
            self._get_param("Name"), self._get_param("RunId"), self._get_param("NodeIds") or []
        )
        return ActionResult({"RunId": run_id, "NodeIds": node_ids})
