"""Job bookmarks: which objects earlier runs have read.

https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html: for S3 sources a bookmark goes by the objects'
last-modified times, so an overwritten object is read again; it needs the option, a transformation_ctx, `job.init` and
`job.commit`.

The state of one transformation_ctx holds, for each source path, the time up to which everything listed has been read,
and the last-modified time and ETag of each younger object. So it does not grow with the number of objects. All paths
that are objects themselves share one such state: if a later run names an object that was last modified more than 15
minutes before the last run, the object counts as read. A source that must not skip old objects should not have a
transformation_ctx.
"""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Any

from awsglue import _run
from awsglue._s3 import S3Object

# Objects younger than this are remembered one by one. AWS uses the same window, as clocks and listings may disagree.
WINDOW = datetime.timedelta(minutes=15)


class BookmarkOption(StrEnum):
    """Values of --job-bookmark-option."""

    ENABLE = "job-bookmark-enable"
    DISABLE = "job-bookmark-disable"
    PAUSE = "job-bookmark-pause"


class Bookmarks:
    """The bookmark of the running job."""

    def __init__(self) -> None:
        self.option = BookmarkOption.DISABLE
        self._committed: dict[str, Any] = {}
        self._limit: dict[str, Any] | None = None
        self._read: dict[str, Any] = {}

    def begin(self, option: BookmarkOption) -> None:
        """Start from the state that the last committed run left."""
        self.option = option
        self._committed = _run.current.bookmark
        self._limit = _run.current.bookmark_to
        self._read = {}

    def applies_to(self, context: str) -> bool:
        """Whether a source with this transformation_ctx is bookmarked."""
        return bool(context) and self.option is not BookmarkOption.DISABLE

    def is_unread(self, context: str, path: str, item: S3Object) -> bool:
        """Whether no committed run has read the current version of `item`, found under `path`. With --job-bookmark-to,
        the run that it names must have read it."""
        if self._limit is not None and _is_unread(self._limit.get(context, {}).get(path), item):
            return False
        return _is_unread(self._committed.get(context, {}).get(path), item)

    def remember(self, context: str, path: str, listed_at: datetime.datetime, read: list[S3Object]) -> None:
        """Note that the unread objects found under `path` have been `read`; `commit` saves this."""
        known = self._committed.get(context, {}).get(path, {"read_up_to": None, "objects": {}})
        read_up_to = listed_at - WINDOW
        if known["read_up_to"] is not None:
            read_up_to = max(read_up_to, datetime.datetime.fromisoformat(known["read_up_to"]))
        objects = {
            uri: version
            for uri, version in known["objects"].items()
            if datetime.datetime.fromisoformat(version[0]) >= read_up_to
        }
        objects.update({item.uri: _version(item) for item in read if item.last_modified >= read_up_to})
        state = {"read_up_to": read_up_to.isoformat(), "objects": objects}
        self._read.setdefault(context, {})[path] = state

    def commit(self) -> None:
        """Save the new state in the service, unless bookmarks are off or paused."""
        if self.option is not BookmarkOption.ENABLE:
            return
        state = {**self._committed}
        for context, paths in self._read.items():
            state[context] = {**state.get(context, {}), **paths}
        _run.current.save_bookmark(state)
        self._committed = state
        self._read = {}


def _is_unread(known: dict[str, Any] | None, item: S3Object) -> bool:
    """Whether the run that left the state `known` of a path had not read the current version of `item`."""
    if known is None:
        return True
    read_up_to = datetime.datetime.fromisoformat(known["read_up_to"])
    return bool(item.last_modified >= read_up_to and known["objects"].get(item.uri) != _version(item))


def _version(item: S3Object) -> list[str]:
    return [item.last_modified.isoformat(), item.etag]


current = Bookmarks()
