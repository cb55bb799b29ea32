"""The transforms that visual jobs use: `ApplyMapping.apply(frame=..., mappings=...)`, or `ApplyMapping()(frame, ...)`.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-transforms.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from pyspark.sql import functions as F

from awsglue._errors import NotSupportedLocally
from awsglue._fields import quoted
from awsglue.dynamicframe import NO_OPTIONS, DynamicFrame, DynamicFrameCollection

__all__ = [
    "ApplyMapping",
    "DropFields",
    "DropNullFields",
    "ErrorsAsDynamicFrame",
    "Filter",
    "FlatMap",
    "GlueTransform",
    "Join",
    "Map",
    "MapToCollection",
    "RenameField",
    "ResolveChoice",
    "SelectFields",
    "SelectFromCollection",
    "Spigot",
    "SplitFields",
    "SplitRows",
    "UnnestFrame",
]

# Documented transforms that are not here: importing one says so.
REFUSED = ("FillMissingValues", "FindIncrementalMatches", "FindMatches", "Relationalize", "Unbox")


def __getattr__(name: str) -> Any:
    if name in REFUSED:
        supported = ", ".join(sorted(set(__all__) - {"GlueTransform"}))
        raise ImportError(
            f"awsglue.transforms.{name} is not supported by the embedded AWS. Supported here: {supported}."
        )
    raise AttributeError(f"module 'awsglue.transforms' has no attribute {name!r}")


class GlueTransform:
    """Base of all transforms.

    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-GlueTransform.html
    """

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the transform."""
        return cls()(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the transform does."""
        raise NotSupportedLocally(f"{type(self).__name__}.__call__")

    @classmethod
    def name(cls) -> str:
        """The transform's name."""
        return cls.__name__

    @classmethod
    def describeArgs(cls) -> NoReturn:
        """Raises NotImplementedError, as Glue does for a transform that does not describe itself."""
        raise NotSupportedLocally(f"{cls.__name__}.describeArgs")

    @classmethod
    def describeReturn(cls) -> NoReturn:
        """See describeArgs."""
        raise NotSupportedLocally(f"{cls.__name__}.describeReturn")

    @classmethod
    def describeTransform(cls) -> NoReturn:
        """See describeArgs."""
        raise NotSupportedLocally(f"{cls.__name__}.describeTransform")

    @classmethod
    def describeErrors(cls) -> NoReturn:
        """See describeArgs."""
        raise NotSupportedLocally(f"{cls.__name__}.describeErrors")

    @classmethod
    def describe(cls) -> NoReturn:
        """See describeArgs."""
        raise NotSupportedLocally(f"{cls.__name__}.describe")


class ApplyMapping(GlueTransform):
    """Selects, renames and casts fields."""

    def __call__(
        self,
        frame: DynamicFrame,
        mappings: Sequence[Sequence[str]],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        *,
        case_sensitive: bool = False,
    ) -> DynamicFrame:
        """See DynamicFrame.apply_mapping."""
        return frame.apply_mapping(
            mappings, transformation_ctx, info, stageThreshold, totalThreshold, case_sensitive=case_sensitive
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
    """Settles fields of more than one type; here, casts."""

    def __call__(
        self,
        frame: DynamicFrame,
        specs: Sequence[tuple[str, str]] | None = None,
        choice: str = "",
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        *,
        database: str | None = None,
        table_name: str | None = None,
        catalog_id: str | None = None,
    ) -> DynamicFrame:
        """See DynamicFrame.resolveChoice."""
        return frame.resolveChoice(
            specs, choice, database, table_name, transformation_ctx, info, stageThreshold, totalThreshold, catalog_id
        )


class Filter(GlueTransform):
    """Keeps the records that a function says yes to."""

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
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrame.map."""
        return frame.map(f, transformation_ctx, info, stageThreshold, totalThreshold)


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
        """The frame without them."""
        df = frame.toDF()
        if not df.columns:
            return frame
        counts = df.agg(*(F.count(F.col(quoted(name))).alias(name) for name in df.columns)).first()
        absent = [quoted(name) for name in df.columns if counts[name] == 0]
        return frame.drop_fields(absent, transformation_ctx, info, stageThreshold, totalThreshold)


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
        """See DynamicFrame.split_fields; the frames are called frame1 and frame2 unless they are named."""
        return frame.split_fields(
            paths, name1 or "frame1", name2 or "frame2", transformation_ctx, info, stageThreshold, totalThreshold
        )


class SplitRows(GlueTransform):
    """Splits a frame in two: the rows that a comparison holds for, and the others."""

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
        return frame.split_rows(comparison_dict, name1, name2, transformation_ctx)


class UnnestFrame(GlueTransform):
    """Makes fields of structs fields of the top level."""

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


class Spigot(GlueTransform):
    """Writes a sample of a frame."""

    def __call__(
        self,
        frame: DynamicFrame,
        path: str,
        options: Mapping[str, Any] = NO_OPTIONS,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """See DynamicFrame.spigot."""
        return frame.spigot(path, options, transformation_ctx)


class SelectFromCollection(GlueTransform):
    """One frame of a collection."""

    def __call__(self, dfc: DynamicFrameCollection, key: str, transformation_ctx: str = "") -> DynamicFrame:
        """The frame called `key`."""
        return dfc.select(key)


class MapToCollection(GlueTransform):
    """Applies a transform to each frame of a collection."""

    def __call__(
        self,
        dfc: DynamicFrameCollection,
        BaseTransform: type[GlueTransform],
        frame_name: str,
        transformation_ctx: str = "",
        **base_kwargs: Any,
    ) -> DynamicFrameCollection:
        """The collection of `BaseTransform.apply(frame_name=frame, **base_kwargs)`."""
        return dfc.map(lambda frame, _: BaseTransform.apply(**{frame_name: frame}, **base_kwargs), transformation_ctx)


class FlatMap(GlueTransform):
    """Applies a transform to each frame of a collection, and puts the collections that come out of it together."""

    def __call__(
        self,
        dfc: DynamicFrameCollection,
        BaseTransform: type[GlueTransform],
        frame_name: str,
        transformation_ctx: str = "",
        **base_kwargs: Any,
    ) -> DynamicFrameCollection:
        """The collection of what came out."""
        return dfc.flatmap(
            lambda frame, _: BaseTransform.apply(**{frame_name: frame}, **base_kwargs), transformation_ctx
        )


class ErrorsAsDynamicFrame(GlueTransform):
    """The errors of a frame."""

    def __call__(self, frame: DynamicFrame) -> DynamicFrame:
        """See DynamicFrame.errorsAsDynamicFrame."""
        return frame.errorsAsDynamicFrame()
