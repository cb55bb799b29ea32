"""CSV: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-csv-home.html"""

from __future__ import annotations

import bz2
import csv
import gzip
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from awsglue._errors import NotSupportedLocally
from awsglue._files import FILE, Columns, Source, is_multiline, is_true
from awsglue._source import ENDINGS, Fetched

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}


def read_csv(spark: SparkSession, files: Fetched, options: Mapping[str, Any], columns: Columns | None) -> Source:
    """Return the rows of `files`, with `columns` in their order, or those of the header, or col0, col1, …"""
    quote = str(options.get("quoteChar", '"'))
    escaper = str(options.get("escaper", "none"))
    header = is_true(options.get("withHeader", False))
    if is_true(options.get("skipFirst", False)) and not header:
        raise NotSupportedLocally("format_options skipFirst without withHeader")
    reader = (
        spark.read.option("sep", options.get("separator", ","))
        .option("quote", "" if quote == "-1" else quote)
        .option("escape", quote if escaper == "none" and quote != "-1" else escaper.replace("none", "\0"))
        .option("header", header)
        .option("multiLine", is_multiline(options))
        .option("maxCharsPerColumn", -1)
    )
    if columns is None and not header:
        # Spark would start a job to look at the first line.
        width = _width(files.directory, options.get("separator", ","), quote)
        columns = [(f"col{index}", StringType()) for index in range(width)]
    if quote == "-1" and escaper == "none" and columns == [("col0", StringType())] and not header:
        return Source(_read_lines(spark, files.directory, options.get("separator", ",")))
    if columns is not None:
        reader = reader.schema(StructType([StructField(name, kind) for name, kind in columns]))
    rows = reader.csv(str(files.directory))
    return Source(rows.withColumn(FILE, F.input_file_name()))


def drop_lines(directory: Path, count: int) -> None:
    """Remove the first `count` lines of each file in `directory`."""
    for file in list(directory.iterdir()):
        # Into a new file: the old one may be a link to the one that S3 holds.
        shorter = file.with_name(f"{file.name[:8]}.data.short")
        with _OPENERS.get(file.suffix, open)(file, "rb") as stream, shorter.open("wb") as target:
            for _ in range(count):
                stream.readline()
            while block := stream.read(1 << 20):
                target.write(block)
        file.unlink()
        shorter.rename(shorter.with_suffix(""))


def _read_lines(spark: SparkSession, directory: Path, separator: str) -> DataFrame:
    """Read CSV of one column, without quotes: its rows are lines of text, and the text reader takes half the time."""
    first = F.substring_index("value", separator, 1) if _occurs(separator, directory) else F.col("value")
    first = first.alias("col0")
    return spark.read.text(str(directory)).where("value != ''").select(first, F.input_file_name().alias(FILE))


def _occurs(text: str, directory: Path) -> bool:
    """Whether `text` may be in one of the files: looking once is much quicker than looking in each row."""
    for file in directory.iterdir():
        if file.suffix in ENDINGS.values():
            return True
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(text.encode()) >= 0:
                return True
    return False


def _width(directory: Path, separator: str, quote: str) -> int:
    """Return the number of columns in the first line that is not blank, at least one."""
    csv.field_size_limit(1 << 30)
    for file in sorted(directory.iterdir()):
        with _OPENERS.get(file.suffix, open)(file, "rt", encoding="utf-8", errors="replace", newline="") as stream:
            if quote == "-1":
                line = next((line for line in stream if line.strip()), "")
                if line:
                    return int(line.count(separator)) + 1
            elif row := next(filter(None, csv.reader(stream, delimiter=separator, quotechar=quote)), None):
                return len(row)
    return 1
