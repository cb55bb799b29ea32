"""moto's CloudWatch Logs, with streams whose events are appended to a file and not kept in memory.

A group is part of the state that is saved whole; its streams are not, and are put back by `load_streams`.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import unix_time_millis, utcnow
from moto.logs.exceptions import ResourceAlreadyExistsException, ResourceNotFoundException
from moto.logs.models import LogEvent, LogGroup, LogsBackend, LogStream, logs_backends

from localaws import context
from localaws.home import Home
from localaws.services.logs.events import EventStore, SavedStream, Summary, open_store, store

log = logging.getLogger(__name__)


class StoredStream(LogStream):
    """A stream whose events are on disk."""

    def __new__(cls, *args: Any, **kwargs: Any) -> StoredStream:
        # moto keeps a list of every model ever made; a deleted stream must not live on in it.
        return object.__new__(cls)

    def __init__(self, log_group: StoredGroup, name: str, saved: SavedStream | None = None) -> None:
        """A new stream, or the one that was `saved`."""
        super().__init__(log_group, name)
        if saved is None:
            self.creation_time = utcnow()
            self._id = store().add_stream(log_group.id, name, int(unix_time_millis(self.creation_time)))
            self._summary = Summary()
        else:
            self.creation_time = datetime.fromtimestamp(saved.created / 1000, UTC).replace(tzinfo=None)
            self._id = saved.id
            self._summary = saved.summary
            self.stored_bytes = saved.summary.stored

    @property
    def id(self) -> int:
        """Its id in the file."""
        return self._id

    @property
    def events(self) -> list[LogEvent]:
        """Read from disk."""
        return [_event(*row) for row in store().events(self._id)]

    @events.setter
    def events(self, _: list[LogEvent]) -> None:
        """moto's constructor sets an empty list."""

    def to_describe_dict(self) -> dict[str, Any]:
        """The stream as DescribeLogStreams tells it."""
        told = {
            "arn": self.arn,
            "creationTime": int(unix_time_millis(self.creation_time)),
            "logStreamName": self.log_stream_name,
            "storedBytes": self.stored_bytes,
        }
        if self._summary.count:
            told |= {
                "firstEventTimestamp": self._summary.first,
                "lastEventTimestamp": self._summary.last,
                "lastIngestionTime": self._summary.ingested,
                "uploadSequenceToken": str(self._summary.count),
            }
        return told

    def put_log_events(self, log_events: list[dict[str, Any]]) -> str:
        """Append events; they are on disk when this returns."""
        now = int(unix_time_millis(utcnow()))
        ids = store().append(self._id, now, log_events)
        summary = self._summary
        stamps = [event["timestamp"] for event in log_events]
        if stamps:
            summary.first = min(stamps if summary.first is None else [summary.first, *stamps])
            summary.last = max(stamps if summary.last is None else [summary.last, *stamps])
        summary.count += len(log_events)
        summary.ingested = now
        self.stored_bytes += sum(len(event["message"]) for event in log_events)
        for filtered in self.log_group.subscription_filters.values():
            self._send_log_events(
                service=filtered.destination_arn.split(":")[2],
                destination_arn=filtered.destination_arn,
                filter_name=filtered.name,
                log_events=[{"id": identity, **event} for identity, event in zip(ids, log_events, strict=True)],
            )
        return f"{summary.count:056d}"


class StoredGroup(LogGroup):
    """A group whose streams are on disk, under an id of the group's own."""

    def __init__(self, account_id: str, region: str, name: str, **details: Any) -> None:
        super().__init__(account_id, region, name, **details)
        self.id = uuid.uuid4().hex

    def create_log_stream(self, log_stream_name: str) -> None:
        """Make a stream.

        Raises:
            ResourceAlreadyExistsException: there is one of that name.
        """
        if log_stream_name in self.streams:
            raise ResourceAlreadyExistsException()
        self.streams[log_stream_name] = StoredStream(self, log_stream_name)

    def delete_log_stream(self, log_stream_name: str) -> None:
        """Delete a stream with its events.

        Raises:
            ResourceNotFoundException: there is none of that name.
        """
        stream = self.streams.get(log_stream_name)
        if not isinstance(stream, StoredStream):
            raise ResourceNotFoundException()
        store().remove_stream(stream.id)
        self.streams.pop(log_stream_name, None)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "streams": {}}


class LocalLogsBackend(LogsBackend):
    """CloudWatch Logs as this package has it."""

    def reset(self) -> None:
        """Forget all groups, with their streams."""
        for group in self.groups.values():
            if isinstance(group, StoredGroup):
                store().remove_group(group.id)
        super().reset()

    def create_log_group(self, log_group_name: str, tags: dict[str, str], **details: Any) -> LogGroup:
        """Make a group; it is on disk when this returns, since events follow that don't wait for the state.

        Raises:
            ResourceAlreadyExistsException, InvalidParameterException: as moto has them.
        """
        super().create_log_group(log_group_name, tags, **details)
        group = StoredGroup(self.account_id, self.region_name, log_group_name, **details)  # type: ignore[abstract]
        self.groups[log_group_name] = group
        context.current().state.save("logs")
        return group

    def ensure_log_group(self, log_group_name: str) -> None:
        """Make a group where there is none."""
        if log_group_name not in self.groups:
            self.create_log_group(log_group_name, {})

    def delete_log_group(self, log_group_name: str) -> None:
        """Delete a group with its streams.

        Raises:
            ResourceNotFoundException: there is none.
        """
        group = self.groups.get(log_group_name)
        super().delete_log_group(log_group_name)
        context.current().state.save("logs")
        if isinstance(group, StoredGroup):
            try:
                store().remove_group(group.id)
            except sqlite3.Error:
                log.exception("The events of %s are removed at the next start", log_group_name)


def load_streams(home: Home) -> None:
    """Put back the streams of `home`; called once, when its server has loaded its state.

    Raises:
        StateDamaged, StateRefused: their file can't be used.
    """
    groups = _groups()
    opened: EventStore = open_store(home, made_before=bool(groups))
    opened.keep_groups(groups.keys())
    _attach_streams(groups)


@contextlib.contextmanager
def streams_kept() -> Iterator[None]:
    """Around putting the groups back to what was saved, which has no streams."""
    known = _groups()
    yield
    groups = _groups()
    for identity in groups.keys() & known.keys():
        groups[identity].streams = known[identity].streams
        for stream in groups[identity].streams.values():
            stream.log_group = groups[identity]
    _attach_streams({identity: group for identity, group in groups.items() if identity not in known})


def _attach_streams(groups: dict[str, StoredGroup]) -> None:
    """Give these groups the streams that are on disk."""
    for saved in store().streams() if groups else ():
        if (group := groups.get(saved.group)) is not None:
            group.streams[saved.name] = StoredStream(group, saved.name, saved)


def _groups() -> dict[str, StoredGroup]:
    """All groups by their ids."""
    return {
        group.id: group
        for _, _, backend in logs_backends.iter_backends()
        if isinstance(backend, LogsBackend)
        for group in backend.groups.values()
        if isinstance(group, StoredGroup)
    }


def _event(identity: int, ingested: int, timestamp: int, message: str) -> LogEvent:
    event: LogEvent = object.__new__(LogEvent)
    event.event_id, event.ingestion_time, event.timestamp, event.message = identity, ingested, timestamp, message
    return event
