"""The wildcards of policies: `*` for any characters, `?` for one.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from functools import lru_cache

_ARN_PARTS = 6
LITERAL = "\0"
"""In a pattern: the next character stands for itself, even if it is a wildcard. People don't write this character."""

_PIECE = re.compile(f"{LITERAL}.|.", re.DOTALL)


@lru_cache(maxsize=4096)
def wildcards(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Return `pattern` as a regular expression for `fullmatch`."""
    return re.compile(_translated(pattern, ".*", "."), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


@lru_cache(maxsize=4096)
def arns(pattern: str) -> re.Pattern[str]:
    """Return a pattern of ARNs as a regular expression. Only a wildcard at the end matches across the parts' colons."""
    parts = pattern.split(":", _ARN_PARTS - 1)
    translated = [_translated(part, "[^:]*", "[^:]") for part in parts[:-1]]
    if len(parts) == _ARN_PARTS:
        translated.append(_translated(parts[-1], ".*", "."))
    else:
        ends = parts[-1].endswith("*")
        translated.append(_translated(parts[-1].removesuffix("*"), "[^:]*", "[^:]") + (".*" if ends else ""))
    return re.compile(":".join(translated), re.DOTALL)


def _translated(pattern: str, many: str, one: str) -> str:
    meanings = {"*": many, "?": one}
    return "".join(
        re.escape(piece[1:]) if piece.startswith(LITERAL) else meanings.get(piece, re.escape(piece))
        for piece in _PIECE.findall(pattern)
    )
