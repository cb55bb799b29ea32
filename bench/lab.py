"""A lab of its own for a benchmark, driven as a user would: by the command line and plain clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import redshift_connector

LABKIT = Path(sys.executable).with_name("labkit")


class BenchLab:
    """One lab in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PG", "LABKIT_"))},
            "LABKIT_HOME": str(home),
        }

    def labkit(self, *arguments: str) -> str:
        """Run the command line; its standard output."""
        done = subprocess.run([LABKIT, *arguments], env=self.environment, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout

    def connect(self) -> None:
        """Take the settings that `labkit env` gives into this process."""
        for line in self.labkit("env").splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            os.environ[name] = value.strip("'\"")
        self.config: dict[str, Any] = json.loads(self.labkit("config", "--json"))
        self.s3 = boto3.client("s3")
        secret = boto3.client("secretsmanager").get_secret_value(SecretId=self.config["secret_id"])
        login = json.loads(secret["SecretString"])
        self.warehouse = redshift_connector.connect(
            host=os.environ["PGHOST"],
            port=int(os.environ["PGPORT"]),
            database=self.config["redshift_database"],
            user=login["username"],
            password=login["password"],
        )
        self.warehouse.autocommit = True

    def count(self) -> int:
        """Rows in toll_table."""
        cursor = self.warehouse.cursor()
        cursor.execute("select count(*) from toll_table")
        return int(cursor.fetchone()[0])

    def wait_for_rows(self, rows: int, timeout: float = 120) -> None:
        """Return when toll_table has `rows` rows.

        Raises:
            TimeoutError: it has not after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while self.count() < rows:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.count()} of {rows} rows after {timeout} s: see `labkit logs`")
            time.sleep(0.02)
