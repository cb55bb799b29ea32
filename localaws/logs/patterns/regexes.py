r"""The regular expressions of filter patterns: %ERROR|WARN%.

CloudWatch Logs accepts a small part of the usual syntax: letters, digits, the symbols ``: _ # = @ / ; , -`` and the
operators ``^ $ ? [ ] { } | \ * + .``, with ``\d \s \w`` (and ``\D \S \W``) and ``\xhh``, and without groups. Anything
else is refused. A regex may match anywhere in the text, and ``.`` matches any character.

Decided here, where AWS's guide says nothing: a blank is allowed, since the guide's own example has one; ``^`` and
``$`` must be at the ends of an alternative; all alternatives together match at most 1,024 characters, not counting
unlimited repeats.

Without groups, an expression is a list of alternatives, and each alternative is a sequence of character sets. The
search follows all of them at the same time, one step per character. So its time grows only with the text, whatever the
expression. A search with backtracking could keep the server busy for hours.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field

from localaws.logs.patterns.errors import InvalidPattern, invalid_character

_PLAIN = frozenset(string.ascii_letters + string.digits + ":_#=@/;,- ")
_OPERATORS = frozenset("^$?[]{}|\\*+.")
_COUNT = re.compile(r"\{(\d*)(,?)(\d*)\}")
_MOST_STEPS = 1024
_MOST_STATES = 5000
_CLASSES = {
    "d": frozenset(string.digits),
    "s": frozenset(" \t\n"),
    "w": frozenset(string.ascii_letters + string.digits + "_"),
}


@dataclass(frozen=True)
class _Set:
    """Characters that match: those in `characters`, or with `inverted` all others."""

    characters: frozenset[str]
    inverted: bool = False

    def __contains__(self, character: str) -> bool:
        return (character in self.characters) != self.inverted

    def __or__(self, other: _Set) -> _Set:
        if self.inverted and other.inverted:
            return _Set(self.characters & other.characters, inverted=True)
        if self.inverted != other.inverted:
            these, those = (self, other) if self.inverted else (other, self)
            return _Set(these.characters - those.characters, inverted=True)
        return _Set(self.characters | other.characters)


_ANY = _Set(frozenset(), inverted=True)


@dataclass(frozen=True)
class _Step:
    """One character of a match. It may be missing if it is `optional`, and may occur several times if it `repeats`."""

    characters: _Set
    optional: bool
    repeats: bool


@dataclass(frozen=True)
class _Alternative:
    """One side of a vertical bar."""

    steps: tuple[_Step, ...]
    at_start: bool
    at_end: bool


_Places = frozenset[tuple[int, int]]
"""The positions of a search: (number of the alternative, step in it)."""


@dataclass(eq=False)
class _State:
    """A state of the search, with the following states that have been computed so far, by character."""

    places: _Places
    matches: bool
    """Whether the text matches, whatever follows."""
    matches_at_end: bool
    following: dict[str, _State] = field(default_factory=dict)


class Regex:
    """A regular expression of a filter pattern."""

    def __init__(self, alternatives: tuple[_Alternative, ...]) -> None:
        self._alternatives = alternatives
        self._states: dict[_Places, _State] = {}

    def found_in(self, text: str) -> bool:
        """Whether some part of `text` matches."""
        state = self._state({(number, 0) for number in range(len(self._alternatives))})
        for character in text:
            if state.matches:
                return True
            state = state.following.get(character) or self._follow(state, character)
        return state.matches_at_end

    def _follow(self, state: _State, character: str) -> _State:
        """Return the state that follows `state` on `character`, and remember it."""
        reached = {(number, 0) for number, each in enumerate(self._alternatives) if not each.at_start}
        for number, place in state.places:
            steps = self._alternatives[number].steps
            if place < len(steps) and character in steps[place].characters:
                reached.add((number, place + 1))
                if steps[place].repeats:
                    reached.add((number, place))
        then = state.following[character] = self._state(reached)
        return then

    def _state(self, places: set[tuple[int, int]]) -> _State:
        """Return the state for these places and for those that are reached from them by skipping optional steps."""
        waiting = list(places)
        while waiting:
            number, place = waiting.pop()
            steps = self._alternatives[number].steps
            if place < len(steps) and steps[place].optional and (number, place + 1) not in places:
                places.add((number, place + 1))
                waiting.append((number, place + 1))
        all_places = frozenset(places)
        if (known := self._states.get(all_places)) is not None:
            return known
        if len(self._states) >= _MOST_STATES:
            self._forget_states()
        ended = [
            self._alternatives[number].at_end
            for number, place in all_places
            if place == len(self._alternatives[number].steps)
        ]
        state = self._states[all_places] = _State(all_places, not all(ended), bool(ended))
        return state

    def _forget_states(self) -> None:
        for state in self._states.values():
            state.following.clear()
        self._states.clear()


def compile_regex(text: str) -> Regex:
    """Compile the text between two percent signs.

    Raises:
        InvalidPattern: it is outside of the syntax.
    """
    for character in text:
        if character not in _PLAIN and character not in _OPERATORS:
            raise invalid_character(character)
    alternatives = tuple(_Parser(text).alternatives())
    if sum(len(each.steps) for each in alternatives) > _MOST_STEPS:
        raise InvalidPattern
    return Regex(alternatives)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def alternatives(self) -> Iterator[_Alternative]:
        yield self._alternative()
        while self._take("|"):
            yield self._alternative()

    def _alternative(self) -> _Alternative:
        at_start, steps, at_end = self._take("^"), [], False
        while self._at < len(self._text) and self._text[self._at] != "|":
            if self._take("$"):
                at_end = True
                break
            characters = self._characters()
            steps += _repeated(characters, *self._counts())
        if not steps or (self._at < len(self._text) and self._text[self._at] != "|"):
            raise InvalidPattern
        return _Alternative(tuple(steps), at_start, at_end)

    def _characters(self) -> _Set:
        character = self._pop()
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escaped()
        if character == ".":
            return _ANY
        if character in _OPERATORS:
            raise InvalidPattern
        return _Set(frozenset(character))

    def _class(self) -> _Set:
        inverted = self._take("^")
        found = _Set(frozenset())
        while not self._take("]"):
            first = self._member()
            if self._text[self._at : self._at + 1] == "-" and self._text[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                first = _range(first, self._member())
            found |= first
        if not found.inverted and not found.characters:
            raise InvalidPattern
        return _Set(found.characters, found.inverted != inverted)

    def _member(self) -> _Set:
        character = self._pop()
        if character == "[":
            raise InvalidPattern
        return self._escaped() if character == "\\" else _Set(frozenset(character))

    def _escaped(self) -> _Set:
        character = self._pop()
        if character.lower() in _CLASSES:
            return _Set(_CLASSES[character.lower()], inverted=character.isupper())
        if character == "x":
            digits = self._pop() + self._pop()
            if not set(digits) <= set(string.hexdigits) or int(digits, 16) > 0x7F:
                raise InvalidPattern
            return _Set(frozenset(chr(int(digits, 16))))
        if character.isalnum():
            raise InvalidPattern
        return _Set(frozenset(character))

    def _counts(self) -> tuple[int, int | None]:
        """Read how often the characters before are repeated: at least, and at most (None: any number)."""
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return counts
        if self._text[self._at : self._at + 1] != "{":
            return 1, 1
        found = _COUNT.match(self._text, self._at)
        if found is None or not (found[1] or found[3]):
            raise InvalidPattern
        self._at = found.end()
        least = int(found[1] or 0)
        most = (int(found[3]) if found[3] else None) if found[2] else least
        if max(least, most or 0) > _MOST_STEPS or (most is not None and not 0 < most >= least):
            raise InvalidPattern
        return least, most

    def _take(self, character: str) -> bool:
        if self._text[self._at : self._at + 1] != character:
            return False
        self._at += 1
        return True

    def _pop(self) -> str:
        if self._at == len(self._text):
            raise InvalidPattern
        self._at += 1
        return self._text[self._at - 1]


def _range(first: _Set, last: _Set) -> _Set:
    if first.inverted or last.inverted or len(first.characters) != 1 or len(last.characters) != 1:
        raise InvalidPattern
    (low,), (high,) = first.characters, last.characters
    if low > high:
        raise InvalidPattern
    return _Set(frozenset(chr(code) for code in range(ord(low), ord(high) + 1)))


def _repeated(characters: _Set, least: int, most: int | None) -> list[_Step]:
    needed = [_Step(characters, optional=False, repeats=False)] * least
    if most is not None:
        return needed + [_Step(characters, optional=True, repeats=False)] * (most - least)
    if least:
        return [*needed[1:], _Step(characters, optional=False, repeats=True)]
    return [_Step(characters, optional=True, repeats=True)]
