"""Describes found tables for the catalog: TableInput and PartitionInput as Glue's crawler makes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from localaws.glue.crawlers.files import Statistics
from localaws.glue.crawlers.formats import Look
from localaws.glue.crawlers.grouping import FoundTable, KnownTable, Partition
from localaws.glue.crawlers.naming import table_name
from localaws.glue.crawlers.schema import Schema, hive_type

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


def s3_table(
    found: FoundTable, location: str, prefix: str, crawler: str, exclusions: Sequence[str] = ()
) -> dict[str, Any]:
    """The TableInput of a table in S3.

    Args:
        found: the table.
        location: the include path that it was found below, ``s3://bucket/folder/``.
        prefix: the crawler's TablePrefix.
        crawler: the crawler's name.
        exclusions: the target's exclude patterns, each after its include path; they are "also stored as a property of
            tables created by the crawler"
            (https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html#crawler-data-stores-exclude).
    """
    parameters = _parameters(found.look, found.statistics, crawler)
    if exclusions:
        parameters["exclusions"] = json.dumps(list(exclusions))
    # A table is named after its folder, its file, or the bucket.
    named_after = (location + found.path).removesuffix("/").rpartition("/")[2]
    if found.partition_keys:
        parameters["partition_filtering.enabled"] = "true"
    return {
        "Name": table_name(prefix, named_after),
        "Owner": "owner",
        "Retention": 0,
        "StorageDescriptor": _descriptor(
            found.look, found.schema, found.field_names, location + found.path, parameters
        ),
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in found.partition_keys],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
    }


def s3_partition(found: FoundTable, partition: Partition, location: str, crawler: str) -> dict[str, Any]:
    """The PartitionInput of one of `found`'s partitions: its columns are those of its own files."""
    parameters = _parameters(partition.look, partition.statistics, crawler)
    return {
        "Values": list(partition.values),
        "StorageDescriptor": _descriptor(
            partition.look, partition.schema, found.field_names, location + partition.path, parameters
        ),
        "Parameters": parameters,
    }


def jdbc_table(
    names: tuple[str, str, str],
    kind: str,
    columns: list[tuple[str, str]],
    prefix: str,
    crawler: str,
    connection: str,
) -> dict[str, Any]:
    """The TableInput of a table in a database.

    Args:
        names: database, schema and table.
        kind: ``table`` or ``view``.
        columns: names and Hive types, in order.
        prefix: the crawler's TablePrefix.
        crawler: the crawler's name.
        connection: the Glue connection to the database.
    """
    parameters = {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawler,
        "classification": "redshift",
        "compressionType": "none",
        "connectionName": connection,
        "typeOfData": kind,
    }
    return {
        "Name": table_name(prefix, *names),
        "Owner": "owner",
        "Retention": 0,
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": hive} for name, hive in columns],
            "Location": ".".join(names),
            "Compressed": False,
            "NumberOfBuckets": -1,
            "SerdeInfo": {"Parameters": {}},
            "BucketColumns": [],
            "SortColumns": [],
            "Parameters": dict(parameters),
            "StoredAsSubDirectories": False,
        },
        "PartitionKeys": [],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
    }


def known_tables(tables: list[dict[str, Any]], location: str, crawler: str) -> list[KnownTable]:
    """Return those of the catalog's `tables` that `crawler` wrote at `location` or below."""
    known = []
    for table in tables:
        descriptor = table.get("StorageDescriptor") or {}
        parameters = table.get("Parameters") or {}
        there = str(descriptor.get("Location", ""))
        if not there.startswith(location) or parameters.get("UPDATED_BY_CRAWLER") != crawler:
            continue
        known.append(
            KnownTable(
                there[len(location) :],
                tuple(column["Name"] for column in descriptor.get("Columns", [])),
                tuple(key["Name"] for key in table.get("PartitionKeys", [])),
                Statistics(*(int(parameters.get(name, 0)) for name in ("objectCount", "recordCount", "sizeKey"))),
            )
        )
    return known


def _parameters(look: Look, statistics: Statistics, crawler: str) -> dict[str, str]:
    parameters = {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawler,
        "averageRecordSize": str(round(statistics.size / statistics.records) if statistics.records else 0),
        "classification": look.classification,
        "compressionType": look.compression,
        "objectCount": str(statistics.objects),
        "recordCount": str(statistics.records),
        "sizeKey": str(statistics.size),
        "typeOfData": "file",
    }
    if look.classification == "csv":
        parameters |= {
            "delimiter": look.delimiter,
            "columnsOrdered": "true",
            "areColumnsQuoted": str(look.quoted).lower(),
        }
        if look.header:
            parameters["skip.header.line.count"] = "1"
    return parameters


def _descriptor(
    look: Look, schema: Schema, field_names: Sequence[str], location: str, parameters: dict[str, str]
) -> dict[str, Any]:
    input_format, output_format, serde = _formats(look, field_names)
    return {
        "Columns": [{"Name": name, "Type": hive_type(kind)} for name, kind in schema.items()],
        "Location": location,
        "InputFormat": input_format,
        "OutputFormat": output_format,
        "Compressed": look.compression != "none",
        "NumberOfBuckets": -1,
        "SerdeInfo": serde,
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": dict(parameters),
        "StoredAsSubDirectories": False,
    }


def _formats(look: Look, field_names: Sequence[str]) -> tuple[str, str, dict[str, Any]]:
    if look.classification == "json":
        paths = ",".join(sorted(field_names))
        return _TEXT_INPUT, _TEXT_OUTPUT, _serde("org.openx.data.jsonserde.JsonSerDe", {"paths": paths})
    if look.classification == "parquet":
        serde = _serde(f"{_PARQUET}.serde.ParquetHiveSerDe", {"serialization.format": "1"})
        return f"{_PARQUET}.MapredParquetInputFormat", f"{_PARQUET}.MapredParquetOutputFormat", serde
    # Also for quoted fields: the reader of a table decides whether it honours quotes, and Glue's jobs do.
    # https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html#classifier-builtin-rules
    delimiter = {"field.delim": look.delimiter} if look.classification == "csv" else {}
    return _TEXT_INPUT, _TEXT_OUTPUT, _serde("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", delimiter)


def _serde(library: str, parameters: dict[str, str]) -> dict[str, Any]:
    return {"SerializationLibrary": library, "Parameters": parameters}
