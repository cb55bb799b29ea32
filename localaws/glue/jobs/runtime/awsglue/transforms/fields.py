"""Transforms of a frame's fields."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import functions as F

from awsglue._fields import quoted
from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection

from .base import GlueTransform


class ApplyMapping(GlueTransform):
    """Selects, renames and casts fields."""

    def __call__(
        self,
        frame: DynamicFrame,
        mappings: Sequence[tuple[str, ...]],
        *,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        case_sensitive: bool = False,
    ) -> DynamicFrame:
        """See DynamicFrame.apply_mapping."""
        return frame.apply_mapping(
            mappings,
            transformation_ctx=transformation_ctx,
            info=info,
            stageThreshold=stageThreshold,
            totalThreshold=totalThreshold,
            case_sensitive=case_sensitive,
        )


class SelectFields(GlueTransform):
    """Keeps the named fields."""

    def __call__(
        self,
        frame: DynamicFrame,
        paths: Sequence[str],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrame.select_fields."""
        return frame.select_fields(paths, transformation_ctx, info, stageThreshold, totalThreshold)


class DropFields(GlueTransform):
    """Drops the named fields."""

    def __call__(
        self,
        frame: DynamicFrame,
        paths: Sequence[str],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrame.drop_fields."""
        return frame.drop_fields(paths, transformation_ctx, info, stageThreshold, totalThreshold)


class RenameField(GlueTransform):
    """Renames a field."""

    def __call__(
        self,
        frame: DynamicFrame,
        old_name: str,
        new_name: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrame.rename_field."""
        return frame.rename_field(old_name, new_name, transformation_ctx, info, stageThreshold, totalThreshold)


class ResolveChoice(GlueTransform):
    """Resolves choice types; here, it only casts."""

    def __call__(
        self,
        frame: DynamicFrame,
        specs: Sequence[tuple[str, str]] | None = None,
        choice: str = "",
        *,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        database: str | None = None,
        table_name: str | None = None,
        catalog_id: str | None = None,
    ) -> DynamicFrame:
        """See DynamicFrame.resolveChoice."""
        return frame.resolveChoice(
            specs, choice, database, table_name, transformation_ctx, info, stageThreshold, totalThreshold, catalog_id
        )


class DropNullFields(GlueTransform):
    """Drops the fields that are null or missing in every record."""

    def __call__(
        self,
        frame: DynamicFrame,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Return the frame without these fields."""
        df = frame.toDF()
        if not df.columns:
            return frame
        counts = df.agg(*(F.count(F.col(quoted(name))).alias(name) for name in df.columns)).first()
        absent = [quoted(name) for name in df.columns if counts[name] == 0]
        return frame.drop_fields(absent, transformation_ctx, info, stageThreshold, totalThreshold)


class SplitFields(GlueTransform):
    """Splits a frame in two: the named fields, and the others."""

    def __call__(
        self,
        frame: DynamicFrame,
        paths: Sequence[str],
        name1: str | None = None,
        name2: str | None = None,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrameCollection:
        """See DynamicFrame.split_fields; the names default to the frame's name, or "frame", with 1 and 2."""
        stem = frame.name or "frame"
        first, second = (f"{stem}1" if name1 is None else name1), (f"{stem}2" if name2 is None else name2)
        return frame.split_fields(paths, first, second, transformation_ctx, info, stageThreshold, totalThreshold)


class UnnestFrame(GlueTransform):
    """Turns the fields of structs into top-level fields."""

    def __call__(
        self,
        frame: DynamicFrame,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrame.unnest."""
        return frame.unnest(transformation_ctx, info, stageThreshold, totalThreshold)
