"""The errors of a DynamicFrame's records, counted and held against a transform's thresholds."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from awsglue._errors import TooManyErrors


@dataclass(frozen=True)
class FrameErrors:
    """Texts of the source that are no records, and records that a script's function raised for.

    Each is a row with `error.msg`, and the text or the record in `error.input`. `stage` are those of the step that
    made the frame, `earlier` those of the steps before.
    """

    stage: DataFrame | None = None
    earlier: DataFrame | None = None

    @property
    def rows(self) -> DataFrame | None:
        """All of them; None if no step can have had any."""
        if self.stage is None or self.earlier is None:
            return self.stage if self.earlier is None else self.earlier
        both = self.earlier.select("error.msg", "error.input").unionByName(
            self.stage.select("error.msg", "error.input")
        )
        return both.select(F.struct("msg", "input").alias("error"))

    def count(self) -> int:
        """How many there are."""
        return _count(self.rows)

    def stage_count(self) -> int:
        """How many the step that made the frame had."""
        return _count(self.stage)

    def then(self, stage: DataFrame | None) -> FrameErrors:
        """Those of a frame made of this one by a step that had the errors `stage`."""
        return FrameErrors(stage, self.rows)

    def check(self, frame: str, stage_threshold: int, total_threshold: int) -> None:
        """Raise TooManyErrors if there are as many as a threshold, which is not 0, allows."""
        for threshold, count in ((stage_threshold, self.stage_count), (total_threshold, self.count)):
            if threshold and (found := count()) >= threshold:
                raise TooManyErrors(frame, found, threshold)


def _count(errors: DataFrame | None) -> int:
    return int(errors.count()) if errors is not None else 0
