"""Rows of a query: an event with its fields, or a result of stats."""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from localaws.logs.events import StoredEvent
from localaws.logs.insights.words import unsupported
from localaws.logs.patterns.operands import number

TIMES = ("@timestamp", "@ingestionTime")
SYSTEM = (*TIMES, "@message", "@logStream", "@log")
_MOST_FIELDS = 200
_LAMBDA = "/aws/lambda/"
_CHUNK = re.compile(r"[0-9]+|[^\W\d_]+|.", re.DOTALL)


class _Unclear(str):
    """The type of a field whose value AWS's guide doesn't define: a boolean, null, a list or an object."""

    __slots__ = ()


class Row:
    """Named values, all of them text."""

    def __init__(self, values: dict[str, str], event: StoredEvent | None = None, message: str = "") -> None:
        self.values = values
        self.event = event
        self._message = message

    @classmethod
    def of_event(cls, event: StoredEvent, stream: str, group: str, account_id: str) -> Row:
        """Return the row of an event. Its JSON is parsed when one of its fields is needed."""
        values = {
            "@timestamp": str(event.timestamp),
            "@ingestionTime": str(event.ingested),
            "@message": event.message,
            "@logStream": stream,
            "@log": f"{account_id}:{group}",
        }
        return cls(values, event, event.message if group.startswith(_LAMBDA) else event.message.strip())

    def get(self, name: str) -> str | None:
        """Return the value of a field; None if it has none.

        Raises:
            UnsupportedOperation: the value is not text or a number.
        """
        found = self.values.get(name)
        if found is None and self.event is not None:
            found = self._discovered.get(name)
        if isinstance(found, _Unclear):
            raise unsupported(f"The field {name}, which is {found} in some events,")
        return found

    @functools.cached_property
    def _discovered(self) -> dict[str, str]:
        in_lambda = self.values["@log"].partition(":")[2].startswith(_LAMBDA)
        start = self._message.find("{") if in_lambda else 0
        if start < 0 or not self._message.startswith("{", start):
            return {}
        decoder = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_no_json)
        try:
            found, end = decoder.raw_decode(self._message, start)
        except (ValueError, RecursionError):
            return {}
        if end != len(self._message) and not in_lambda:
            return {}
        return dict(itertools.islice(_flat(found, ""), _MOST_FIELDS))


class _Number(str):
    """A number, as it is written in the message."""

    __slots__ = ()


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the fields within a value, with their paths."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        if path:
            yield path, _Unclear("an object" if isinstance(value, dict) else "a list")
        for key, part in parts:
            name = f"@{key}" if not path and str(key).startswith("@") else str(key)
            yield from _flat(part, f"{path}.{name}" if path else name)
    elif isinstance(value, str):
        yield path, str(value)
    else:
        yield path, _Unclear("null" if value is None else "a boolean")


def shown(name: str, value: str) -> str:
    """Return a value as a result shows it: times as dates."""
    if name not in TIMES:
        return value
    moment = datetime.fromtimestamp(int(value) / 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{int(value) % 1000:03d}"


def sort_key(value: str) -> Any:
    """Return a key that orders values as sort does: text before numbers, and numbers in text by length and value.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html
    """
    found = number(value)
    if found is not None:
        return (1, found, value)
    return (0, Decimal(0), functools.cmp_to_key(_compare)(value))


def _compare(one: str, other: str) -> int:
    for left, right in zip(_CHUNK.findall(one), _CHUNK.findall(other), strict=False):
        if left == right:
            continue
        if left.isdigit() and right.isdigit():
            return -1 if (len(left), left) < (len(right), right) else 1
        return -1 if left < right else 1
    return len(one) - len(other)


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")
