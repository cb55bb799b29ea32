"""Jobs: their definitions, runs and bookmarks, and the operations on them."""

from __future__ import annotations

from typing import Any, cast

from moto.core.utils import utcnow
from moto.glue.exceptions import (
    AlreadyExistsException,
    EntityNotFoundException,
    InvalidInputException,
    JobNotFoundException,
)
from moto.glue.models import GlueBackend

from localaws.core import context
from localaws.glue.jobs.definitions import (
    checked_definition,
)
from localaws.glue.jobs.job import Job
from localaws.glue.jobs.runs import Bookmark, JobRun


class JobOperations(GlueBackend):
    """Jobs: their definitions, runs and bookmarks."""

    @property
    def local_jobs(self) -> dict[str, Job]:
        """The jobs by name, in moto's own dictionary, where its tags and lists find them."""
        return cast(dict[str, Job], self.jobs)

    def define_job(self, request: dict[str, Any]) -> str:
        """Create the job that a CreateJob request describes; return its name.

        Raises:
            AlreadyExistsException: a job with this name exists.
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
        """Return the job `name`.

        Raises:
            EntityNotFoundException: there is no such job.
        """
        try:
            return self.local_jobs[name]
        except KeyError:
            raise JobNotFoundException(name) from None

    def remove_job(self, name: str) -> None:
        """Delete job `name` with its runs and bookmark, and stop its runs; a missing job is ignored, as on AWS."""
        job = self.local_jobs.pop(name, None)
        if job is not None:
            self.tagger.delete_all_tags_for_resource(job.arn)
            for run in job.job_runs:
                if run.under_way:
                    context.current().ports.jobs.abandon(self.region_name, job, run)

    def stop_runs(self, name: str, run_ids: list[str]) -> tuple[list[str], list[tuple[str, str, str]]]:
        """Stop runs of job `name`; return the ids being stopped, and (id, code, message) of those that can't be."""
        stopping, errors = [], []
        for run_id in run_ids:
            try:
                context.current().ports.jobs.stop_run(self.region_name, run_id, job_name=name)
                stopping.append(run_id)
            except (EntityNotFoundException, JobRunNotRunning) as error:
                errors.append((run_id, error.error_type, error.message))
        return stopping, errors

    def bookmark_entry(self, name: str, run_id: str | None) -> dict[str, Any]:
        """Return the `JobBookmarkEntry` of job `name`; if `run_id` is given, as that run left it.

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
        """Forget what job `name` has read, or what it has read since `run_id`; return the new entry.

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
