"""The triggers' and workflows' part of the Glue API."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from moto.core.responses import ActionResult
from moto.glue.exceptions import EntityNotFoundException, InvalidInputException
from moto.glue.responses import GlueResponse

if TYPE_CHECKING:
    from localaws.services.glue.triggers import WorkflowOperations

_LARGEST_BATCH = 25  # BatchGetWorkflows' Names


class WorkflowResponses(GlueResponse):
    """The triggers' and workflows' part of the Glue API. What is not here, moto's parsing serves as it is."""

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

    def get_workflow(self) -> ActionResult:
        workflow = self._workflows.get_workflow(self._get_param("Name"), self._include_graph)
        return ActionResult({"Workflow": workflow})

    def batch_get_workflows(self) -> ActionResult:
        names = self._get_param("Names") or []
        if not 1 <= len(names) <= _LARGEST_BATCH:
            raise InvalidInputException("BatchGetWorkflows", f"Names must hold 1 to {_LARGEST_BATCH} names")
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
        runs, next_token = self._workflows.workflow_runs_page(
            self._get_param("Name"), self._get_int_param("MaxResults"), self._get_param("NextToken")
        )
        described = [self._workflows.describe_workflow_run(run, self._include_graph) for run in runs]
        return ActionResult({"Runs": described, "NextToken": next_token})

    def resume_workflow_run(self) -> ActionResult:
        run_id, node_ids = self._workflows.resume_workflow_run(
            self._get_param("Name"), self._get_param("RunId"), self._get_param("NodeIds") or []
        )
        return ActionResult({"RunId": run_id, "NodeIds": node_ids})
