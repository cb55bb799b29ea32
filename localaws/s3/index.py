"""The index of S3: which buckets, keys and uploads there are, and which events still wait to be delivered.

A SQLite file in write-ahead mode with full syncs: a commit is on disk when it returns, and costs the same whether
there are ten objects or a million.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from localaws.core.database import open_database, transaction
from localaws.core.errors import StateDamaged, StateRefused
from localaws.core.state import VERSION

_SCHEMA = """
create table if not exists buckets (name text primary key, state blob not null) without rowid;
create table if not exists objects (
    bucket text not null, name text not null, state blob not null, primary key (bucket, name)
) without rowid;
create table if not exists uploads (
    bucket text not null, id text not null, state blob not null, primary key (bucket, id)
) without rowid;
create table if not exists events (id integer primary key autoincrement, state blob not null);
create table if not exists sequence (last integer not null);
create table if not exists version (version text not null);
"""
_SEAL = 8  # bytes of checksum before each state


@dataclass
class Changes:
    """What one call changed. A state of None stands for "no longer there"."""

    buckets: dict[str, bytes | None] = field(default_factory=dict)
    objects: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    uploads: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    events: list[bytes] = field(default_factory=list)
    sequence: int = 0  # the last sequence number given to an event

    def __bool__(self) -> bool:
        return bool(self.buckets or self.objects or self.uploads or self.events)


class Index:
    """The opened index file. Each state is stored with a checksum of the state and its key."""

    def __init__(self, file: Path, *, made_before: bool = False) -> None:
        """Open `file`, or create it if it was not `made_before`.

        Raises:
            StateRefused: it is of another version.
            StateDamaged: it is not a valid SQLite file, or is empty although it was `made_before`.
        """
        self._lock = threading.Lock()
        self._file = file
        self._database = open_database(file)
        try:
            self._prepare(made_before)
        except BaseException:
            self._database.close()  # closes its log too, so that a good copy can replace the file
            raise

    def _prepare(self, made_before: bool) -> None:
        with self._reading():
            known = self._database.execute("select count(*) from sqlite_master where name = 'version'").fetchone()[0]
            row = self._database.execute("select version from version").fetchone() if known else None
            if row is None and made_before:
                raise StateDamaged(self._file, ValueError("it is empty, although bodies of objects exist beside it"))
            if row is not None and row[0] != VERSION:
                raise StateRefused(self._file, row[0], VERSION)
            self._database.executescript(_SCHEMA)
            if row is None:
                self._database.execute("insert into version values (?)", (VERSION,))
                self._database.execute("insert into sequence values (0)")

    def commit(self, changes: Changes) -> list[int]:
        """Make `changes` durable, all or none. Return the ids of their events."""
        with self._lock, transaction(self._database):
            self._write("buckets", ("name",), {(name,): state for name, state in changes.buckets.items()})
            self._write("objects", ("bucket", "name"), changes.objects)
            self._write("uploads", ("bucket", "id"), changes.uploads)
            ids = [
                self._database.execute("insert into events (state) values (?)", (_sealed(state),)).lastrowid or 0
                for state in changes.events
            ]
            if changes.sequence:
                self._database.execute("update sequence set last = max(last, ?)", (changes.sequence,))
        return ids

    def saved(self, buckets: Set[str], objects: Set[tuple[str, str]], uploads: Set[tuple[str, str]]) -> Changes:
        """Return the last saved states of these; None for those that are not in the index.

        Raises:
            StateDamaged: a state is not what was written.
        """
        found = Changes()
        for name in buckets:
            found.buckets[name] = self._state("select name, state from buckets where name = ?", name)
        for key in objects:
            query = "select bucket, name, state from objects where bucket = ? and name = ?"
            found.objects[key] = self._state(query, *key)
        for key in uploads:
            query = "select bucket, id, state from uploads where bucket = ? and id = ?"
            found.uploads[key] = self._state(query, *key)
        return found

    def _state(self, query: str, *identity: str) -> bytes | None:
        row = next(self._states(query, identity), None)
        return row[-1] if row is not None else None

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
                self._database.execute(
                    f"insert or replace into {table} values ({marks})", (*identity, _sealed(state, *identity))
                )

    def clear(self) -> None:
        """Forget all but the last sequence number."""
        with self._lock:
            database = self._database
            database.execute("begin immediate")
            for table in ("buckets", "objects", "uploads", "events"):
                database.execute(f"delete from {table}")
            database.execute("commit")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def event_done(self, event_id: int) -> None:
        """Forget an event that has been handed over.

        This survives a killed server, but not a power cut: then the event is delivered twice, as S3 may do
        (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html).
        """
        with self._lock:
            self._database.execute("pragma synchronous = normal")
            self._database.execute("delete from events where id = ?", (event_id,))
            self._database.execute("pragma synchronous = full")

    def last_sequence(self) -> int:
        """The highest sequence number that an event was given."""
        return int(next(self._rows("select last from sequence"))[0])

    def buckets(self) -> Iterator[tuple[str, bytes]]:
        """(name, state) of each bucket.

        Raises (as the others do):
            StateDamaged: a state is not what was written.
        """
        return self._states("select name, state from buckets")

    def objects(self) -> Iterator[tuple[str, str, bytes]]:
        """(bucket, key, state) of each key."""
        return self._states("select bucket, name, state from objects")

    def uploads(self) -> Iterator[tuple[str, str, bytes]]:
        """(bucket, upload id, state) of each multipart upload in flight."""
        return self._states("select bucket, id, state from uploads")

    def events(self) -> Iterator[tuple[int, bytes]]:
        """(id, state) of each event that was not handed over yet, oldest first."""
        return self._states("select id, state from events order by id")

    def _states(self, query: str, arguments: tuple[str, ...] = ()) -> Iterator[tuple]:  # type: ignore[type-arg]
        for *identity, sealed in self._rows(query, arguments):
            state = sealed[_SEAL:] if isinstance(sealed, bytes) else b""
            # The checksum of an event does not cover its id, which is only known later.
            if _sealed(state, *(part for part in identity if isinstance(part, str))) != sealed:
                raise StateDamaged(self._file, ValueError(f"the row of {identity} does not match its checksum"))
            yield *identity, state

    def _rows(self, query: str, arguments: tuple[str, ...] = ()) -> Iterator[tuple]:  # type: ignore[type-arg]
        with self._lock, self._reading():
            return iter(self._database.execute(query, arguments).fetchall())

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StateDamaged(self._file, error) from error


def _sealed(state: bytes, *identity: str) -> bytes:
    digest = hashlib.blake2b(state, digest_size=_SEAL)
    for part in identity:
        digest.update(b"\0" + part.encode())
    return digest.digest() + state
