"""The time from a PUT until a client sees its rows."""

from __future__ import annotations

import time

from bench.lab import BenchLab, fresh_lab
from bench.measure import Goal, Report, Result, beside, seconds_of
from bench.rows import toll_rows
from bench.sizes import Sizes

ROWS = 100
IN_A_ROW = 5


def measure(report: Report, sizes: Sizes) -> None:
    """Measure one event at a time, and five without a pause."""
    report.title(f"Event to rows: a PUT of {ROWS} rows until a client sees them")
    with fresh_lab() as lab:
        report.add(Result("first event after deploy", (one_event(lab),), goal=Goal(10)))
        lab.wait_until_idle()
        warm, crawls, jobs = [], [], []
        for _ in range(sizes.runs):
            warm.append(one_event(lab))
            lab.wait_until_idle()
            crawl, job = lab.last_crawl_and_job()
            crawls.append(crawl)
            jobs.append(job)
        floor = Result(
            "  floor: the same PUT and one COPY, nothing else", seconds_of(lambda: put_and_copy(lab), sizes.runs)
        )
        report.add(
            beside("warm, the workflow at rest", warm, floor, goal=Goal(1.5)),
            Result("  of which the crawl", tuple(crawls)),
            Result("  of which the job run", tuple(jobs)),
            floor,
        )
        each = []
        for _ in range(sizes.loads):
            lab.wait_until_idle()
            # No waiting for the workflow between them: a run may still be working when its rows are there.
            each += [one_event(lab) for _ in range(IN_A_ROW)]
        report.add(beside(f"{IN_A_ROW} in a row, each", each, floor, goal=Goal(1.2)))


def one_event(lab: BenchLab) -> float:
    """Seconds from the PUT of 100 rows until a client sees them."""
    before = lab.count()
    start = lab.land([toll_rows(ROWS, seed=before)]).first
    return lab.wait_for_rows(before + ROWS) - start


def put_and_copy(lab: BenchLab) -> None:
    """Load 100 rows without crawler, workflow and Spark."""
    bucket, key = lab.config["staging_bucket"], f"bench/{time.time_ns()}.json"
    lab.s3.put_object(Bucket=bucket, Key=key, Body=toll_rows(ROWS))
    cursor = lab.warehouse.cursor()
    cursor.execute("create table if not exists bench_floor (like toll_table)")
    access = lab.s3._request_signer._credentials.get_frozen_credentials()
    cursor.execute(
        f"copy bench_floor from 's3://{bucket}/{key}' json 'auto' "
        f"access_key_id '{access.access_key}' secret_access_key '{access.secret_key}'"
    )
    cursor.execute("select count(*) from bench_floor")
