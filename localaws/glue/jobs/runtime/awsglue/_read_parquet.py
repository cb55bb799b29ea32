"""Reads Parquet files, even if their columns differ.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-parquet-home.html

A column that a file lacks is NULL in its rows. If files give a column different types, Glue makes a choice type. Here
the column gets the catalog's type, or the wider of two numbers; if a value would change, the read is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType

from awsglue._fields import quoted
from awsglue._files import FILE, Columns, Source
from awsglue._source import Fetched

# Each type holds all values of those before it. An int also fits into a double, a bigint does not.
_INTEGERS = ["tinyint", "smallint", "int", "bigint"]
_WIDER = {
    *((narrow, wide) for place, narrow in enumerate(_INTEGERS) for wide in _INTEGERS[place + 1 :]),
    *((narrow, "double") for narrow in ("tinyint", "smallint", "int", "float")),
}
_AS_TEXT = {*_INTEGERS, "float", "double", "boolean", "date", "timestamp"}


def read_parquet(spark: SparkSession, files: Fetched, options: Mapping[str, Any], columns: Columns | None) -> Source:
    """Return the rows of `files`: the catalog's `columns`, then the other columns that the files have.

    Types are those of the files, as in Glue's DynamicFrame; if the files differ, those of the catalog.
    """
    reader = spark.read.option("mergeSchema", len(files.objects) > 1)
    try:
        rows = reader.parquet(str(files.directory))
    except (PySparkException, Py4JJavaError):
        # The files' types differ, or names in a file differ only in case. If a file isn't Parquet, this fails, too.
        rows = _read_by_schema(spark, files, dict(columns or ()))
    return Source(_arranged(rows, columns or ()).withColumn(FILE, F.input_file_name()))


def _arranged(rows: DataFrame, columns: Columns) -> DataFrame:
    """Return `rows` with the catalog's columns first, and under its names."""
    there = {name.lower(): name for name in rows.columns}
    wanted = {name.lower() for name, _ in columns}
    return rows.select(
        *(
            (F.col(quoted(there[name.lower()])) if name.lower() in there else F.lit(None).cast(kind)).alias(name)
            for name, kind in columns
        ),
        *(F.col(quoted(name)) for folded, name in there.items() if folded not in wanted),
    )


def _read_by_schema(spark: SparkSession, files: Fetched, catalog: Mapping[str, DataType]) -> DataFrame:
    """Read `files` separately by schema, and return the rows of all of them."""
    frames = [spark.read.parquet(str(group)) for group in _grouped(files)]
    kinds: dict[str, list[DataType]] = {}
    names: dict[str, str] = {}
    for frame in frames:
        for field in frame.schema.fields:
            names.setdefault(field.name.lower(), field.name)
            kinds.setdefault(field.name.lower(), []).append(field.dataType)
    declared = {name.lower(): kind for name, kind in catalog.items()}
    common = {folded: _common(names[folded], found, declared.get(folded)) for folded, found in kinds.items()}
    cast = [
        frame.select(
            *(
                F.col(quoted(name)).cast(common[name.lower()]).alias(names[name.lower()])
                for name in frame.columns
            )
        )
        for frame in frames
    ]  # fmt: skip
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), cast)


def _grouped(files: Fetched) -> list[Path]:
    """Move `files` into one directory for each schema, and return the directories."""
    import pyarrow as pa  # takes a quarter of a second, and only these reads need it
    import pyarrow.parquet as pq

    groups: dict[str, Path] = {}
    for file in sorted(files.directory.iterdir()):
        try:
            schema = pq.read_schema(file)
        except pa.ArrowException as error:
            raise ValueError(f"{files.uri(file)} is not a Parquet file: {error}") from error
        folded = [name.lower() for name in schema.names]
        twice = [name for name in schema.names if folded.count(name.lower()) > 1]
        if twice:
            raise ValueError(f"{files.uri(file)} has columns whose names differ only in case: {', '.join(twice)}")
        group = groups.setdefault(str(schema.remove_metadata()), files.directory / f"schema-{len(groups)}")
        group.mkdir(exist_ok=True)
        file.rename(group / file.name)
    return list(groups.values())


def _common(name: str, kinds: Sequence[DataType], declared: DataType | None) -> DataType:
    """Return one type for a column to which files give different types.

    Raises:
        ValueError: no type holds the values of all.
    """
    distinct = list(dict.fromkeys(kinds))
    if len(distinct) == 1:
        return distinct[0]
    for candidate in ([declared] if declared is not None else []) + distinct:
        if all(_fits(kind, candidate) for kind in distinct):
            return candidate
    texts = ", ".join(kind.simpleString() for kind in distinct)
    catalog = f"; the catalog says {declared.simpleString()}" if declared is not None else ""
    raise ValueError(
        f"The Parquet files give the column {name!r} different types ({texts}{catalog}). Glue makes a choice type of"
        " them, which the embedded AWS does not have. Declare a type in the catalog that holds them all (string does),"
        " or write the files with one type."
    )


def _fits(kind: DataType, wide: DataType) -> bool:
    """Whether each value of the type `kind` stays the same in the type `wide`."""
    if kind == wide:
        return True
    narrow, target = kind.simpleString(), wide.simpleString()
    if isinstance(kind, DecimalType):
        whole = kind.precision - kind.scale
        return target == "string" or (
            isinstance(wide, DecimalType) and wide.scale >= kind.scale and wide.precision - wide.scale >= whole
        )
    return (narrow, target) in _WIDER or (target == "string" and narrow in _AS_TEXT)
