"""The filter patterns of CloudWatch Logs: which messages a pattern selects.

::

    pattern = compile_pattern('{ $.level = "ERROR" && $.latency > 500 }')
    pattern.matches(message)

There are three kinds, which differ in their first character: terms (ERROR -retry, or one %regex%), conditions on JSON
in braces, and conditions on fields in square brackets. Each kind has a module, which says what was decided here where
AWS's guide is not clear. Anything that the guide doesn't define is refused.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from localaws.logs.patterns.delimited import parse_delimited
from localaws.logs.patterns.errors import InvalidPattern
from localaws.logs.patterns.json_events import parse_json
from localaws.logs.patterns.terms import parse_terms

__all__ = ["InvalidPattern", "Pattern", "compile_pattern"]


class Pattern(Protocol):
    """Selects messages."""

    def matches(self, message: str) -> bool:
        """Whether `message` is selected."""

    def extracted(self, message: str) -> dict[str, str]:
        """Return the values of a selected message's fields, as TestMetricFilter shows them."""


def compile_pattern(text: str) -> Pattern:
    """Parse a filter pattern.

    Raises:
        InvalidPattern: `text` is not a valid pattern.
    """
    text = text.strip()
    for start, end, parse in (("{", "}", parse_json), ("[", "]", parse_delimited)):
        if text.startswith(start):
            if not text.endswith(end):
                raise InvalidPattern(f"If a filter pattern starts with '{start}' it must end with '{end}'")
            return _parsed(parse, text[1:-1])
    return parse_terms(text)


def _parsed(parse: Callable[[str], Pattern], text: str) -> Pattern:
    try:
        return parse(text)
    except RecursionError:
        raise InvalidPattern from None
