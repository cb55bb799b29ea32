"""`make bench`: how long the lab takes, beside what cannot be avoided."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import boto3
import nbformat

from bench.lab import BenchLab
from bench.measure import Timing, show, time_of


def toll_rows(first: int, count: int = 100) -> str:
    """`count` rows as the lab's generator writes them: strict JSON, one a line."""
    rows = (
        {
            "transaction_id": number,
            "transaction_date": "2023/08/13",
            "toll_booth": "golf_rd",
            "vehicle_make": "Saab",
            "vehicle_category": "Sedan",
            "transaction_amount": 2.5,
        }
        for number in range(first, first + count)
    )
    return "\n".join(json.dumps(row) for row in rows)


def bench_event(lab: BenchLab, runs: int) -> None:
    """From the PUT of 100 rows to a client that sees them."""
    landing = lab.config["landing_bucket"]

    def put_and_wait() -> None:
        before = lab.count()
        lab.s3.put_object(Bucket=landing, Key=f"bench/{time.time_ns()}.json", Body=toll_rows(before))
        lab.wait_for_rows(before + 100)

    show(time_of("PUT of 100 rows to rows visible, first after `up`", put_and_wait, 1), goal=10)
    workflow_idle(lab)
    warm = []
    for _ in range(runs):
        warm += time_of("", put_and_wait, 1).seconds
        workflow_idle(lab)
    show(
        Timing("PUT of 100 rows to rows visible, warm", tuple(warm)),
        time_of("  floor: the same PUT and one COPY, nothing else", lambda: put_and_copy(lab), runs),
        goal=3,
    )


def put_and_copy(lab: BenchLab) -> None:
    """What loading 100 rows costs without crawler, workflow and Spark."""
    bucket, key = lab.config["staging_bucket"], f"bench/{time.time_ns()}.json"
    lab.s3.put_object(Bucket=bucket, Key=key, Body=toll_rows(0))
    cursor = lab.warehouse.cursor()
    cursor.execute("create table if not exists bench_floor (like toll_table)")
    access = lab.s3._request_signer._credentials.get_frozen_credentials()
    cursor.execute(
        f"copy bench_floor from 's3://{bucket}/{key}' json 'auto' "
        f"access_key_id '{access.access_key}' secret_access_key '{access.secret_key}'"
    )
    cursor.execute("select count(*) from bench_floor")


def workflow_idle(lab: BenchLab) -> None:
    """Wait until the run that made the rows visible has ended: the next PUT then finds an idle workflow."""
    glue = boto3.client("glue")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        runs = glue.get_workflow_runs(Name=lab.config["workflow"], MaxResults=5)["Runs"]
        if all(run["Status"] != "RUNNING" for run in runs):
            return
        time.sleep(0.02)
    raise TimeoutError("the workflow does not come to rest: see `labkit logs`")


def bench_up(lab: BenchLab, runs: int) -> None:
    """`labkit up` on a home that holds a deployed lab."""
    seconds = []
    for _ in range(runs):
        lab.labkit("down")
        seconds += time_of("", lambda: lab.labkit("up"), 1).seconds
    show(
        Timing("labkit up, on a used home", tuple(seconds)),
        time_of("  floor: `labkit --help`, the command line alone", lambda: lab.labkit("--help"), runs),
        goal=5,
    )


def bench_run(lab: BenchLab, directory: Path) -> None:
    """All ten notebooks, beside ten that do nothing."""
    empty = directory / "empty.ipynb"
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.cells.append(nbformat.v4.new_code_cell("pass"))
    nbformat.write(notebook, empty)
    program = (
        "import sys, papermill\n"
        "for n in range(10):\n"
        f"    papermill.execute_notebook({str(empty)!r}, {str(directory / 'out.ipynb')!r}, progress_bar=False)\n"
    )
    floor = partial(subprocess.run, [sys.executable, "-c", program], stderr=subprocess.DEVNULL, check=True)
    show(
        time_of("labkit run, ten notebooks", lambda: lab.labkit("run"), 1),
        time_of("  floor: ten empty notebooks in papermill", floor, 1),
        goal=60,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="how often each short thing is measured (7)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as scratch:
        lab = BenchLab(Path(scratch) / "home")
        try:
            show(time_of("labkit up, on a fresh home", lambda: lab.labkit("up"), 1))
            show(time_of("labkit deploy", lambda: lab.labkit("deploy"), 1))
            lab.labkit("down")
            lab.labkit("up")
            lab.connect()
            bench_event(lab, runs)
            bench_up(lab, min(runs, 5))
            bench_run(lab, Path(scratch))
        finally:
            lab.labkit("down")


if __name__ == "__main__":
    main()
