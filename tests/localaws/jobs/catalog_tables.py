"""Catalog tables for tests of reads: crawled, or declared as Terraform and Hive would; and a script to read one."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from conftest import ROLE

PARTITIONS = "aws-glue-programming-etl-partitions.html"
FRAMES = "aws-glue-api-crawler-pyspark-extensions-glue-context.html"
CRAWLS = "add-crawler.html"


def reading(jobs: Any) -> str:
    """Return the start of a script that can then call `read("table")`."""
    return (
        "def read(table, **more):\n"
        f"    named = dict(database={jobs.bucket!r}, table_name=table)\n"
        "    return glueContext.create_dynamic_frame.from_catalog(**named, **more)\n"
    )


def crawl(jobs: Any, prefix: str, *, exclusions: Sequence[str] = ()) -> str:
    """Crawl the objects under `prefix`; return the name of the one table."""
    glue, name = jobs.aws("glue"), jobs.unique("crawler")
    database = {"DatabaseName": jobs.bucket}
    before = {table["Name"] for page in _pages(glue, database) for table in page["TableList"]}
    target = {"Path": f"s3://{jobs.bucket}/{prefix}", "Exclusions": list(exclusions)}
    glue.create_crawler(Name=name, Role=ROLE, Targets={"S3Targets": [target]}, **database)
    glue.start_crawler(Name=name)
    deadline = time.monotonic() + 60
    while glue.get_crawler(Name=name)["Crawler"]["State"] != "READY":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    last = glue.get_crawler(Name=name)["Crawler"]["LastCrawl"]
    assert last["Status"] == "SUCCEEDED", last
    (table,) = {table["Name"] for page in _pages(glue, database) for table in page["TableList"]} - before
    return str(table)


def _pages(glue: Any, database: dict[str, str]) -> Any:
    return glue.get_paginator("get_tables").paginate(**database)


def declare(
    jobs: Any,
    columns: dict[str, str],
    location: str,
    classification: str,
    *,
    parameters: dict[str, str] | None = None,
    serde: dict[str, str] | None = None,
    keys: dict[str, str] | None = None,
) -> str:
    """Create a table at `location`, an s3:// address or a key in the tests' bucket; return its name."""
    name = str(jobs.unique("declared"))
    jobs.aws("glue").create_table(
        DatabaseName=jobs.bucket,
        TableInput={
            "Name": name,
            "Parameters": {"classification": classification, **(parameters or {})},
            "PartitionKeys": _named(keys or {}),
            "StorageDescriptor": storage(jobs, columns, location, serde=serde),
        },
    )
    return name


def storage(jobs: Any, columns: dict[str, str], location: str, *, serde: dict[str, str] | None = None) -> Any:
    """Return a StorageDescriptor."""
    there = location if "://" in location else f"s3://{jobs.bucket}/{location}"
    return {"Columns": _named(columns), "Location": there, "SerdeInfo": {"Parameters": serde or {}}}


def add_partition(
    jobs: Any, table: str, values: list[str], descriptor: Any, parameters: dict[str, str] | None = None
) -> None:
    """Create a partition with CreatePartition."""
    partition = {"Values": values, "StorageDescriptor": descriptor, "Parameters": parameters or {}}
    jobs.aws("glue").create_partition(DatabaseName=jobs.bucket, TableName=table, PartitionInput=partition)


def _named(columns: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Type": kind} for name, kind in columns.items()]


def parquet(**columns: Any) -> bytes:
    """Return a Parquet file; each column is a list or a pyarrow array."""
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()
