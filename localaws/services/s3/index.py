"""The index of S3: which buckets, keys and uploads there are, and which events still wait to be delivered.

A SQLite file in write-ahead mode with full syncs: a commit is on disk when it returns, and costs the same whether
there are ten objects or a million.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path

from localaws.errors import StateRefused
from localaws.state import VERSION

_SCHEMA = """
create table if not exists buckets (name text primary key, state blob not null) without rowid;
create table if not exists objects (
    bucket text not null, name text not null, state blob not null, primary key (bucket, name)
) without rowid;
create table if not exists uploads (
    bucket text not null, id text not null, state blob not null, primary key (bucket, id)
) without rowid;
create table if not exists events (id integer primary key autoincrement, state blob not null);
create table if not exists version (version text not null);
"""


@dataclass
class Changes:
    """What one call changed. A state of None stands for "no longer there"."""

    buckets: dict[str, bytes | None] = field(default_factory=dict)
    objects: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    uploads: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    events: list[bytes] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.buckets or self.objects or self.uploads or self.events)


class Index:
    """The opened index file."""

    def __init__(self, file: Path) -> None:
        """Open or make `file`.

        Raises:
            StateRefused: it is of another version, or damaged.
        """
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = full")
            self._database.executescript(_SCHEMA)
            row = self._database.execute("select version from version").fetchone()
        except sqlite3.DatabaseError as error:
            raise StateRefused(file, f"a damaged file ({error})", VERSION) from error
        if row is None:
            self._database.execute("insert into version values (?)", (VERSION,))
        elif row[0] != VERSION:
            raise StateRefused(file, row[0], VERSION)

    def commit(self, changes: Changes) -> list[int]:
        """Make `changes` durable, all or none; the ids of their events."""
        with self._lock:
            database = self._database
            database.execute("begin immediate")
            try:
                self._write("buckets", ("name",), {(name,): state for name, state in changes.buckets.items()})
                self._write("objects", ("bucket", "name"), changes.objects)
                self._write("uploads", ("bucket", "id"), changes.uploads)
                ids = [
                    database.execute("insert into events (state) values (?)", (state,)).lastrowid or 0
                    for state in changes.events
                ]
            except BaseException:
                database.execute("rollback")
                raise
            database.execute("commit")
        return ids

    def _write(
        self,
        table: str,
        key: tuple[str, ...],
        states: dict[tuple[str], bytes | None] | dict[tuple[str, str], bytes | None],
    ) -> None:
        condition = " and ".join(f"{column} = ?" for column in key)
        marks = ", ".join("?" * (len(key) + 1))
        for identity, state in states.items():
            if state is None:
                self._database.execute(f"delete from {table} where {condition}", identity)
            else:
                self._database.execute(f"insert or replace into {table} values ({marks})", (*identity, state))

    def event_done(self, event_id: int) -> None:
        """Forget an event that has been handed over.

        Survives a killed server, but not a power cut: then the event is delivered twice, as S3 may do
        (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html).
        """
        with self._lock:
            self._database.execute("pragma synchronous = normal")
            self._database.execute("delete from events where id = ?", (event_id,))
            self._database.execute("pragma synchronous = full")

    def buckets(self) -> list[tuple[str, bytes]]:
        """(name, state) of each bucket."""
        return self._rows("select name, state from buckets")

    def objects(self) -> list[tuple[str, str, bytes]]:
        """(bucket, key, state) of each key."""
        return self._rows("select bucket, name, state from objects")

    def uploads(self) -> list[tuple[str, str, bytes]]:
        """(bucket, upload id, state) of each multipart upload in flight."""
        return self._rows("select bucket, id, state from uploads")

    def events(self) -> list[tuple[int, bytes]]:
        """(id, state) of each event that was not handed over yet, oldest first."""
        return self._rows("select id, state from events order by id")

    def _rows(self, query: str) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            return self._database.execute(query).fetchall()
