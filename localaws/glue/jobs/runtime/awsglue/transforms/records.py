"""Transforms of a frame's records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection

from .base import GlueTransform


class Filter(GlueTransform):
    """Keeps the records for which a function returns true."""

    def __call__(
        self,
        frame: DynamicFrame,
        f: Callable[[Any], Any],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrame.filter."""
        return frame.filter(f, transformation_ctx, info, stageThreshold, totalThreshold)


class Map(GlueTransform):
    """Applies a function to each record."""

    def __call__(
        self,
        frame: DynamicFrame,
        f: Callable[[Any], Any],
        *,
        preservesPartitioning: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrame.map."""
        return frame.map(
            f,
            preservesPartitioning=preservesPartitioning,
            transformation_ctx=transformation_ctx,
            info=info,
            stageThreshold=stageThreshold,
            totalThreshold=totalThreshold,
        )


class Join(GlueTransform):
    """Joins two frames on equal keys."""

    def __call__(
        self,
        frame1: DynamicFrame,
        frame2: DynamicFrame,
        keys1: Sequence[str],
        keys2: Sequence[str],
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """See DynamicFrame.join."""
        return frame1.join(keys1, keys2, frame2, transformation_ctx)


class SplitRows(GlueTransform):
    """Splits a frame in two: the rows for which a comparison holds, and the others."""

    def __call__(
        self,
        frame: DynamicFrame,
        comparison_dict: Mapping[str, Mapping[str, Any]],
        name1: str = "frame1",
        name2: str = "frame2",
        transformation_ctx: str = "",
        info: str | None = None,
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrameCollection:
        """See DynamicFrame.split_rows."""
        return frame.split_rows(
            comparison_dict, name1, name2, transformation_ctx, info or "", stageThreshold, totalThreshold
        )


class Spigot(GlueTransform):
    """Writes a sample of a frame."""

    def __call__(
        self,
        frame: DynamicFrame,
        path: str,
        options: Mapping[str, Any],
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """See DynamicFrame.spigot."""
        return frame.spigot(path, options, transformation_ctx)


class Repartition(GlueTransform):
    """Spreads a frame over another number of partitions."""

    def __call__(
        self,
        frame: DynamicFrame,
        num_partitions: int,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrame.repartition."""
        return frame.repartition(num_partitions, transformation_ctx, info, stageThreshold, totalThreshold)


class Coalesce(GlueTransform):
    """Gathers a frame in fewer partitions."""

    def __call__(
        self,
        frame: DynamicFrame,
        num_partitions: int,
        shuffle: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrame.coalesce."""
        return frame.coalesce(
            num_partitions,
            shuffle=shuffle,
            transformation_ctx=transformation_ctx,
            info=info,
            stageThreshold=stageThreshold,
            totalThreshold=totalThreshold,
        )


class ErrorsAsDynamicFrame(GlueTransform):
    """Returns the errors of a frame."""

    def __call__(self, frame: DynamicFrame) -> DynamicFrame:
        """See DynamicFrame.errorsAsDynamicFrame."""
        return frame.errorsAsDynamicFrame()
