"""The errors of this ``awsglue``, above all the one for what it does not support."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

# The default of parameters that take options.
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class NotSupportedLocally(NotImplementedError):
    """A name, parameter or value of Glue's API that the embedded AWS does not have."""

    def __init__(self, what: str, supported: Iterable[str] = ()) -> None:
        self.what = what
        known = ", ".join(sorted(supported))
        super().__init__(
            f"{what} is not supported by the embedded AWS." + (f" Supported here: {known}." if known else "")
        )


def refuse_unknown(where: str, given: Iterable[str], supported: Iterable[str]) -> None:
    """Raise NotSupportedLocally for the first of the names `given` that isn't `supported`, rather than ignore it."""
    supported = set(supported)
    for name in given:
        if name not in supported:
            raise NotSupportedLocally(f"{where}: option {name!r}", supported)


class TooManyErrors(Exception):
    """A frame has as many errors as its threshold."""

    def __init__(self, frame: str, count: int, threshold: int) -> None:
        super().__init__(f"{count} errors in the frame {frame!r}; the threshold is {threshold}")
