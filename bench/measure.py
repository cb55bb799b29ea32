"""Results, the goals and floors that they are compared with, and how a result is printed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Of(StrEnum):
    """The value that a goal limits."""

    MEDIAN = "median"
    RATIO = "ratio"


@dataclass(frozen=True)
class Goal:
    """The issue's goal: a limit for the median or the ratio. It is a maximum, or (for "times faster") a minimum."""

    limit: float
    of: Of = Of.MEDIAN
    least: bool = False

    def kept(self, median: float, ratio: float | None) -> bool:
        """Whether a result keeps the goal. A result without a ratio does not keep a goal for the ratio."""
        value = median if self.of is Of.MEDIAN else ratio
        if value is None:
            return False
        return value >= self.limit if self.least else value <= self.limit


@dataclass(frozen=True)
class Result:
    """One thing, measured one or more times in `unit`. `ratio` is its median divided by the median of `against`."""

    name: str
    values: tuple[float, ...]
    unit: str = "s"
    against: str = ""
    ratio: float | None = None
    goal: Goal | None = None

    @property
    def median(self) -> float:
        """The median of the values."""
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        """`kept`, `MISSED`, or empty if the issue sets no goal."""
        if self.goal is None:
            return ""
        return "kept" if self.goal.kept(self.median, self.ratio) else "MISSED"

    def __str__(self) -> str:
        digits = 2 if self.unit == "s" else 0
        spread = f"{min(self.values):,.{digits}f} – {max(self.values):,.{digits}f}" if len(self.values) > 1 else ""
        ratio = f"{self.ratio:.2f} × {self.against}" if self.ratio is not None else ""
        goal = ""
        if self.goal is not None:
            unit = self.unit if self.goal.of is Of.MEDIAN else "×"
            goal = f"{'≥' if self.goal.least else '≤'} {self.goal.limit:g} {unit}"
        median = f"{self.median:,.{digits}f} {self.unit:<6}"
        measured = f"{self.name:<58}{median:>17}{spread:>20}{len(self.values):>4}"
        return f"{measured}  {ratio:<28}{goal:<12}{self.verdict}".rstrip()

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "values": list(self.values),
            "against": self.against,
            "ratio": self.ratio,
            "goal": None if self.goal is None else vars(self.goal),
            "verdict": self.verdict,
        }


HEADER = f"{'':<58}{'median':>10}{'':<7}{'min – max':>20}{'n':>4}  {'ratio':<28}{'goal':<12}"


def seconds_of(action: Callable[[], object], runs: int) -> tuple[float, ...]:
    """Run `action` `runs` times, and return the seconds that each run took."""
    return tuple(_once(action) for _ in range(runs))


def _once(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def beside(
    name: str, values: Sequence[float], floor: Result, against: str = "floor", goal: Goal | None = None
) -> Result:
    """A result with its ratio to `floor`, measured in the same run."""
    return Result(name, tuple(values), floor.unit, against, statistics.median(values) / floor.median, goal)


class Report:
    """Prints results as they come, and keeps them."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.skipped: list[str] = []
        self.failed: list[str] = []

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def title(self, text: str) -> None:
        """Begin a part."""
        print(f"\n{text}\n{HEADER}", flush=True)

    def add(self, *results: Result) -> None:
        """Print results, and keep them."""
        for result in results:
            print(result, flush=True)
        self.results += results

    def fail(self, part: str, error: Exception) -> None:
        """Print that a part failed; the other parts go on."""
        print(f"{part}: FAILED. {type(error).__name__}: {error}", flush=True)
        self.failed.append(f"{part}: {error}")

    def skip(self, what: str, why: str) -> None:
        """Print what was not measured, and why."""
        print(f"{what}: not measured. {why}", flush=True)
        self.skipped.append(f"{what}: {why}")
