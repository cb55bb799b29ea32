"""The commands of a query, each of which takes rows and returns rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from localaws.logs.insights.filters import Condition, Regex
from localaws.logs.insights.rows import TIMES, Row, sort_key
from localaws.logs.insights.words import unsupported
from localaws.logs.patterns.operands import number


class Stage(Protocol):
    """A command."""

    def run(self, rows: list[Row]) -> list[Row]:
        """Return the rows that the command keeps or makes."""


@dataclass(frozen=True)
class Filter:
    """Keeps the rows for which a condition holds."""

    condition: Condition

    def run(self, rows: list[Row]) -> list[Row]:
        """The rows for which it holds."""
        return [row for row in rows if self.condition(row)]


@dataclass(frozen=True)
class Rename:
    """Gives fields a second name."""

    names: tuple[tuple[str, str], ...]

    def run(self, rows: list[Row]) -> list[Row]:
        """The same rows, with the new fields added."""
        for row in rows:
            for name, alias in self.names:
                if (value := row.get(name)) is not None:
                    row.values[alias] = value
        return rows


@dataclass(frozen=True)
class ParseGlob:
    """Makes fields from the text in the place of a pattern's stars."""

    field: str
    texts: tuple[str, ...]
    """The texts before the first star, between the stars, and after the last one."""
    names: tuple[str, ...]

    def run(self, rows: list[Row]) -> list[Row]:
        """The same rows; those that match have the new fields."""
        for row in rows:
            if (text := row.get(self.field)) is not None:
                row.values |= dict(zip(self.names, self._found(text), strict=False))
        return rows

    def _found(self, text: str) -> list[str]:
        at = text.find(self.texts[0])
        if at < 0:
            return []
        at += len(self.texts[0])
        found = []
        for place, following in enumerate(self.texts[1:], 1):
            is_rest = not following and place == len(self.texts) - 1
            end = len(text) if is_rest else text.find(following, at)
            if end < 0:
                return []
            found.append(text[at:end])
            at = end + len(following)
        return found


@dataclass(frozen=True)
class ParseRegex:
    """Makes fields from the named groups of a regular expression."""

    field: str
    regex: Regex

    def run(self, rows: list[Row]) -> list[Row]:
        """The same rows; those that match have the new fields."""
        for row in rows:
            if (text := row.get(self.field)) is not None:
                row.values |= self.regex.groups(text) or {}
        return rows


@dataclass(frozen=True)
class Sort:
    """Orders the rows by fields."""

    fields: tuple[tuple[str, bool], ...]
    """(field, whether the order is descending)."""

    def run(self, rows: list[Row]) -> list[Row]:
        """The sorted rows."""
        for name, descending in reversed(self.fields):
            rows = sorted(rows, key=_by(name), reverse=descending)
        return rows


@dataclass(frozen=True)
class Limit:
    """Keeps the first rows."""

    count: int

    def run(self, rows: list[Row]) -> list[Row]:
        """The first rows."""
        return rows[: self.count]


@dataclass(frozen=True)
class Aggregate:
    """count, sum, min or max of a field. A count without a field counts all rows."""

    function: str
    field: str | None
    name: str

    def of(self, rows: list[Row]) -> str | None:
        """The aggregate over `rows`; None if none of them has the field."""
        if self.field is None:
            return str(len(rows))
        values = [value for row in rows if (value := row.get(self.field)) is not None]
        if self.function == "count":
            return str(len(values))
        return _AGGREGATES[self.function](values) if values else None


@dataclass(frozen=True)
class Stats:
    """Groups rows that have the same values, and aggregates each group."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...]

    def run(self, rows: list[Row]) -> list[Row]:
        """A row for each group of rows."""
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(_present(row, name, "stats by") for name in self.by), []).append(row)
        return [Row(dict(zip(self.by, key, strict=True)) | self._results(group)) for key, group in groups.items()]

    def _results(self, rows: list[Row]) -> dict[str, str]:
        found = {each.name: each.of(rows) for each in self.aggregates}
        return {name: value for name, value in found.items() if value is not None}


def _by(name: str) -> Callable[[Row], Any]:
    return lambda row: sort_key(_present(row, name, "sort"))


def _present(row: Row, name: str, command: str) -> str:
    if (value := row.get(name)) is None:
        raise unsupported(f"{command} {name}, which some events don't have (filter ispresent({name}) first),")
    return value


def _numbers(values: Iterable[str]) -> list[tuple[Decimal, str]]:
    found = [(number(value), value) for value in values]
    known = [(value, text) for value, text in found if value is not None]
    if len(known) != len(found):
        raise unsupported("sum, min and max of text")
    return known


def _sum(values: list[str]) -> str:
    total = sum((value for value, _ in _numbers(values)), Decimal(0))
    if total != total.to_integral_value():
        raise unsupported("A sum with decimals")
    return f"{total:.0f}"


_AGGREGATES: dict[str, Callable[[list[str]], str]] = {
    "sum": _sum,
    "min": lambda values: min(_numbers(values))[1],
    "max": lambda values: max(_numbers(values))[1],
}
FUNCTIONS = ("count", *_AGGREGATES)
NO_AGGREGATES_OF = TIMES
