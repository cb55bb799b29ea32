"""DynamicFrame and DynamicFrameCollection, on a Spark DataFrame.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html

In Glue each record carries its own types; here all records of a frame have the columns and types of its DataFrame, so
there are no choice types: what would be one is the type that the catalog, or Spark's inference, settled on.

Every transform takes `transformation_ctx`, `info`, `stageThreshold` and `totalThreshold`, as Glue's do: with a
threshold, a frame with as many errors (of this transform, or of all up to it) is refused at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType

from awsglue import _fields, _records
from awsglue._catalog import get_table
from awsglue._errors import NotSupportedLocally, TooManyErrors, refuse_unknown
from awsglue._read import empty
from awsglue._records import DynamicRecord
from awsglue.gluetypes import spark_type

if TYPE_CHECKING:
    from awsglue.context import GlueContext

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


class DynamicFrame:
    """A distributed table. Make one with GlueContext.create_dynamic_frame or `fromDF`."""

    def __init__(
        self,
        df: DataFrame,
        glue_ctx: GlueContext,
        name: str = "",
        errors: DataFrame | None = None,
        earlier_errors: DataFrame | None = None,
    ) -> None:
        if not isinstance(df, DataFrame):
            raise NotSupportedLocally("DynamicFrame(jdf, ...) of a Java object", ["DynamicFrame.fromDF"])
        self._df = df
        self._stage_errors = errors
        self._earlier_errors = earlier_errors
        self.glue_ctx = glue_ctx
        self.name = name

    @classmethod
    def fromDF(cls, dataframe: DataFrame, glue_ctx: GlueContext, name: str) -> DynamicFrame:
        """A DynamicFrame of the rows of `dataframe`."""
        return cls(dataframe, glue_ctx, name)

    def toDF(self, options: Any = None) -> DataFrame:
        """The Spark DataFrame of these records."""
        if options:
            raise NotSupportedLocally("DynamicFrame.toDF(options)")
        return self._df

    def _then(
        self, df: DataFrame, stageThreshold: int = 0, totalThreshold: int = 0, errors: DataFrame | None = None
    ) -> DynamicFrame:
        """The frame that a transform made of this one."""
        made = DynamicFrame(df, self.glue_ctx, self.name, errors, self._all_errors())
        made._check(stageThreshold, totalThreshold)
        return made

    # Looking

    def count(self) -> int:
        """The number of records."""
        return int(self._df.count())

    def schema(self) -> Any:
        """The schema, as Spark's StructType."""
        return self._df.schema

    def printSchema(self) -> None:
        """Print the schema as Glue does: `root` and a line for each field."""
        print("\n".join(["root", *_fields.schema_lines(self._df.schema)]))

    def show(self, num_rows: int = 20) -> None:
        """Print the first records, one JSON object a line."""
        for line in self._df.limit(num_rows).toJSON().collect():
            print(line)

    def repartition(self, numPartitions: int, transformation_ctx: str = "", info: str = "") -> DynamicFrame:
        """The same records in `numPartitions` partitions."""
        return self._then(self._df.repartition(numPartitions))

    def coalesce(self, numPartitions: int, transformation_ctx: str = "", info: str = "") -> DynamicFrame:
        """The same records in at most `numPartitions` partitions."""
        return self._then(self._df.coalesce(numPartitions))

    def getNumPartitions(self) -> int:
        """The number of partitions."""
        return int(self._df.rdd.getNumPartitions())

    # Errors

    def _all_errors(self) -> DataFrame | None:
        if self._stage_errors is None or self._earlier_errors is None:
            return self._stage_errors if self._earlier_errors is None else self._earlier_errors
        return self._earlier_errors.select("error.msg", "error.input").unionByName(
            self._stage_errors.select("error.msg", "error.input")
        ).select(F.struct("msg", "input").alias("error"))  # fmt: skip

    def errorsCount(self) -> int:
        """How many errors there were up to this frame: texts of the source that are no records, and records that a
        script's function raised for."""
        errors = self._all_errors()
        return int(errors.count()) if errors is not None else 0

    def stageErrorsCount(self) -> int:
        """How many of them the step that made this frame had."""
        return int(self._stage_errors.count()) if self._stage_errors is not None else 0

    def errorsAsDynamicFrame(self) -> DynamicFrame:
        """The errors as records: `error.msg`, and the text or the record in `error.input`."""
        errors = self._all_errors()
        return DynamicFrame(empty(self._df.sparkSession) if errors is None else errors, self.glue_ctx, "errors")

    def assertErrorThreshold(self) -> None:
        """Raise TooManyErrors if there are errors."""
        count = self.errorsCount()
        if count:
            raise TooManyErrors(self.name, count, 0)

    def _check(self, stage: int, total: int) -> None:
        for threshold, count in ((stage, self.stageErrorsCount), (total, self.errorsCount)):
            if threshold and (found := count()) >= threshold:
                raise TooManyErrors(self.name, found, threshold)

    # Transforms

    def apply_mapping(
        self,
        mappings: Sequence[Sequence[str]],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
        *,
        case_sensitive: bool = False,
    ) -> DynamicFrame:
        """Only the mapped fields, renamed and cast: (source, source type, target, target type).

        A dotted source goes into structs; a dotted target makes them. A source that the frame lacks is left out; a
        value that its target type can't hold is null.
        """
        columns: dict[str, Column] = {}
        for mapping in mappings:
            source, target, kind = _parse_mapping(mapping)
            column = _fields.find(self._df, source, case_sensitive)
            if column is not None:
                columns[target] = column.cast(spark_type(kind)) if kind else column
        return self._then(self._df.select(*_fields.nest(columns)), stageThreshold, totalThreshold)

    def select_fields(
        self,
        paths: Sequence[str],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """Only the fields at `paths`; those that the frame lacks are left out."""
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
        """All fields but those at `paths`, also within structs and arrays of structs."""
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
        """The field `oldName` under the name `newName`; names with dots of their own need backticks."""
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
        """The records for which `f(record)` is true; see _records for those for which it raises."""
        rows, errors = _records.filtered(self._df, f)
        return self._then(rows, stageThreshold, totalThreshold, errors)

    def map(
        self,
        f: Callable[[DynamicRecord], Any],
        transformation_ctx: str = "",
        info: str = "",
        stageThreshold: int = 0,
        totalThreshold: int = 0,
    ) -> DynamicFrame:
        """`f(record)` of each record; see _records for those for which it raises."""
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
        """Casts: `specs` of (path, "cast:type") or "project:type"; `choice`="match_catalog" casts to the catalog's.

        "make_cols" and "make_struct" change nothing, nor does any other `choice`: there is no choice type to resolve.

        Raises:
            ValueError: both specs and choice are given, or match_catalog without database and table_name.
        """
        if specs and choice:
            raise ValueError("resolveChoice takes specs or choice, not both")
        df = self._df
        if choice == "match_catalog":
            if not database or not table_name:
                raise ValueError("resolveChoice(choice='match_catalog') needs database and table_name")
            wanted = dict(get_table(database, table_name, catalog_id).columns)
            specs = [(_fields.quoted(name), f"cast:{wanted[name]}") for name in df.columns if name in wanted]
        elif choice:
            _resolution(choice)
        for path, action in specs or []:
            kind = _resolution(action)
            if kind:
                df = _fields.change(df, path, _cast_to(kind))
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
        """The equijoin of both frames; a field name that both have gets a leading dot on the right side."""
        left, right = self._df.alias("left"), frame2._df
        for name in set(left.columns) & set(right.columns):
            right = right.withColumnRenamed(name, f".{name}")
        pairs = []
        for one, two in zip(_fields.listed(paths1), _fields.listed(paths2), strict=True):
            (mine,), (other,) = _fields.split(one), _fields.split(two)
            other = f".{other}" if f".{other}" in right.columns else other
            pairs.append(left[_fields.quoted(mine)] == right[_fields.quoted(other)])
        return self._then(left.join(right, reduce(lambda a, b: a & b, pairs)), stageThreshold, totalThreshold)

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
        """All records of the staging frame, and those of this one whose keys it does not have."""
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
        """Two frames: `name1` has the fields at `paths`, `name2` the others."""
        frames = {name1: self.select_fields(paths), name2: self.drop_fields(paths)}
        return DynamicFrameCollection(frames, self.glue_ctx)

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
        """Two frames: `name1` has the rows for which all of {path: {comparator: value}} holds, `name2` the others."""
        conditions = []
        for path, comparisons in comparison_dict.items():
            column = _fields.find(self._df, path)
            if column is None:
                raise ValueError(f"split_rows: the frame has no field {path!r}")
            refuse_unknown("split_rows comparators", comparisons, _COMPARISONS)
            conditions += [_COMPARISONS[sign](column, value) for sign, value in comparisons.items()]
        holds = F.coalesce(reduce(lambda a, b: a & b, conditions, F.lit(True)), F.lit(False))
        frames = {name1: self._then(self._df.where(holds)), name2: self._then(self._df.where(~holds))}
        return DynamicFrameCollection(frames, self.glue_ctx)

    def unnest(
        self, transformation_ctx: str = "", info: str = "", stageThreshold: int = 0, totalThreshold: int = 0
    ) -> DynamicFrame:
        """Fields of structs as fields of the top level, named by their path."""
        columns = [column.alias(path) for path, column in _fields.flat(self._df).items()]
        return self._then(self._df.select(*columns), stageThreshold, totalThreshold)

    def spigot(self, path: str, options: Mapping[str, Any] = NO_OPTIONS, transformation_ctx: str = "") -> DynamicFrame:
        """This frame, of which a sample is written to `path`: the first `topk` records, or each with probability
        `prob`."""
        refuse_unknown("spigot options", options, {"topk", "prob"})
        sample = self._df.sample(float(options["prob"])) if "prob" in options else self._df
        sample = sample.limit(int(options["topk"])) if "topk" in options else sample
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
        if accumulator_size:
            raise NotSupportedLocally("DynamicFrame.write(accumulator_size)")
        self.glue_ctx.write_dynamic_frame.from_options(
            self, connection_type, connection_options, format, format_options
        )
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotSupportedLocally(f"DynamicFrame.{name}")


class DynamicFrameCollection(Mapping[str, DynamicFrame]):
    """Frames by name."""

    def __init__(self, dynamic_frames: Mapping[str, DynamicFrame], glue_ctx: GlueContext) -> None:
        self._frames = dict(dynamic_frames)
        self.glue_ctx = glue_ctx

    def __getitem__(self, key: str) -> DynamicFrame:
        return self._frames[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def select(self, key: str) -> DynamicFrame:
        """The frame called `key`."""
        return self._frames[key]

    def map(self, callable: Callable[..., DynamicFrame], transformation_ctx: str = "") -> DynamicFrameCollection:
        """`callable(frame, transformation_ctx)` of each frame."""
        mapped = {name: callable(frame, transformation_ctx) for name, frame in self._frames.items()}
        return DynamicFrameCollection(mapped, self.glue_ctx)

    def flatmap(self, f: Callable[..., Any], transformation_ctx: str = "") -> DynamicFrameCollection:
        """`f(frame, transformation_ctx)` of each frame; the frames of the collections among the results, by name."""
        flat: dict[str, DynamicFrame] = {}
        for name, frame in self._frames.items():
            made = f(frame, transformation_ctx)
            flat.update(made if isinstance(made, DynamicFrameCollection) else {name: made})
        return DynamicFrameCollection(flat, self.glue_ctx)


def _parse_mapping(mapping: Sequence[str]) -> tuple[str, str, str]:
    """Source, target and target type of one mapping; Glue takes 2, 3 and 4 elements."""
    match list(mapping):
        case [source, target]:
            return source, target, ""
        case [source, target, kind]:
            return source, target, kind
        case [source, _, target, kind]:
            return source, target, kind
    raise ValueError(f"not a mapping: {mapping!r}. It must be (source, source type, target, target type)")


def _resolution(action: str) -> str:
    """The type that a resolution of resolveChoice casts to; empty where it is for choice types only."""
    verb, _, kind = action.partition(":")
    if verb in ("cast", "project") and kind:
        return str(spark_type(kind))
    if action not in ("make_cols", "make_struct"):
        known = ["cast:TYPE", "project:TYPE", "make_cols", "make_struct", "match_catalog"]
        raise NotSupportedLocally(f"resolveChoice action {action!r}", known)
    return ""


def _cast_to(kind: str) -> _fields.Change:
    def cast(column: Column, _: DataType) -> Column:
        return column.cast(kind)

    return cast
