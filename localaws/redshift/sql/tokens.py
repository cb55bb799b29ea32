"""The tokenizer of Redshift's SQL.

Nothing is left out: joining the texts of the tokens gives the SQL again. Nothing is refused: PostgreSQL reports what is
wrong with a statement. COPY and UNLOAD, which PostgreSQL never sees, call `refuse_unterminated`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from localaws.redshift.errors import SqlError


class Kind(StrEnum):
    """The kind of a token."""

    SPACE = "space"
    COMMENT = "comment"
    STRING = "string"  # 'a', and with a prefix: E'a', N'a', B'1', X'f', U&'a'
    QUOTED = "quoted"  # a quoted identifier
    DOLLAR = "dollar"  # a dollar-quoted string
    PARAMETER = "parameter"  # $1
    NUMBER = "number"
    WORD = "word"  # a keyword or an unquoted identifier
    SYMBOL = "symbol"
    UNTERMINATED = "unterminated"  # the rest of the text, from a quote or the start of a comment that is not closed


class Token(NamedTuple):
    """One token; `start` counts characters of the whole text from 0."""

    kind: Kind
    text: str
    start: int
    upper: str = ""  # only for words; otherwise empty, so that a literal is never taken for a keyword

    @property
    def name(self) -> str:
        """The identifier, folded as PostgreSQL folds it; empty if the token is not an identifier."""
        if self.kind is Kind.QUOTED:
            return self.text[1:-1].replace('""', '"')
        return self.text.lower() if self.kind is Kind.WORD else ""

    @property
    def value(self) -> str:
        """The folded identifier, the decoded string, or, for any other token, its text."""
        if self.kind is Kind.STRING:
            return _decoded(self.text[self.text.index("'") + 1 : -1])
        if self.kind is Kind.DOLLAR:
            tag = self.text.index("$", 1) + 1
            return self.text[tag:-tag]
        return self.name or self.text

    @property
    def is_blank(self) -> bool:
        """Whether this is space or a comment."""
        return self.kind is Kind.SPACE or self.kind is Kind.COMMENT


_ESCAPED_STRING = r"'(?:[^'\\]|\\.|'')*+'"
_PLAIN_STRING = r"'(?:[^']|'')*+'"
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _pattern(plain: str) -> re.Pattern[str]:
    return re.compile(
        rf"""
        (?P<space>\s+)
      | (?P<comment>--[^\r\n]*|/\*)
      | (?P<string>[eE]{_ESCAPED_STRING}|(?:[bBxXnN]|[uU]&)?{plain})
      | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*+")
      | (?P<unterminated>(?:(?:[eEbBxXnN]|[uU]&)?'|(?:[uU]&)?").*)
      | (?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][\w]*)?\$)
      | (?P<parameter>\$\d+)
      | (?P<number>(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<word>(?:(?<![\w)\]$.])\#)?[A-Za-z_\u0080-\U0010ffff][\w$]*)
      | (?P<symbol>::|.)
        """,
        re.VERBOSE | re.DOTALL,
    )


_WITH_ESCAPES = _pattern(_ESCAPED_STRING)
_WITHOUT_ESCAPES = _pattern(_PLAIN_STRING)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def tokenize(sql: str, *, backslash_escapes: bool = True) -> list[Token]:
    """Return all of `sql` as tokens; `backslash_escapes`: whether the session has standard_conforming_strings = off."""
    pattern = _WITH_ESCAPES if backslash_escapes else _WITHOUT_ESCAPES
    tokens: list[Token] = []
    at = 0
    while at < len(sql):
        match = pattern.match(sql, at)
        assert match is not None  # the last alternative matches any character
        kind, end = Kind(str(match.lastgroup)), _end(sql, match)
        if end is None:
            kind, end = Kind.UNTERMINATED, len(sql)
        text = sql[at:end]
        tokens.append(Token(kind, text, at, text.upper() if kind is Kind.WORD else ""))
        at = end
    return tokens


def _end(sql: str, match: re.Match[str]) -> int | None:
    """Return where the token that begins with `match` ends; None if it is not closed. Comments nest."""
    opening, end = match.group(), match.end()
    if match.lastgroup == Kind.DOLLAR:
        closing = sql.find(opening, end)
        return closing + len(opening) if closing >= 0 else None
    if opening != "/*":
        return end
    depth = 1
    for edge in _COMMENT_EDGE.finditer(sql, end):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return None


def refuse_unterminated(tokens: Iterable[Token], origin: int = 0) -> None:
    """Raise SqlError 42601, as PostgreSQL does, for a token that is not closed; positions count from `origin`."""
    for token in tokens:
        if token.kind is Kind.UNTERMINATED:
            message = f'unterminated {_opened(token.text)} at or near "{token.text}"'
            raise SqlError("42601", message, position=token.start - origin + 1)


def _opened(text: str) -> str:
    if text.startswith("/*"):
        return "/* comment"
    if text.startswith("$"):
        return "dollar-quoted string"
    return "quoted identifier" if text.lower().startswith(('"', 'u&"')) else "quoted string"


def _decoded(body: str) -> str:
    """Return a string's value: `''` is a quote, and backslashes escape as they do in Redshift."""

    def replace(match: re.Match[str]) -> str:
        escaped = match[1]
        if escaped is None:
            return "'"
        if escaped[0] in "01234567":
            return chr(int(escaped, 8))
        if escaped[0] == "x" and len(escaped) > 1:
            return chr(int(escaped[1:], 16))
        # \N is the usual NULL AS string, and people write it without doubling the backslash.
        return _ESCAPES.get(escaped, "\\N" if escaped == "N" else escaped)

    return re.sub(r"''|\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", replace, body, flags=re.DOTALL)
