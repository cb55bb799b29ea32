"""A job: the definition, the runs and the bookmark that the service keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.glue.exceptions import (
    ConcurrentRunsExceededException,
    JobRunNotFoundException,
)
from moto.moto_api._internal import mock_random

from localaws.core.events import Predecessors, WorkflowRef
from localaws.glue.jobs.definitions import (
    check_queuing,
    checked_arguments,
    checked_capacity,
    checked_timeout,
    refuse_without_effect,
)
from localaws.glue.jobs.runs import KEPT_RUNS, Bookmark, JobRun, JobRunState

_RUN_SETTINGS = (
    "AllocatedCapacity", "MaxCapacity", "WorkerType", "NumberOfWorkers", "Timeout", "GlueVersion", "ExecutionClass",
    "SecurityConfiguration", "NotificationProperty", "JobMode", "JobRunQueuingEnabled",
)  # fmt: skip


@dataclass
class Job:
    """One job; `definition` is in the API's shape."""

    name: str
    arn: str
    definition: dict[str, Any]
    created_on: datetime = field(default_factory=utcnow)
    last_modified_on: datetime = field(default_factory=utcnow)
    job_runs: list[JobRun] = field(default_factory=list)
    bookmark: Bookmark = field(default_factory=Bookmark)

    def get_name(self) -> str:
        """Return the name; moto's ListJobs calls this."""
        return self.name

    def as_dict(self) -> dict[str, Any]:
        """Return the API's `Job`."""
        dates = {"CreatedOn": self.created_on, "LastModifiedOn": self.last_modified_on}
        return {"Name": self.name, "JobMode": "SCRIPT", **dates, **self.definition}

    def find_run(self, run_id: str) -> JobRun:
        """Return the run `run_id`.

        Raises:
            EntityNotFoundException: there is no such run.
        """
        for run in reversed(self.job_runs):
            if run.job_run_id == run_id:
                return run
        raise JobRunNotFoundException(run_id)

    def new_run(self, request: dict[str, Any], workflow: WorkflowRef | None, predecessors: Predecessors = ()) -> JobRun:
        """Add the run that a StartJobRun request asks for, and return it.

        The request's arguments override the job's defaults, and the job's NonOverridableArguments override both.

        Raises:
            InvalidInputException: the request is not valid.
            ConcurrentRunsExceededException: MaxConcurrentRuns runs of the job are under way, and queuing is off. If a
                trigger asked for the run, it is added as FAILED.
        """
        checked_arguments(request.get("Arguments") or {})
        refuse_without_effect(request)
        settings = {name: self.definition[name] for name in _RUN_SETTINGS if name in self.definition}
        asked = {name: request[name] for name in _RUN_SETTINGS if request.get(name) is not None}
        if any(name in asked for name in ("MaxCapacity", "AllocatedCapacity", "WorkerType", "NumberOfWorkers")):
            for name in ("MaxCapacity", "AllocatedCapacity", "WorkerType", "NumberOfWorkers"):
                settings.pop(name, None)
            asked.update(checked_capacity(asked))
        if "Timeout" in asked:
            checked_timeout(asked["Timeout"])
        check_queuing({**settings, **asked, "MaxRetries": self.definition["MaxRetries"]})
        previous = request.get("JobRunId")
        if previous:
            self.find_run(previous)
        run = JobRun(
            job_name=self.name,
            job_run_id=f"jr_{mock_random.get_random_hex(64)}",
            arguments={
                **self.definition["DefaultArguments"],
                **(request.get("Arguments") or {}),
                **self.definition.get("NonOverridableArguments", {}),
            },
            settings={**settings, **asked},
            previous_run_id=previous,
            workflow=workflow,
            predecessors=predecessors,
        )
        if self.is_full and run.settings.get("JobRunQueuingEnabled"):
            run.move_to(JobRunState.WAITING)
            run.state_detail = _too_many(self.name)
        elif self.is_full:
            refusal = ConcurrentRunsExceededException(_too_many(self.name))
            if workflow is not None:
                # If a trigger starts a run over the limit, there is a run, and it is FAILED:
                # https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
                run.error_message = refusal.message
                run.move_to(JobRunState.FAILED)
                self._add(run)
            raise refusal
        self._add(run)
        return run

    def new_attempt(self, failed: JobRun) -> JobRun:
        """Add the run that retries `failed`, and return it."""
        attempt = failed.attempt + 1
        original = failed.job_run_id.split("_attempt_")[0]
        run = JobRun(
            job_name=self.name,
            job_run_id=f"{original}_attempt_{attempt}",
            arguments=failed.arguments,
            settings=failed.settings,
            attempt=attempt,
            previous_run_id=failed.job_run_id,
            workflow=failed.workflow,
            predecessors=failed.predecessors,
        )
        self._add(run)
        return run

    def take_waiting(self) -> list[JobRun]:
        """Move the waiting runs that can start now to STARTING, and return them, oldest first."""
        taken = []
        for run in self.job_runs:
            if self.is_full:
                break
            if run.state is JobRunState.WAITING:
                run.move_to(JobRunState.STARTING)
                taken.append(run)
        return taken

    @property
    def is_full(self) -> bool:
        """Whether MaxConcurrentRuns runs are under way."""
        most: int = self.definition["ExecutionProperty"]["MaxConcurrentRuns"]
        return sum(run.is_running for run in self.job_runs) >= most

    def _add(self, run: JobRun) -> None:
        ended = [old for old in self.job_runs if not old.under_way][: max(0, len(self.job_runs) + 1 - KEPT_RUNS)]
        self.job_runs = [old for old in self.job_runs if old not in ended] + [run]


def _too_many(job_name: str) -> str:
    return f"Concurrent runs exceeded for {job_name}"
