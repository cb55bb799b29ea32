"""The words of a COPY or UNLOAD statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from localaws.redshift.errors import SqlError


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"  # a keyword or an unquoted identifier; its text is lower case
    QUOTED = "quoted"  # a "quoted identifier"
    STRING = "string"  # a 'string', decoded
    DOLLAR = "dollar"  # a $$string$$
    NUMBER = "number"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True)
class Token:
    """One word: `text` is decoded, `raw` as it was written, `at` its offset in the statement."""

    kind: Kind
    text: str
    raw: str
    at: int


_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<dollar>\$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$)
  | (?P<string>[eE]?'(?:[^'\\]|\\.|'')*')
  | (?P<quoted>"(?:[^"]|"")+")
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<word>\#?[^\W\d][\w$]*)
  | (?P<sign>[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def tokenize(statement: str) -> list[Token]:
    """The statement's words, comments left out, and an END token.

    Raises:
        SqlError: 42601, a string or an identifier has no end.
    """
    return [*_tokens(statement), Token(Kind.END, "", "", len(statement))]


def _tokens(statement: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(statement):
        raw, kind = match[0], match.lastgroup or "sign"
        if kind == "tag":
            kind = "dollar"
        if kind == "space":
            continue
        if kind == "sign" and raw in "'\"":
            name = "string" if raw == "'" else "identifier"
            message = f'unterminated quoted {name} at or near "{statement[match.start() :]}"'
            raise SqlError("42601", message, position=match.start() + 1)
        text = raw
        if kind == "word":
            text = raw.lower()
        elif kind == "quoted":
            text = raw[1:-1].replace('""', '"')
        elif kind == "string":
            text = _decode(raw[raw.index("'") + 1 : -1])
        elif kind == "dollar":
            mark = raw[: raw.index("$", 1) + 1]
            text = raw[len(mark) : -len(mark)]
        yield Token(Kind(kind), text, raw, match.start())


def _decode(body: str) -> str:
    """A string's value: `''` is a quote, and backslashes escape as they do in Redshift."""

    def replace(match: re.Match[str]) -> str:
        escaped = match[1]
        if escaped is None:
            return "'"
        if escaped[0] in "01234567":
            return chr(int(escaped, 8))
        if escaped[0] == "x" and len(escaped) > 1:
            return chr(int(escaped[1:], 16))
        # \N is the usual NULL AS string, which people write without doubling its backslash.
        return _ESCAPES.get(escaped, "\\N" if escaped == "N" else escaped)

    return re.sub(r"''|\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", replace, body, flags=re.DOTALL)


class Words:
    """Walks over the tokens of one statement."""

    def __init__(self, statement: str) -> None:
        self.statement = statement
        self._tokens = tokenize(statement)
        self._next = 0

    @property
    def peek(self) -> Token:
        """The token that `take` will give."""
        return self._tokens[self._next]

    def take(self) -> Token:
        """The next token; END for ever at the end."""
        token = self._tokens[self._next]
        if token.kind is not Kind.END:
            self._next += 1
        return token

    def accept(self, *words: str) -> str | None:
        """Take the next token if it is one of these keywords or signs."""
        token = self.peek
        if token.kind in (Kind.WORD, Kind.SIGN) and token.text in words:
            self.take()
            return token.text
        return None

    def expect(self, *words: str) -> str:
        """Take one of these keywords or signs. Raises SqlError 42601 for anything else."""
        found = self.accept(*words)
        if found is None:
            raise self.error()
        return found

    def identifier(self) -> str:
        """Take a name. Raises SqlError 42601."""
        token = self.take()
        if token.kind not in (Kind.WORD, Kind.QUOTED):
            raise self.error(token)
        return token.text

    def string(self) -> str:
        """Take a string. Raises SqlError 42601."""
        token = self.take()
        if token.kind is not Kind.STRING:
            raise self.error(token)
        return token.text

    def accept_string(self) -> str | None:
        """Take a string if one comes next."""
        return self.take().text if self.peek.kind is Kind.STRING else None

    def integer(self) -> int:
        """Take a whole number. Raises SqlError 42601."""
        token = self.take()
        if token.kind is not Kind.NUMBER or "." in token.text:
            raise self.error(token)
        return int(token.text)

    def accept_integer(self) -> int | None:
        """Take a whole number if one comes next."""
        return self.integer() if self.peek.kind is Kind.NUMBER else None

    def error(self, token: Token | None = None) -> SqlError:
        """A syntax error at `token` (the next one by default)."""
        token = token or self.peek
        if token.kind is Kind.END:
            return SqlError("42601", "syntax error at end of input", position=token.at + 1)
        return SqlError("42601", f'syntax error at or near "{token.raw}"', position=token.at + 1)
