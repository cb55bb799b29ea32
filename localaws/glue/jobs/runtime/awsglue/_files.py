"""Common parts of the readers of all formats: they take local files, and return a frame of rows and one of errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType

from awsglue import _source

Columns = Sequence[tuple[str, DataType]]
# The column of a reader's rows that has the local file's name.
FILE = "__local_file"


@dataclass(frozen=True)
class Source:
    """What was read: the rows, and the texts that should have been rows."""

    rows: DataFrame
    errors: DataFrame | None = None


def empty(spark: SparkSession) -> DataFrame:
    """Return a frame without rows and columns: in Glue, a frame without records has no schema."""
    return spark.range(0).select()


def by_file(values: Sequence[str]) -> Column:
    """Return a column that has, for each row, the one of `values` at the number of the row's file."""
    if len(set(values)) == 1:
        return F.lit(values[0])
    # As bytes: Spark finds the last characters of a text by counting all of its characters. And as one constant that it
    # parses once, not as a literal for each of possibly thousands of files.
    number = F.substring(F.col(FILE).cast("binary"), -_source.NAME_LENGTH, 8).cast("string").cast("int")
    return F.from_json(F.lit(json.dumps(values)), "array<string>")[number]


def is_true(value: Any) -> bool:
    """Whether a flag among a script's options is set."""
    return str(value).lower() == "true"


def is_multiline(options: Mapping[str, Any]) -> bool:
    """Whether a record may extend over several lines."""
    return is_true(options.get("multiLine", options.get("multiline", False)))
