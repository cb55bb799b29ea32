"""What the report of `labkit run` says about the lab: rows, rejected rows, checks and workflow runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from labkit.data import rejects
from labkit.data.counts import Counts, ExactlyOnceCounts
from labkit.errors import LabError, MissingStep, QueryFailed
from labkit.lab import Lab
from labkit.show.display import Checks
from labkit.steps.runs import Run
from labkit.tasks import record

T = TypeVar("T")
ROWS = "rows"
RUNS_SHOWN = 10


@dataclass(frozen=True)
class Facts:
    """The lab at one moment. What is not there, and what could not be found out, is None or empty."""

    counts: Counts | ExactlyOnceCounts | None = None
    rejected: tuple[tuple[str, int], ...] = ()
    """The reasons of rejection, each with its number of rows, the most frequent first."""
    checks: Checks | None = None
    runs: tuple[Run, ...] = ()
    tasks_done: frozenset[str] = frozenset()
    """The ids of the tasks that were ever done in this lab."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """What could not be found out → why."""

    @classmethod
    def of(cls, lab: Lab) -> Facts:
        """Look at the lab. This never fails, because a report is most useful when something has failed."""
        unknown: dict[str, str] = {}

        def ask(what: str, question: Callable[[], T]) -> T | None:
            try:
                return question()
            except (MissingStep, QueryFailed):
                return None  # the notebooks that ran have not built it
            except LabError as error:
                unknown[what] = error.what
                return None

        counts = ask(ROWS, lab.counts)
        reasons = ask("rejected rows", lambda: _reasons(lab)) or ()
        checks = ask("checks", lab.check)
        runs = ask("workflow runs", lambda: _last_runs(lab)) or ()
        done = ask("tasks", lambda: record.done(lab.config)) or ()
        return cls(counts, reasons, checks, runs, frozenset(done), unknown=unknown)


def _reasons(lab: Lab) -> tuple[tuple[str, int], ...]:
    rows: Counter[str] = Counter()
    for reject in rejects.read(lab.session):
        rows[reject.reason] += reject.rows
    return tuple(rows.most_common())


def _last_runs(lab: Lab) -> tuple[Run, ...]:
    """The last runs of both deliveries' workflows, newest first, with what started them and the rows they loaded."""
    workflows = [workflow for workflow in (lab.workflow, lab.reliability.workflow) if workflow.exists()]
    runs = [run for workflow in workflows for run in workflow.runs()[:RUNS_SHOWN].known()]
    return tuple(sorted(runs, key=lambda run: run.started, reverse=True)[:RUNS_SHOWN])
