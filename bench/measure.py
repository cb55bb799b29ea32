"""Timing, and how it is shown."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds that one thing took, several times."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        spread = f"{min(self.seconds):7.2f} – {max(self.seconds):.2f}" if len(self.seconds) > 1 else ""
        return f"{self.name:<58}{self.median:8.2f} s   n={len(self.seconds)} {spread}"


def time_of(name: str, action: Callable[[], object], runs: int) -> Timing:
    """Run `action` `runs` times."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return Timing(name, tuple(seconds))


def show(measured: Timing, floor: Timing | None = None, goal: float | None = None) -> None:
    """Print one result, its ratio to its floor, and whether it keeps the issue's goal on this machine."""
    print(measured)
    if floor is not None:
        print(floor)
        print(f"{'  ratio to that floor':<58}{measured.median / floor.median:8.2f} ×")
    if goal is not None:
        print(f"{'  goal on a 2-core machine':<58}{goal:8.2f} s   {'kept' if measured.median <= goal else 'MISSED'}")
