"""Groups and streams on disk: moto's, with events that are appended to a file and not kept in memory."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import unix_time_millis, utcnow
from moto.logs.exceptions import LogsClientError, ResourceNotFoundException
from moto.logs.models import LogEvent, LogGroup, LogStream

from localaws.core.untracked import Untracked
from localaws.logs.batches import oldest_kept
from localaws.logs.events import SavedStream, StoredEvent, Summary, store


def missing_stream() -> ResourceNotFoundException:
    """Return AWS's error for a stream that doesn't exist."""
    return ResourceNotFoundException("The specified log stream does not exist.")


class ReadEvent(Untracked, LogEvent):
    """An event as it was read from disk, with the id that it has there: moto's constructor counts ids of its own."""

    def __init__(self, stored: StoredEvent) -> None:
        self.event_id, self.ingestion_time = stored.id, stored.ingested
        self.timestamp, self.message = stored.timestamp, stored.message


class StoredStream(Untracked, LogStream):
    """A stream whose events are on disk."""

    def __init__(self, log_group: StoredGroup, name: str, saved: SavedStream | None = None) -> None:
        """Create a new stream, or restore the one that was `saved`."""
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
        """The stream's id in the file."""
        return self._id

    @property
    def events(self) -> list[LogEvent]:
        """Read from disk."""
        return [ReadEvent(event) for event in store().events(self._id)]

    @events.setter
    def events(self, _: list[LogEvent]) -> None:
        """Do nothing: moto's constructor sets an empty list."""

    def expire(self, before: int) -> None:
        """Forget the events before a time (ms), if there are any."""
        if self._summary.first is not None and self._summary.first < before:
            self._summary = store().expire(self._id, before)
            self.stored_bytes = self._summary.stored

    def to_describe_dict(self) -> dict[str, Any]:
        """Return the stream as DescribeLogStreams shows it."""
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
        """Append events. They are on disk when this returns."""
        now = int(unix_time_millis(utcnow()))
        ids = store().append(self._id, now, log_events)
        summary = self._summary
        stamps = [event["timestamp"] for event in log_events]
        if stamps:
            summary.first = min(stamps if summary.first is None else [summary.first, *stamps])
            summary.last = max(stamps if summary.last is None else [summary.last, *stamps])
            summary.ingested = now
        summary.count += len(log_events)
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
    """A group whose streams are on disk, under the group's own id."""

    def __init__(self, account_id: str, region: str, name: str, **details: Any) -> None:
        super().__init__(account_id, region, name, **details)
        self.id = uuid.uuid4().hex

    def create_log_stream(self, log_stream_name: str) -> None:
        """Create a stream.

        Raises:
            LogsClientError: a stream with this name exists.
        """
        if log_stream_name in self.streams:
            raise LogsClientError("ResourceAlreadyExistsException", "The specified log stream already exists")
        self.streams[log_stream_name] = StoredStream(self, log_stream_name)

    def delete_log_stream(self, log_stream_name: str) -> None:
        """Delete a stream and its events.

        Raises:
            ResourceNotFoundException: there is no stream with this name.
        """
        store().remove_stream(self.stream(log_stream_name).id)
        self.streams.pop(log_stream_name, None)

    def stream(self, name: str) -> StoredStream:
        """Return the stream with this name.

        Raises:
            ResourceNotFoundException: there is none.
        """
        found = self.streams.get(name)
        if not isinstance(found, StoredStream):
            raise missing_stream()
        return found

    def stored_streams(self) -> list[StoredStream]:
        """Return all streams of the group."""
        return [stream for stream in list(self.streams.values()) if isinstance(stream, StoredStream)]

    def expire(self) -> int:
        """Forget events older than the group's retention. Return the time (ms) from which on events are kept."""
        before = oldest_kept(int(unix_time_millis(utcnow())), self.retention_in_days)
        for stream in self.stored_streams():
            stream.expire(before)
        return before

    def to_describe_dict(self) -> dict[str, Any]:
        """Return the group as DescribeLogGroups shows it."""
        self.expire()
        return super().to_describe_dict()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "streams": {}}
