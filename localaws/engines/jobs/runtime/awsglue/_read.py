"""S3 objects as Spark DataFrames: JSON, CSV and Parquet, with or without a schema from the catalog.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format.html
"""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import mmap
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from awsglue import _source
from awsglue._catalog import Table, get_partitions
from awsglue._errors import NotSupportedLocally, refuse_unknown
from awsglue._integers import narrowed
from awsglue._type_names import spark_type

OPTIONS = {
    "json": {"attachFilename", "multiLine", "multiline", "optimizePerformance"},
    "csv": {
        "attachFilename", "separator", "escaper", "quoteChar", "multiLine", "multiline", "withHeader", "skipFirst",
        "optimizePerformance", "strictCheckForQuoting",
    },
    "parquet": {"attachFilename"},
}  # fmt: skip
# Glue's vectorized readers have rules of their own.
_ONLY_OFF = ("optimizePerformance", "strictCheckForQuoting")
FORMATS = {**{name: name for name in OPTIONS}, "glueparquet": "parquet"}


@dataclass(frozen=True)
class Source:
    """What was read: the rows, and the texts that should have been rows."""

    rows: DataFrame
    errors: DataFrame | None = None


def empty(spark: SparkSession) -> DataFrame:
    """No rows and, as a frame without records has no schema in Glue, no columns."""
    return spark.range(0).select()


def check_format(name: str) -> str:
    """`name` as one of the formats that can be read and written here."""
    if name not in FORMATS:
        raise NotSupportedLocally(f"format={name!r}", FORMATS)
    return FORMATS[name]


def read_table(spark: SparkSession, table: Table, context: str, predicate: str = "") -> Source:
    """All of `table` that its bookmark has not seen, with the catalog's columns and types."""
    format_name = check_format(table.classification or "unknown")
    options: dict[str, Any] = {}
    if format_name == "csv":
        serde = table.serde_parameters
        options["separator"] = serde.get("field.delim", serde.get("separatorChar", ","))
        options["quoteChar"] = serde.get("quoteChar", '"')
        options["withHeader"] = serde.get("skip.header.line.count", "0") != "0"
    if not table.partition_keys:
        return read_paths(spark, [table.location], format_name, options, context, columns=table.columns)
    rows: DataFrame | None = None
    errors: DataFrame | None = None
    for values, location in get_partitions(table):
        part = read_paths(spark, [location], format_name, options, context, columns=table.columns)
        if not part.rows.columns:
            continue
        frame = part.rows
        for (name, kind), value in zip(table.partition_keys, values, strict=True):
            frame = frame.withColumn(name, F.lit(value).cast(spark_type(kind)))
        rows = frame if rows is None else rows.unionByName(frame)
        if part.errors is not None:
            errors = part.errors if errors is None else errors.unionByName(part.errors)
    if rows is None:
        return Source(empty(spark))
    return Source(rows.where(predicate) if predicate else rows, errors)


def read_paths(
    spark: SparkSession,
    paths: Sequence[str],
    format_name: str,
    format_options: Mapping[str, Any],
    context: str,
    *,
    columns: Sequence[tuple[str, str]] | None = None,
    recurse: bool = True,
    compression: str = "",
) -> Source:
    """What lies under `paths` and the bookmark of `context` has not seen."""
    refuse_unknown(f"format_options of {format_name}", format_options, OPTIONS[format_name])
    for name in _ONLY_OFF:
        if _flag(format_options.get(name, False)):
            raise NotSupportedLocally(f"format_options of {format_name}: {name}=True", [f"{name}=False"])
    source = _source.fetch_unread(paths, context, recurse=recurse, compression=compression)
    if not source.objects:
        return Source(empty(spark))
    directory = source.directory
    _check_archives(source)
    if sum(file.stat().st_size for file in directory.iterdir()) > _LARGE:
        # Off by default (spark.py): it is only worth its time where there is much to do.
        spark.conf.set("spark.sql.codegen.wholeStage", "true")
    reader = {"json": _read_json, "csv": _read_csv, "parquet": _read_parquet}[format_name]
    found = reader(spark, directory, format_options, columns)
    attach = format_options.get("attachFilename")
    if not attach:
        return Source(found.rows.drop(_FILE), found.errors)
    uri = _uri_of(F.col(_FILE), [item.uri for item in source.objects])
    return Source(found.rows.withColumn(attach, uri).drop(_FILE), found.errors)


_FILE = "__local_file"
_LARGE = 32 << 20  # bytes


def _uri_of(file: Column, uris: list[str]) -> Column:
    if len(uris) == 1:
        return F.lit(uris[0])
    # As bytes: Spark finds the last characters of a text by counting all of it. And one constant that it parses once,
    # not a literal for each of what may be thousands of objects.
    number = F.substring(file.cast("binary"), -_source.NAME_LENGTH, 8).cast("string").cast("int")
    return F.from_json(F.lit(json.dumps(uris)), "array<string>")[number]


def _check_archives(source: _source.Fetched) -> None:
    """Raise for a damaged .gz, by its name: Spark would fail too, naming only a local file."""
    for archive in source.directory.glob("*.gz"):
        uri = source.objects[int(archive.name[:8])].uri
        try:
            with gzip.open(archive) as stream:
                while stream.read(1 << 20):
                    pass
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{uri} is a damaged gzip file: {error}") from error


