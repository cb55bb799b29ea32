"""DynamicFrame and DynamicFrameCollection, on a Spark DataFrame.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html

In Glue each record carries its own types; here all records of a frame have the columns and types of its DataFrame, so
there are no choice types: what would be one is the type that the catalog, or Spark's inference, settled on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql.types import StructField

from awsglue._catalog import get_table
from awsglue._errors import NotSupportedLocally
from awsglue._read import empty
from awsglue.gluetypes import spark_type

if TYPE_CHECKING:
    from awsglue.context import GlueContext


class DynamicFrame:
    """A distributed table. Make one with GlueContext.create_dynamic_frame or `fromDF`."""

    def __init__(self, df: DataFrame, glue_ctx: GlueContext, name: str = "", errors: DataFrame | None = None) -> None:
        self._df = df
        self._errors = errors
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

    def _with(self, df: DataFrame) -> DynamicFrame:
        return DynamicFrame(df, self.glue_ctx, self.name, self._errors)

    # Looking

    def count(self) -> int:
        """The number of records."""
        return int(self._df.count())

    def schema(self) -> Any:
        """The schema, as Spark's StructType."""
        return self._df.schema

    def printSchema(self) -> None:
        """Print the schema as Glue does: `root` and a line for each field."""
        print("root")
        for field in self._df.schema.fields:
            print(f"|-- {field.name}: {_glue_name(field)}")

    def show(self, num_rows: int = 20) -> None:
        """Print the first records, one JSON object a line."""
        for line in self._df.limit(num_rows).toJSON().collect():
            print(line)

    def repartition(self, num_partitions: int, *_: Any, **__: Any) -> DynamicFrame:
        """The same records in `num_partitions` partitions."""
        return self._with(self._df.repartition(num_partitions))

    def coalesce(self, num_partitions: int, *_: Any, **__: Any) -> DynamicFrame:
        """The same records in at most `num_partitions` partitions."""
        return self._with(self._df.coalesce(num_partitions))

    def getNumPartitions(self) -> int:
        """The number of partitions."""
        return int(self._df.rdd.getNumPartitions())

    # Errors

    def errorsCount(self) -> int:
        """How many texts of the source were no records."""
        return int(self._errors.count()) if self._errors is not None else 0

    stageErrorsCount = errorsCount

    def errorsAsDynamicFrame(self) -> DynamicFrame:
        """The errors as records: `error.msg`, and the text in `error.input`."""
        errors = self._errors if self._errors is not None else empty(self.glue_ctx.spark_session)
        return DynamicFrame(errors, self.glue_ctx, "errors")

    def assertErrorThreshold(self) -> None:
        """Raise if there are errors: Glue's thresholds are 0 by default, and no others are taken here."""
        count = self.errorsCount()
        if count:
            raise ValueError(f"{count} errors in the frame {self.name!r}; the threshold is 0")

    # Transforms; all arguments after the first ones have to do with Glue's reporting of errors.

    def apply_mapping(
        self, mappings: Sequence[Sequence[str]], case_sensitive: bool = False, *_: Any, **__: Any
    ) -> DynamicFrame:
        """Only the mapped fields, renamed and cast: (source, source type, target, target type).

        A dotted source goes into structs; a dotted target makes them. A source that the frame lacks is left out.
        """
        columns: dict[str, Column] = {}
        for mapping in mappings:
            source, target, kind = _parse_mapping(mapping)
            column = self._find(source, case_sensitive)
            if column is not None:
                columns[target] = column.cast(spark_type(kind)) if kind else column
        return self._with(self._df.select(*_nest(columns)))

    def select_fields(self, paths: Sequence[str], *_: Any, **__: Any) -> DynamicFrame:
        """Only the fields at `paths`; those that the frame lacks are left out."""
        found = {path: self._find(path) for path in paths}
        return self._with(self._df.select(*_nest({path: col for path, col in found.items() if col is not None})))

    def drop_fields(self, paths: Sequence[str], *_: Any, **__: Any) -> DynamicFrame:
        """All fields but those at `paths`."""
        df = self._df
        for path in paths:
            outer, inner = [*path.split(".", 1), ""][:2]
            if inner and outer in df.columns:
                df = df.withColumn(outer, F.col(_quote(outer)).dropFields(inner))
            else:
                df = df.drop(_unquote(path))
        return self._with(df)

    def rename_field(self, oldName: str, newName: str, *_: Any, **__: Any) -> DynamicFrame:
        """The field `oldName` under the name `newName`."""
        if "." in oldName.strip("`") and not oldName.startswith("`"):
            raise NotSupportedLocally("rename_field of a nested field")
        return self._with(self._df.withColumnRenamed(_unquote(oldName), _unquote(newName)))

    def filter(self, f: Callable[[dict[str, Any]], bool], *_: Any, **__: Any) -> DynamicFrame:
        """The records for which `f(record)` is true; a record is like a dict of its fields."""
        rows = self._df.rdd.filter(lambda row: bool(f(row.asDict(recursive=True))))
        return self._with(self.glue_ctx.spark_session.createDataFrame(rows, self._df.schema))

    def map(self, f: Callable[[dict[str, Any]], dict[str, Any]], *_: Any, **__: Any) -> DynamicFrame:
        """`f(record)` of each record."""
        rows = self._df.rdd.map(lambda row: Row(**f(row.asDict(recursive=True))))
        if rows.isEmpty():
            return self._with(empty(self.glue_ctx.spark_session))
        return self._with(self.glue_ctx.spark_session.createDataFrame(rows, samplingRatio=1.0))

    def resolveChoice(
        self,
        specs: Sequence[tuple[str, str]] | None = None,
        choice: str = "",
        database: str | None = None,
        table_name: str | None = None,
        *_: Any,
        **__: Any,
    ) -> DynamicFrame:
        """Casts: `specs` of (path, "cast:type") or "project:type", or `choice`="match_catalog".

        "make_cols" and "make_struct" change nothing, as there is no choice to resolve.
        """
        df = self._df
        if choice == "match_catalog":
            if not database or not table_name:
                raise ValueError("resolveChoice(choice='match_catalog') needs database and table_name")
            wanted = dict(get_table(database, table_name).columns)
            specs = [(name, f"cast:{wanted[name]}") for name in df.columns if name in wanted]
        elif choice:
            specs = [(_quote(name), choice) for name in df.columns]
        for path, action in specs or []:
            verb, kind = [*action.split(":", 1), ""][:2]
            if verb in ("cast", "project") and kind:
                name = _unquote(path)
                if name in df.columns:
                    df = df.withColumn(name, F.col(_quote(name)).cast(spark_type(kind)))
            elif action not in ("make_cols", "make_struct"):
                raise NotSupportedLocally(
                    f"resolveChoice action {action!r}", ["cast:TYPE", "project:TYPE", "make_cols", "make_struct"]
                )
        return self._with(df)

    def join(self, paths1: Sequence[str], paths2: Sequence[str], frame2: DynamicFrame, *_: Any) -> DynamicFrame:
        """The equijoin of both frames; a field name that both have gets a leading dot on the right side."""
        right = frame2._df
        for name in set(self._df.columns) & set(right.columns):
            right = right.withColumnRenamed(name, f".{name}")
        pairs = [
            self._df[_quote(one)] == right[_quote(f".{two}" if f".{two}" in right.columns else two)]
            for one, two in zip(paths1, paths2, strict=True)
        ]
        return self._with(self._df.join(right, reduce(lambda a, b: a & b, pairs)))

    def _find(self, path: str, case_sensitive: bool = False) -> Column | None:
        """The column at a dotted `path`, or None."""
        fields: Any = self._df.schema
        column: Column | None = None
        for part in _split(path):
            names = {name if case_sensitive else name.lower(): name for name in getattr(fields, "names", [])}
            name = names.get(part if case_sensitive else part.lower())
            if name is None:
                return None
            column = F.col(_quote(name)) if column is None else column.getField(name)
            fields = fields[name].dataType
        return column

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


def _split(path: str) -> list[str]:
    """The parts of a dotted path; a part in backticks may have dots of its own."""
    parts, current, quoted = [], "", False
    for character in path:
        if character == "`":
            quoted = not quoted
        elif character == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current]


def _nest(columns: Mapping[str, Column]) -> list[Column]:
    """Columns by dotted path as top-level columns, structs where the paths have more than one part."""
    tree: dict[str, Any] = {}
    for path, column in columns.items():
        *outer, last = _split(path)
        node = tree
        for part in outer:
            node = node.setdefault(part, {})
        node[last] = column

    def build(name: str, node: Any) -> Column:
        if isinstance(node, dict):
            return F.struct(*(build(inner, child) for inner, child in node.items())).alias(name)
        return node.alias(name)

    return [build(name, node) for name, node in tree.items()]


def _quote(name: str) -> str:
    return "`" + _unquote(name).replace("`", "``") + "`"


def _unquote(name: str) -> str:
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == "`" else name


def _glue_name(field: StructField) -> str:
    name = str(field.dataType.simpleString())
    return {"bigint": "long", "smallint": "short", "tinyint": "byte"}.get(name, name)
