"""Splits a query into words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from moto.logs.exceptions import LogsClientError

from localaws.core.errors import UnsupportedOperation


class Kind(StrEnum):
    """The kinds of words."""

    NAME = "name"
    TEXT = "text"
    NUMBER = "number"
    REGEX = "regex"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True)
class Word:
    """A word of a query: `value` without its quotes, and its position in the query."""

    kind: Kind
    value: str
    start: int
    end: int
    quoted: bool = False

    def says(self, *words: str) -> bool:
        """Whether this is one of these words or signs."""
        return not self.quoted and self.kind in (Kind.NAME, Kind.SIGN) and self.value.lower() in words


_WORD = re.compile(
    r"""(?P<name>[A-Za-z_@][\w.@]*) | `(?P<back>[^`]+)` | "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>(?:[^'\\]|\\.)*)'
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    | /(?P<regex>(?:[^/\\\n]|\\.)+)/ | (?P<sign>!=|<=|>=|=~|[=<>|,()\[\]*+/%^-])""",
    re.VERBOSE | re.ASCII,
)
_KINDS = {
    "name": Kind.NAME, "back": Kind.NAME, "double": Kind.TEXT, "single": Kind.TEXT, "number": Kind.NUMBER,
    "regex": Kind.REGEX, "sign": Kind.SIGN,
}  # fmt: skip
_SPACE = re.compile(r"\s*")
_COMMENT = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)


def malformed(message: str) -> LogsClientError:
    """Return the error for a query that AWS would refuse."""
    return LogsClientError("MalformedQueryException", message)


def unsupported(what: str) -> UnsupportedOperation:
    """Return the error for a part of the language that is not implemented here."""
    return UnsupportedOperation(f"{what} in StartQuery")


class Words:
    """Reads a query from its start to its end."""

    def __init__(self, query: str) -> None:
        # A line that begins with # is a comment. Blanks replace it, so that all positions stay the same.
        self.query = _COMMENT.sub(lambda found: " " * len(found[0]), query)
        self._at = 0
        self.next = self._read()

    def pop(self) -> Word:
        """Read the next word."""
        word, self.next = self.next, Word(Kind.END, "", 0, 0)
        self.next = self._read()
        return word

    def take(self, *words: str) -> Word | None:
        """Read the next word if it is one of these."""
        return self.pop() if self.next.says(*words) else None

    def need(self, *words: str) -> Word:
        """Read the next word, which must be one of these.

        Raises:
            LogsClientError: it is another.
        """
        if not self.next.says(*words):
            raise self.wrong()
        return self.pop()

    def wrong(self) -> LogsClientError:
        """Return the error for the next word."""
        if self.next.kind is Kind.END:
            return malformed("unexpected end of the query")
        before = self.query[: self.next.start]
        line, position = before.count("\n") + 1, self.next.start - before.rfind("\n")
        found = self.query[self.next.start : self.next.end]
        return malformed(f"unexpected symbol found {found} at line {line} and position {position}")

    def _read(self) -> Word:
        space = _SPACE.match(self.query, self._at)
        self._at = space.end() if space else self._at
        if self._at == len(self.query):
            return Word(Kind.END, "", self._at, self._at)
        start, found = self._at, _WORD.match(self.query, self._at)
        if found is None or found.lastgroup is None:
            self.next = Word(Kind.SIGN, "", start, start + 1)
            raise self.wrong()
        self._at = found.end()
        group = found.lastgroup
        value = found[group]
        if group in ("double", "single"):
            value = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        return Word(_KINDS[group], value, start, self._at, quoted=group == "back")
