"""The conditions of filter: level = "ERROR" and (latency > 500 or @message like /timed? ?out/)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from localaws.logs.insights.rows import TIMES, Row
from localaws.logs.insights.words import Kind, Word, Words, malformed, unsupported
from localaws.logs.patterns.operands import number

Condition = Callable[[Row], bool | None]
"""Whether the condition holds for a row; None if the row lacks a field that the condition needs."""
Value = Callable[[Row], str | None]

_ORDERS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_ARITHMETIC = ("+", "-", "*", "/", "%", "^")


class Regex:
    """A regular expression of a query. Its search takes time in proportion to the text's length."""

    def __init__(self, text: str) -> None:
        # Imported here, because that takes half a second. pyarrow has RE2, whose time is linear in the text's length.
        import pyarrow
        import pyarrow.compute

        self._arrow: Any = pyarrow
        self._text = text
        try:
            self.found_in("")
        except pyarrow.ArrowInvalid as error:
            raise malformed(str(error)) from None

    def found_in(self, text: str) -> bool:
        """Whether some part of `text` matches."""
        return bool(self._arrow.compute.match_substring_regex(self._array(text), self._text)[0].as_py())

    def groups(self, text: str) -> dict[str, str] | None:
        """The named groups of a match; None if there is none.

        Raises:
            LogsClientError: a group has no name.
        """
        try:
            found = self._arrow.compute.extract_regex(self._array(text), self._text)[0].as_py()
        except self._arrow.ArrowInvalid as error:
            raise malformed(str(error)) from None
        return None if found is None else dict(found)

    def _array(self, text: str) -> Any:
        return self._arrow.array([text.encode(errors="replace").decode()])


class FilterParser:
    """Reads the condition of a filter."""

    def __init__(self, words: Words, field: Callable[[Word], str]) -> None:
        """`field` returns the name of the field that a word stands for."""
        self._words = words
        self._field = field

    def parse(self) -> Condition:
        """Read a condition."""
        parts = [self._all()]
        while self._words.take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda row: _either(parts, row, True)

    def _all(self) -> Condition:
        parts = [self._single()]
        while self._words.take("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda row: _either(parts, row, False)

    def _single(self) -> Condition:
        words = self._words
        if words.take("not"):
            return _inverted(self._single(), "not")
        if words.take("("):
            condition = self.parse()
            words.need(")")
            return condition
        if words.next.says("ispresent"):
            words.pop()
            words.need("(")
            name = self._field(words.pop())
            words.need(")")
            return lambda row: row.get(name) is not None
        return self._comparison()

    def _comparison(self) -> Condition:
        words = self._words
        left_word = words.next
        left = self._value()
        negative = words.take("not") is not None
        if words.next.says("in"):
            words.pop()
            condition = self._in(left)
        elif words.next.says("like", "=~"):
            if left_word.value in TIMES:
                raise unsupported(f"like of {left_word.value}")
            condition = self._like(left, only_regex=words.pop().value == "=~")
        elif negative:
            raise words.wrong()
        else:
            return self._compared(left_word, left)
        return _inverted(condition, f"not of {left_word.value}") if negative else condition

    def _compared(self, left_word: Word, left: Value) -> Condition:
        words = self._words
        if words.next.says(*_ARITHMETIC):
            raise unsupported("Arithmetic")
        operator = words.need("=", "!=", *_ORDERS).value
        right_word = words.next
        right = self._value()
        if words.next.says(*_ARITHMETIC):
            raise unsupported("Arithmetic")
        if operator in ("=", "!="):
            equal = _comparing(left, right, _equal)
            return equal if operator == "=" else _inverted(equal, f"{left_word.value} != {right_word.value}")
        if right_word.kind is Kind.TEXT and number(right_word.value) is None:
            raise unsupported(f"{operator} with text")
        order = _ORDERS[operator]
        return _comparing(left, right, lambda one, other: _ordered(one, other, order))

    def _in(self, left: Value) -> Condition:
        words = self._words
        words.need("[")
        choices: list[Condition] = [_comparing(left, self._value(), _equal)]
        while words.take(","):
            choices.append(_comparing(left, self._value(), _equal))
        words.need("]")
        return lambda row: _either(choices, row, True)

    def _like(self, left: Value, *, only_regex: bool) -> Condition:
        word = self._words.next
        if word.kind is Kind.REGEX:
            self._words.pop()
            regex = Regex(word.value)
            return lambda row: None if (text := left(row)) is None else regex.found_in(text)
        if word.kind is not Kind.TEXT or only_regex:
            raise self._words.wrong()
        if "%" in word.value:
            raise unsupported("like with %")
        self._words.pop()
        return lambda row: None if (text := left(row)) is None else word.value in text

    def _value(self) -> Value:
        word = self._words.next
        if word.kind in (Kind.TEXT, Kind.NUMBER):
            self._words.pop()
            return lambda row: word.value
        name = self._field(self._words.pop())
        return lambda row: row.get(name)


def _either(parts: list[Condition], row: Row, decisive: bool) -> bool | None:
    """Join conditions: `or` (`decisive` is True) stops at True, `and` stops at False."""
    unknown = False
    for part in parts:
        found = part(row)
        # An `and` with an unknown part can't hold.
        if found is decisive or (found is None and not decisive):
            return found
        unknown = unknown or found is None
    return None if unknown else not decisive


def _inverted(condition: Condition, what: str) -> Condition:
    def holds(row: Row) -> bool:
        found = condition(row)
        if found is None:
            raise unsupported(
                f"{what} if some events lack the field, or have no number in it (add ispresent(FIELD) and …)"
            )
        return not found

    return holds


def _comparing(left: Value, right: Value, compare: Callable[[str, str], bool | None]) -> Condition:
    def holds(row: Row) -> bool | None:
        one, other = left(row), right(row)
        return None if one is None or other is None else compare(one, other)

    return holds


def _equal(one: str, other: str) -> bool:
    first, second = number(one), number(other)
    return one == other if first is None or second is None else first == second


def _ordered(one: str, other: str, order: Callable[[Decimal, Decimal], bool]) -> bool | None:
    first, second = number(one), number(other)
    return None if first is None or second is None else order(first, second)
