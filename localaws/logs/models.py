"""moto's CloudWatch Logs, with groups whose events are on disk (groups.py).

A group is part of the state that is saved as a whole. Its streams are not: `load_streams` puts them back.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from typing import Any

from moto.core.utils import unix_time_millis, utcnow
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogGroup, LogsBackend, logs_backends

from localaws.core import context
from localaws.core.home import Home
from localaws.logs.batches import sort_out
from localaws.logs.events import EventStore, store
from localaws.logs.groups import StoredGroup, StoredStream
from localaws.logs.insights import queries

log = logging.getLogger(__name__)


class LocalLogsBackend(LogsBackend):
    """This package's CloudWatch Logs backend."""

    def reset(self) -> None:
        """Forget all groups and their streams, and all queries."""
        queries.finished.forget(self.region_name)
        for group in self.groups.values():
            if isinstance(group, StoredGroup):
                store().remove_group(group.id)
        super().reset()

    def create_log_group(self, log_group_name: str, tags: dict[str, str], **details: Any) -> LogGroup:
        """Create a group. It is on disk when this returns, because the events that follow don't wait for the state.

        Raises:
            ResourceAlreadyExistsException, InvalidParameterException: as in moto.
        """
        super().create_log_group(log_group_name, tags, **details)
        group = StoredGroup(self.account_id, self.region_name, log_group_name, **details)  # type: ignore[abstract]
        self.groups[log_group_name] = group
        context.current().state.save("logs")
        return group

    def ensure_log_group(self, log_group_name: str) -> None:
        """Create a group if it doesn't exist."""
        if log_group_name not in self.groups:
            self.create_log_group(log_group_name, {})

    def delete_log_group(self, log_group_name: str) -> None:
        """Delete a group and its streams.

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

    def group(self, name: str | None, identifier: str | None = None) -> StoredGroup:
        """Return the group called `name`, or the group whose name or ARN is `identifier`.

        Raises:
            InvalidParameterException: both are given, or neither.
            ResourceNotFoundException: there is none.
        """
        if bool(name) == bool(identifier):
            raise InvalidParameterException("Should provider either name or id, but not both")
        for group in list(self.groups.values()):
            if isinstance(group, StoredGroup) and (group.name in (name, identifier) or group.arn == identifier):
                return group
        raise ResourceNotFoundException()

    def put_log_events(
        self, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> tuple[str, dict[str, Any]]:
        """Append the events that are neither too old nor too new. Return a token, and which events were rejected.

        Raises:
            ResourceNotFoundException: there is no such group, or no such stream.
        """
        group = self.group(log_group_name)
        now = int(unix_time_millis(utcnow()))
        taken, rejected = sort_out(log_events, now, group.retention_in_days)
        return group.stream(log_stream_name).put_log_events(taken), rejected


def load_streams(home: Home) -> None:
    """Put back the streams of `home`. Called once, when its server has loaded its state.

    Raises:
        StateDamaged, StateRefused: the streams' file can't be used.
    """
    groups = _groups()
    opened = context.current().add(EventStore(home.state / "logs.sqlite", made_before=bool(groups)))
    opened.keep_groups(groups.keys())
    _attach_streams(groups)


@contextlib.contextmanager
def streams_kept() -> Iterator[None]:
    """Keep the streams while the groups are restored from the saved state, which has no streams."""
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
    """Return all groups by id."""
    return {
        group.id: group
        for _, _, backend in logs_backends.iter_backends()
        if isinstance(backend, LogsBackend)
        for group in backend.groups.values()
        if isinstance(group, StoredGroup)
    }
