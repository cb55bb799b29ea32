"""SQL as a list of tokens, each with the text that takes its place.

The list itself never changes: a rewriting sets `out` of single tokens, so that string literals, quoted identifiers,
dollar quotes and comments stay as they are unless a rule means exactly them, and every place in the output
leads back to a place in the input.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a token is."""

    SPACE = "space"
    COMMENT = "comment"
    STRING = "string"
    QUOTED = "quoted"
    DOLLAR = "dollar"
    PARAMETER = "parameter"
    NUMBER = "number"
    WORD = "word"
    SYMBOL = "symbol"


@dataclass(slots=True)
class Token:
    """One token; `start` counts characters of the whole text from 0."""

    kind: Kind
    text: str
    start: int
    out: str
    index: int = 0  # in the statement's list
    upper: str = ""  # of a word; empty for everything else, so that a literal is never taken for a keyword

    @property
    def name(self) -> str:
        """The identifier that this token is, folded as PostgreSQL folds it; empty where it is none."""
        if self.kind == Kind.QUOTED:
            return self.text[1:-1].replace('""', '"')
        return self.text.lower() if self.kind == Kind.WORD else ""


_ESCAPED_STRING = r"'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)"
_PLAIN_STRING = r"'(?:[^']|'')*(?:'|\Z)"


def _pattern(plain: str) -> re.Pattern[str]:
    return re.compile(
        rf"""
        (?P<space>\s+)
      | (?P<comment>--[^\r\n]*|/\*)
      | (?P<string>[eE]{_ESCAPED_STRING}|(?:[bBxXnN]|[uU]&)?{plain})
      | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*(?:"|\Z))
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
    """All of `sql` as tokens. Nothing is refused here: what is no SQL, PostgreSQL will say."""
    pattern = _WITH_ESCAPES if backslash_escapes else _WITHOUT_ESCAPES
    tokens: list[Token] = []
    at = 0
    while at < len(sql):
        match = pattern.match(sql, at)
        assert match is not None  # the last alternative takes any character
        kind, end = Kind(str(match.lastgroup)), match.end()
        if kind == Kind.COMMENT and match.group() == "/*":
            end = _comment_end(sql, end)
        elif kind == Kind.DOLLAR:
            closing = sql.find(match.group(), end)
            end = len(sql) if closing < 0 else closing + len(match.group())
        text = sql[at:end]
        if kind == Kind.WORD and tokens and tokens[-1].kind == Kind.NUMBER:
            tokens[-1].out += " "  # "1WHEN" was two tokens until PostgreSQL 15, and is on Redshift
        tokens.append(Token(kind, text, at, text, upper=text.upper() if kind == Kind.WORD else ""))
        at = end
    return tokens


def _comment_end(sql: str, at: int) -> int:
    """Where the comment whose `/*` ends at `at` ends; comments nest."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)


class Sentence:
    """The tokens of one statement, seen without spaces and comments: `self[i]` is the i-th that counts."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = list(tokens)
        for index, token in enumerate(self.tokens):
            token.index = index
        self.words = [token for token in self.tokens if token.kind not in (Kind.SPACE, Kind.COMMENT)]

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, index: int) -> Token:
        return self.words[index]

    def text(self, index: int) -> str:
        """The text of the token there, upper case if it is a word; empty beyond either end."""
        if not 0 <= index < len(self.words):
            return ""
        return self.words[index].upper or self.words[index].text

    def reads(self, index: int, *texts: str) -> bool:
        """Whether the tokens from `index` on are these."""
        return all(self.text(index + offset) == text for offset, text in enumerate(texts))

    def closing(self, opening: int) -> int:
        """The parenthesis that closes the one at `opening`; the last token where none does."""
        depth = 0
        for index in range(opening, len(self.words)):
            text = self.text(index)
            depth += (text in ("(", "[")) - (text in (")", "]"))
            if depth == 0:
                return index
        return len(self.words) - 1

    def parts(self, opening: int, closing: int) -> list[tuple[int, int]]:
        """What stands between two parentheses, split at its commas: first token and the one after the last."""
        parts: list[tuple[int, int]] = []
        begin = index = opening + 1
        while index < closing:
            if self.text(index) in ("(", "["):
                index = self.closing(index)
            elif self.text(index) == ",":
                parts.append((begin, index))
                begin = index + 1
            index += 1
        if begin < closing or parts:
            parts.append((begin, closing))
        return parts

    def render(self, begin: int, end: int) -> str:
        """The output so far of the tokens from `begin` to before `end`, with what is between them."""
        if begin >= end:
            return ""
        return "".join(token.out for token in self.tokens[self[begin].index : self[end - 1].index + 1])

    def blank(self, begin: int, end: int) -> None:
        """Take these tokens out, comments between them stay."""
        for token in self.words[begin:end]:
            token.out = ""

    def replace(self, begin: int, end: int, text: str) -> None:
        """Put `text` in the place of these tokens and of what is between them."""
        for token in self.tokens[self[begin].index : self[end - 1].index + 1]:
            token.out = ""
        self[begin].out = text

    def append(self, index: int, text: str) -> None:
        """Put `text` behind the token there."""
        self[index].out += text
