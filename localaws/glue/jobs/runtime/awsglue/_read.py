"""Reads S3 objects as Spark DataFrames: paths in a format, and tables of the Data Catalog with their partitions.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format.html
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-partitions.html
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from awsglue import _hive_types, _layout, _partitions, _source
from awsglue._catalog import Partition, Table, get_partitions
from awsglue._errors import NotSupportedLocally, refuse_unknown
from awsglue._exclusions import is_excluded
from awsglue._fields import quoted
from awsglue._files import FILE, Columns, Source, by_file, empty, is_true
from awsglue._layout import Layout
from awsglue._read_csv import drop_lines, read_csv
from awsglue._read_json import read_json
from awsglue._read_parquet import read_parquet

_READERS = {"json": read_json, "csv": read_csv, "parquet": read_parquet}
# Options of Glue's vectorized readers, which have their own rules.
_ONLY_OFF = ("optimizePerformance", "strictCheckForQuoting")
_LARGE = 32 << 20  # bytes


def read_paths(
    spark: SparkSession,
    paths: Sequence[str],
    format_name: str,
    format_options: Mapping[str, Any],
    context: str,
    *,
    recurse: bool = True,
    compression: str = "",
) -> Source:
    """Read the objects under `paths` that the bookmark of `context` has not seen."""
    refuse_unknown(f"format_options of {format_name}", format_options, _layout.OPTIONS[format_name])
    for name in _ONLY_OFF:
        if is_true(format_options.get(name, False)):
            raise NotSupportedLocally(f"format_options of {format_name}: {name}=True", [f"{name}=False"])
    files = _source.fetch_unread(paths, context, recurse=recurse, compression=compression)
    if not files.objects:
        return Source(empty(spark))
    _prepare(spark, files)
    found = _READERS[format_name](spark, files, format_options, None)
    attach = format_options.get("attachFilename")
    if not attach:
        return Source(found.rows.drop(FILE), found.errors)
    uri = by_file([item.uri for item in files.objects])
    return Source(found.rows.withColumn(attach, uri).drop(FILE), found.errors)


def read_table(
    spark: SparkSession, table: Table, context: str, predicate: str = "", catalog_predicate: str = ""
) -> Source:
    """Read the objects of `table` that its bookmark has not seen, with the catalog's columns and types.

    Args:
        spark: the session.
        table: a table over S3.
        context: the transformation_ctx.
        predicate: push_down_predicate: read only the partitions for which this is true, in Spark's SQL.
        catalog_predicate: catalogPartitionPredicate: the same, in the form that GetPartitions takes.

    Raises:
        ValueError: a predicate names something that is not a partition key.
    """
    columns = [
        (name, _hive_types.parse(kind, exact_names=table.is_crawled))
        for name, kind in table.columns
        if name.lower() not in {key.lower() for key, _ in table.partition_keys}
    ]
    excluded = is_excluded(table.storage.parameters)
    if not table.partition_keys:
        if predicate or catalog_predicate:
            raise _partitions.unresolved(predicate or catalog_predicate, table)
        files = _source.fetch_unread([table.location], context, recurse=True, excluded=excluded)
        found = _read_layout(spark, files, _layout.of_table(table), columns)
        return Source(found.rows.drop(FILE), found.errors)
    partitions = get_partitions(table, catalog_predicate)
    if predicate:
        partitions = _partitions.selected(spark, table, partitions, predicate)
    by_layout: dict[Layout, list[Partition]] = {}
    for partition in partitions:
        by_layout.setdefault(_layout.of_partition(table, partition), []).append(partition)
    found_in_all = []
    for layout, alike in by_layout.items():
        locations = [partition.storage.location for partition in alike]
        files = _source.fetch_partitions(locations, context, excluded)
        found = _read_layout(spark, files, layout, columns)
        found_in_all.append(_with_keys(found, table, [alike[origin] for origin in files.origins]))
    return _together(spark, found_in_all)


def _with_keys(found: Source, table: Table, partition_of_file: Sequence[Partition]) -> Source:
    """Add the columns of the partition keys to what was found in the files of some partitions."""
    if not partition_of_file:
        return found
    keys = _partitions.keys(table, partition_of_file)
    # A key takes precedence over a column of the same name in the files.
    folded = {name.lower() for name in keys}
    kept = [F.col(quoted(name)) for name in found.rows.columns if name.lower() not in {*folded, FILE}]
    return Source(found.rows.select(*kept, *(value.alias(name) for name, value in keys.items())), found.errors)


def _read_layout(spark: SparkSession, files: _source.Fetched, layout: Layout, columns: Columns) -> Source:
    """Return the rows of `files` with the table's `columns`."""
    if not files.objects:
        return Source(empty(spark))
    _prepare(spark, files)
    options: dict[str, Any] = dict(layout.options)
    if layout.header_lines == 1 and layout.format_name == "csv":
        options["withHeader"] = True
    elif layout.header_lines:
        drop_lines(files.directory, layout.header_lines)
    if layout.format_name != "csv":
        return _READERS[layout.format_name](spark, files, options, columns)
    kinds = dict(columns)
    placed = [
        (name, kinds[name]) if name in kinds else (f"__place_{place}", StringType())
        for place, name in enumerate(layout.names)
    ]
    rows = read_csv(spark, files, options, placed).rows
    there = set(layout.names)
    wanted = [(F.col(quoted(name)) if name in there else F.lit(None).cast(kind)).alias(name) for name, kind in columns]
    return Source(rows.select(FILE, *wanted))


def _together(spark: SparkSession, sources: Sequence[Source]) -> Source:
    """Return the rows and errors of all `sources`; a source without rows has no columns either."""
    rows = [source.rows for source in sources if source.rows.columns]
    errors = [source.errors for source in sources if source.errors is not None]
    return Source(
        reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), rows) if rows else empty(spark),
        reduce(DataFrame.unionByName, errors) if errors else None,
    )


def _prepare(spark: SparkSession, files: _source.Fetched) -> None:
    _check_archives(files)
    if sum(file.stat().st_size for file in files.directory.iterdir()) > _LARGE:
        # Off by default (spark.py), as it only pays off if there is a lot of data.
        spark.conf.set("spark.sql.codegen.wholeStage", "true")


def _check_archives(files: _source.Fetched) -> None:
    """Raise ValueError with the name of a damaged .gz object: Spark would fail too, but name only a local file."""
    for archive in files.directory.glob("*.gz"):
        try:
            with gzip.open(archive) as stream:
                while stream.read(1 << 20):
                    pass
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{files.uri(archive)} is a damaged gzip file: {error}") from error
