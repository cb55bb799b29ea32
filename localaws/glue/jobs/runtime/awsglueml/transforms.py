"""FillMissingValues, FindMatches and FindIncrementalMatches, and the EntityDetector of Glue Studio's "Detect PII"."""

from __future__ import annotations

from typing import NoReturn

from awsglue._errors import NotSupportedLocally
from awsglue.transforms import FillMissingValues, FindIncrementalMatches, FindMatches

__all__ = ["EntityDetector", "FillMissingValues", "FindIncrementalMatches", "FindMatches"]


class EntityDetector:
    """Not supported here: creating one raises NotSupportedLocally.

    https://docs.aws.amazon.com/glue/latest/dg/detect-PII.html
    """

    def __init__(self) -> None:
        _refuse()


def _refuse() -> NoReturn:
    raise NotSupportedLocally("awsglueml.transforms.EntityDetector")
