"""A separate lab for a benchmark, which uses it as a user would: with the command line and plain clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import redshift_connector
from botocore.config import Config

LABKIT = Path(sys.executable).with_name("labkit")
AT_ONCE = 16  # PUTs under way at a time
GLANCE = 0.02  # seconds between two polls


@dataclass(frozen=True)
class Landed:
    """When files landed, by `time.perf_counter`."""

    first: float  # the first PUT was sent
    last: float  # the last PUT was answered


class BenchLab:
    """One lab in its own home."""

    def __init__(self, home: Path) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PG", "LABKIT_"))},
            "LABKIT_HOME": str(home),
            "LABKIT_RUNS": str(home.with_name("runs")),
        }

    def labkit(self, *arguments: str) -> str:
        """Run the labkit command line, and return its standard output."""
        done = subprocess.run([LABKIT, *arguments], env=self.environment, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout

    def connect(self) -> None:
        """Create clients with the settings from `labkit env`."""
        for line in self.labkit("env").splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            os.environ[name] = value.strip("'\"")
        self.config: dict[str, Any] = json.loads(self.labkit("config", "--json"))
        self.landing: str = self.config["landing_bucket"]
        self.workflow: str = self.config["workflow"]
        # A new session, because the default session keeps the endpoint of the previous lab.
        session = boto3.Session()
        self.s3 = session.client("s3", config=Config(max_pool_connections=AT_ONCE))
        self.glue = session.client("glue")
        secret = session.client("secretsmanager").get_secret_value(SecretId=self.config["secret_id"])
        login = json.loads(secret["SecretString"])
        self.warehouse = redshift_connector.connect(
            host=os.environ["PGHOST"],
            port=int(os.environ["PGPORT"]),
            database=self.config["redshift_database"],
            user=login["username"],
            password=login["password"],
        )
        self.warehouse.autocommit = True
        self._entered_before = 0

    def server_pid(self) -> int:
        """The id of the process that all processes of the stack descend from."""
        processes = json.loads(self.labkit("status", "--json"))["processes"]
        return next(int(process["pid"]) for process in processes if process["name"] == "server")

    # Landing

    def land(self, bodies: Sequence[bytes]) -> Landed:
        """PUT files, several at a time, under keys that no other call uses."""
        folder = f"bench/{uuid.uuid4().hex[:8]}"

        def put(numbered: tuple[int, bytes]) -> None:
            number, body = numbered
            self.s3.put_object(Bucket=self.landing, Key=f"{folder}/{number:05}.json", Body=body)

        first = time.perf_counter()
        if len(bodies) == 1:
            put((0, bodies[0]))
        else:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(put, enumerate(bodies)))
        return Landed(first, time.perf_counter())

    @contextmanager
    def without_events(self) -> Iterator[None]:
        """Remove the bucket's notification, so that landed files start no run, and restore it at the end."""
        there = self.s3.get_bucket_notification_configuration(Bucket=self.landing)
        there.pop("ResponseMetadata")
        self.s3.put_bucket_notification_configuration(Bucket=self.landing, NotificationConfiguration={})
        try:
            yield
        finally:
            self.s3.put_bucket_notification_configuration(Bucket=self.landing, NotificationConfiguration=there)

    # Runs

    def run_by_hand(self) -> None:
        """Start the workflow, like the console's Run button."""
        self.glue.start_workflow_run(Name=self.workflow)

    def wait_until_idle(self, timeout: float = 120) -> None:
        """Return when no run of the workflow is under way.

        Raises:
            TimeoutError: one still is after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while any(run["Status"] in ("RUNNING", "STOPPING") for run in self._runs()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the workflow does not come to rest in {timeout:g} s: see `labkit logs`")
            time.sleep(GLANCE)

    def runs(self) -> int:
        """How many runs the workflow has had."""
        pages = self.glue.get_paginator("get_workflow_runs").paginate(Name=self.workflow)
        return sum(len(page["Runs"]) for page in pages)

    def last_crawl_and_job(self) -> tuple[float, float]:
        """Seconds that the newest crawl and the newest job run took, according to Glue."""
        crawl = self.glue.list_crawls(CrawlerName=self.config["s3_crawler"], MaxResults=1)["Crawls"][0]
        job = self.glue.get_job_runs(JobName=self.config["job"], MaxResults=1)["JobRuns"][0]
        return (
            (crawl["EndTime"] - crawl["StartTime"]).total_seconds(),
            (job["CompletedOn"] - job["StartedOn"]).total_seconds(),
        )

    def _runs(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = self.glue.get_workflow_runs(Name=self.workflow, MaxResults=5)["Runs"]
        return runs

    # Rows

    def count(self) -> int:
        """The number of rows in toll_table."""
        cursor = self.warehouse.cursor()
        cursor.execute("select count(*) from toll_table")
        return int(cursor.fetchone()[0])

    def empty(self) -> None:
        """Delete the rows and the landed files, because the floor starts empty too.

        `growth` measures how the time grows with the files that landed before.
        """
        self.warehouse.cursor().execute("truncate toll_table")
        self._entered_before = self._entered()
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.landing):
            there = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if objects := [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in there]:
                self.s3.delete_objects(Bucket=self.landing, Delete={"Objects": objects, "Quiet": True})

    def wait_for_load(self, rows: int, timeout: float) -> float:
        """Like `wait_for_rows`, after `empty`, but with little work for Redshift while it waits.

        A count reads all rows that a COPY under way has written. So this polls the ledger, whose rows are committed
        together with the loaded rows, and counts only when the ledger has them all.

        Raises:
            TimeoutError, ValueError: as `wait_for_rows`.
        """
        deadline = time.monotonic() + timeout
        while self._entered() - self._entered_before < rows and time.monotonic() < deadline:
            time.sleep(GLANCE)
        return self.wait_for_rows(rows, deadline - time.monotonic())

    def _entered(self) -> int:
        """The number of loaded rows in the ledger."""
        cursor = self.warehouse.cursor()
        cursor.execute("select coalesce(sum(loaded_rows), 0) from etl.toll_ledger")
        return int(cursor.fetchone()[0])

    def wait_for_rows(self, rows: int, timeout: float = 120) -> float:
        """Wait until toll_table has `rows` rows, and return the time, from `time.perf_counter`.

        Raises:
            TimeoutError: it has fewer rows after `timeout` seconds.
            ValueError: it has more rows: something was loaded twice.
        """
        deadline = time.monotonic() + timeout
        while (there := self.count()) < rows:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{there} of {rows} rows after {timeout:g} s: see `labkit logs`")
            time.sleep(GLANCE)
        if there > rows:
            raise ValueError(f"{there} rows where {rows} landed: something was loaded twice")
        return time.perf_counter()


@contextmanager
def fresh_lab(*, deployed: bool = True) -> Iterator[BenchLab]:
    """A lab in a new home. At the end, it is stopped and deleted."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        lab = BenchLab(Path(scratch) / "home")
        try:
            if deployed:
                lab.labkit("up")
                lab.labkit("deploy")
                lab.connect()
            yield lab
        except Exception:
            # The lab's home is about to be deleted, so show its status and logs now.
            print(lab.labkit("status"), lab.labkit("logs", "--lines", "20"), sep="\n", file=sys.stderr)
            raise
        finally:
            lab.labkit("down")
