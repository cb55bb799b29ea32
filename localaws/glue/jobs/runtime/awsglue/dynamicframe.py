"""DynamicFrame and DynamicFrameCollection, on a Spark DataFrame.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html

In Glue each record has its own types. Here all records of a frame have the columns and types of its DataFrame, so there
are no choice types: a field has the type that the catalog, or Spark's schema inference, gives it.

Like Glue's, every transform takes `transformation_ctx`, `info`, `stageThreshold` and `totalThreshold`. It raises
TooManyErrors if it has as many errors as `stageThreshold`, or all steps up to it have as many as `totalThreshold`. If
AWS's library has these parameters in another order than its page, they are keyword-only here: what works here works
there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame

from awsglue import _choice, _comparisons, _fields, _mapping, _records, gluetypes
from awsglue._choice import ResolveOption
from awsglue._collection import DynamicFrameCollection
from awsglue._errors import NO_OPTIONS, NotSupportedLocally, TooManyErrors, refuse_unknown
from awsglue._files import empty
from awsglue._frame_errors import FrameErrors
from awsglue._records import DynamicRecord
from awsglue._type_names import glue_type

if TYPE_CHECKING:
    from awsglue.context import GlueContext

__all__ = ["DynamicFrame", "DynamicFrameCollection", "ResolveOption"]

_NO_ERRORS = FrameErrors()
_SPIGOT_RECORDS = 100


class DynamicFrame:
    """A distributed table. Create one with GlueContext.create_dynamic_frame or `fromDF`."""

    glue_ctx: GlueContext
    name: str
    _df: DataFrame
    _errors: FrameErrors

    def __init__(self, jdf: Any, glue_ctx: GlueContext, name: str = "") -> None:
        # In Glue, too, a DynamicFrame made from a Spark DataFrame in this way does not work; fromDF is for that.
        raise NotSupportedLocally("DynamicFrame(jdf, ...)", ["DynamicFrame.fromDF(dataframe, ...)"])

    @classmethod
    def _of(cls, df: DataFrame, glue_ctx: GlueContext, name: str, errors: FrameErrors = _NO_ERRORS) -> DynamicFrame:
        """Return a frame with the rows of `df`; `errors` are those that occurred while it was made."""
        frame = cls.__new__(cls)
        frame._df = df
        frame._errors = errors
        frame.glue_ctx = glue_ctx
        frame.name = name
        return frame

    @classmethod
    def fromDF(cls, dataframe: DataFrame, glue_ctx: GlueContext, name: str = "") -> DynamicFrame:
        """Return a DynamicFrame with the rows of `dataframe`."""
        if not isinstance(dataframe, DataFrame):
            raise TypeError(f"fromDF takes a Spark DataFrame, not a {type(dataframe).__name__}")
        return cls._of(dataframe, glue_ctx, name)

    def toDF(self, options: Sequence[ResolveOption] | None = None) -> DataFrame:
        """Return the records as a Spark DataFrame."""
        if options:
            raise NotSupportedLocally("DynamicFrame.toDF(options)")
        return self._df

    def _then(
        self, df: DataFrame, stageThreshold: int = 0, totalThreshold: int = 0, errors: DataFrame | None = None
    ) -> DynamicFrame:
        """Return the result of a transform of this frame.

        Raises:
            TooManyErrors: a threshold is reached.
        """
        made = DynamicFrame._of(df, self.glue_ctx, self.name, self._errors.then(errors))
        made._errors.check(made.name, stageThreshold, totalThreshold)
        return made

    # Inspecting

    def count(self) -> int:
        """Return the number of records."""
        return int(self._df.count())

    def schema(self) -> gluetypes.DataType:
        """Return the schema: a StructType of awsglue.gluetypes, as in Glue, not Spark's (`toDF().schema`)."""
        return glue_type(self._df.schema)

    def printSchema(self) -> None:
        """Print the schema as Glue does: `root`, and a line for each field."""
        print("\n".join(["root", *_fields.schema_lines(self._df.schema)]))

    def show(self, num_rows: int = 20) -> None:
        """Print the first records, one JSON object per line."""
        for line in self._df.limit(num_rows).toJSON().collect():
            print(line)

    def repartition(
        self,
        numPartitions: int,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Return the same records in `numPartitions` partitions."""
        return self._then(self._df.repartition(numPartitions), stageThreshold, totalThreshold)

    def coalesce(
        self,
        numPartitions: int,
        *,
        shuffle: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Return the same records in at most `numPartitions` partitions; with `shuffle`, in exactly as many."""
        df = self._df.repartition(numPartitions) if shuffle else self._df.coalesce(numPartitions)
        return self._then(df, stageThreshold, totalThreshold)

    def getNumPartitions(self) -> int:
        """Return the number of partitions."""
        return int(self._df.rdd.getNumPartitions())

    # Errors

    def errorsCount(self) -> int:
        """Return the number of errors in all steps up to this frame; see _frame_errors for what counts."""
        return int(self._errors.count())

    def stageErrorsCount(self) -> int:
        """Return the number of errors in the step that made this frame."""
        return int(self._errors.stage_count())

    def errorsAsDynamicFrame(self) -> DynamicFrame:
        """Return the errors as records: `error.msg` is the message, `error.input` the text or the record."""
        rows = self._errors.rows
        return DynamicFrame._of(empty(self._df.sparkSession) if rows is None else rows, self.glue_ctx, "errors")

    def assertErrorThreshold(self) -> None:
        """Raise TooManyErrors if there are errors."""
        count = self.errorsCount()
        if count:
            raise TooManyErrors(self.name, count, 0)

    # Transforms

    def apply_mapping(
        self,
        mappings: Sequence[tuple[str, ...]],
        *,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        case_sensitive: bool = False,
    ) -> DynamicFrame:
        """Return only the mapped fields, renamed and cast: (source, source type, target, target type).

        A dotted source is a field of a struct; a dotted target creates a struct. A source that the frame does not have
        is left out. A source that does not have the source type becomes NULL, and the job's log says so. A value that
        does not fit the target type becomes NULL.
        """
        return self._then(_mapping.mapped(self._df, mappings, case_sensitive), stageThreshold, totalThreshold)

    def select_fields(
        self,
        paths: Sequence[str],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Return only the fields at `paths`; paths that the frame does not have are ignored."""
        found = {path: _fields.find(self._df, path) for path in _fields.listed(paths)}
        columns = _fields.nest({path: column for path, column in found.items() if column is not None})
        return self._then(self._df.select(*columns), stageThreshold, totalThreshold)

    def drop_fields(
        self,
        paths: Sequence[str],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Return all fields except those at `paths`, which may be within structs and arrays of structs."""
        df = self._df
        for path in _fields.listed(paths):
            df = _fields.change(df, path, lambda column, kind: None)
        return self._then(df, stageThreshold, totalThreshold)

    def rename_field(
        self,
        oldName: str,
        newName: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Rename the field `oldName` to `newName`; names that contain dots need backticks."""
        old, new = _fields.split(oldName), _fields.split(newName)
        if len(old) > 1 or len(new) > 1:
            raise NotSupportedLocally(
                f"rename_field of a nested field ({oldName!r} to {newName!r})", ["apply_mapping", "top-level fields"]
            )
        return self._then(self._df.withColumnRenamed(old[0], new[0]), stageThreshold, totalThreshold)

    def filter(
        self,
        f: Callable[[DynamicRecord], Any],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Return the records for which `f(record)` is true; see _records for records for which it raises."""
        rows, errors = _records.filtered(self._df, f)
        return self._then(rows, stageThreshold, totalThreshold, errors)

    def map(
        self,
        f: Callable[[DynamicRecord], Any],
        *,
        preservesPartitioning: bool = False,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Return `f(record)` for each record; see _records for records for which it raises."""
        rows, errors = _records.mapped(self._df, f)
        return self._then(rows, stageThreshold, totalThreshold, errors)

    def resolveChoice(
        self,
        specs: Sequence[tuple[str, str]] | None = None,
        choice: str = "",
        database: str | None = None,
        table_name: str | None = None,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        catalog_id: str | None = None,
    ) -> DynamicFrame:
        """Cast fields: `specs` are (path, "cast:type"); `choice`="match_catalog" casts to the catalog's types.

        "make_cols", "make_struct" and every other `choice` change nothing, as there is no choice type to resolve.

        Raises:
            ValueError: neither specs nor choice is given, or both, or match_catalog without database and table_name.
        """
        df = _choice.resolved(self._df, specs, choice, database, table_name, catalog_id)
        return self._then(df, stageThreshold, totalThreshold)

    def join(
        self,
        paths1: Sequence[str],
        paths2: Sequence[str],
        frame2: DynamicFrame,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Return the equijoin of both frames; a field name that both have gets a leading dot on the right side."""
        left, right = self._df.alias("left"), frame2._df
        for name in set(left.columns) & set(right.columns):
            right = right.withColumnRenamed(name, f".{name}")
        pairs = []
        for one, two in zip(_fields.listed(paths1), _fields.listed(paths2), strict=True):
            (mine,), (other,) = _fields.split(one), _fields.split(two)
            other = f".{other}" if f".{other}" in right.columns else other
            pairs.append(left[_fields.quoted(mine)] == right[_fields.quoted(other)])
        joined = self._then(left.join(right, reduce(lambda a, b: a & b, pairs)), stageThreshold, totalThreshold)
        joined.name = self.name + frame2.name
        return joined

    def mergeDynamicFrame(
        self,
        stage_dynamic_frame: DynamicFrame,
        primary_keys: Sequence[str],
        transformation_ctx: str = "",
        options: Mapping[str, Any] = NO_OPTIONS,
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Return all records of the staging frame, and this frame's records with keys that it does not have."""
        refuse_unknown("mergeDynamicFrame options", options, set())
        staged = stage_dynamic_frame._df
        kept = self._df.join(staged.select(*primary_keys).distinct(), list(primary_keys), "left_anti")
        merged = kept.select(*self._df.columns).unionByName(staged, allowMissingColumns=True)
        return self._then(merged, stageThreshold, totalThreshold)

    def split_fields(
        self,
        paths: Sequence[str],
        name1: str,
        name2: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrameCollection:
        """Return two frames: `name1` has the fields at `paths`, `name2` the others."""
        frames = {name1: self.select_fields(paths), name2: self.drop_fields(paths)}
        return self._split(frames, stageThreshold, totalThreshold)

    def split_rows(
        self,
        comparison_dict: Mapping[str, Mapping[str, Any]],
        name1: str,
        name2: str,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrameCollection:
        """Return two frames: `name1` has the rows that meet all of {path: {comparator: value}}, `name2` the others."""
        holds = _comparisons.all_hold(self._df, comparison_dict)
        frames = {name1: self._then(self._df.where(holds)), name2: self._then(self._df.where(~holds))}
        return self._split(frames, stageThreshold, totalThreshold)

    def _split(
        self, frames: dict[str, DynamicFrame], stageThreshold: int, totalThreshold: int
    ) -> DynamicFrameCollection:
        for name, frame in frames.items():
            frame.name = name
            frame._errors.check(name, stageThreshold, totalThreshold)
        return DynamicFrameCollection(frames, self.glue_ctx)

    def unnest(
        self, transformation_ctx: str = "", info: str = "", stageThreshold: int = 0, totalThreshold: int = 0
    ) -> DynamicFrame:
        """Return fields of structs as top-level fields, with their path as the name."""
        columns = [column.alias(path) for path, column in _fields.flat(self._df).items()]
        return self._then(self._df.select(*columns), stageThreshold, totalThreshold)

    def spigot(
        self,
        path: str,
        options: Mapping[str, Any] = NO_OPTIONS,
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Write a sample to `path`, and return this frame. The sample has each record with the probability `prob` (1),
        up to `topk` records (100)."""
        refuse_unknown("spigot options", options, {"topk", "prob"})
        sample = self._df.sample(float(options["prob"])) if "prob" in options else self._df
        sample = sample.limit(int(options.get("topk", _SPIGOT_RECORDS)))
        self.glue_ctx.write_dynamic_frame.from_options(self._then(sample), "s3", {"path": path}, "json")
        return self

    def write(
        self,
        connection_type: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        format: str | None = None,
        format_options: Mapping[str, Any] = NO_OPTIONS,
        accumulator_size: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrameWriter.from_options."""
        self.glue_ctx.write_from_options(
            self, connection_type, connection_options, format, format_options, accumulator_size=accumulator_size
        )
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotSupportedLocally(f"DynamicFrame.{name}")


def __getattr__(name: str) -> Any:
    # AWS's library has these names here, too. Importing them at the top would be a circular import.
    if name == "DynamicFrameReader":
        from awsglue._reader import DynamicFrameReader

        return DynamicFrameReader
    if name == "DynamicFrameWriter":
        from awsglue._writer import DynamicFrameWriter

        return DynamicFrameWriter
    raise AttributeError(f"module 'awsglue.dynamicframe' has no attribute {name!r}")
