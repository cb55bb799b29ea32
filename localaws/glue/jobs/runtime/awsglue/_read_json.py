"""Reads JSON: objects, or arrays of objects, one per line (or one per file, with multiLine).

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-json-home.html

Spark's own JSON reader turns a text that it can't parse into a row of NULLs, and loses what follows an object on its
line. Here each text is put in brackets before it is parsed, so that only an object or an array of objects is accepted;
other texts become the frame's errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StructField, StructType

from awsglue._files import FILE, Columns, Source, empty, is_multiline
from awsglue._integers import narrowed
from awsglue._source import Fetched
from awsglue._spelling import spellings


def read_json(spark: SparkSession, files: Fetched, options: Mapping[str, Any], columns: Columns | None) -> Source:
    """Return the rows of `files`, with the catalog's `columns`, or those that Spark infers."""
    texts = spark.read.text(str(files.directory), wholetext=is_multiline(options))
    spelled: dict[str, list[str]] = {}
    inferred = columns is None
    if columns is None:
        # pyspark's own reader infers; only its schema is used.
        schema = spark.read.json(str(files.directory), multiLine=is_multiline(options)).schema
        columns = [(field.name, field.dataType) for field in schema.fields if field.name != "_corrupt_record"]
    else:
        spelled = spellings(files.directory, [name for name, _ in columns])
    if not columns:
        return Source(empty(spark).withColumn(FILE, F.lit("")), _as_errors(texts))
    keys = [(key, kind) for name, kind in columns for key in (name, *spelled.get(name, ()))]
    text = F.trim(F.regexp_replace("value", r"[\r\n]+", " ")) if is_multiline(options) else F.trim("value")
    in_brackets = F.when(text.startswith("["), text).otherwise(F.concat(F.lit("["), text, F.lit("]")))
    objects = ArrayType(StructType([StructField(key, kind) for key, kind in keys]))
    parsed = texts.where(text != "").select(
        "value", F.input_file_name().alias(FILE), F.explode_outer(F.from_json(in_brackets, objects)).alias("row")
    )
    rows = parsed.where("row is not null").select(FILE, "row.*")
    if inferred:
        rows = narrowed(rows)
    if spelled:
        rows = _one_column_each(rows, columns, spelled)
    return Source(rows, _as_errors(parsed.where("row is null")))


def _one_column_each(rows: DataFrame, columns: Columns, spelled: Mapping[str, Sequence[str]]) -> DataFrame:
    """Merge the columns of `rows`, one for each spelling, into one for each of `columns`."""
    # By number: the names differ only in case, and Spark's DataFrames don't tell them apart.
    numbered = rows.toDF(FILE, *(f"c{number}" for number in range(len(rows.columns) - 1)))
    made, number = [F.col(FILE)], 0
    for name, _ in columns:
        keys = [name, *spelled.get(name, ())]
        cells = [F.col(f"c{place}") for place in range(number, number + len(keys))]
        made.append(_only(cells, name, keys).alias(name))
        number += len(keys)
    return numbered.select(made)


def _only(cells: list[Column], name: str, keys: Sequence[str]) -> Column:
    """Return the one of `cells` that is not NULL."""
    if len(cells) == 1:
        return cells[0]
    message = f"A record has more than one value for the column {name!r} of the catalog: its keys {', '.join(keys)}"
    given = reduce(add, (cell.isNotNull().cast("int") for cell in cells))
    return F.when(given > 1, F.raise_error(F.lit(f"{message} differ only in case."))).otherwise(F.coalesce(*cells))


def _as_errors(texts: DataFrame) -> DataFrame:
    message = F.lit("not a JSON object, nor an array of them").alias("msg")
    return texts.select(F.struct(message, F.col("value").alias("input")).alias("error"))
