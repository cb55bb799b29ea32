"""Log streams and their events on disk: a SQLite file. Each batch is appended in one commit."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.core import context
from localaws.core.database import open_database, transaction
from localaws.core.errors import StateDamaged, StateRefused
from localaws.logs.tokens import Position

VERSION = 1
_HIGHEST = 2**62
_SCHEMA = """
create table if not exists streams (
    id integer primary key, log_group text not null, name text not null, created integer not null,
    unique (log_group, name)
);
create table if not exists events (
    id integer primary key, stream integer not null, ingested integer not null, timestamp integer not null,
    message text not null
);
create index if not exists events_of_stream on events (stream, id);
"""
_TOLD = "count(e.id), min(e.timestamp), max(e.timestamp), max(e.ingested), coalesce(sum(length(e.message)), 0)"
_SUMMARY = f"""
select s.id, s.log_group, s.name, s.created, {_TOLD}
from streams s left join events e on e.stream = s.id group by s.id order by s.id
"""
_EVENT = "id, stream, ingested, timestamp, message"
_PAGE = f"""
select {_EVENT} from events
where stream in (select value from json_each(?)) and timestamp >= ? and timestamp < ?
"""


@dataclass
class Summary:
    """What DescribeLogStreams shows about a stream. Times are Unix times in milliseconds."""

    count: int = 0
    first: int | None = None
    last: int | None = None
    ingested: int | None = None
    stored: int = 0


@dataclass(frozen=True)
class SavedStream:
    """A stream as an earlier server left it."""

    id: int
    group: str
    name: str
    created: int
    summary: Summary


@dataclass(frozen=True)
class StoredEvent:
    """An event. Times are Unix times in milliseconds."""

    id: int
    stream: int
    ingested: int
    timestamp: int
    message: str

    @property
    def position(self) -> Position:
        """The event's position among others."""
        return Position(self.timestamp, self.ingested, self.id)


class EventStore:
    """All streams of a lab, by the id of their group. A new group with an old name has a new id."""

    def __init__(self, file: Path, *, made_before: bool = False) -> None:
        """Open `file`, or create it if it was not `made_before`.

        Raises:
            StateDamaged: it is not a valid SQLite file, or is empty although it was `made_before`.
            StateRefused: it is of another version.
        """
        self._lock = threading.Lock()
        self._database = open_database(file)
        (version,) = self._database.execute("pragma user_version").fetchone()
        if version == 0 and made_before:
            self._database.close()
            raise StateDamaged(file, ValueError("it is empty, although there are log groups"))
        if version not in (0, VERSION):
            self._database.close()
            raise StateRefused(file, str(version), str(VERSION))
        self._database.executescript(f"{_SCHEMA} pragma user_version = {VERSION};")

    def streams(self) -> Iterator[SavedStream]:
        """Yield every stream, oldest first."""
        for identity, group, name, created, *summary in self._rows(_SUMMARY):
            yield SavedStream(identity, group, name, created, Summary(*summary))

    def add_stream(self, group: str, name: str, created: int) -> int:
        """Create a stream. Return its id."""
        with self._lock:
            cursor = self._database.execute(
                "insert into streams (log_group, name, created) values (?, ?, ?)", (group, name, created)
            )
            return int(cursor.lastrowid or 0)

    def append(self, stream: int, ingested: int, events: list[dict[str, Any]]) -> list[int]:
        """Add `events` (timestamp in milliseconds, message), all or none. Return their ids."""
        with self._lock, transaction(self._database):
            return [
                self._database.execute(
                    "insert into events (stream, ingested, timestamp, message) values (?, ?, ?, ?)",
                    (stream, ingested, event["timestamp"], _storable(event["message"])),
                ).lastrowid
                or 0
                for event in events
            ]

    def events(self, stream: int) -> list[StoredEvent]:
        """Return all events of a stream, in the order in which they arrived."""
        rows = self._rows(f"select {_EVENT} from events where stream = ? order by id", (stream,))
        return [StoredEvent(*row) for row in rows]

    def page(
        self, streams: list[int], start: int, end: int, position: Position | None, *, backwards: bool, count: int
    ) -> list[StoredEvent]:
        """Return up to `count` events of `streams` from `start` to before `end`: those that follow `position`.

        They are in the order of their times, and events with the same time are in the order of their arrival.
        """
        query, arguments = _PAGE, [json.dumps(streams), start, min(end, _HIGHEST)]
        if position is not None:
            query += f" and (timestamp, ingested, id) {'<' if backwards else '>'} (?, ?, ?)"
            arguments += position
        way = "desc" if backwards else "asc"
        query += f" order by timestamp {way}, ingested {way}, id {way} limit ?"
        return [StoredEvent(*row) for row in self._rows(query, (*arguments, count))]

    def expire(self, stream: int, before: int) -> Summary:
        """Forget a stream's events before a time (ms). Return the summary of the rest."""
        with self._lock, transaction(self._database):
            self._database.execute("delete from events where stream = ? and timestamp < ?", (stream, before))
        (left,) = self._rows(f"select {_TOLD} from events e where stream = ?", (stream,))
        return Summary(*left)

    def remove_stream(self, stream: int) -> None:
        """Forget a stream and its events."""
        with self._lock:
            self._remove(stream)

    def remove_group(self, group: str) -> None:
        """Forget a group's streams and their events."""
        with self._lock:
            for (stream,) in self._database.execute("select id from streams where log_group = ?", (group,)).fetchall():
                self._remove(stream)

    def keep_groups(self, groups: Set[str]) -> None:
        """Forget the streams of all other groups."""
        with self._lock:
            for stream, group in self._database.execute("select id, log_group from streams").fetchall():
                if group not in groups:
                    self._remove(stream)

    def _remove(self, stream: int) -> None:
        with transaction(self._database):
            self._database.execute("delete from events where stream = ?", (stream,))
            self._database.execute("delete from streams where id = ?", (stream,))

    def _rows(self, query: str, arguments: tuple[Any, ...] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            return self._database.execute(query, arguments).fetchall()


def _storable(message: str) -> str:
    """Return `message` without lone surrogates, which JSON can carry and UTF-8 can't."""
    return message.encode(errors="replace").decode()


def store() -> EventStore:
    """Return the running server's events."""
    return context.current().part(EventStore)
