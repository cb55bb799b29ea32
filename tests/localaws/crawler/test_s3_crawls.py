"""Crawls of S3: which files become which tables."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from crawled import Crawled

ROW = {
    "transaction_id": 12345,
    "transaction_date": "2023/08/13",
    "toll_booth": "buckley_rd",
    "transaction_amount": 3.25,
}
COLUMNS = {
    "transaction_id": "int",
    "transaction_date": "string",
    "toll_booth": "string",
    "transaction_amount": "double",
}


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawl_of_a_bucket_makes_one_table_named_after_it(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html
    https://docs.aws.amazon.com/glue/latest/dg/table-properties-crawler.html
    """
    crawled.put(aDOTjson=lines(*[ROW] * 100))
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    table = crawled.table()
    assert table["Name"] == crawled.bucket.replace("-", "_")
    assert crawled.columns() == COLUMNS
    assert table["TableType"] == "EXTERNAL_TABLE"
    assert table["PartitionKeys"] == []
    size = len(lines(*[ROW] * 100))
    assert table["Parameters"] == {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawled.crawler,
        "averageRecordSize": str(round(size / 100)),
        "classification": "json",
        "compressionType": "none",
        "objectCount": "1",
        "recordCount": "100",
        "sizeKey": str(size),
        "typeOfData": "file",
    }
    descriptor = table["StorageDescriptor"]
    assert descriptor["Location"] == f"s3://{crawled.bucket}/"
    assert descriptor["SerdeInfo"] == {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        "Parameters": {"paths": "toll_booth,transaction_amount,transaction_date,transaction_id"},
    }


@pytest.mark.simplified("Glue crawlers", "AWS does not document whether it reads them, so land strict JSON")
def test_json_rows_in_single_quotes_are_crawled_like_strict_json(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    crawled.put(aDOTjson="".join(f"{ROW}\n" for _ in range(100)))
    crawled.crawl()
    assert crawled.columns() == COLUMNS
    assert crawled.table()["Parameters"]["recordCount"] == "100"


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawler_reads_gzip_files(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    crawled.put(aDOTjsonDOTgz=gzip.compress(lines(*[ROW] * 7).encode()))
    crawled.crawl()
    assert crawled.columns() == COLUMNS
    assert crawled.table()["Parameters"]["compressionType"] == "gzip"
    assert crawled.table()["Parameters"]["recordCount"] == "7"


@pytest.mark.simplified("Glue crawlers", "AWS may make a table of each such file; here they are skipped and logged")
def test_an_unreadable_file_and_an_empty_file_do_not_stop_the_crawl_of_the_others(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html"""
    crawled.put(aDOTjson=lines(ROW), badDOTjson=b"\x00\xff garbage", emptyDOTjson=b"", textDOTjson="no, JSON\nat all\n")
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert crawled.columns() == COLUMNS
    assert crawled.table()["Parameters"]["objectCount"] == "1"
    log = "\n".join(crawled.log())
    assert "classifiers do not recognize the format of bad.json: UNKNOWN" in log
    assert "Skipped empty.json: it is empty" in log


@pytest.mark.as_on_aws("Glue crawlers")
def test_unreadable_files_alone_make_a_table_of_classification_UNKNOWN_until_readable_data_lands(
    crawled: Crawled,
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    crawled.put(badDOTjson=b"\x00\xff garbage")
    crawled.crawl()
    assert crawled.table()["Parameters"]["classification"] == "UNKNOWN"
    assert crawled.columns() == {}
    crawled.put(goodDOTjson=lines(ROW))
    crawled.crawl()
    assert crawled.table()["Parameters"]["classification"] == "json"
    assert crawled.columns() == COLUMNS


@pytest.mark.as_on_aws("Glue crawlers")
def test_column_types_are_merged_over_all_files_of_a_table_including_nested_fields(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html"""
    crawled.put(
        aDOTjson=lines({"a": 1, "b": 1, "c": 1, "d": None, "e": None, "f": [1], "g": {"x": 1}}),
        bDOTjson=lines({"a": 2**31, "b": 0.5, "c": "x", "d": None, "e": True, "f": [0.5], "g": {"y": "z"}}),
    )
    crawled.crawl()
    assert crawled.columns() == {
        "a": "bigint",
        "b": "double",
        "c": "string",
        "d": "string",
        "e": "boolean",
        "f": "array<double>",
        "g": "struct<x:int,y:string>",
    }


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawl_that_finds_new_columns_updates_the_table(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html"""
    crawled.put(aDOTjson=lines(ROW))
    crawled.crawl()
    crawled.put(bDOTjson=lines({"extra": 1, **ROW}))
    crawled.crawl()
    assert list(crawled.columns()) == [*COLUMNS, "extra"]
    assert crawled.table()["VersionId"] == "2"


def test_more_data_of_the_same_schema_makes_no_new_version(crawled: Crawled) -> None:
    crawled.put(aDOTjson=lines(ROW))
    crawled.crawl()
    crawled.put(bDOTjson=lines(ROW, ROW))
    crawled.crawl()
    assert crawled.table()["VersionId"] == "1"
    assert crawled.table()["Parameters"]["recordCount"] == "3"
    assert crawled.table()["Parameters"]["objectCount"] == "2"


def test_an_empty_bucket_makes_no_table(crawled: Crawled) -> None:
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert crawled.tables() == {}


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_bucket_that_does_not_exist_fails_the_crawl_with_a_message(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_LastCrawlInfo.html"""
    crawled.aws("s3").delete_bucket(Bucket=crawled.bucket)
    last = crawled.crawl()
    assert last["Status"] == "FAILED"
    assert f"s3://{crawled.bucket}/ can't be read: The specified bucket does not exist" in last["ErrorMessage"]
    assert any(last["ErrorMessage"] in line for line in crawled.log())
