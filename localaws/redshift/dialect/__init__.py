"""Rewrites Redshift's SQL into PostgreSQL's, token by token.

Everything that can be a function or a view in PostgreSQL is one (`compat/*.sql`). The rewriter does the rest, where the
two grammars differ. It leaves everything that it doesn't know alone, so a wrong statement gets PostgreSQL's own error.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from localaws.redshift.dialect import aliases, commands, expressions, qualify, tables
from localaws.redshift.dialect.sentence import Sentence
from localaws.redshift.sql.tokens import Kind, Token, tokenize

SPECIAL = frozenset({"COPY", "UNLOAD"})
_REWRITTEN = SPECIAL | commands.VERBS | expressions.WORDS | {"CREATE", "ALTER", "QUALIFY", "AS"}
_STRING = re.compile(r"'[^']*'")
_HIDES_QUOTES = re.compile(r'[\\"$]|--|/\*')  # with one of these in the text, a quote may not begin or end a string
# Text without any of these outside its strings does not have to be tokenized: most long statements are lists of values.
_MAY_CHANGE = re.compile(rf"\b(?:{'|'.join(sorted(_REWRITTEN))})\b|[#]|(?<!\w)\d[\d.]*[A-Za-z_]", re.IGNORECASE)
TRANSACTION = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT"})


@dataclass(frozen=True)
class Rewritten:
    """The text for PostgreSQL; `pieces` map it back: (place in `text`, place in the client's text)."""

    text: str
    pieces: tuple[tuple[int, int], ...] = ()

    def original_position(self, position: int) -> int:
        """Return the position in the client's text for a position in `text` (both from 1, as in errors)."""
        if not self.pieces:
            return position
        at = bisect_right(self.pieces, (position - 1, 1 << 60)) - 1
        begin, original = self.pieces[max(at, 0)]
        following = self.pieces[at + 1][1] - 1 if at + 1 < len(self.pieces) else 1 << 60
        return max(min(original + position - 1 - begin, following), original) + 1


@dataclass(frozen=True)
class Statement:
    """One statement of a client: its tokens, and the text that PostgreSQL gets instead of each."""

    verb: str  # upper case; empty if the statement needs no rewriting
    tokens: tuple[Token, ...]
    written: tuple[str, ...]  # instead of each token
    aliases: frozenset[str] = frozenset()  # names that may be references to an alias: PostgreSQL must be asked

    def expanded(self, names: frozenset[str]) -> Statement:
        """Return the statement with references to these aliases replaced by their expressions."""
        sentence = Sentence(self.tokens)
        _rewrite(sentence, names)
        return replace(self, written=tuple(sentence.written))

    @property
    def special(self) -> bool:
        """Whether PostgreSQL can't run it: COPY or UNLOAD."""
        return self.verb in SPECIAL

    @property
    def controls_transaction(self) -> bool:
        """Whether it begins or ends a transaction."""
        return self.verb in TRANSACTION


def parse(sql: str, *, backslash_escapes: bool = True) -> list[Statement]:
    """Return the statements in `sql`, rewritten, without empty ones. Text that needs no rewriting stays one Statement.

    Raises:
        SqlError: Redshift refuses a statement that PostgreSQL would accept.
    """
    bare = sql if _HIDES_QUOTES.search(sql) else _STRING.sub("''", sql)
    if not _MAY_CHANGE.search(bare):
        return [Statement("", (Token(Kind.SPACE, sql, 0),), (sql,))] if sql.strip() else []
    statements = []
    for tokens in _split(tokenize(sql, backslash_escapes=backslash_escapes)):
        sentence = Sentence(tokens)
        if not len(sentence):
            continue
        verb = sentence.text(0)
        found = frozenset[str]()
        if verb not in SPECIAL:
            _rewrite(sentence)
            found = aliases.candidates(sentence)
        statements.append(Statement(verb, tuple(tokens), tuple(sentence.written), found))
    return statements


def join(statements: Sequence[Statement]) -> Rewritten:
    """Join the statements into one text for PostgreSQL."""
    text: list[str] = []
    pieces: list[tuple[int, int]] = []
    length = 0
    for number, statement in enumerate(statements):
        if number:
            text.append(";")
            length += 1
        for token, written in zip(statement.tokens, statement.written, strict=True):
            if written:
                pieces.append((length, token.start))
                text.append(written)
                length += len(written)
    return Rewritten("".join(text), tuple(pieces))


def rewrite(sql: str, *, backslash_escapes: bool = True) -> str:
    """Return `sql` rewritten for PostgreSQL, as one text; UNLOAD uses this for its query."""
    return join(parse(sql, backslash_escapes=backslash_escapes)).text


def _split(tokens: list[Token]) -> list[list[Token]]:
    statements: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == Kind.SYMBOL and token.text == ";":
            statements.append([])
        else:
            statements[-1].append(token)
    return statements


def _rewrite(sentence: Sentence, names: frozenset[str] = frozenset()) -> None:
    commands.rewrite(sentence)
    tables.rewrite(sentence)
    expressions.rewrite(sentence)
    aliases.expand(sentence, names)
    qualify.rewrite(sentence)
