"""Reads a COPY or UNLOAD statement word by word."""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.errors import SqlError
from localaws.redshift.sql.tokens import Kind, Token, refuse_unterminated


class Words:
    """Walks over the tokens of one statement, without spaces and comments.

    Raises:
        SqlError: 42601 if a string, an identifier or a comment is not closed.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = [token for token in tokens if not token.is_blank]
        self._begin = self._tokens[0].start  # positions in errors count from here
        refuse_unterminated(self._tokens, self._begin)
        self._end = Token(Kind.SYMBOL, "", self._tokens[-1].start + len(self._tokens[-1].text))
        self._next = 0

    @property
    def at_end(self) -> bool:
        """Whether every token has been taken."""
        return self._next == len(self._tokens)

    @property
    def peek(self) -> Token:
        """The token that `take` returns next."""
        return self._end if self.at_end else self._tokens[self._next]

    def take(self) -> Token:
        """Return the next token, and move on; at the end, always return a token without text."""
        token = self.peek
        if not self.at_end:
            self._next += 1
        return token

    def accept(self, *words: str) -> str | None:
        """Take the next token and return it, if it is one of these lower-case keywords or symbols; else return None."""
        token = self.peek
        if token.kind in (Kind.WORD, Kind.SYMBOL) and token.value in words:
            return self.take().value
        return None

    def expect(self, *words: str) -> str:
        """Take one of these keywords or symbols, and return it. Raises SqlError 42601 for anything else."""
        found = self.accept(*words)
        if found is None:
            raise self.error()
        return found

    def identifier(self) -> str:
        """Take a name, and return it. Raises SqlError 42601 for anything else."""
        token = self.take()
        if not token.name:
            raise self.error(token)
        return token.name

    def string(self) -> str:
        """Take a string, and return its value. Raises SqlError 42601 for anything else."""
        found = self.accept_string()
        if found is None:
            raise self.error()
        return found

    def accept_string(self) -> str | None:
        """Take a string if one comes next, and return its value; strings with a prefix other than E don't count."""
        is_string = self.peek.kind is Kind.STRING and self.peek.text[0] in "'eE"
        return self.take().value if is_string else None

    def integer(self) -> int:
        """Take a whole number, and return it. Raises SqlError 42601 for anything else."""
        token = self.take()
        if token.kind is not Kind.NUMBER or not token.text.isdecimal():
            raise self.error(token)
        return int(token.text)

    def error(self, token: Token | None = None) -> SqlError:
        """Return a syntax error at `token` (the next one by default)."""
        token = token or self.peek
        where = f'at or near "{token.text}"' if token.text else "at end of input"
        return SqlError("42601", f"syntax error {where}", position=token.start - self._begin + 1)
