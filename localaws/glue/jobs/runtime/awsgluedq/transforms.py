"""The import that Glue Studio puts into every script that it writes today: data quality is on for new targets.

https://docs.aws.amazon.com/glue/latest/dg/data-quality-gs-studio.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from awsglue._errors import NO_OPTIONS, NotSupportedLocally
from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection

__all__ = ["EvaluateDataQuality"]


class EvaluateDataQuality:
    """Not supported here: using it raises NotSupportedLocally."""

    @classmethod
    def apply(
        cls, frame: DynamicFrame, ruleset: str, publishing_options: Mapping[str, Any] = NO_OPTIONS
    ) -> DynamicFrame:
        """Raises NotSupportedLocally."""
        _refuse()

    def process_rows(
        self,
        frame: DynamicFrame,
        ruleset: str,
        publishing_options: Mapping[str, Any] = NO_OPTIONS,
        additional_options: Mapping[str, Any] = NO_OPTIONS,
        additional_data_sources: Mapping[str, DynamicFrame] = NO_OPTIONS,
    ) -> DynamicFrameCollection:
        """Raises NotSupportedLocally."""
        _refuse()


def _refuse() -> NoReturn:
    raise NotSupportedLocally(
        "awsgluedq.transforms.EvaluateDataQuality",
        ["a script without the lines that use it, or with data quality turned off in the nodes"],
    )
