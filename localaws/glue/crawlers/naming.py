"""Table names as Glue's crawler makes them, and exclude patterns.

https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html#crawler-data-stores-exclude
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

LONGEST = 128  # characters of a table's name: https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html


def table_name(prefix: str, *parts: str) -> str:
    """Return the table name for a folder, bucket or file, or for a database's ``(database, schema, table)``."""
    return re.sub(r"[^a-z0-9_]", "_", (prefix + "_".join(parts)).lower())[:LONGEST]


def distinct_name(name: str, location: str) -> str:
    """Return `name` with a hash of `location`, as Glue does if two tables would have the same name."""
    return f"{name[: LONGEST - 33]}_{hashlib.md5(location.encode(), usedforsecurity=False).hexdigest()}"


class Exclusions:
    """Glob patterns, relative to a target's include path."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises ValueError for a pattern that can't be read."""
        self.patterns = tuple(patterns)
        try:
            self._compiled = [re.compile(_glob(pattern) + r"\Z", re.DOTALL) for pattern in self.patterns]
        except re.error as error:
            raise ValueError(f"{error.pattern!r} can't be read: {error.msg}") from None

    def match(self, path: str) -> bool:
        """Whether `path`, relative to the include path, is excluded."""
        return any(pattern.match(path) for pattern in self._compiled)


def _glob(pattern: str) -> str:
    """Return the regular expression of a Glue glob: ``*`` stays within a folder, ``**`` crosses folders."""
    out, position, in_group = "", 0, 0
    while position < len(pattern):
        letter = pattern[position]
        position += 1
        if letter == "*":
            crosses = pattern[position : position + 1] == "*"
            position += crosses
            out += ".*" if crosses else "[^/]*"
        elif letter == "?":
            out += "[^/]"
        elif letter == "[":
            negated = pattern[position : position + 1] == "!"
            position += negated
            end = pattern.find("]", position + 1)
            if end < 0:
                raise ValueError(f"The bracket in the pattern {pattern} is not closed")
            inside = re.sub(r"[\\\[^&~|]", r"\\\g<0>", pattern[position:end])
            out += f"(?!/)[{'^' if negated else ''}{inside}]"
            position = end + 1
        elif letter == "{":
            if in_group:
                raise ValueError(f"The braces in the pattern {pattern} are nested")
            in_group += 1
            out += "(?:"
        elif letter == "}" and in_group:
            in_group -= 1
            out += ")"
        elif letter == "," and in_group:
            out += "|"
        elif letter == "\\" and position < len(pattern):
            out += re.escape(pattern[position])
            position += 1
        else:
            out += re.escape(letter)
    if in_group:
        raise ValueError(f"The brace in the pattern {pattern} is not closed")
    return out
