"""Lists in pages, as the Glue API gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from moto.glue.exceptions import InvalidInputException

Item = TypeVar("Item")


def page(items: Sequence[Item], request: Mapping[str, Any], default: int = 100) -> tuple[list[Item], str | None]:
    """The page of `items` that `request` asks for (MaxResults, NextToken), and the token of the next one.

    Raises:
        InvalidInputException: the token is none of ours.
    """
    token = request.get("NextToken") or "0"
    if not token.isdigit():
        raise InvalidInputException("NextToken", f"The pagination token {token} is not valid")
    start = int(token)
    end = start + (request.get("MaxResults") or default)
    return list(items[start:end]), str(end) if end < len(items) else None
