"""The tokens that lead from one page of an answer to the next.

A token says after which item the next page begins, so items that are added or deleted meanwhile do not shift it. It
also says what it was made for: a token for another group, for example, is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import NamedTuple

from moto.logs.exceptions import InvalidParameterException

_HIGHEST = 2**62
_OF_STREAM = re.compile(r"([fb])/([0-9]{1,19})\.([0-9]{1,19})\.([0-9]{1,19})\.([0-9]{1,19})")

Key = list[str | int]


class Position(NamedTuple):
    """The position of an event among others. With zeros at its end, it is a position between events."""

    timestamp: int
    ingested: int = 0
    id: int = 0


def invalid_token() -> InvalidParameterException:
    """Return AWS's error for a token that was not made for the request."""
    return InvalidParameterException("The specified nextToken is invalid.")


def token(made_for: Key, after: Key) -> str:
    """Make the token for an answer that was `made_for` this request, and ended with `after`."""
    return base64.urlsafe_b64encode(json.dumps([made_for, after]).encode()).decode()


def after(given: str, made_for: Key, types: tuple[type, ...]) -> Key:
    """Return what the page before ended with, of the given `types`.

    Raises:
        InvalidParameterException: `given` is not a token that was `made_for` this request.
    """
    try:
        found = json.loads(base64.urlsafe_b64decode(given.encode()))
    except (ValueError, binascii.Error, RecursionError):
        raise invalid_token() from None
    if not (isinstance(found, list) and len(found) == 2 and found[0] == made_for and isinstance(found[1], list)):
        raise invalid_token()
    key: Key = found[1]
    if [type(part) for part in key] != list(types) or any(isinstance(part, int) and part > _HIGHEST for part in key):
        raise invalid_token()
    return key


def stream_token(direction: str, stream: int, position: Position) -> str:
    """Make a token of GetLogEvents, which leads forward (f) or back (b)."""
    return f"{direction}/{stream}.{position.timestamp}.{position.ingested}.{position.id}"


def in_stream(given: str, stream: int) -> tuple[str, Position]:
    """Return the direction and the position in a token of `stream`.

    Raises:
        InvalidParameterException: `given` is not a token of this stream.
    """
    found = _OF_STREAM.fullmatch(given)
    numbers = [int(part) for part in found.groups()[1:]] if found else []
    if found is None or numbers[0] != stream or max(numbers) > _HIGHEST:
        raise invalid_token()
    return found[1], Position(*numbers[1:])
