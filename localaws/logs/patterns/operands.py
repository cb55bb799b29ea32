r"""The right sides of comparisons: { $.status = 4* }, [..., bytes > 1000], { $.name = %^a% }.

Text is compared literally, except that a star at its start, its end or both stands for any text. A star in the middle
is a literal star (the guide: ``Ev*ent`` only matches ``Ev*ent``). A number without quotes is compared by its value,
even with a field whose text is a number.

Decided here, where AWS's guide says nothing: a number in double quotes is text, and must equal the field as written;
and text without quotes may have dots, as in the guide's example ``123.123.*``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Protocol

from localaws.logs.patterns.errors import InvalidPattern
from localaws.logs.patterns.regexes import Regex

NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ORDERS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
OPERATORS = ("=", "!=", *_ORDERS)


class Operand(Protocol):
    """The right side of an equals sign."""

    def equals(self, text: str) -> bool:
        """Whether a field with this text equals the operand."""


@dataclass(frozen=True)
class Text:
    """Text. A star at its start or end stands for any text."""

    text: str

    def equals(self, text: str) -> bool:
        """Whether `text` equals this text, with the stars standing for any text."""
        open_start = self.text.startswith("*")
        open_end = self.text.endswith("*") and len(self.text) > 1
        middle = self.text[open_start : len(self.text) - open_end]
        if open_start and open_end:
            return middle in text
        if open_start:
            return text.endswith(middle)
        return text.startswith(middle) if open_end else text == middle


@dataclass(frozen=True)
class Number:
    """A number, compared by its value."""

    value: Decimal

    def equals(self, text: str) -> bool:
        """Whether `text` is a number with this value."""
        return number(text) == self.value


@dataclass(frozen=True)
class Matching:
    """A regular expression, searched for."""

    regex: Regex

    def equals(self, text: str) -> bool:
        """Whether some part of `text` matches."""
        return self.regex.found_in(text)


@dataclass(frozen=True)
class Comparison:
    """An operator and its right side."""

    operator: str
    operand: Operand

    def __post_init__(self) -> None:
        """Check that <, <=, > and >= have a number on their right.

        Raises:
            InvalidPattern: the operator needs a number.
        """
        if self.operator in _ORDERS and not isinstance(self.operand, Number):
            raise InvalidPattern

    def holds(self, text: str) -> bool:
        """Whether the comparison holds for a field with this text."""
        if self.operator == "=":
            return self.operand.equals(text)
        if self.operator == "!=":
            return not self.operand.equals(text)
        value = number(text)
        return (
            value is not None and isinstance(self.operand, Number) and _ORDERS[self.operator](value, self.operand.value)
        )


def number(text: str) -> Decimal | None:
    """The number that `text` is, or None."""
    if NUMBER.fullmatch(text) is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of many digits
        return None
