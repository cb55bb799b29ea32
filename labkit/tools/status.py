"""`labkit status`: the target, the checks of all steps, the rows, the last runs and the events."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.data.counts import Counts, ExactlyOnceCounts
from labkit.errors import MissingStep, QueryFailed
from labkit.session import TargetStatus
from labkit.show.display import Check
from labkit.tools.event_status import EventStatus
from labkit.tools.leftovers import find_expired
from labkit.tools.recent_runs import RecentRuns, recent_runs

if TYPE_CHECKING:
    from labkit.lab import Lab


@dataclass(frozen=True)
class Status:
    """What `labkit status` shows. If the target is not up, only `target` is set. `counts` is None without a table."""

    home: str
    target: TargetStatus
    checks: tuple[Check, ...] = ()
    counts: Counts | ExactlyOnceCounts | None = None
    runs: RecentRuns | None = None
    events: EventStatus | None = None
    expired: tuple[str, ...] = ()

    @classmethod
    def of(cls, lab: Lab) -> Status:
        """Look up the status on the target."""
        home, target = str(lab.config.home), lab.session.status()
        if not target.healthy:
            return cls(home, target)
        checks = lab.status().checks
        try:
            counts = lab.counts()
        except (MissingStep, QueryFailed):
            counts = None  # the bucket or the table is not there yet
        return cls(home, target, checks, counts, recent_runs(lab), lab.event_status(), find_expired(lab))

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        target = self.target
        return {
            "target": target.target,
            "running": target.running,
            "healthy": target.healthy,
            "region": target.region,
            "endpoint_url": target.endpoint_url,
            "home": self.home,
            "log_file": target.log_file,
            "enforce_iam": target.enforces_iam,
            "verify_signatures": target.verifies_signatures,
            "allow_unproven": target.allows_unproven,
            "processes": [{"name": name, "pid": pid} for name, pid in target.processes],
            "problems": [dataclasses.asdict(problem) for problem in target.problems],
            "left_over": [dataclasses.asdict(process) for process in target.left_over],
            "steps": {
                check.step: {
                    "ok": check.ok,
                    "facts": [{"holds": fact.holds, "what": fact.what, "fix": fact.fix} for fact in check.facts],
                }
                for check in self.checks
            },
            "counts": self.counts.as_json() if self.counts else None,
            "runs": [run.as_json() for run in self.runs] if self.runs else [],
            "expired": list(self.expired),
            "events": dataclasses.asdict(self.events) if self.events else None,
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.target}" + ("" if self.target.running else " (start it: labkit up)")
        for name, pid in self.target.processes:
            yield f"  {name}, process {pid}"
        for problem in self.target.problems:
            yield f"✗ {problem}"
        for process in self.target.left_over:
            yield f"✗ left over: {process} (end it: labkit down)"
        for check in self.checks:
            yield f"{'✓' if check.ok else '✗'} {check.step}"
            yield from (f"    {fact}" for fact in check.facts if not fact.holds)
        if self.counts:
            yield f"rows: {self.counts.sentence}"
        if self.runs is not None:
            yield str(self.runs)
        if self.events is not None:
            yield str(self.events)
        if self.expired:
            yield f"✗ {len(self.expired)} resources have expired and still cost money: labkit destroy removes them"
            yield from (f"    {arn}" for arn in self.expired)
