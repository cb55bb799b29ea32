"""Job runs and bookmarks: the state that the service keeps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from moto.core.utils import utcnow

from localaws.core.events import WorkflowRef

KEPT_RUNS = 500  # AWS keeps 90 days of them
KEPT_STATES = 20  # states of a bookmark that a job can go back to


class JobRunState(StrEnum):
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html, without the ones that never happen here."""

    WAITING = "WAITING"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"
    ERROR = "ERROR"


RUNNING = frozenset({JobRunState.STARTING, JobRunState.RUNNING, JobRunState.STOPPING})


@dataclass
class JobRun:
    """One attempt to run a job."""

    job_name: str
    job_run_id: str
    arguments: dict[str, str]
    settings: dict[str, Any]
    """Timeout, capacities, GlueVersion and so on, in the API's shape: as they were when the run started."""
    attempt: int = 0
    previous_run_id: str | None = None
    workflow: WorkflowRef | None = None
    predecessors: tuple[tuple[str, str], ...] = ()
    """Job name and run id of each job run that met a condition of the trigger that started this run."""
    state: JobRunState = JobRunState.STARTING
    error_message: str = ""
    started_on: datetime = field(default_factory=utcnow)
    last_modified_on: datetime = field(default_factory=utcnow)
    completed_on: datetime | None = None
    execution_seconds: float = 0.0
    """From when Spark took up the run to its end: the time that Glue bills."""
    state_detail: str = ""
    """Why a run is waiting."""

    @property
    def is_running(self) -> bool:
        """Whether it counts towards MaxConcurrentRuns."""
        return self.state in RUNNING

    @property
    def under_way(self) -> bool:
        """Whether it has not ended: it is running, or waiting to run."""
        return self.is_running or self.state is JobRunState.WAITING

    @property
    def dpu_seconds(self) -> float | None:
        """The execution time in seconds, times the number of DPUs; None unless it is a FLEX run that has ended.

        AWS also gives it for jobs with auto scaling. Nothing scales here, so it isn't known for those.
        """
        if self.settings.get("ExecutionClass") != "FLEX" or self.under_way:
            return None
        return round(self.execution_seconds * float(self.settings["MaxCapacity"]), 1)

    def move_to(self, state: JobRunState) -> None:
        """Note a new state."""
        self.state = state
        self.state_detail = ""
        self.last_modified_on = utcnow()
        if not self.under_way:
            self.completed_on = self.last_modified_on

    def as_dict(self, with_predecessors: bool = False) -> dict[str, Any]:
        """Return the API's `JobRun`."""
        described = {
            "Id": self.job_run_id,
            "Attempt": self.attempt,
            "PreviousRunId": self.previous_run_id,
            "TriggerName": self.workflow.trigger if self.workflow else None,
            "JobName": self.job_name,
            "JobMode": "SCRIPT",
            "StartedOn": self.started_on,
            "LastModifiedOn": self.last_modified_on,
            "CompletedOn": self.completed_on,
            "JobRunState": str(self.state),
            "StateDetail": self.state_detail or None,
            "Arguments": self.arguments or None,
            "ErrorMessage": self.error_message or None,
            "ExecutionTime": round(self.execution_seconds),
            "DPUSeconds": self.dpu_seconds,
            "LogGroupName": "/aws-glue/jobs",
            "PredecessorRuns": [
                {"JobName": name, "RunId": run_id} for name, run_id in self.predecessors if with_predecessors
            ],
            **self.settings,
        }
        return {name: value for name, value in described.items() if value is not None}


@dataclass
class Bookmark:
    """What a job's runs have read; only the local `awsglue` interprets the state itself."""

    version: int = 0
    run: int = 0
    attempt: int = 0
    run_id: str = ""
    previous_run_id: str | None = None
    state: dict[str, Any] = field(default_factory=dict)
    history: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The state that each of the last runs left, by run id."""

    def commit(self, run: JobRun, state: dict[str, Any]) -> None:
        """Record what `run` has read."""
        self.version += 1
        self.run += 1
        self.attempt = run.attempt
        self.previous_run_id, self.run_id = self.run_id or None, run.job_run_id
        # A new dictionary: another thread may be pickling the old one.
        self.history = dict([*self.history.items(), (run.job_run_id, state)][-KEPT_STATES:])
        self.state = state

    def range(self, first: str, last: str, runs: Sequence[JobRun]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the states after runs `first` and `last`, for --job-bookmark-from and --job-bookmark-to.

        For a run that committed nothing, it is the state that the last run before it left. `runs` are the job's runs,
        oldest first.

        Raises:
            KeyError: there is no such run, or the state that it left is no longer known.
        """
        return self._state_after(first, runs), self._state_after(last, runs)

    def _state_after(self, run_id: str, runs: Sequence[JobRun]) -> dict[str, Any]:
        ids = [run.job_run_id for run in runs]
        if run_id not in ids:
            raise KeyError(run_id)
        for earlier in reversed(ids[: ids.index(run_id) + 1]):
            if earlier in self.history:
                return self.history[earlier]
        raise KeyError(run_id)

    def reset(self, to_run: str | None) -> None:
        """Forget everything, or, with `to_run`, only what later runs have read.

        Raises:
            KeyError: that run's state is not known.
        """
        self.state = self.history[to_run] if to_run else {}
        self.version += 1
        if not to_run:
            self.run, self.attempt, self.run_id, self.previous_run_id, self.history = 0, 0, "", None, {}

    def as_entry(self, job_name: str) -> dict[str, Any]:
        """Return the API's `JobBookmarkEntry`."""
        entry = {
            "JobName": job_name,
            "Version": self.version,
            "Run": self.run,
            "Attempt": self.attempt,
            "PreviousRunId": self.previous_run_id,
            "RunId": self.run_id or None,
            "JobBookmark": json.dumps(self.state, sort_keys=True),
        }
        return {name: value for name, value in entry.items() if value is not None}
