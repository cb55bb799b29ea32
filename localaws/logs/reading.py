"""Pages of events: of one stream, forward and back, and of many streams, filtered by a pattern."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.logs.events import EventStore, StoredEvent
from localaws.logs.patterns import Pattern
from localaws.logs.tokens import Position, in_stream, stream_token

MOST_EVENTS = 10_000
MOST_BYTES = 1_048_576
EVENT_BYTES = 26
"""Bytes that count for each event in addition to its message."""
_FIRST_CHUNK, _LARGEST_CHUNK = 1000, 4000


@dataclass(frozen=True)
class Span:
    """From `start` to before `end`, in milliseconds."""

    start: int = 0
    end: int = 2**62


@dataclass(frozen=True)
class Search:
    """What FilterLogEvents looks for."""

    streams: Mapping[int, str]
    """Names of the streams by id."""
    pattern: Pattern
    span: Span
    newest_first: bool = False
    limit: int = MOST_EVENTS


def size(message: str) -> int:
    """Return the size of an event that counts, in bytes."""
    return len(message.encode(errors="replace")) + EVENT_BYTES


def stream_page(
    store: EventStore, stream: int, span: Span, limit: int, token: str | None, *, from_head: bool
) -> tuple[list[StoredEvent], str, str]:
    """Return a page of a stream's events, oldest first, and the tokens that lead back and forward from it.

    Raises:
        InvalidParameterException: the token is not one of this stream.
    """
    direction, position = in_stream(token, stream) if token else ("f" if from_head else "b", None)
    events = _events(store, [stream], span, position, backwards=direction == "b", first=limit)
    page = list(_fitting(itertools.islice(events, limit)))
    if direction == "b":
        page.reverse()
    first = page[0].position if page else position or Position(span.start)
    last = page[-1].position if page else first
    return page, stream_token("b", stream, first), stream_token("f", stream, last)


def search_page(
    store: EventStore, search: Search, position: Position | None
) -> tuple[list[dict[str, Any]], Position | None]:
    """Return a page of matching events and the position after it, or None if there are no more."""
    page: list[dict[str, Any]] = []
    left = MOST_BYTES
    for event in _events(store, list(search.streams), search.span, position, backwards=search.newest_first):
        if search.pattern.matches(event.message):
            left -= size(event.message)
            if page and (len(page) == search.limit or left < 0):
                return page, position
            page.append(
                {
                    "logStreamName": search.streams[event.stream],
                    "timestamp": event.timestamp,
                    "message": event.message,
                    "ingestionTime": event.ingested,
                    "eventId": str(event.id),
                }
            )
        position = event.position
    return page, None


def all_events(store: EventStore, streams: list[int], span: Span) -> Iterator[StoredEvent]:
    """Return all events of `streams`, latest first."""
    return _events(store, streams, span, None, backwards=True)


def _events(
    store: EventStore,
    streams: list[int],
    span: Span,
    position: Position | None,
    *,
    backwards: bool,
    first: int = _FIRST_CHUNK,
) -> Iterator[StoredEvent]:
    """Yield the events of `streams` after `position`, read in chunks of growing size."""
    count = min(first, _FIRST_CHUNK)
    while events := store.page(streams, span.start, span.end, position, backwards=backwards, count=count):
        yield from events
        if len(events) < count:
            return
        position, count = events[-1].position, min(2 * count, _LARGEST_CHUNK)


def _fitting(events: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
    """Yield as many of `events` as fit into an answer, but at least one."""
    left = MOST_BYTES
    for event in events:
        left -= size(event.message)
        if left < 0 and left + size(event.message) != MOST_BYTES:
            return
        yield event
