"""FillMissingValues, FindMatches and FindIncrementalMatches."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(f"awsglueml.transforms.{name} is not supported by the embedded AWS.")
