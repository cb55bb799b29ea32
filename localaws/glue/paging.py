"""Pagination as in the Glue API: https://docs.aws.amazon.com/glue/latest/webapi/Welcome.html (NextToken).

A token holds the last item of its page and a digest of the request that it belongs to. So the next page starts at the
right place even if items are added or removed in between, and a token from a different request is refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from moto.glue.exceptions import InvalidInputException

Item = TypeVar("Item")
# Parameters that choose the page and the fields, but not which items are listed.
_OF_THE_PAGE = ("NextToken", "MaxResults", "ExcludeColumnSchema", "HidePassword", "IncludeGraph")


class Question:
    """A list request: the operation, and the parameters that select the items."""

    def __init__(self, operation: str, request: Mapping[str, Any], default: int) -> None:
        self._asked = {name: value for name, value in request.items() if name not in _OF_THE_PAGE}
        self._operation = operation
        self._token: str = request.get("NextToken") or ""
        self.size: int = request.get("MaxResults") or default

    @property
    def after(self) -> str | None:
        """The last item of the previous page; None on the first page.

        Raises:
            InvalidInputException: the token is malformed or belongs to a different request.
        """
        if not self._token:
            return None
        try:
            digest, last = json.loads(base64.urlsafe_b64decode(self._token.encode()))
        except (ValueError, TypeError, RecursionError):
            digest = last = None
        if digest != self._digest() or not isinstance(last, str):
            raise InvalidInputException(
                self._operation, f"The pagination token {self._token} is not valid for this request"
            )
        return last

    def token(self, last: str) -> str:
        """The token of the page that begins after the item `last`."""
        return base64.urlsafe_b64encode(json.dumps([self._digest(), last]).encode()).decode()

    def _digest(self) -> str:
        asked = json.dumps([self._operation, self._asked], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()[:16]


def by_name(items: Iterable[Item], name: Callable[[Item], str], question: Question) -> tuple[list[Item], str | None]:
    """Sort `items` by name; return the requested page and the token of the next one."""
    ordered = sorted(items, key=name)
    after = question.after
    start = 0 if after is None else bisect_right(ordered, after, key=name)
    return _cut(ordered, start, name, question)


def by_age(items: Sequence[Item], id_of: Callable[[Item], str], question: Question) -> tuple[list[Item], str | None]:
    """Return the requested page of `items`, which come newest first, and the token of the next one.

    The oldest items are dropped first: if the last item of the previous page is gone, so are all that followed it.
    """
    after = question.after
    start = 0 if after is None else next((n for n, item in enumerate(items, 1) if id_of(item) == after), len(items))
    return _cut(items, start, id_of, question)


def _cut(
    items: Sequence[Item], start: int, key: Callable[[Item], str], question: Question
) -> tuple[list[Item], str | None]:
    shown = list(items[start : start + question.size])
    more = start + question.size < len(items)
    return shown, question.token(key(shown[-1])) if more else None
