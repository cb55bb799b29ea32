"""A million rows through the whole pipeline, compared to the unavoidable minimum and to common alternatives."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.event import one_event
from bench.floor import Plain, load, make_table, plain_postgres
from bench.lab import BenchLab, fresh_lab
from bench.measure import Goal, Of, Report, Result, beside, seconds_of
from bench.memory import Peak
from bench.peers.run import PEERS, NoPeer, install
from bench.peers.run import seconds as seconds_with
from bench.rows import toll_files, toll_rows
from bench.sizes import Sizes

TIMEOUT = 900  # seconds
TIMES_THE_FLOOR = Goal(6, Of.RATIO)
SEVERAL_TIMES_AHEAD = Goal(3, Of.RATIO, least=True)
MOST_MEMORY = Goal(2000)


def measure(report: Report, sizes: Sizes) -> None:
    """Measure one file, many files, the memory during both, and the peers."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, plain_postgres() as plain:
        report.title(f"{sizes.rows:,} rows: from landed until a client sees them all")
        with fresh_lab() as lab:
            one_event(lab)
            lab.wait_until_idle()
            rows_a_second = one_file(report, lab, plain, Path(scratch), sizes)
            many_files(report, lab, plain, Path(scratch), sizes)
            most_memory(report, lab, sizes)
        peers(report, plain, Path(scratch), rows_a_second, sizes)


def one_file(report: Report, lab: BenchLab, plain: Plain, scratch: Path, sizes: Sizes) -> list[float]:
    """Measure all rows in one file, loaded by its event. Return the rows per second of each load."""
    put, landed, crawls, jobs = [], [], [], []
    floor = Floor(plain, scratch)
    bodies = [toll_rows(sizes.rows)]
    for _ in range(sizes.loads):
        floor.measure(bodies)
        lab.empty()
        moments = lab.land(bodies)
        seen = lab.wait_for_load(sizes.rows, TIMEOUT)
        lab.wait_until_idle()
        put.append(seen - moments.first)
        landed.append(seen - moments.last)
        crawl, job = lab.last_crawl_and_job()
        crawls.append(crawl)
        jobs.append(job)
    report.add(
        beside("one file, by its event, from landed", landed, floor.result, goal=sizes.goal(TIMES_THE_FLOOR)),
        beside("  the same from the start of the PUT", put, floor.result),
        Result("  of which the crawl", tuple(crawls)),
        Result("  of which the job run", tuple(jobs)),
        floor.result,
    )
    return [sizes.rows / seconds for seconds in landed]


def many_files(report: Report, lab: BenchLab, plain: Plain, scratch: Path, sizes: Sizes) -> None:
    """Measure the same rows in many files: loaded by one run started by hand when all have landed, and by their events.

    The load by hand is the one to compare with the floor: both begin when all files are there, and nothing is done yet.
    """
    put, landed, crawls, jobs = [], [], [], []
    floor = Floor(plain, scratch)
    for repetition in range(sizes.loads):
        bodies = toll_files(sizes.rows, sizes.files, repetition)
        floor.measure(bodies)
        lab.empty()
        with lab.without_events():
            moments = lab.land(bodies)
            put.append(moments.last - moments.first)
            lab.run_by_hand()
            landed.append(lab.wait_for_load(sizes.rows, TIMEOUT) - moments.last)
            lab.wait_until_idle()
        crawl, job = lab.last_crawl_and_job()
        crawls.append(crawl)
        jobs.append(job)
    name = f"{sizes.files:,} files"
    report.add(
        beside(f"{name}, by a run by hand, from landed", landed, floor.result, goal=sizes.goal(TIMES_THE_FLOOR)),
        Result("  of which the crawl", tuple(crawls)),
        Result("  of which the job run", tuple(jobs)),
        beside("  before: their PUTs", put, floor.result),
    )
    lab.empty()
    before = lab.runs()
    moments = lab.land(toll_files(sizes.rows, sizes.files, sizes.loads))
    seen = lab.wait_for_load(sizes.rows, TIMEOUT)
    lab.wait_until_idle()
    report.add(
        beside(f"{name}, by their events, from landed", [seen - moments.last], floor.result),
        beside("  the same from the start of the first PUT", [seen - moments.first], floor.result),
        Result("  runs of the workflow that these took", (lab.runs() - before,), "runs"),
        floor.result,
    )


def most_memory(report: Report, lab: BenchLab, sizes: Sizes) -> None:
    """Run both loads again, and sample the memory. Not in the timed loads, because sampling would slow them down."""
    with Peak(lab.server_pid()) as peak:
        for files in (1, sizes.files):
            lab.empty()
            lab.land(toll_files(sizes.rows, files, sizes.loads + 1))
            lab.wait_for_load(sizes.rows, TIMEOUT)
            lab.wait_until_idle()
    report.add(
        Result("memory: the most of the whole stack in such loads", (peak.mb,), "MB", goal=MOST_MEMORY),
        *(Result(f"  {name}", (mb,), "MB") for name, mb in sorted(peak.by.items(), key=lambda it: -it[1])[:4]),
    )


class Floor:
    """The same files, read by duckdb and copied into a plain PostgreSQL.

    It is measured before each load, so that a machine that is slow for a while slows down both.
    """

    def __init__(self, plain: Plain, scratch: Path) -> None:
        self._plain = plain
        self._scratch = scratch
        self._seconds: list[float] = []

    def measure(self, bodies: Sequence[bytes]) -> None:
        """Measure once more."""
        files = write(self._scratch / f"{len(bodies)}-files", bodies)
        make_table(self._plain, "bench_floor")
        self._seconds += seconds_of(lambda: load(self._plain, files, "bench_floor"), 1)

    @property
    def result(self) -> Result:
        """The times measured so far."""
        return Result("  floor: duckdb → CSV → COPY, the same files", tuple(self._seconds))


def peers(report: Report, plain: Plain, scratch: Path, rows_a_second: list[float], sizes: Sizes) -> None:
    """Measure common alternatives: rows per second with a sample, which favours them over using all the rows."""
    report.title(
        f"Rows a second: the pipeline with {sizes.rows:,} rows in one file, its peers with {sizes.peer_rows:,}"
    )
    lab = Result("the pipeline", tuple(rows_a_second), "rows/s")
    try:
        install()
    except NoPeer as why:
        report.skip("The peers", str(why))
        report.add(lab)
        return
    files = write(scratch / "sample", [toll_rows(sizes.peer_rows)])
    for name, script in PEERS.items():
        try:
            seconds = [seconds_with(script, files, plain, scratch) for _ in range(sizes.loads)]
        except NoPeer as why:
            report.skip(name, str(why))
            continue
        peer = Result(f"  {name}", tuple(sizes.peer_rows / each for each in seconds), "rows/s")
        goal = sizes.goal(SEVERAL_TIMES_AHEAD)
        report.add(beside("the pipeline", lab.values, peer, script.removeprefix("with_"), goal), peer)


def write(directory: Path, bodies: Sequence[bytes]) -> Path:
    """Write the files, as they would land, to a directory."""
    directory.mkdir(exist_ok=True)
    for number, body in enumerate(bodies):
        (directory / f"{number:05}.json").write_bytes(body)
    return directory
