"""Queries that were run, and their results. The latest hundred are kept, until the server ends."""

from __future__ import annotations

import base64
import threading
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from moto.logs.exceptions import ResourceNotFoundException

from localaws.logs.events import EventStore
from localaws.logs.groups import StoredGroup
from localaws.logs.insights.commands import Query, parse_query
from localaws.logs.insights.rows import Row, shown
from localaws.logs.insights.stages import Limit, Sort, Stats
from localaws.logs.insights.words import malformed
from localaws.logs.reading import Span, all_events, size

_KEPT = 100


@dataclass
class Finished:
    """A query with its results."""

    text: str
    groups: list[str]
    results: list[list[dict[str, str]]]
    statistics: dict[str, float]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: int = field(default_factory=lambda: int(time.time() * 1000))


class FinishedQueries:
    """The finished queries of one account, by region."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queries: OrderedDict[tuple[str, str], Finished] = OrderedDict()

    def add(self, region: str, query: Finished) -> None:
        """Keep `query`, and forget the oldest if there are too many."""
        with self._lock:
            self._queries[region, query.id] = query
            while len(self._queries) > _KEPT:
                self._queries.popitem(last=False)

    def forget(self, region: str) -> None:
        """Forget the queries of a region."""
        with self._lock:
            for key in [key for key in self._queries if key[0] == region]:
                del self._queries[key]

    def get(self, region: str, identity: str) -> Finished:
        """Return the query with this id.

        Raises:
            ResourceNotFoundException: there is none.
        """
        with self._lock:
            found = self._queries.get((region, identity))
        if found is None:
            raise ResourceNotFoundException(f"Query {identity} does not exist.")
        return found

    def latest(self, region: str) -> list[Finished]:
        """Return all queries of a region, latest first."""
        with self._lock:
            return [query for (where, _), query in reversed(self._queries.items()) if where == region]


finished = FinishedQueries()


def run(store: EventStore, text: str, groups: list[StoredGroup], span: Span, limit: int | None) -> Finished:
    """Run a query over the events of `groups`.

    Raises:
        LogsClientError: AWS would refuse the query.
        UnsupportedOperation: the query uses something that is not supported here.
    """
    try:
        return _run(store, parse_query(text), text, groups, span, limit)
    except RecursionError:
        raise malformed("The query is nested too deeply.") from None


def _run(
    store: EventStore, query: Query, text: str, groups: list[StoredGroup], span: Span, limit: int | None
) -> Finished:
    rows, total = [], 0
    streams = {stream.id: (stream.log_stream_name, group) for group in groups for stream in group.stored_streams()}
    kept = {group.name: group.expire() for group in groups}
    for event in all_events(store, list(streams), span):
        stream, group = streams[event.stream]
        if event.timestamp >= kept[group.name]:
            rows.append(Row.of_event(event, stream, group.name, group.account_id))
            total += size(event.message)
    scanned, matched = len(rows), None
    for stage in query.stages:
        if matched is None and isinstance(stage, Stats | Sort | Limit):
            matched = len(rows)
        rows = stage.run(rows)
    results = [_result(query, row) for row in rows[:limit]]
    statistics = {
        "recordsMatched": float(len(rows) if matched is None else matched),
        "recordsScanned": float(scanned),
        "bytesScanned": float(total),
    }
    return Finished(text, [group.name for group in groups], results, statistics)


def _result(query: Query, row: Row) -> list[dict[str, Any]]:
    """Return a row as a result: its fields that have a value, and a pointer (@ptr) if the row is an event."""
    names = query.shown or tuple(row.values)
    found = [(name, value) for name in names if (value := row.get(name)) is not None]
    told = [{"field": name, "value": shown(name, value)} for name, value in found]
    if row.event is not None:
        pointer = base64.urlsafe_b64encode(f"{row.event.stream}.{row.event.id}".encode()).decode()
        told.append({"field": "@ptr", "value": pointer})
    return told
