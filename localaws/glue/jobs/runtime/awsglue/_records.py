"""Applies a script's Python functions to records, for Filter and Map.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-filter.html
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-map.html

A record for which the function raises becomes an error record of the resulting frame; the others are kept. But for
Filter, a KeyError, TypeError or ValueError means "no": records may lack the field that the function looks at.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Row
from pyspark.sql.types import ArrayType, DataType, StructType

from awsglue._integers import narrowed

ERROR_SCHEMA = "error struct<msg:string,input:string>"


class DynamicRecord(dict[str, Any]):
    """A record: a dict of its fields, which are also attributes if their names allow it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        # A missing field is a KeyError in Glue, so getattr(record, name, default) raises too.
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def as_record(row: Row) -> DynamicRecord:
    """Return a row as a script sees it. Its structs are records; structs inside these are dicts."""
    fields = {name: _plain(value) for name, value in zip(row.__fields__, row, strict=True)}
    return DynamicRecord(
        {name: DynamicRecord(value) if isinstance(value, dict) else value for name, value in fields.items()}
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Row):
        return {name: _plain(inner) for name, inner in zip(value.__fields__, value, strict=True)}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def as_row(value: Any) -> Any:
    """Return a record as Spark takes it: dicts become structs."""
    if isinstance(value, dict):
        return Row(**{name: as_row(inner) for name, inner in value.items()})
    if isinstance(value, list | tuple):
        return [as_row(inner) for inner in value]
    return value


def filtered(df: DataFrame, f: Callable[[DynamicRecord], Any]) -> tuple[DataFrame, DataFrame]:
    """Return the rows for which `f` is true, and the errors."""
    judged = df.rdd.map(_safely(lambda row: (_says_yes(f, row), row))).persist(StorageLevel.MEMORY_AND_DISK)
    kept = judged.filter(lambda result: result[0] is None and result[1][0]).map(lambda result: result[1][1])
    return df.sparkSession.createDataFrame(kept, df.schema, verifySchema=False), _errors(df, judged)


def _says_yes(f: Callable[[DynamicRecord], Any], row: Row) -> bool:
    try:
        return bool(f(as_record(row)))
    except (KeyError, TypeError, ValueError):
        return False


def mapped(df: DataFrame, f: Callable[[DynamicRecord], Any]) -> tuple[DataFrame, DataFrame]:
    """Return the records that `f` returns for the rows, and the errors."""
    made = df.rdd.map(_safely(lambda row: as_row(_needs_record(f(as_record(row)))))).persist(
        StorageLevel.MEMORY_AND_DISK
    )
    rows = made.filter(lambda result: result[0] is None).map(lambda result: result[1])
    if rows.isEmpty():
        return df.sparkSession.range(0).select(), _errors(df, made)
    # Rows go by position, but a function may return records with other fields, or in another order, each time.
    schema = df.sparkSession.createDataFrame(rows, samplingRatio=1.0).schema
    placed = rows.map(lambda row: _placed(row, schema))
    return narrowed(df.sparkSession.createDataFrame(placed, schema, verifySchema=False), df.schema), _errors(df, made)


def _placed(value: Any, kind: DataType) -> Any:
    """Return `value` with the fields of its structs in the positions that `kind` has for them."""
    if isinstance(value, Row) and isinstance(kind, StructType):
        held = dict(zip(value.__fields__, value, strict=True))
        return tuple(_placed(held.get(field.name), field.dataType) for field in kind.fields)
    if isinstance(value, list) and isinstance(kind, ArrayType):
        return [_placed(inner, kind.elementType) for inner in value]
    return value


def _needs_record(result: Any) -> dict[str, Any]:
    # In Glue, a record without fields is not a record.
    if not isinstance(result, dict) or not result:
        raise TypeError(f"the function must return a record, not {result!r}")
    return result


def _safely(f: Callable[[Row], Any]) -> Callable[[Row], tuple[tuple[str, str] | None, Any]]:
    def call(row: Row) -> tuple[tuple[str, str] | None, Any]:
        try:
            return None, f(row)
        except Exception as error:
            message = "".join(traceback.format_exception_only(error)).strip()
            return (message, str(row.asDict(recursive=True))), None

    return call


def _errors(df: DataFrame, results: Any) -> DataFrame:
    failed = results.filter(lambda result: result[0] is not None).map(lambda result: Row(error=Row(*result[0])))
    return df.sparkSession.createDataFrame(failed, ERROR_SCHEMA, verifySchema=False)
