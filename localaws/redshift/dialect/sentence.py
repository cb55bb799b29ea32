"""A statement that is being rewritten: its tokens, and the text that replaces each.

The tokens never change: a rule only changes the text that is written for single tokens. So string literals, quoted
identifiers, dollar quotes and comments stay as they are unless a rule is for them, and every place in the output can be
mapped back to a place in the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from localaws.redshift.sql.tokens import Kind, Token


class Sentence:
    """The tokens of one statement; `self[i]` is the i-th token, not counting spaces and comments."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.written = [token.text for token in tokens]  # the text for each token
        self._places = [place for place, token in enumerate(tokens) if not token.is_blank]
        for place, (token, following) in enumerate(pairwise(tokens)):
            if token.kind is Kind.NUMBER and following.kind is Kind.WORD:
                self.written[place] += " "  # "1WHEN" is two tokens on Redshift, as in PostgreSQL before 15

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Token:
        return self.tokens[self._places[index]]

    def text(self, index: int) -> str:
        """Return the text of the token at `index`, in upper case if it is a word; empty beyond either end."""
        if not 0 <= index < len(self._places):
            return ""
        token = self.tokens[self._places[index]]
        return token.upper or token.text

    def reads(self, index: int, *texts: str) -> bool:
        """Whether the tokens from `index` on have these texts."""
        return all(self.text(index + offset) == text for offset, text in enumerate(texts))

    def closing(self, opening: int) -> int:
        """Return the index of the parenthesis that closes the one at `opening`; the last token's if none does."""
        depth = 0
        for index in range(opening, len(self)):
            text = self.text(index)
            depth += (text in ("(", "[")) - (text in (")", "]"))
            if depth == 0:
                return index
        return len(self) - 1

    def parts(self, opening: int, closing: int) -> list[tuple[int, int]]:
        """Split what is between two parentheses at its commas; return the start and the end of each part."""
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
        """Return the current text for the token at `index`."""
        return self.written[self._places[index]]

    def render(self, begin: int, end: int) -> str:
        """Return the current text for the tokens from `begin` to before `end`, and for what is between them."""
        if begin >= end:
            return ""
        return "".join(self.written[self._places[begin] : self._places[end - 1] + 1])

    def blank(self, begin: int, end: int) -> None:
        """Remove these tokens; comments between them stay."""
        for place in self._places[begin:end]:
            self.written[place] = ""

    def write(self, index: int, text: str) -> None:
        """Replace the token at `index` by `text`."""
        self.written[self._places[index]] = text

    def replace(self, begin: int, end: int, text: str) -> None:
        """Replace these tokens, and everything between them, by `text`."""
        for place in range(self._places[begin], self._places[end - 1] + 1):
            self.written[place] = ""
        self.write(begin, text)

    def append(self, index: int, text: str) -> None:
        """Add `text` after the token at `index`."""
        self.written[self._places[index]] += text
