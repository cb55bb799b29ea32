"""What became of the events and rows that did not just go through: `labkit status` shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit import rejects
from labkit.errors import LabError

if TYPE_CHECKING:
    from labkit.lab import Lab


@dataclass(frozen=True)
class Happened:
    """Counts, and the last rejected row as an example."""

    waiting_events: int
    given_up_events: int
    rejected_rows: int
    rejected_files: int
    last_reject: str

    @classmethod
    def of(cls, lab: Lab) -> Happened:
        """Look it up on the target; what is not there yet counts as none."""
        try:
            waiting, given_up = lab.retries.waiting(), len(lab.retries.dead_letters())
        except LabError:
            waiting = given_up = 0
        try:
            lab.buckets.describe()
            rows = list(rejects.read(lab))
        except LabError:
            rows = []
        files = {(row.file, row.version) for row in rows}
        last = f"{rows[0].file} line {rows[0].line}: {rows[0].reason}" if rows else ""
        return cls(waiting, given_up, len(rows), len(files), last)

    def __str__(self) -> str:
        lines = []
        if self.waiting_events:
            lines.append(f"events that wait for their rows to be loaded: {self.waiting_events}")
        if self.given_up_events:
            lines.append(f"events given up: {self.given_up_events}. Mend what made them fail, then: labkit redrive")
        if self.rejected_rows:
            where = f"{self.rejected_rows} in {self.rejected_files} file{'s' if self.rejected_files > 1 else ''}"
            lines.append(f"rows rejected: {where}; {self.last_reject} (all of them: lab.job.rejects())")
        return "\n".join(lines) or "no event waits, none was given up, and no row was rejected"
