"""Jobs: their definitions, runs and bookmarks, and the operations on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from moto.core.utils import utcnow
from moto.glue.exceptions import (
    AlreadyExistsException,
    ConcurrentRunsExceededException,
    EntityNotFoundException,
    InvalidInputException,
    JobNotFoundException,
    JobRunNotFoundException,
)
from moto.glue.models import GlueBackend
from moto.moto_api._internal import mock_random

from localaws.core import context
from localaws.core.events import WorkflowRef
from localaws.glue.jobs.definitions import (
    check_queuing,
    checked_arguments,
    checked_capacity,
    checked_definition,
    checked_timeout,
    refuse_without_effect,
)
from localaws.glue.jobs.runs import KEPT_RUNS, Bookmark, JobRun, JobRunState
from localaws.glue.workflows.trigger_definitions import Predecessors

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
        """What moto's ListJobs calls."""
        return self.name

    def as_dict(self) -> dict[str, Any]:
        """The API's `Job`."""
        dates = {"CreatedOn": self.created_on, "LastModifiedOn": self.last_modified_on}
        return {"Name": self.name, "JobMode": "SCRIPT", **dates, **self.definition}

    def find_run(self, run_id: str) -> JobRun:
        """The run `run_id`.

        Raises:
            EntityNotFoundException: there is none.
        """
        for run in reversed(self.job_runs):
            if run.job_run_id == run_id:
                return run
        raise JobRunNotFoundException(run_id)

    def new_run(self, request: dict[str, Any], workflow: WorkflowRef | None, predecessors: Predecessors = ()) -> JobRun:
        """Add the run that a StartJobRun request asks for.

        Arguments: the run's go before the job's defaults, and the job's NonOverridableArguments before both.

        Raises:
            InvalidInputException: the request is not valid.
            ConcurrentRunsExceededException: MaxConcurrentRuns runs of the job are under way, and queuing is off. If a
                trigger asked, a FAILED run tells of it.
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
                # A trigger's run over the limit is not refused but FAILED:
                # https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
                run.error_message = refusal.message
                run.move_to(JobRunState.FAILED)
                self._add(run)
            raise refusal
        self._add(run)
        return run

    def new_attempt(self, failed: JobRun) -> JobRun:
        """Add the run that tries again what `failed` failed to do."""
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
        """Those of the waiting runs that can start now, the oldest first; they are STARTING."""
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


class JobOperations(GlueBackend):
    """Jobs: their definitions, runs and bookmarks."""

    @property
    def local_jobs(self) -> dict[str, Job]:
        """The jobs by name, in moto's own place for them: its tags and lists find them there."""
        return cast(dict[str, Job], self.jobs)

    def define_job(self, request: dict[str, Any]) -> str:
        """Make the job that a CreateJob request describes; its name.

        Raises:
            AlreadyExistsException: there is one of this name.
            InvalidInputException: the request is not valid.
        """
        name: str = request.get("Name") or ""
        definition = checked_definition(request, self.account_id)
        if name in self.local_jobs:
            raise AlreadyExistsException("Job")
        arn = f"arn:{self.partition}:glue:{self.region_name}:{self.account_id}:job/{name}"
        self.local_jobs[name] = Job(name, arn, definition)
        self.tag_resource(arn, request.get("Tags") or {})
        context.current().ports.jobs.prepare()
        return name

    def redefine_job(self, name: str, update: dict[str, Any]) -> None:
        """Replace the whole definition of job `name`, as UpdateJob does: what `update` leaves out is gone.

        Raises:
            EntityNotFoundException: there is no such job.
            InvalidInputException: the definition is not valid.
        """
        job = self.find_job(name)
        job.definition = checked_definition(update, self.account_id)
        job.last_modified_on = utcnow()

    def find_job(self, name: str) -> Job:
        """The job `name`.

        Raises:
            EntityNotFoundException: there is none.
        """
        try:
            return self.local_jobs[name]
        except KeyError:
            raise JobNotFoundException(name) from None

    def remove_job(self, name: str) -> None:
        """Delete job `name` with its runs and bookmark, stopping what runs; nothing where there is none, as on AWS."""
        job = self.local_jobs.pop(name, None)
        if job is not None:
            self.tagger.delete_all_tags_for_resource(job.arn)
            for run in job.job_runs:
                if run.under_way:
                    context.current().ports.jobs.abandon(self.region_name, job, run)

    def stop_runs(self, name: str, run_ids: list[str]) -> tuple[list[str], list[tuple[str, str, str]]]:
        """Stop runs of job `name`: the ids being stopped, and (id, code, message) of those that can't be."""
        stopping, errors = [], []
        for run_id in run_ids:
            try:
                context.current().ports.jobs.stop_run(self.region_name, run_id, job_name=name)
                stopping.append(run_id)
            except (EntityNotFoundException, JobRunNotRunning) as error:
                errors.append((run_id, error.error_type, error.message))
        return stopping, errors

    def bookmark_entry(self, name: str, run_id: str | None) -> dict[str, Any]:
        """The `JobBookmarkEntry` of job `name`, if `run_id` is given as that run left it.

        Raises:
            EntityNotFoundException: there is no such job, or it has no bookmark.
        """
        bookmark = self.find_job(name).bookmark
        if not bookmark.version or (run_id and run_id not in bookmark.history):
            raise EntityNotFoundException(f"Continuation for job {name} not found")
        if run_id:
            shown = Bookmark(bookmark.version, bookmark.run, 0, run_id, None, bookmark.history[run_id])
            return shown.as_entry(name)
        return bookmark.as_entry(name)

    def reset_bookmark(self, name: str, run_id: str | None) -> dict[str, Any]:
        """Forget what job `name` has read, or what it has read since `run_id`; the entry after that.

        Raises:
            EntityNotFoundException: there is no such job, or it has no bookmark.
        """
        self.bookmark_entry(name, run_id)
        bookmark = self.find_job(name).bookmark
        bookmark.reset(run_id)
        return bookmark.as_entry(name)


class JobRunNotRunning(InvalidInputException):
    """The run can't be stopped: it has ended."""

    def __init__(self, run: JobRun) -> None:
        super().__init__("", f"Job Run {run.job_run_id} is not in a stoppable state: it is {run.state}")


def _too_many(job_name: str) -> str:
    return f"Concurrent runs exceeded for {job_name}"


__all__ = ["Job", "JobOperations", "JobRun", "JobRunNotRunning", "JobRunState"]
