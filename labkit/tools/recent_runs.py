"""The last runs of the lab's workflows. `labkit status` shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.errors import MissingStep
from labkit.steps.lab_steps import LabSteps
from labkit.steps.workflow import Run

SHOWN = 5
LONGEST_MESSAGE = 160


@dataclass(frozen=True)
class RecentRun:
    """One run of a workflow."""

    run: Run

    def as_json(self) -> dict[str, Any]:
        """For `labkit status --json`."""
        run = self.run
        going = run.status in ("RUNNING", "STOPPING")
        return {
            "workflow": run.workflow,
            "run_id": run.run_id,
            "status": run.status,
            "crawl": run.crawl,
            "job": run.job,
            "started": run.started.isoformat(),
            "ended": None if going else run.ended.isoformat(),
            "message": run.message,
            "landed_key": run.landed_key,
        }

    def __str__(self) -> str:
        run = self.run
        cause = f", for {run.landed_key}" if run.landed_key else ""
        line = f"{run.started:%Y-%m-%d %H:%M:%S}  {run.workflow} {run.status}: crawl {run.crawl}, job {run.job}{cause}"
        if run.succeeded or not run.message:
            return line
        message = " ".join(run.message.split())
        shown = message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 1]}…"
        return f"{line}\n    {shown} → labkit logs {run.workflow}"


@dataclass(frozen=True)
class RecentRuns:
    """The last runs of both deliveries' workflows, newest first."""

    runs: tuple[RecentRun, ...]

    def __iter__(self) -> Iterator[RecentRun]:
        return iter(self.runs)

    def __str__(self) -> str:
        if not self.runs:
            return "no workflow has run yet"
        return "\n".join(["last workflow runs:", *(f"  {run}" for run in self.runs)])


def recent_runs(lab: LabSteps, most: int = SHOWN) -> RecentRuns:
    """Return the last runs, at most `most` of them. A workflow that does not exist has no runs."""
    runs: list[Run] = []
    for workflow in (lab.workflow, lab.reliability.workflow):
        try:
            runs += workflow.runs()
        except MissingStep:
            continue
    newest = sorted(runs, key=lambda run: run.started, reverse=True)[:most]
    return RecentRuns(tuple(map(RecentRun, newest)))
