"""A complete lab, deployed and used as people outside the project would: with the command line and plain clients."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.pipeline.rows import strict

BIN = Path(sys.executable).parent
CLIENTS = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60, max_pool_connections=32)
"""No retries: tests that kill the server retry themselves."""

LOGS = ("server", "start", "job")
GOING = ("STARTING", "RUNNING", "STOPPING", "WAITING")
DEAD = (BotoCoreError, ClientError, psycopg.OperationalError)
"""The errors that clients raise while the server is being killed or started."""


class ShellLab:
    """A lab that is used from a shell. Nothing here imports labkit or localaws."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "LABKIT_HOME": str(home), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        self._clients: dict[str, Any] = {}

    def labkit(self, *arguments: str, succeeds: bool = True, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run labkit's command line, with these settings changed."""
        changed = {f"LABKIT_{name.upper()}": value for name, value in settings.items()}
        done = subprocess.run(
            ["labkit", *arguments],
            env=self.environment | changed,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        if succeeds:
            assert done.returncode == 0, f"labkit {shlex.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done

    def enter(self) -> None:
        """Take over the environment that `eval "$(labkit env)"` sets in a real shell."""
        script = f"{self.labkit('env').stdout}\nenv -0"
        shell = subprocess.run(["sh", "-c", script], env=self.environment, capture_output=True, check=True)
        for entry in shell.stdout.decode().split("\0"):
            name, _, value = entry.partition("=")
            self.environment[name] = value
        self.config: dict[str, Any] = json.loads(self.labkit("config", "--json").stdout)
        self._session = boto3.Session(
            self.environment["AWS_ACCESS_KEY_ID"],
            self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_DEFAULT_REGION"],
        )

    def client(self, service: str) -> Any:
        """Return a boto3 client of `service`. It can be used after a restart, as addresses stay the same."""
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service, endpoint_url=self.environment["AWS_ENDPOINT_URL"], config=CLIENTS
            )
        return self._clients[service]

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=self.environment["PGHOST"],
            port=self.environment["PGPORT"],
            user=self.environment["PGUSER"],
            dbname=self.environment["PGDATABASE"],
            password=self.environment["PGPASSWORD"],
            sslmode="verify-full",
            sslrootcert=self.environment["PGSSLROOTCERT"],
            autocommit=True,
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(sql).fetchall()

    def count(self) -> int:
        return int(self.rows("select count(*) from toll_table")[0][0])

    def ledger(self, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Return these columns of the ledger; an empty list before the job's first run."""
        try:
            return self.rows(f"select {columns} from {self.config['ledger']} where {where}")
        except psycopg.errors.UndefinedTable:
            return []

    def workflow_runs(self) -> list[dict[str, Any]]:
        """Return all runs of the workflow."""
        answer = self.client("glue").get_workflow_runs(Name=self.config["workflow"], MaxResults=1000)
        return list(answer["Runs"])

    def idle(self) -> bool:
        """Whether no workflow run is under way."""
        return all(run["Status"] not in GOING for run in self.workflow_runs())

    def runs(self) -> int:
        return len(self.workflow_runs())

    def job_runs(self, *states: str) -> int:
        """Return the number of job runs in one of these states."""
        runs = self.client("glue").get_job_runs(JobName=self.config["job"], MaxResults=200)["JobRuns"]
        return sum(run["JobRunState"] in states for run in runs)

    def put(self, *files: tuple[str, str | bytes]) -> None:
        """Put these (key, body) into the landing bucket; wait until all are read and the pipeline is quiet."""
        s3, bucket = self.client("s3"), self.config["landing_bucket"]
        landed = {s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"] for key, body in files}
        named = ", ".join(f"'{version}'" for version in landed)

        def unread() -> list[str]:
            read = self.ledger("version", f"version in ({named})")
            return sorted(landed - {version for (version,) in read})

        self.wait_until_quiet(also=unread)

    def rejects(self) -> Iterator[dict[str, Any]]:
        """Yield all rows that the job rejected, from the staging bucket."""
        s3, bucket = self.client("s3"), self.config["staging_bucket"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="rejects/"):
            for item in page.get("Contents", []):
                body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode()
                yield from map(json.loads, body.splitlines())

    def going_on(self) -> list[str]:
        """Return what the pipeline is doing or still has to do, in words; an empty list if it is quiet."""
        glue, names = self.client("glue"), self.config
        found = [f"workflow run {run['Status']}" for run in self.workflow_runs() if run["Status"] in GOING]
        found += [f"{jobs} job runs"] if (jobs := self.job_runs(*GOING)) else []
        crawler = glue.get_crawler(Name=names["s3_crawler"])["Crawler"]["State"]
        if crawler != "READY":
            found.append(f"crawler {crawler}")
        if names["delivery"] != "exactly-once":
            return found
        markers = self.client("s3").list_objects_v2(Bucket=names["staging_bucket"], Prefix="landed/")
        found += [f"marker {item['Key']}" for item in markers.get("Contents", [])]
        waiting = self.messages(names["retry_queue"])
        return [*found, f"{waiting} messages"] if waiting else found

    def messages(self, queue: str) -> int:
        """Return the number of messages in a queue: visible, delayed and in flight."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))

    def dead_letters(self) -> int:
        """Return the number of events that were given up and are in the dead-letter queue."""
        return self.messages(self.config["dead_letter_queue"])

    def wait_until_quiet(self, seconds: float = 120, also: Callable[[], list[str]] = list) -> None:
        """Wait until the pipeline is quiet, `also` returns an empty list, and there are no dead letters."""
        left: list[str] = []

        def quiet() -> bool:
            try:
                left[:] = self.going_on() or also()
                if not left and self.config["delivery"] == "exactly-once" and self.dead_letters():
                    left.append("dead letters")
            except DEAD as error:
                left[:] = [f"no answer: {error}"]
            return not left

        self.wait(quiet, seconds, lambda: f"still {left[:10]}")

    def wait(self, condition: Callable[[], bool], seconds: float = 120, saying: Callable[[], str] = str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                logs = {name: self.labkit("logs", name, succeeds=False).stdout[-3000:] for name in LOGS}
                shown = "\n".join(f"--- {name}\n{text}" for name, text in logs.items())
                raise AssertionError(f"not in {seconds} s; {saying()}\n{shown}")
            time.sleep(0.05)


@contextmanager
def deployed(home: Path, *options: str) -> Iterator[ShellLab]:
    """Start and deploy a lab in `home`; stop it at the end."""
    made = ShellLab(home)
    try:
        made.labkit("up")
        made.labkit("deploy", *options)
        made.enter()
        yield made
    finally:
        made.labkit("down")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShellLab]:
    """A deployed lab that has loaded one file. Tests share it, so they look only at their own rows."""
    with deployed(tmp_path_factory.mktemp("pipeline") / "home") as made:
        made.put(("first.json", strict(1, 1)))
        yield made
