"""DynamicFrameCollection: frames by name.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame-collection.html
"""

from __future__ import annotations

from collections.abc import Callable, KeysView, Mapping, Sequence, ValuesView
from typing import TYPE_CHECKING, Any

from awsglue._files import empty

if TYPE_CHECKING:
    from awsglue.context import GlueContext
    from awsglue.dynamicframe import DynamicFrame


class DynamicFrameCollection:
    """Frames by name; those of a list, by their own names. As in Glue, it isn't a dict, and can't be iterated over."""

    def __init__(
        self, dynamic_frames: Mapping[str, DynamicFrame] | Sequence[DynamicFrame], glue_ctx: GlueContext
    ) -> None:
        if isinstance(dynamic_frames, Mapping):
            self._frames = dict(dynamic_frames)
        else:
            self._frames = {frame.name: frame for frame in dynamic_frames}
        self.glue_ctx = glue_ctx

    def __getitem__(self, key: str) -> DynamicFrame:
        return self._frames[key]

    def __len__(self) -> int:
        return len(self._frames)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._frames.keys()

    def values(self) -> ValuesView[DynamicFrame]:
        """The frames."""
        return self._frames.values()

    def select(self, key: str, transformation_ctx: str = "") -> DynamicFrame:
        """Return the frame called `key`, or an empty frame if there is none."""
        if key in self._frames:
            return self._frames[key]
        return _frame_class()._of(empty(self.glue_ctx.spark_session), self.glue_ctx, key)

    def map(self, callable: Callable[..., DynamicFrame], transformation_ctx: str = "") -> DynamicFrameCollection:
        """Return the results of `callable(frame, "transformation_ctx:name")`, which must be DynamicFrames."""
        mapped = {}
        for name, frame in self._frames.items():
            mapped[name] = callable(frame, f"{transformation_ctx}:{name}")
            if not isinstance(mapped[name], _frame_class()):
                raise TypeError(f"the callable must return a DynamicFrame, not {mapped[name]!r}")
        return DynamicFrameCollection(mapped, self.glue_ctx)

    def flatmap(self, f: Callable[..., Any], transformation_ctx: str = "") -> DynamicFrameCollection:
        """Return all frames that `f(frame, "transformation_ctx:name")` returns, alone or in collections."""
        flat: dict[str, DynamicFrame] = {}
        for frame in self._frames.values():
            made = f(frame, f"{transformation_ctx}:{frame.name}")
            if isinstance(made, DynamicFrameCollection):
                flat.update(made._frames)
            elif isinstance(made, _frame_class()):
                flat[made.name] = made
            else:
                raise TypeError(f"the function must return a DynamicFrame or a collection of them, not {made!r}")
        return DynamicFrameCollection(flat, self.glue_ctx)


def _frame_class() -> Any:
    # Imported here, because its module imports this one.
    from awsglue.dynamicframe import DynamicFrame

    return DynamicFrame
