"""Patterns for messages that are JSON objects: { ($.user.id = 1 || $.users[*].id > 5) && $.error NOT EXISTS }.

A property is selected by its path ($.a.b, $.list[0], $.list[*], $.*, $.['dotted.name']). It is compared as text or as
a number, or tested with IS NULL, IS TRUE, IS FALSE or NOT EXISTS. A message that is not a JSON object doesn't match.

Decided here, where AWS's guide says nothing: only strings and numbers can be compared (the guide: "value nodes can be
strings or numbers"). So if a property is missing, null, a boolean, a list or an object, neither = nor != holds. With a
star in the path, one of the selected values must meet the condition.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localaws.logs.patterns.conditions import Condition, parse_conditions
from localaws.logs.patterns.errors import InvalidPattern
from localaws.logs.patterns.operands import Comparison
from localaws.logs.patterns.tokens import Tokens

_MOST_WILDCARDS = 3
_FIRST = re.compile(r"\$(?=\.)")
# A path has no blanks: each part must end where the next one starts.
_STEP = re.compile(
    r"\.(?P<name>[A-Za-z0-9_-]+)|\.\['(?P<quoted>[^']+)'\]|\[(?P<place>[0-9]{1,9})\]|(?P<any>\[\*\]|\.\*)"
)
_CONSTANTS: dict[str, Any] = {"NULL": None, "TRUE": True, "FALSE": False}


class _Numeral(str):
    """A number, as it is written in the message."""

    __slots__ = ()


@dataclass(frozen=True)
class _Every:
    """A star in a path: every element of a list, or every field of an object."""

    of_list: bool


@dataclass(frozen=True)
class Selector:
    """A path to a property."""

    steps: tuple[str | int | _Every, ...]

    def select(self, found: Any, steps: tuple[str | int | _Every, ...] | None = None) -> Iterator[Any]:
        """Yield each value that the path leads to."""
        steps = self.steps if steps is None else steps
        if not steps:
            yield found
            return
        for value in _children(found, steps[0]):
            yield from self.select(value, steps[1:])


def _children(found: Any, step: str | int | _Every) -> Iterator[Any]:
    if isinstance(step, _Every):
        if step.of_list and isinstance(found, list):
            yield from found
        elif not step.of_list and isinstance(found, dict):
            yield from found.values()
    elif isinstance(step, str):
        if isinstance(found, dict) and step in found:
            yield found[step]
    elif isinstance(found, list) and step < len(found):
        yield found[step]


@dataclass(frozen=True)
class _Compared:
    selector: Selector
    comparison: Comparison

    def holds(self, subject: Any) -> bool:
        """Whether the comparison holds for a selected string or number."""
        return any(isinstance(value, str) and self.comparison.holds(value) for value in self.selector.select(subject))


@dataclass(frozen=True)
class _Is:
    selector: Selector
    constant: bool | None

    def holds(self, subject: Any) -> bool:
        """Whether a selected value is the constant."""
        return any(value is self.constant for value in self.selector.select(subject))


@dataclass(frozen=True)
class _NotExists:
    selector: Selector

    def holds(self, subject: Any) -> bool:
        """Whether nothing is selected."""
        return next(self.selector.select(subject), self) is self


@dataclass(frozen=True)
class JsonPattern:
    """Conditions on the properties of a JSON object."""

    condition: Condition[Any]

    def matches(self, message: str) -> bool:
        """Whether `message` is a JSON object for which the conditions hold."""
        try:
            found = json.loads(message, parse_float=_Numeral, parse_int=_Numeral, parse_constant=_no_json)
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and self.condition.holds(found)

    def extracted(self, message: str) -> dict[str, str]:
        """Return nothing: AWS extracts no values from JSON events."""
        del message
        return {}


def parse_json(text: str) -> JsonPattern:
    """Parse a pattern, given without its braces.

    Raises:
        InvalidPattern: `text` is not a valid pattern.
    """
    parser = _Parser(Tokens(text))
    return JsonPattern(parser.all())


class _Parser:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._wildcards = 0

    def all(self) -> Condition[Any]:
        condition = parse_conditions(self._tokens, self._single)
        if not self._tokens.at_end:
            raise self._tokens.wrong()
        return condition

    def _single(self) -> Condition[Any]:
        tokens = self._tokens
        if tokens.take(r"\("):
            condition = parse_conditions(tokens, self._single)
            if not tokens.take(r"\)"):
                raise tokens.wrong()
            return condition
        selector = self._selector()
        if tokens.take(r"IS\b"):
            constant = tokens.take(r"(?:NULL|TRUE|FALSE)\b")
            if constant is None:
                raise InvalidPattern
            return _Is(selector, _CONSTANTS[constant])
        if tokens.take(r"NOT\s+EXISTS\b"):
            return _NotExists(selector)
        return _Compared(selector, tokens.comparison())

    def _selector(self) -> Selector:
        written = self._tokens.take(r"\$(?:\.\['[^']*'\]|\.[A-Za-z0-9_-]+|\[\w*\]|\[\*\]|\.\*)*")
        steps = tuple(_steps(written or ""))
        wildcards = sum(isinstance(step, _Every) for step in steps)
        self._wildcards += wildcards
        # The path must start with a property: [0] and [*] need one before them.
        if not steps or isinstance(steps[0], int) or steps[0] == _Every(of_list=True):
            raise self._tokens.wrong()
        if wildcards > 1 or self._wildcards > _MOST_WILDCARDS:
            raise InvalidPattern
        return Selector(steps)


def _steps(written: str) -> Iterator[str | int | _Every]:
    at = 1
    while at < len(written):
        found = _STEP.match(written, at)
        if found is None:
            raise InvalidPattern
        if found["any"]:
            yield _Every(of_list=found["any"] == "[*]")
        else:
            yield int(found["place"]) if found["place"] else found["name"] or found["quoted"]
        at = found.end()


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")
