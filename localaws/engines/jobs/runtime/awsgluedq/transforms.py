"""What Glue Studio imports for targets with data quality turned on."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(
        f"awsgluedq.transforms.{name} is not supported by the embedded AWS. Turn data quality off in the node, or leave"
        " the lines that name it out of the script."
    )
