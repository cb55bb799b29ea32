"""The transforms that visual jobs use, each with `apply`.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-transforms.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyspark.sql import functions as F

from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection

__all__ = [
    "ApplyMapping",
    "DropFields",
    "DropNullFields",
    "ErrorsAsDynamicFrame",
    "Filter",
    "GlueTransform",
    "Join",
    "Map",
    "MapToCollection",
    "RenameField",
    "ResolveChoice",
    "SelectFields",
    "SelectFromCollection",
    "SplitFields",
]

# Documented transforms that are not here: importing one says so.
_REFUSED = {
    "DetectSensitiveData", "DropDuplicates", "EvaluateDataQuality", "FillMissingValues", "FillNaN",
    "FindIncrementalMatches", "FindMatches", "FlatMap", "Relationalize", "Spigot", "SplitRows", "Union", "Unbox",
    "UnnestFrame",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _REFUSED:
        supported = ", ".join(sorted(set(__all__) - {"GlueTransform"}))
        raise ImportError(
            f"awsglue.transforms.{name} is not supported by the embedded AWS. Supported here: {supported}."
        )
    raise AttributeError(f"module 'awsglue.transforms' has no attribute {name!r}")


class GlueTransform:
    """Base of all transforms."""

    @classmethod
    def name(cls) -> str:
        """The transform's name."""
        return cls.__name__


class ApplyMapping(GlueTransform):
    """Selects, renames and casts fields."""

    @classmethod
    def apply(
        cls, frame: DynamicFrame, mappings: Sequence[Sequence[str]], case_sensitive: bool = False, **_: Any
    ) -> DynamicFrame:
        """See DynamicFrame.apply_mapping."""
        return frame.apply_mapping(mappings, case_sensitive)


class SelectFields(GlueTransform):
    """Keeps the named fields."""

    @classmethod
    def apply(cls, frame: DynamicFrame, paths: Sequence[str], **_: Any) -> DynamicFrame:
        """See DynamicFrame.select_fields."""
        return frame.select_fields(paths)


class DropFields(GlueTransform):
    """Drops the named fields."""

    @classmethod
    def apply(cls, frame: DynamicFrame, paths: Sequence[str], **_: Any) -> DynamicFrame:
        """See DynamicFrame.drop_fields."""
        return frame.drop_fields(paths)


class RenameField(GlueTransform):
    """Renames a field."""

    @classmethod
    def apply(cls, frame: DynamicFrame, old_name: str, new_name: str, **_: Any) -> DynamicFrame:
        """See DynamicFrame.rename_field."""
        return frame.rename_field(old_name, new_name)


class ResolveChoice(GlueTransform):
    """Settles fields of more than one type; here, casts."""

    @classmethod
    def apply(
        cls,
        frame: DynamicFrame,
        specs: Sequence[tuple[str, str]] | None = None,
        choice: str = "",
        database: str | None = None,
        table_name: str | None = None,
        **_: Any,
    ) -> DynamicFrame:
        """See DynamicFrame.resolveChoice."""
        return frame.resolveChoice(specs, choice, database, table_name)


class Filter(GlueTransform):
    """Keeps the records that a function says yes to."""

    @classmethod
    def apply(cls, frame: DynamicFrame, f: Callable[[dict[str, Any]], bool], **_: Any) -> DynamicFrame:
        """See DynamicFrame.filter."""
        return frame.filter(f)


class Map(GlueTransform):
    """Applies a function to each record."""

    @classmethod
    def apply(cls, frame: DynamicFrame, f: Callable[[dict[str, Any]], dict[str, Any]], **_: Any) -> DynamicFrame:
        """See DynamicFrame.map."""
        return frame.map(f)


class DropNullFields(GlueTransform):
    """Drops the fields that are null or missing in every record."""

    @classmethod
    def apply(cls, frame: DynamicFrame, **_: Any) -> DynamicFrame:
        """The frame without them."""
        df = frame.toDF()
        if not df.columns:
            return frame
        counts = df.agg(*(F.count(F.col(f"`{name}`")).alias(name) for name in df.columns)).first()
        return frame.drop_fields([f"`{name}`" for name in df.columns if counts[name] == 0])


class Join(GlueTransform):
    """Joins two frames on equal keys."""

    @classmethod
    def apply(
        cls, frame1: DynamicFrame, frame2: DynamicFrame, keys1: Sequence[str], keys2: Sequence[str], **_: Any
    ) -> DynamicFrame:
        """See DynamicFrame.join."""
        return frame1.join(keys1, keys2, frame2)


class SplitFields(GlueTransform):
    """Splits a frame in two: the named fields, and the others."""

    @classmethod
    def apply(
        cls, frame: DynamicFrame, paths: Sequence[str], name1: str = "frame1", name2: str = "frame2", **_: Any
    ) -> DynamicFrameCollection:
        """The collection of both, as `name1` and `name2`."""
        frames = {name1: frame.select_fields(paths), name2: frame.drop_fields(paths)}
        return DynamicFrameCollection(frames, frame.glue_ctx)


class SelectFromCollection(GlueTransform):
    """One frame of a collection."""

    @classmethod
    def apply(cls, dfc: DynamicFrameCollection, key: str, **_: Any) -> DynamicFrame:
        """The frame called `key`."""
        return dfc.select(key)


class MapToCollection(GlueTransform):
    """Applies a function to each frame of a collection."""

    @classmethod
    def apply(
        cls, dfc: DynamicFrameCollection, callable: Callable[..., DynamicFrame], transformation_ctx: str = "", **_: Any
    ) -> DynamicFrameCollection:
        """See DynamicFrameCollection.map."""
        return dfc.map(callable, transformation_ctx)


class ErrorsAsDynamicFrame(GlueTransform):
    """The errors of a frame."""

    @classmethod
    def apply(cls, frame: DynamicFrame, **_: Any) -> DynamicFrame:
        """See DynamicFrame.errorsAsDynamicFrame."""
        return frame.errorsAsDynamicFrame()
