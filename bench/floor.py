"""The floor: how long it takes to load the same rows with only the fastest reader and PostgreSQL's COPY.

It loads into a plain PostgreSQL 18 with the same binaries and the same memory settings as the lab's clusters, but
without their front, views and dialect. The peers load into it too.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from localaws.redshift.postgres import programs, server

COLUMNS = (
    "transaction_id",
    "transaction_date",
    "toll_booth",
    "vehicle_make",
    "vehicle_category",
    "transaction_amount",
)
TABLE = """(transaction_id bigint, transaction_date varchar not null, toll_booth varchar not null,
    vehicle_make varchar not null, vehicle_category varchar not null, transaction_amount real)"""
ALIKE = ("shared_buffers", "max_wal_size", "wal_level", "max_wal_senders")
CHUNK = 1 << 20  # bytes
GLANCE = 0.02  # seconds between two polls


@dataclass(frozen=True)
class Plain:
    """A running PostgreSQL to which anybody on this machine can connect."""

    port: int

    @property
    def url(self) -> str:
        """The URL for SQLAlchemy and dlt."""
        return f"postgresql://bench:bench@127.0.0.1:{self.port}/postgres"

    def connect(self) -> psycopg.Connection[Any]:
        """Connect in autocommit mode."""
        return psycopg.connect(self.url, autocommit=True)


@contextmanager
def plain_postgres() -> Iterator[Plain]:
    """Start a PostgreSQL in its own directory, and delete it at the end."""
    account = programs.account()
    place = Path(tempfile.mkdtemp(prefix="bench-pg-", dir="/tmp"))
    data = place / "data"
    postgresql = programs.reachable_installation(programs.installation(), account, data)
    data.mkdir(mode=0o700)
    as_user: dict[str, Any] = {}
    if account is not None:
        as_user = {"user": account.uid, "group": account.gid, "extra_groups": []}
        for directory in (place, data):
            os.chown(directory, account.uid, account.gid)
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
    initdb: list[Any] = [
        postgresql / "bin/initdb",
        "-D",
        data,
        "-U",
        "bench",
        "-A",
        "trust",
        "--locale=C",
        "--encoding=UTF8",
    ]
    subprocess.run(initdb, env=environment, cwd=place, stdout=subprocess.DEVNULL, check=True, **as_user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = [word for name in ALIKE for word in ("-c", f"{name}={server.SETTINGS[name]}")]
    command: list[Any] = [
        postgresql / "bin/postgres",
        "-D",
        data,
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-k",
        "",
        *settings,
    ]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=place, stdout=log, stderr=log, **as_user)
    try:
        plain = Plain(port)
        _wait(plain, process, place / "log")
        yield plain
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(place)
        programs.release(place)


def _wait(plain: Plain, process: subprocess.Popen[Any], log: Path) -> None:
    while True:
        try:
            plain.connect().close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')}") from None
            time.sleep(GLANCE)


def make_table(plain: Plain, name: str) -> None:
    """Create an empty table with toll_table's columns."""
    with plain.connect() as connection:
        connection.execute(f"drop table if exists {name}")
        connection.execute(f"create table {name} {TABLE}")


def load(plain: Plain, files: Path, table: str) -> None:
    """Load all files of a directory in one transaction: JSON → CSV with duckdb → COPY FROM STDIN."""
    csv = files.parent / f"{files.name}.csv"
    types = "{" + ", ".join(f"{name}: 'VARCHAR'" for name in COLUMNS) + "}"
    source = f"read_json('{files}/*.json', format = 'newline_delimited', columns = {types})"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select {', '.join(COLUMNS)} from {source}) to '{csv}' (format csv, header false)")
    with plain.connect() as connection, connection.cursor() as cursor, csv.open("rb") as text:
        with cursor.copy(f"copy {table} from stdin (format csv)") as copy:
            while chunk := text.read(CHUNK):
                copy.write(chunk)
        cursor.execute(f"select count(*) from {table}")
    csv.unlink()
