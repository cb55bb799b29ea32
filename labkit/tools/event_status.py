"""Events that are waiting or were given up, and rejected rows. `labkit status` shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labkit.data import rejects
from labkit.errors import MissingStep
from labkit.steps.lab_steps import LabSteps
from labkit.tables import escaped


@dataclass(frozen=True)
class EventStatus:
    """The number of these events and rows, and the last rejected row as an example."""

    waiting_events: int
    given_up_events: int
    rejected_rows: int
    rejected_files: int
    last_reject: str

    @classmethod
    def of(cls, lab: LabSteps) -> EventStatus:
        """Look up the status on the target. A resource that does not exist yet counts as 0."""
        try:
            waiting, given_up = lab.reliability.waiting(), len(lab.reliability.dead_letters())
        except MissingStep:
            waiting = given_up = 0
        try:
            lab.buckets.describe()
            rows = list(rejects.read(lab.session))
        except MissingStep:
            rows = []
        files = {(row.file, row.version) for row in rows}
        last = f"{rows[0].file} line {rows[0].line}: {rows[0].reason}" if rows else ""
        return cls(waiting, given_up, sum(row.rows for row in rows), len(files), last)

    def __str__(self) -> str:
        lines = []
        if self.waiting_events:
            lines.append(f"events that wait for their rows to be loaded: {self.waiting_events}")
        if self.given_up_events:
            lines.append(f"events given up: {self.given_up_events}. Fix what made them fail, then: labkit redrive")
        if self.rejected_rows:
            where = f"{self.rejected_rows} in {self.rejected_files} file{'s' if self.rejected_files > 1 else ''}"
            lines.append(f"rows rejected: {where}; {self.last_reject} (all of them: lab.reliability.rejects())")
        return "\n".join(lines) or "no event waits, none was given up, and no row was rejected"

    def __repr__(self) -> str:
        return str(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return f"<div>{escaped(str(self))}</div>"
