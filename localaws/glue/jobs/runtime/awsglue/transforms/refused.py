"""Transforms that the embedded AWS does not have: using one raises NotSupportedLocally with its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from awsglue._errors import NotSupportedLocally
from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection

from .base import GlueTransform


def _refuse(name: str) -> NoReturn:
    raise NotSupportedLocally(f"awsglue.transforms.{name}")


class Relationalize(GlueTransform):
    """Not supported here: using it raises NotSupportedLocally."""

    def __call__(
        self,
        frame: DynamicFrame,
        staging_path: str | None = None,
        name: str = "roottable",
        options: Mapping[str, Any] | None = None,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrameCollection:
        """Raises NotSupportedLocally."""
        _refuse("Relationalize")


class Unbox(GlueTransform):
    """Not supported here: using it raises NotSupportedLocally."""

    def __call__(
        self,
        frame: DynamicFrame,
        path: str,
        format: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        **options: Any,
    ) -> DynamicFrame:
        """Raises NotSupportedLocally."""
        _refuse("Unbox")


class Union(GlueTransform):
    """Not supported here: using it raises NotSupportedLocally."""

    def __call__(
        self,
        frame1: DynamicFrame,
        frame2: DynamicFrame,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Raises NotSupportedLocally."""
        _refuse("Union")


class FillMissingValues(GlueTransform):
    """Not supported here: using it raises NotSupportedLocally."""

    def __call__(
        self,
        frame: DynamicFrame,
        missing_values_column: str,
        output_column: str = "",
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Raises NotSupportedLocally."""
        _refuse("FillMissingValues")


class FindMatches(GlueTransform):
    """Not supported here: using it raises NotSupportedLocally."""

    def __call__(
        self,
        frame: DynamicFrame,
        transformId: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        enforcedMatches: DynamicFrame | None = None,
    ) -> DynamicFrame:
        """Raises NotSupportedLocally."""
        _refuse("FindMatches")


class FindIncrementalMatches(GlueTransform):
    """Not supported here: using it raises NotSupportedLocally."""

    def __call__(
        self,
        existingFrame: DynamicFrame,
        incrementalFrame: DynamicFrame,
        transformId: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        enforcedMatches: DynamicFrame | None = None,
    ) -> DynamicFrame:
        """Raises NotSupportedLocally."""
        _refuse("FindIncrementalMatches")
