"""The tokens of patterns in braces and brackets, and their comparisons."""

from __future__ import annotations

import re
from decimal import Decimal

from localaws.logs.patterns.errors import InvalidPattern, invalid_character
from localaws.logs.patterns.operands import NUMBER, OPERATORS, Comparison, Matching, Number, Operand, Text, number
from localaws.logs.patterns.regexes import compile_regex
from localaws.logs.patterns.terms import unescaped

_MOST_REGEXES = 2
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_REGEX = re.compile(r"%([^%]*)%")
_BARE = re.compile(r"[A-Za-z0-9_.*]+")
_OPERATOR = re.compile("|".join(sorted(OPERATORS, key=len, reverse=True)))
_BLANK = re.compile(r"\s*")


class Tokens:
    """Reads a pattern from its start to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._regexes = 0
        self.skip()

    @property
    def at_end(self) -> bool:
        """Whether the whole pattern is read."""
        return self._at == len(self._text)

    def skip(self) -> None:
        """Skip blanks."""
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def take(self, expression: str | re.Pattern[str]) -> str | None:
        """Read text that matches `expression`, and the blanks after it. Return the text, or None if there is none."""
        found = re.compile(expression).match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        self.skip()
        return found[0]

    def sees(self, character: str) -> bool:
        """Whether `character` comes next."""
        return self._text.startswith(character, self._at)

    def wrong(self) -> InvalidPattern:
        """Return the error for the text that comes next."""
        character = self._text[self._at : self._at + 1]
        plain = not character or character.isalnum() or character in '"%$&|()=<>![]{}'
        return InvalidPattern() if plain else invalid_character(character)

    def comparison(self) -> Comparison:
        """Read an operator and its right side.

        Raises:
            InvalidPattern: one of them is missing.
        """
        operator = self.take(_OPERATOR)
        if operator is None:
            raise self.wrong()
        return Comparison(operator, self._operand())

    def _operand(self) -> Operand:
        if (found := _QUOTED.match(self._text, self._at)) is not None:
            operand: Operand = Text(unescaped(found[1]))
        elif (found := _REGEX.match(self._text, self._at)) is not None:
            self._regexes += 1
            if self._regexes > _MOST_REGEXES:
                raise InvalidPattern
            operand = Matching(compile_regex(found[1]))
        else:
            found, operand = self._bare()
        self._at = found.end()
        if not self.at_end and self._text[self._at] not in " \t\r\n,)&|":
            raise self.wrong()
        self.skip()
        return operand

    def _bare(self) -> tuple[re.Match[str], Operand]:
        """Return an operand without quotes: a number if the whole of it is one, otherwise text."""
        numeric, text = NUMBER.match(self._text, self._at), _BARE.match(self._text, self._at)
        if numeric is not None and (text is None or numeric.end() >= text.end()):
            value = number(numeric[0])
            if value is None:
                raise InvalidPattern
            return numeric, Number(Decimal(value))
        if text is None:
            raise self.wrong()
        return text, Text(text[0])
