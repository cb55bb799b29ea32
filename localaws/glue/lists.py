"""What every part of the Glue API shares: lists come in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse

from localaws.glue import paging

Item = TypeVar("Item")
DEFAULT_PAGE = 100


class Lists(GlueResponse):
    """A part of the API with operations that list."""

    def page_by_name(
        self, items: Iterable[Item], name: Callable[[Item], str], default: int = DEFAULT_PAGE
    ) -> tuple[list[Item], str | None]:
        """The page that the request asks for, of what has unique names; and the token of the next one."""
        return paging.by_name(items, name, self._question(default))

    def page_by_age(
        self, items: Sequence[Item], id_of: Callable[[Item], str], default: int = DEFAULT_PAGE
    ) -> tuple[list[Item], str | None]:
        """The page that the request asks for, of what is listed with the newest first."""
        return paging.by_age(items, id_of, self._question(default))

    def paged(self, member: str, shown: list[Any], token: str | None) -> ActionResult:
        """The answer of an operation that lists."""
        return ActionResult({member: shown, "NextToken": token} if token else {member: shown})

    def has_tags(self, arn: str, wanted: dict[str, str] | None) -> bool:
        """Whether what has this ARN has all the tags that are wanted."""
        return (wanted or {}).items() <= self.glue_backend.get_tags(arn).items()

    def _question(self, default: int) -> paging.Question:
        return paging.Question(self._get_action(), self.parameters, default)
