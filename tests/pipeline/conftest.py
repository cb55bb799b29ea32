"""A whole lab, deployed and driven as someone outside the project would: by the command line and plain clients."""

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

BIN = Path(sys.executable).parent


class ShellLab:
    """A lab as a shell sees it. Nothing here imports labkit or localaws."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "LABKIT_HOME": str(home), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}

    def labkit(self, *arguments: str, succeeds: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["labkit", *arguments], env=self.environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        if succeeds:
            assert done.returncode == 0, f"labkit {shlex.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done

    def enter(self) -> None:
        """What `eval "$(labkit env)"` does to a shell, evaluated by a real one."""
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
        return self._session.client(service, endpoint_url=self.environment["AWS_ENDPOINT_URL"])

    def password(self) -> str:
        secret = self.client("secretsmanager").get_secret_value(SecretId=self.config["secret_id"])
        return str(json.loads(secret["SecretString"])["password"])

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=self.environment["PGHOST"],
            port=self.environment["PGPORT"],
            user=self.environment["PGUSER"],
            dbname=self.environment["PGDATABASE"],
            password=self.password(),
            sslmode="verify-full",
            sslrootcert=self.environment["PGSSLROOTCERT"],
            autocommit=True,
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(sql).fetchall()  # type: ignore[arg-type]

    def count(self) -> int:
        return int(self.rows("select count(*) from toll_table")[0][0])

    def idle(self) -> bool:
        """Whether no workflow run is under way."""
        runs = self.client("glue").get_workflow_runs(Name=self.config["workflow"])["Runs"]
        return all(run["Status"] not in ("RUNNING", "STOPPING") for run in runs)

    def runs(self) -> int:
        return len(self.client("glue").get_workflow_runs(Name=self.config["workflow"])["Runs"])

    def put(self, key: str, body: str | bytes) -> None:
        """Land one object, and wait until the run that it sets off has ended."""
        before = self.runs()
        self.client("s3").put_object(Bucket=self.config["landing_bucket"], Key=key, Body=body)
        self.wait(lambda: self.runs() > before and self.idle())

    def wait(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (
                f"not in {seconds} s; {self.labkit('logs', succeeds=False).stdout[-3000:]}"
            )
            time.sleep(0.05)


@contextmanager
def deployed(home: Path) -> Iterator[ShellLab]:
    """A lab in `home`, up and deployed, and stopped in the end."""
    made = ShellLab(home)
    try:
        made.labkit("up")
        made.labkit("deploy")
        made.enter()
        yield made
    finally:
        made.labkit("down")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShellLab]:
    """A deployed lab. Tests that share it count their own rows."""
    with deployed(tmp_path_factory.mktemp("pipeline") / "home") as made:
        yield made
