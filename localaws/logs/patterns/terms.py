"""Patterns for unstructured text: ERROR "access denied" -retry, ?ERROR ?WARN, or one %regex%.

A term matches anywhere in a message, even inside a word: in the guide's own example, ERROR matches ``ERRORCODE: -1``,
and Exception matches ``IllegalArgumentException``. Upper and lower case differ. A term with other characters than
letters, digits and underscores needs double quotes; within them, a backslash escapes a quote or a backslash. Terms
with a question mark have no effect if there are other terms, as the guide says.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from localaws.logs.patterns.errors import InvalidPattern, invalid_character
from localaws.logs.patterns.regexes import Regex, compile_regex

_TERM = re.compile(r'([-?]?)(?:([A-Za-z0-9_]+)|"((?:[^"\\]|\\["\\])*)")(?=\s|$)')
_BLANK = re.compile(r"\s*")
_WORD = re.compile(r"[-?]?[A-Za-z0-9_]*")


@dataclass(frozen=True)
class Terms:
    """Terms: a message must have all of the needed, none of the excluded, or any of the optional ones."""

    needed: tuple[str, ...]
    excluded: tuple[str, ...]
    optional: tuple[str, ...]

    def matches(self, message: str) -> bool:
        """Whether the terms select `message`."""
        if self.optional and not self.needed and not self.excluded:
            return any(term in message for term in self.optional)
        return all(term in message for term in self.needed) and not any(term in message for term in self.excluded)

    def extracted(self, message: str) -> dict[str, str]:
        """Nothing: there are no fields."""
        del message
        return {}


@dataclass(frozen=True)
class WholeRegex:
    """A pattern that is one regular expression."""

    regex: Regex

    def matches(self, message: str) -> bool:
        """Whether some part of `message` matches."""
        return self.regex.found_in(message)

    def extracted(self, message: str) -> dict[str, str]:
        """Nothing: there are no fields."""
        del message
        return {}


def parse_terms(text: str) -> Terms | WholeRegex:
    """Parse a pattern that begins with neither { nor [.

    Raises:
        InvalidPattern: `text` is not a valid pattern.
    """
    text = text.strip()
    if text.startswith("%"):
        if len(text) < 2 or not text.endswith("%"):
            raise invalid_character("%")
        return WholeRegex(compile_regex(text[1:-1]))
    terms: dict[str, list[str]] = {"": [], "-": [], "?": []}
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise _reason(text, at)
        # Two quotes around blanks match everything, the guide says.
        phrase = found[2] or unescaped(found[3])
        if found[1] or phrase.strip():
            terms[found[1]].append(phrase)
        at = _end(_BLANK, text, found.end())
    return Terms(tuple(terms[""]), tuple(terms["-"]), tuple(terms["?"]))


def unescaped(phrase: str) -> str:
    """Return the text between two double quotes, without the backslashes before quotes and backslashes."""
    return re.sub(r"\\(.)", r"\1", phrase)


def _reason(text: str, at: int) -> InvalidPattern:
    """Return the error for text at `at` that is not a term."""
    wrong = text[_end(_WORD, text, at) :][:1]
    return InvalidPattern() if wrong in ("", '"') or wrong.isspace() else invalid_character(wrong)


def _end(expression: re.Pattern[str], text: str, at: int) -> int:
    found = expression.match(text, at)
    return found.end() if found else at
