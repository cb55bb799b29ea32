"""Whether an event takes longer when many files have landed before it."""

from __future__ import annotations

import statistics
import time

from bench.event import one_event
from bench.lab import BenchLab, fresh_lab
from bench.measure import Goal, Of, Report, Result, beside
from bench.rows import toll_rows
from bench.sizes import Sizes

FEW = 10


def measure(report: Report, sizes: Sizes) -> None:
    """Measure warm events with ten files in the bucket, and with many more, both in one lab, minutes apart."""
    report.title(f"Growth: the warm event with {sizes.landed:,} files landed, beside {FEW}")
    with fresh_lab() as lab:
        one_event(lab)
        lab.wait_until_idle()
        fill(lab, FEW - 1)
        few = Result(f"  floor: warm event, {FEW} files landed before", warm_events(lab, sizes.runs))
        landing, loading = fill(lab, sizes.landed - FEW - sizes.runs)
        # The first event after so many files is shown separately: it may do work that was put off until then.
        first = one_event(lab)
        lab.wait_until_idle()
        many = warm_events(lab, sizes.runs)
        goal = sizes.goal(Goal(2, Of.RATIO))
        report.add(
            beside(f"warm event, {sizes.landed:,} files landed before", many, few, f"with {FEW}", goal),
            few,
            Result("  the first of these", (first,), against=f"with {FEW}", ratio=first / few.median),
            Result("  of which the crawl, the last time", (lab.last_crawl_and_job()[0],)),
            Result("  of which the job run, the last time", (lab.last_crawl_and_job()[1],)),
            Result(f"  before: landing {sizes.landed:,} files of 1 row", (landing,)),
            Result("  before: loading them in one run by hand", (loading,)),
        )
        if statistics.median(many) < few.median / 2:
            print("  The few were slower than the many: something else kept this machine busy.")


def warm_events(lab: BenchLab, runs: int) -> tuple[float, ...]:
    """Seconds for each of several events, sent one by one when the workflow is idle."""
    seconds = []
    for _ in range(runs):
        seconds.append(one_event(lab))
        lab.wait_until_idle()
    return tuple(seconds)


def fill(lab: BenchLab, files: int) -> tuple[float, float]:
    """Land files of one row each without events, and load them in one run. Return the seconds for each of the two."""
    before = lab.count()
    with lab.without_events():
        landed = lab.land([toll_rows(1, seed) for seed in range(files)])
        start = time.perf_counter()
        lab.run_by_hand()
        seen = lab.wait_for_rows(before + files, timeout=900)
        lab.wait_until_idle(timeout=300)
    return landed.last - landed.first, seen - start
