"""Counts the errors of a DynamicFrame's records, and checks them against a transform's thresholds."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from awsglue._errors import TooManyErrors


@dataclass(frozen=True)
class FrameErrors:
    """Texts in the source that are not records, and records for which a script's function raised.

    Each is a row with `error.msg`, and the text or the record in `error.input`. `stage` has the errors of the step that
    made the frame, `earlier` those of the steps before it.
    """

    stage: DataFrame | None = None
    earlier: DataFrame | None = None

    @property
    def rows(self) -> DataFrame | None:
        """All errors; None if no step can have errors."""
        if self.stage is None or self.earlier is None:
            return self.stage if self.earlier is None else self.earlier
        both = self.earlier.select("error.msg", "error.input").unionByName(
            self.stage.select("error.msg", "error.input")
        )
        return both.select(F.struct("msg", "input").alias("error"))

    def count(self) -> int:
        """Return the number of all errors."""
        return _count(self.rows)

    def stage_count(self) -> int:
        """Return the number of errors in the step that made the frame."""
        return _count(self.stage)

    def then(self, stage: DataFrame | None) -> FrameErrors:
        """Return the errors of the next frame: a step with the errors `stage` makes it from this one."""
        return FrameErrors(stage, self.rows)

    def check(self, frame: str, stage_threshold: int, total_threshold: int) -> None:
        """Raise TooManyErrors if the number of errors reaches a threshold; 0 is no threshold."""
        for threshold, count in ((stage_threshold, self.stage_count), (total_threshold, self.count)):
            if threshold and (found := count()) >= threshold:
                raise TooManyErrors(frame, found, threshold)


def _count(errors: DataFrame | None) -> int:
    return int(errors.count()) if errors is not None else 0
