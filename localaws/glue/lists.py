"""Pagination of lists, which every part of the Glue API shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse

from localaws.glue import paging

Item = TypeVar("Item")
DEFAULT_PAGE = 100


class Lists(GlueResponse):
    """Base of the parts of the API that have list operations."""

    def page_by_name(
        self, items: Iterable[Item], name: Callable[[Item], str], default: int = DEFAULT_PAGE
    ) -> tuple[list[Item], str | None]:
        """Return the requested page of `items`, which have unique names, and the token of the next page."""
        return paging.by_name(items, name, self._question(default))

    def page_by_age(
        self, items: Sequence[Item], id_of: Callable[[Item], str], default: int = DEFAULT_PAGE
    ) -> tuple[list[Item], str | None]:
        """Return the requested page of `items`, which come newest first, and the token of the next page."""
        return paging.by_age(items, id_of, self._question(default))

    def paged(self, member: str, shown: list[Any], token: str | None) -> ActionResult:
        """Return the response of a list operation."""
        return ActionResult({member: shown, "NextToken": token} if token else {member: shown})

    def has_tags(self, arn: str, wanted: dict[str, str] | None) -> bool:
        """Whether the resource `arn` has all the `wanted` tags."""
        return (wanted or {}).items() <= self.glue_backend.get_tags(arn).items()

    def _question(self, default: int) -> paging.Question:
        return paging.Question(self._get_action(), self.parameters, default)
