"""How much is measured. Use smaller sizes to try it out."""

from __future__ import annotations

from dataclasses import dataclass

from bench.measure import Goal


@dataclass(frozen=True)
class Sizes:
    """The sizes. The defaults are the issue's."""

    runs: int = 7  # of benchmarks that take seconds
    loads: int = 5  # of benchmarks that take longer
    rows: int = 1_000_000
    files: int = 1_000
    landed: int = 10_000
    peer_rows: int = 100_000

    def goal(self, goal: Goal) -> Goal | None:
        """`goal` if it was set for these sizes, else None."""
        return goal if (self.rows, self.files, self.landed) == (Sizes.rows, Sizes.files, Sizes.landed) else None
