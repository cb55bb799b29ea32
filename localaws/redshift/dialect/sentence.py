"""One statement being rewritten: its tokens, and the text that takes the place of each.

The tokens never change: a rewriting says what is written in place of single ones, so that string literals, quoted
identifiers, dollar quotes and comments stay as they are unless a rule means exactly them, and every place in the
output leads back to a place in the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from localaws.redshift.sql.tokens import Kind, Token


class Sentence:
    """The tokens of one statement, seen without spaces and comments: `self[i]` is the i-th that counts."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.written = [token.text for token in tokens]  # in the place of each token
        self._places = [place for place, token in enumerate(tokens) if not token.is_blank]
        for place, (token, following) in enumerate(pairwise(tokens)):
            if token.kind is Kind.NUMBER and following.kind is Kind.WORD:
                self.written[place] += " "  # "1WHEN" was two tokens until PostgreSQL 15, and is on Redshift

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Token:
        return self.tokens[self._places[index]]

    def text(self, index: int) -> str:
        """The text of the token there, upper case if it is a word; empty beyond either end."""
        if not 0 <= index < len(self._places):
            return ""
        token = self.tokens[self._places[index]]
        return token.upper or token.text

    def reads(self, index: int, *texts: str) -> bool:
        """Whether the tokens from `index` on are these."""
        return all(self.text(index + offset) == text for offset, text in enumerate(texts))

    def closing(self, opening: int) -> int:
        """The parenthesis that closes the one at `opening`; the last token where none does."""
        depth = 0
        for index in range(opening, len(self)):
            text = self.text(index)
            depth += (text in ("(", "[")) - (text in (")", "]"))
            if depth == 0:
                return index
        return len(self) - 1

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

    def output(self, index: int) -> str:
        """What is written so far in the place of the token there."""
        return self.written[self._places[index]]

    def render(self, begin: int, end: int) -> str:
        """The output so far of the tokens from `begin` to before `end`, with what is between them."""
        if begin >= end:
            return ""
        return "".join(self.written[self._places[begin] : self._places[end - 1] + 1])

    def blank(self, begin: int, end: int) -> None:
        """Take these tokens out, comments between them stay."""
        for place in self._places[begin:end]:
            self.written[place] = ""

    def write(self, index: int, text: str) -> None:
        """Put `text` in the place of the token there."""
        self.written[self._places[index]] = text

    def replace(self, begin: int, end: int, text: str) -> None:
        """Put `text` in the place of these tokens and of what is between them."""
        for place in range(self._places[begin], self._places[end - 1] + 1):
            self.written[place] = ""
        self.write(begin, text)

    def append(self, index: int, text: str) -> None:
        """Put `text` behind the token there."""
        self.written[self._places[index]] += text