def _flag(value: Any) -> bool:
    return str(value).lower() == "true"


def _multiline(options: Mapping[str, Any]) -> bool:
    return _flag(options.get("multiLine", options.get("multiline", False)))


def _read_json(
    spark: SparkSession, directory: Path, options: Mapping[str, Any], columns: Sequence[tuple[str, str]] | None
) -> Source:
    """Objects, or arrays of objects, one a line (or a file, with multiLine).

    Spark's own JSON reader makes a row of NULLs of a text that it can't parse and loses what follows an object on its
    line. Here each text goes through its parser in brackets, so that an object, an array of objects, and nothing
    else, is taken; the others are the frame's errors.
    """
    texts = spark.read.text(str(directory), wholetext=_multiline(options))
    if columns is None:
        # pyspark's own reader infers; only its schema is used.
        inferred = spark.read.json(str(directory), multiLine=_multiline(options))
        fields = [field for field in inferred.schema.fields if field.name != "_corrupt_record"]
        struct = ",".join(f"{_quoted(field.name)}:{field.dataType.simpleString()}" for field in fields)
    else:
        struct = ",".join(f"{_quoted(name)}:{spark_type(kind)}" for name, kind in columns)
    if not struct:
        return Source(empty(spark).withColumn(_FILE, F.lit("")), _as_errors(texts))
    text = F.trim(F.regexp_replace("value", r"[\r\n]+", " ")) if _multiline(options) else F.trim("value")
    in_brackets = F.when(text.startswith("["), text).otherwise(F.concat(F.lit("["), text, F.lit("]")))
    parsed = texts.where(text != "").select(
        "value",
        F.input_file_name().alias(_FILE),
        F.explode_outer(F.from_json(in_brackets, f"array<struct<{struct}>>")).alias("row"),
    )
    rows = parsed.where("row is not null").select(_FILE, "row.*")
    if columns is None:
        rows = narrowed(rows)
    return Source(rows, _as_errors(parsed.where("row is null")))


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _as_errors(texts: DataFrame) -> DataFrame:
    message = F.lit("not a JSON object, nor an array of them").alias("msg")
    return texts.select(F.struct(message, F.col("value").alias("input")).alias("error"))


def _read_csv(
    spark: SparkSession, directory: Path, options: Mapping[str, Any], columns: Sequence[tuple[str, str]] | None
) -> Source:
    quote = str(options.get("quoteChar", '"'))
    escaper = str(options.get("escaper", "none"))
    header = _flag(options.get("withHeader", False))
    if _flag(options.get("skipFirst", False)) and not header:
        raise NotSupportedLocally("format_options skipFirst without withHeader")
    reader = (
        spark.read.option("sep", options.get("separator", ","))
        .option("quote", "" if quote == "-1" else quote)
        .option("escape", quote if escaper == "none" and quote != "-1" else escaper.replace("none", "\0"))
        .option("header", header)
        .option("multiLine", _multiline(options))
        .option("maxCharsPerColumn", -1)
    )
    if columns is None and not header:
        # Spark would start a job to look at the first line.
        width = _width_of_csv(directory, options.get("separator", ","), quote)
        columns = [(f"col{index}", "string") for index in range(width)]
    if quote == "-1" and escaper == "none" and columns == [("col0", "string")] and not header:
        return Source(_read_lines(spark, directory, options.get("separator", ",")))
    if columns is not None:
        reader = reader.schema(",".join(f"{_quoted(name)} {spark_type(kind)}" for name, kind in columns))
    rows = reader.csv(str(directory))
    return Source(rows.withColumn(_FILE, F.input_file_name()))


def _read_lines(spark: SparkSession, directory: Path, separator: str) -> DataFrame:
    """CSV of one column, without quotes: its rows are the file's lines, and the text reader takes half of the time."""
    first = F.substring_index("value", separator, 1) if _occurs(separator, directory) else F.col("value")
    first = first.alias("col0")
    return spark.read.text(str(directory)).where("value != ''").select(first, F.input_file_name().alias(_FILE))


def _occurs(text: str, directory: Path) -> bool:
    """Whether `text` may be in one of the files: looking once is much quicker than looking in each row."""
    for file in directory.iterdir():
        if file.suffix in _source.ENDINGS.values():
            return True
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(text.encode()) >= 0:
                return True
    return False


def _width_of_csv(directory: Path, separator: str, quote: str) -> int:
    """The number of columns in the first line that is not blank, at least one."""
    openers: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}
    csv.field_size_limit(1 << 30)
    for file in sorted(directory.iterdir()):
        with openers.get(file.suffix, open)(file, "rt", encoding="utf-8", errors="replace", newline="") as stream:
            if quote == "-1":
                line = next((line for line in stream if line.strip()), "")
                if line:
                    return int(line.count(separator)) + 1
            elif row := next(filter(None, csv.reader(stream, delimiter=separator, quotechar=quote)), None):
                return len(row)
    return 1


def _read_parquet(
    spark: SparkSession, directory: Path, options: Mapping[str, Any], columns: Sequence[tuple[str, str]] | None
) -> Source:
    return Source(spark.read.parquet(str(directory)).withColumn(_FILE, F.input_file_name()))
