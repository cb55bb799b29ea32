"""How much is measured; smaller for a try."""

from __future__ import annotations

from dataclasses import dataclass

from bench.measure import Goal


@dataclass(frozen=True)
class Sizes:
    """The issue's own by default."""

    runs: int = 7  # of what takes seconds
    loads: int = 5  # of what takes longer
    rows: int = 1_000_000
    files: int = 1_000
    landed: int = 10_000
    peer_rows: int = 100_000

    def goal(self, goal: Goal) -> Goal | None:
        """`goal`, if it was set for these sizes."""
        return goal if (self.rows, self.files, self.landed) == (Sizes.rows, Sizes.files, Sizes.landed) else None
