"""Workflows: their definitions and runs."""

from __future__ import annotations

from typing import Any, cast

from moto.core.utils import utcnow
from moto.glue.exceptions import AlreadyExistsException, EntityNotFoundException, InvalidInputException
from moto.glue.models import GlueBackend

from localaws.core import context
from localaws.core.events import WorkflowRef
from localaws.glue.workflows.runs import ActionRun, Workflow, WorkflowRun, graph
from localaws.glue.workflows.trigger_definitions import NodeType, Target, Trigger


class WorkflowRunOperations(GlueBackend):
    """Workflows and their runs. The workflow engine starts, stops and resumes runs."""

    def find_workflow(self, name: str) -> Workflow:
        """Return the workflow of that name.

        Raises:
            EntityNotFoundException: there is no such workflow.
        """
        workflow: Any = self.workflows.get(name)
        if workflow is None:
            raise EntityNotFoundException(f"Workflow {name} not found.")
        return cast("Workflow", workflow)

    def find_workflow_run(self, name: str, run_id: str) -> WorkflowRun:
        """Return the run with that id.

        Raises:
            EntityNotFoundException: there is no such workflow or run.
        """
        run = self.find_workflow(name).runs.get(run_id)
        if run is None:
            raise EntityNotFoundException(f"Workflow run {run_id} of workflow {name} not found.")
        return run

    def triggers_of(self, workflow_name: str) -> tuple[Trigger, ...]:
        """Return the workflow's current triggers."""
        triggers: list[Any] = list(self.triggers.values())
        return tuple(trigger for trigger in triggers if trigger.workflow_name == workflow_name)

    def create_workflow(
        self,
        name: str,
        default_run_properties: dict[str, str] | None,
        description: str | None,
        max_concurrent_runs: int | None,
        tags: dict[str, str] | None,
    ) -> str:
        """CreateWorkflow."""
        if not name:
            raise InvalidInputException("CreateWorkflow", "Name cannot be null or empty")
        if name in self.workflows:
            raise AlreadyExistsException(f"Workflow with name {name}")
        _check_limit("CreateWorkflow", max_concurrent_runs)
        workflow: Any = Workflow(name, default_run_properties, description, max_concurrent_runs)
        self.workflows[name] = workflow
        self.tag_resource(self._workflow_arn(name), tags)
        return name

    def update_workflow(
        self,
        name: str,
        default_run_properties: dict[str, str] | None,
        description: str | None,
        max_concurrent_runs: int | None,
    ) -> str:
        """UpdateWorkflow: a setting that isn't given stays as it is."""
        workflow = self.find_workflow(name)
        _check_limit("UpdateWorkflow", max_concurrent_runs)
        if default_run_properties is not None:
            workflow.default_run_properties = dict(default_run_properties)
        if description is not None:
            workflow.description = description
        if max_concurrent_runs is not None:
            workflow.max_concurrent_runs = max_concurrent_runs
        workflow.last_modified_on = utcnow()
        return name

    def get_workflow(self, name: str, include_graph: bool = False) -> dict[str, Any]:
        """GetWorkflow; with `include_graph`, including the graph of its current triggers."""
        workflow = self.find_workflow(name).as_dict()
        if include_graph:
            workflow["Graph"] = graph(name, self.triggers_of(name), lambda target: [])
        return workflow

    def delete_workflow(self, name: str) -> str:
        """DeleteWorkflow: deletes its triggers too; its jobs and crawlers stay. A missing workflow is not an error."""
        if name in self.workflows:
            for trigger in self.triggers_of(name):
                self.delete_trigger(trigger.name)
            del self.workflows[name]
            self.tagger.delete_all_tags_for_resource(self._workflow_arn(name))
        return name

    def start_workflow_run(self, workflow_name: str, properties: dict[str, str] | None) -> str:
        """StartWorkflowRun."""
        return context.current().ports.workflows.start_run(self.region_name, workflow_name, properties or {})

    def stop_workflow_run(self, workflow_name: str, run_id: str) -> None:
        """StopWorkflowRun."""
        context.current().ports.workflows.stop_run(self.region_name, workflow_name, run_id)

    def resume_workflow_run(self, workflow_name: str, run_id: str, node_ids: list[str]) -> tuple[str, list[str]]:
        """ResumeWorkflowRun: return the new run's id, and the ids of the nodes it begins with."""
        return context.current().ports.workflows.resume_run(self.region_name, workflow_name, run_id, node_ids)

    def get_workflow_run(self, workflow_name: str, run_id: str, include_graph: bool = False) -> dict[str, Any]:
        """GetWorkflowRun."""
        return self.describe_workflow_run(self.find_workflow_run(workflow_name, run_id), include_graph)

    def get_workflow_run_properties(self, workflow_name: str, run_id: str) -> dict[str, str]:
        """GetWorkflowRunProperties."""
        return dict(self.find_workflow_run(workflow_name, run_id).properties)

    def put_workflow_run_properties(self, workflow_name: str, run_id: str, properties: dict[str, str]) -> None:
        """PutWorkflowRunProperties: replaces the values of existing properties and adds new ones."""
        run = self.find_workflow_run(workflow_name, run_id)
        run.properties = run.properties | properties
        self.find_workflow(workflow_name).runs.changed(run_id)

    def describe_workflow_run(self, run: WorkflowRun, include_graph: bool) -> dict[str, Any]:
        """Return the API's `WorkflowRun`; the nodes of its graph list the real crawls and job runs."""
        if not include_graph:
            return run.as_dict()
        return run.as_dict(lambda target: self._node_runs(run, target))

    def _node_runs(self, run: WorkflowRun, target: Target) -> list[dict[str, Any]]:
        described = []
        for action in run.actions:
            if action.target == target:
                one = self._job_runs(action) if target.type is NodeType.JOB else [self._crawl(action)]
                described.extend(one)
        return described

    def _job_runs(self, action: ActionRun) -> list[dict[str, Any]]:
        found = [self.described_job_run(action.target.name, run_id) for run_id in action.run_ids]
        known = [{**described, "TriggerName": action.trigger} for described in found if described is not None]
        return known or [action.as_job_run()]

    def _crawl(self, action: ActionRun) -> dict[str, Any]:
        crawl_id = action.run_ids[-1] if action.run_ids else None
        found = self.described_crawl(action.target.name, crawl_id) if crawl_id else None
        return found or action.as_crawl()

    def state_of_run(self, target: Target, run_id: str) -> str | None:
        """Return the API's state of the crawl or job run; None if it is gone."""
        if target.type is NodeType.JOB:
            described, key = self.described_job_run(target.name, run_id), "JobRunState"
        else:
            described, key = self.described_crawl(target.name, run_id), "State"
        return None if described is None else str(described[key])

    def runs_begun_for(self, target: Target, ref: WorkflowRef) -> list[str]:
        """Return the ids of the crawls or job runs of `target` that were started for `ref`, oldest first."""
        if target.type is NodeType.JOB:
            job: Any = self.jobs.get(target.name)
            return [run.job_run_id for run in job.job_runs if run.workflow == ref] if job else []
        crawler: Any = self.crawlers.get(target.name)
        return [crawl.crawl_id for crawl in crawler.crawls if crawl.workflow == ref] if crawler else []

    def described_job_run(self, job_name: str, run_id: str) -> dict[str, Any] | None:
        """Return the API's `JobRun`; None if it is gone."""
        job: Any = self.jobs.get(job_name)
        runs = job.job_runs if job else []
        return next((run.as_dict() for run in runs if run.job_run_id == run_id), None)

    def described_crawl(self, crawler_name: str, crawl_id: str) -> dict[str, Any] | None:
        """Return the API's `Crawl`; None if it is gone."""
        crawler: Any = self.crawlers.get(crawler_name)
        crawl = crawler.crawls.get(crawl_id) if crawler else None
        if crawl is None:
            return None
        found = crawl.as_dict()
        state = str(found["State"])
        described = {
            # ListCrawls and `Crawl` have different names for the same states.
            "State": {"COMPLETED": "SUCCEEDED", "STOPPED": "CANCELLED", "STOPPING": "CANCELLING"}.get(state, state),
            "StartedOn": found.get("StartTime"),
            "CompletedOn": found.get("EndTime"),
            "ErrorMessage": found.get("ErrorMessage"),
            "LogGroup": found.get("LogGroup"),
            "LogStream": found.get("LogStream"),
        }
        return {key: value for key, value in described.items() if value is not None}

    def _workflow_arn(self, name: str) -> str:
        return f"arn:aws:glue:{self.region_name}:{self.account_id}:workflow/{name}"


def _check_limit(operation: str, max_concurrent_runs: int | None) -> None:
    if max_concurrent_runs is not None and max_concurrent_runs < 1:
        raise InvalidInputException(operation, "MaxConcurrentRuns must be at least 1")
