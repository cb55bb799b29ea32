"""Patterns for messages whose fields have blanks between them: [ip, ..., status = 4* || status = 500, bytes > 1000].

Each name stands for one field, an ellipsis for any number of fields, and nothing between two commas for a field
without a name. Text between square brackets or double quotes is one field of a message. Blanks are spaces, tabs and
line ends.

If there is no ellipsis, the last name takes the rest of the message. AWS's own pattern for functions' lines,
``[timestamp=*Z, request_id="*-*", event]``, relies on that, and so does the guide's ``[w1=ERROR, w2]``, which finds
messages of many words. A message with fewer fields than names doesn't match; ``[]`` matches every message.

Decided here, where AWS's guide says nothing: a condition may only name its own field (AWS refuses a condition on
another field), a name must not occur twice, and parentheses are not allowed.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from localaws.logs.patterns.conditions import Condition, parse_conditions
from localaws.logs.patterns.errors import InvalidPattern
from localaws.logs.patterns.operands import Comparison
from localaws.logs.patterns.tokens import Tokens

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIELD = re.compile(r'\s*(?:\[([^\]]*)\]|"([^"]*)"|(\S+))')
_WITHOUT_BRACKETS = re.compile(r'\s*(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True)
class _Field:
    """A field of the pattern: its name and its condition, if it has them."""

    name: str = ""
    condition: Condition[str] | None = None

    def holds(self, text: str) -> bool:
        return self.condition is None or self.condition.holds(text)


@dataclass(frozen=True)
class DelimitedPattern:
    """Conditions on the fields of a message, by their places."""

    before: tuple[_Field, ...]
    after: tuple[_Field, ...] | None
    """The fields after an ellipsis; None if there is no ellipsis."""

    def matches(self, message: str) -> bool:
        """Whether `message` has the fields, and the conditions hold."""
        fields = self._fields(message)
        return fields is not None and all(field.holds(text) for field, text in fields)

    def extracted(self, message: str) -> dict[str, str]:
        """The fields of a message that matches: $NAME, or $1, $2, … for those without a name."""
        fields = self._fields(message) or []
        return {f"${field.name or place}": text for place, (field, text) in enumerate(fields, 1)}

    def _fields(self, message: str) -> list[tuple[_Field, str]] | None:
        """Pair the pattern's fields with the message's; None if the message has too few."""
        if self.after is None and self.before:
            texts = _split(message, len(self.before))
            return list(zip(self.before, texts, strict=True)) if len(texts) == len(self.before) else None
        after, texts = self.after or (), _split(message)
        unnamed = len(texts) - len(self.before) - len(after)
        if unnamed < 0:
            return None
        return list(zip((*self.before, *(_Field(),) * unnamed, *after), texts, strict=True))


def _split(message: str, most: int | None = None) -> list[str]:
    """Split `message` into fields: at most `most`, the last of which is the rest."""
    texts: list[str] = []
    at, last_bracket = 0, message.rfind("]")
    # After the last "]", don't look for brackets. Otherwise a message with many "[" would take quadratic time.
    while (found := (_FIELD if at <= last_bracket else _WITHOUT_BRACKETS).match(message, at)) is not None:
        if most is not None and len(texts) == most - 1 and message[found.end() :].strip():
            return [*texts, message[at:].strip()]
        texts.append(next(group for group in found.groups() if group is not None))
        at = found.end()
    return texts


def parse_delimited(text: str) -> DelimitedPattern:
    """Parse a pattern, given without its square brackets.

    Raises:
        InvalidPattern: `text` is not a valid pattern.
    """
    tokens = Tokens(text)
    parts: list[list[_Field]] = [[]]
    while not (tokens.at_end and parts == [[]]):
        if tokens.take(r"\.\.\."):
            parts.append([])
        else:
            parts[-1].append(_field(tokens))
        if tokens.at_end:
            break
        if not tokens.take(","):
            raise tokens.wrong()
    names = [field.name for part in parts for field in part if field.name]
    if len(parts) > 2 or len(set(names)) != len(names):
        raise InvalidPattern
    return DelimitedPattern(tuple(parts[0]), tuple(parts[1]) if len(parts) == 2 else None)


def _field(tokens: Tokens) -> _Field:
    name = tokens.take(_NAME)
    if name is None:
        return _Field()
    if tokens.at_end or tokens.sees(","):
        return _Field(name)
    # The name was read already for the first condition, and is repeated before each further one.
    waiting = [name]

    def single() -> Comparison:
        named = waiting.pop() if waiting else tokens.take(_NAME)
        if named != name:
            raise InvalidPattern
        return tokens.comparison()

    return _Field(name, parse_conditions(tokens, single))
