"""The exclude patterns of a crawler, which jobs follow as well.

The exclude patterns of a crawler are stored with its tables, and `create_dynamic_frame.from_catalog` leaves out what
matches: https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html#crawler-data-stores-exclude
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from awsglue._s3 import S3Object

PARAMETER = "exclusions"
# The order counts: a double star comes before a single one, and an escaped character before its special meaning.
_PARTS = re.compile(
    r"\\(?P<escaped>.)|(?P<deep>\*\*)|(?P<any>\*)|(?P<one>\?)|\[(?P<set>[^\]][^\]]*)\]|(?P<plain>.)", re.DOTALL
)


def is_excluded(parameters: Mapping[str, str]) -> Callable[[S3Object], bool] | None:
    """Return a test whether a table's parameters exclude an object; None if they exclude nothing."""
    patterns = json.loads(parameters.get(PARAMETER) or "[]")
    if not patterns:
        return None
    compiled = re.compile("|".join(f"(?:{_expression(pattern)})" for pattern in patterns), re.DOTALL)
    return lambda item: compiled.fullmatch(item.uri) is not None


def _expression(pattern: str) -> str:
    """Return the regular expression of a Glue glob that begins with the s3:// address of its include path."""
    out, in_group = "", False
    for part in _PARTS.finditer(pattern):
        plain = part["plain"] or ""
        if part["deep"]:
            out += ".*"
        elif part["any"]:
            out += "[^/]*"
        elif part["one"]:
            out += "[^/]"
        elif part["set"]:
            inside = part["set"].replace("\\", "\\\\").replace("[", "\\[")
            out += f"(?!/)[{'^' + inside[1:] if inside[0] == '!' else inside}]"
        elif plain == "{" and not in_group:
            in_group, out = True, out + "(?:"
        elif plain == "}" and in_group:
            in_group, out = False, out + ")"
        elif plain == "," and in_group:
            out += "|"
        else:
            out += re.escape(part["escaped"] or plain)
    return out
