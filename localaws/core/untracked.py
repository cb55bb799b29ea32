"""Models that moto forgets when they are deleted."""

from __future__ import annotations

from typing import Any, Self


class Untracked:
    """Comes before one of moto's models among a class's bases: what is deleted is freed.

    moto keeps every model that was ever made in a list of its class (`BaseModel.__new__`), for its dashboard. In a
    server that list only grows.
    """

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make one as `object` does."""
        return object.__new__(cls)
