"""Transforms of collections of frames."""

from __future__ import annotations

from typing import Any

from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection

from .base import GlueTransform


class SelectFromCollection(GlueTransform):
    """Selects one frame of a collection."""

    def __call__(self, dfc: DynamicFrameCollection, key: str, transformation_ctx: str = "") -> DynamicFrame:
        """See DynamicFrameCollection.select."""
        return dfc.select(key, transformation_ctx)


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
        """Return the collection of `BaseTransform.apply(frame_name=frame, **base_kwargs)` for each frame."""
        return dfc.map(lambda frame, _: BaseTransform.apply(**{frame_name: frame}, **base_kwargs), transformation_ctx)


class FlatMap(GlueTransform):
    """Applies a transform to each frame of a collection, and combines the resulting collections into one."""

    def __call__(
        self,
        dfc: DynamicFrameCollection,
        BaseTransform: type[GlueTransform],
        frame_name: str,
        transformation_ctx: str = "",
        **base_kwargs: Any,
    ) -> DynamicFrameCollection:
        """Return the combined collection."""
        return dfc.flatmap(
            lambda frame, _: BaseTransform.apply(**{frame_name: frame}, **base_kwargs), transformation_ctx
        )
