"""How folders, names, partitions and policies turn into tables."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crawled import Crawled

A = json.dumps({"id": 1, "name": "x", "amount": 1.5}) + "\n"
B = json.dumps({"city": "x", "country": "y"}) + "\n"
MERGE = json.dumps({"Version": 1.0, "CrawlerOutput": {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}})


def partitions(crawled: Crawled) -> list[list[str]]:
    found = crawled.aws("glue").get_partitions(DatabaseName=crawled.database, TableName=crawled.table()["Name"])
    return sorted(partition["Values"] for partition in found["Partitions"])


def keys(crawled: Crawled) -> list[str]:
    return [key["Name"] for key in crawled.table()["PartitionKeys"]]


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_table_is_named_after_its_folder_with_the_table_prefix_in_front(new_crawled: Callable[..., Crawled]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html"""
    crawled = new_crawled("Raw Data.v1/", TablePrefix="Lab-")
    crawled.put_key("Raw Data.v1/a+b c.json", A)
    crawled.put_key("other/a.json", B)
    crawled.crawl()
    assert crawled.table()["Name"] == "lab_raw_data_v1"
    assert crawled.table()["StorageDescriptor"]["Location"] == f"s3://{crawled.bucket}/Raw Data.v1/"


def test_an_include_path_without_its_trailing_slash_means_the_same_folder(new_crawled: Callable[..., Crawled]) -> None:
    crawled = new_crawled("raw")
    crawled.put(raw__aDOTjson=A, rawer__aDOTjson=B)
    crawled.crawl()
    assert crawled.table()["Name"] == "raw"
    assert crawled.table()["Parameters"]["objectCount"] == "1"


@pytest.mark.as_on_aws("Glue crawlers")
def test_hive_style_folders_become_partition_keys(new_crawled: Callable[..., Crawled]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html"""
    crawled = new_crawled("sales/")
    for month in ("01", "02"):
        crawled.put_key(f"sales/year=2026/month={month}/a.json", A)
    crawled.crawl()
    assert keys(crawled) == ["year", "month"]
    assert partitions(crawled) == [["2026", "01"], ["2026", "02"]]
    assert crawled.table()["Parameters"]["recordCount"] == "2"


@pytest.mark.as_on_aws("Glue crawlers")
def test_other_similar_folders_become_numbered_partition_keys(new_crawled: Callable[..., Crawled]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html"""
    crawled = new_crawled("sales/")
    crawled.put(sales__east__aDOTjson=A, sales__west__aDOTjson=A)
    crawled.crawl()
    assert keys(crawled) == ["partition_0"]
    assert partitions(crawled) == [["east"], ["west"]]


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(
    ("behaviour", "left"), [("DEPRECATE_IN_DATABASE", ["1", "2", "3"]), ("DELETE_FROM_DATABASE", ["2", "3"])]
)
def test_a_new_folder_adds_a_partition_and_the_delete_behavior_decides_about_missing_folders(
    new_crawled: Callable[..., Crawled], behaviour: str, left: list[str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html"""
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": behaviour}
    crawled = new_crawled("sales/", SchemaChangePolicy=policy)
    crawled.put_key("sales/day=1/a.json", A)
    crawled.put_key("sales/day=2/a.json", A)
    crawled.crawl()
    crawled.put_key("sales/day=3/a.json", A)
    crawled.aws("s3").delete_object(Bucket=crawled.bucket, Key="sales/day=1/a.json")
    crawled.crawl()
    assert partitions(crawled) == [[day] for day in left]
    assert len(crawled.tables()) == 1


def test_a_folder_that_does_not_match_the_partition_keys_is_skipped_and_logged(
    new_crawled: Callable[..., Crawled],
) -> None:
    crawled = new_crawled("sales/")
    crawled.put_key("sales/day=1/a.json", A)
    crawled.put_key("sales/day=2/a.json", A)
    crawled.put_key("sales/sday=3/hour=1/a.json", A)
    crawled.crawl()
    assert partitions(crawled) == [["1"], ["2"]]
    skipped = [line for line in crawled.log() if "partition keys do not match table partition keys" in line]
    assert [line.rpartition(" ")[2] for line in skipped] == ["sday=3/hour=1/a.json"]


@pytest.mark.as_on_aws("Glue crawlers")
def test_different_folders_become_tables_of_their_own(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html"""
    crawled.put(orders__aDOTjson=A, orders__bDOTjson=A, towns__aDOTjson=B)
    crawled.crawl()
    assert set(crawled.tables()) == {"orders", "towns"}


def test_a_single_folder_becomes_a_partition_of_the_include_path_s_table(crawled: Crawled) -> None:
    crawled.put(incoming__aDOTjson=A)
    crawled.crawl()
    assert crawled.table()["Name"] == crawled.bucket.replace("-", "_")
    assert partitions(crawled) == [["incoming"]]


def test_tables_in_nested_folders_are_found(crawled: Crawled) -> None:
    crawled.put(lake__raw__orders__aDOTjson=A, lake__raw__towns__aDOTjson=B)
    crawled.put_key("lake/raw/orders/day=1/a.json", A)
    crawled.crawl()
    assert set(crawled.tables()) == {"orders", "towns"}


def test_files_at_the_top_of_the_bucket_keep_their_table_next_to_a_different_folder(crawled: Crawled) -> None:
    crawled.put(aDOTjson=A, other__bDOTjson=B)
    crawled.crawl()
    assert set(crawled.tables()) == {crawled.bucket.replace("-", "_"), "other"}


@pytest.mark.simplified(
    "Glue crawlers", "AWS does not define similar; here it means 70 % of the columns, and at least half of the files"
)
def test_one_different_file_among_others_does_not_split_the_table(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html"""
    crawled.put(aDOTjson=A, bDOTjson=B)
    crawled.crawl()
    assert set(crawled.columns()) == {"id", "name", "amount", "city", "country"}


@pytest.mark.as_on_aws("Glue crawlers")
def test_files_that_are_all_different_become_tables_named_after_them(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html"""
    crawled.put(aDOTjson=A, bDOTjson=B, cDOTjson='{"x": 1}')
    crawled.crawl()
    assert set(crawled.tables()) == {"a_json", "b_json", "c_json"}


def test_a_table_in_the_catalog_stays_one_table_even_if_different_files_land(crawled: Crawled) -> None:
    crawled.put(aDOTjson=A)
    crawled.crawl()
    crawled.put(bDOTjson=B, cDOTjson='{"x": 1}')
    crawled.crawl()
    assert set(crawled.columns()) == {"id", "name", "amount", "city", "country", "x"}


@pytest.mark.as_on_aws("Glue crawlers")
def test_files_that_an_exclusion_matches_are_not_crawled(new_crawled: Callable[..., Crawled]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    crawled = new_crawled("raw/", Exclusions=["*.tmp", "rejects/**"])
    crawled.put(raw__aDOTjson=A, raw__bDOTtmp=B, raw__rejects__cDOTjson=B, raw___hiddenDOTjson=B)
    crawled.crawl()
    assert crawled.table()["Parameters"]["objectCount"] == "1"
    assert crawled.table()["PartitionKeys"] == []
    kept = [f"s3://{crawled.bucket}/raw/{pattern}" for pattern in ("*.tmp", "rejects/**")]
    assert json.loads(crawled.table()["Parameters"]["exclusions"]) == kept


@pytest.mark.as_on_aws("Glue crawlers")
def test_the_schema_of_a_parquet_file_is_read_from_its_footer(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    body = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2], "tags": [["a"], []], "fee": pa.array([1.5, None], pa.float32())}), body)
    crawled.put(aDOTparquet=body.getvalue())
    crawled.crawl()
    assert crawled.columns() == {"id": "bigint", "tags": "array<string>", "fee": "float"}
    assert crawled.table()["Parameters"]["recordCount"] == "2"
    assert "Parquet" in crawled.table()["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]


@pytest.mark.as_on_aws("Glue crawlers")
def test_compression_inside_a_parquet_file_is_not_the_table_s_compression_type(crawled: Crawled) -> None:
    """ "The compressed data is an internal component of the file, and AWS Glue does not populate the compressionType
    property": https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html. Crawled tables say "none".
    """
    body = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2]}), body, compression="snappy")
    crawled.put(aDOTparquet=body.getvalue())
    crawled.crawl()
    assert crawled.table()["Parameters"]["compressionType"] == "none"
    assert crawled.table()["StorageDescriptor"]["Compressed"] is False


@pytest.mark.simplified("Glue crawlers", "AWS reads random files of each folder; here the first ones are read")
def test_a_sample_size_limits_how_many_files_of_each_folder_are_read(
    new_crawled: Callable[..., Crawled],
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_S3Target.html"""
    crawled = new_crawled("raw/", SampleSize=1)
    for number in range(5):
        crawled.put_key(f"raw/{number}.json", A * 10)
    crawled.crawl()
    assert crawled.table()["Parameters"]["objectCount"] == "5"
    assert crawled.table()["Parameters"]["recordCount"] == "50"


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(
    ("behaviour", "tables", "deprecated"),
    [("DEPRECATE_IN_DATABASE", 1, True), ("DELETE_FROM_DATABASE", 0, False), ("LOG", 1, False)],
)
def test_the_delete_behavior_decides_whether_a_table_without_data_is_deprecated_deleted_or_kept(
    new_crawled: Callable[..., Crawled], behaviour: str, tables: int, deprecated: bool
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_SchemaChangePolicy.html
    https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html
    """
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": behaviour}
    crawled = new_crawled("raw/", SchemaChangePolicy=policy)
    crawled.put(raw__aDOTjson=A)
    crawled.crawl()
    crawled.aws("s3").delete_object(Bucket=crawled.bucket, Key="raw/a.json")
    crawled.crawl()
    assert len(crawled.tables()) == tables
    assert any("DEPRECATED_BY_CRAWLER" in table["Parameters"] for table in crawled.tables().values()) == deprecated


def test_a_table_is_no_longer_deprecated_when_its_data_returns(crawled: Crawled) -> None:
    crawled.put(aDOTjson=A)
    crawled.crawl()
    crawled.aws("s3").delete_object(Bucket=crawled.bucket, Key="a.json")
    crawled.crawl()
    crawled.put(aDOTjson=A)
    crawled.crawl()
    assert "DEPRECATED_BY_CRAWLER" not in crawled.table()["Parameters"]


@pytest.mark.as_on_aws("Glue crawlers")
def test_UpdateBehavior_LOG_leaves_a_table_unchanged_and_logs_that(new_crawled: Callable[..., Crawled]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html"""
    crawled = new_crawled(SchemaChangePolicy={"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"})
    crawled.put(aDOTjson=A)
    crawled.crawl()
    crawled.put(bDOTjson=json.dumps({"id": 1, "name": "x", "amount": 1.5, "extra": 1}))
    crawled.crawl()
    assert set(crawled.columns()) == {"id", "name", "amount"}
    assert any("stays as it is (UpdateBehavior LOG)" in line for line in crawled.log())


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(
    ("merge", "columns"), [(False, {"city", "country"}), (True, {"id", "name", "amount", "city", "country"})]
)
def test_columns_without_data_are_kept_only_with_MergeNewColumns(
    new_crawled: Callable[..., Crawled], merge: bool, columns: set[str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html"""
    crawled = new_crawled(Configuration=MERGE if merge else "{}")
    crawled.put(aDOTjson=A)
    crawled.crawl()
    crawled.put(aDOTjson=B)
    crawled.crawl()
    assert set(crawled.columns()) == columns


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(("configuration", "kept"), [("{}", False), (MERGE, True)])
def test_a_table_update_removes_changes_by_others_unless_MergeNewColumns_is_set(
    new_crawled: Callable[..., Crawled], configuration: str, kept: bool
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html"""
    crawled = new_crawled(Configuration=configuration)
    crawled.put(aDOTjson=A)
    crawled.crawl()
    table = crawled.table()
    taken = ("Name", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType")
    changed = {name: table[name] for name in taken}
    changed["Parameters"] = {**table["Parameters"], "team": "tolls"}
    crawled.aws("glue").update_table(DatabaseName=crawled.database, TableInput=changed)
    crawled.crawl()
    assert crawled.table()["Parameters"]["team"] == "tolls"
    crawled.put(bDOTjson=json.dumps({"id": 1, "name": "x", "amount": 1.5, "extra": 1}))
    crawled.crawl()
    assert set(crawled.columns()) == {"id", "name", "amount", "extra"}
    assert ("team" in crawled.table()["Parameters"]) == kept


@pytest.mark.as_on_aws("Glue crawlers")
def test_MergeNewColumns_deprecates_a_table_whose_format_changes(new_crawled: Callable[..., Crawled]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html"""
    crawled = new_crawled(Configuration=MERGE)
    crawled.put(aDOTjson=A)
    crawled.crawl()
    crawled.put(aDOTjson="id,town\n1,Bern\n2,Rom\n")
    crawled.crawl()
    assert set(crawled.columns()) == {"id", "name", "amount"}
    assert crawled.table()["Parameters"]["classification"] == "json"
    assert "DEPRECATED_BY_CRAWLER" in crawled.table()["Parameters"]
    assert any(line.endswith("classification of its data changed; resolve it by hand") for line in crawled.log())


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize(("inherit", "columns"), [(False, ["id"]), (True, ["id", "name", "amount"])])
def test_a_partition_has_the_columns_of_its_own_files_or_inherits_the_table_s_columns(
    new_crawled: Callable[..., Crawled], inherit: bool, columns: list[str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html"""
    output = {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}} if inherit else {}
    crawled = new_crawled("sales/", Configuration=json.dumps({"Version": 1.0, "CrawlerOutput": output}))
    for day in (1, 2):
        crawled.put_key(f"sales/day={day}/a.json", A)
    crawled.crawl()
    crawled.put_key("sales/day=3/a.json", '{"id": 1}')
    crawled.crawl()
    found = crawled.aws("glue").get_partition(DatabaseName=crawled.database, TableName="sales", PartitionValues=["3"])[
        "Partition"
    ]
    assert [column["Name"] for column in found["StorageDescriptor"]["Columns"]] == columns
    assert found["StorageDescriptor"]["Location"] == f"s3://{crawled.bucket}/sales/day=3/"
    assert found["Parameters"]["recordCount"] == "1"


@pytest.mark.as_on_aws("Glue crawlers")
def test_of_two_folders_with_the_same_name_the_second_gets_a_hash_in_its_table_name(
    new_crawled: Callable[..., Crawled], aws: Callable[..., Any]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html"""
    crawled = new_crawled()
    targets = [{"Path": f"s3://{crawled.bucket}/{folder}/raw/"} for folder in ("one", "two")]
    aws("glue").update_crawler(Name=crawled.crawler, Targets={"S3Targets": targets})
    crawled.put(one__raw__aDOTjson=A, two__raw__aDOTjson=B)
    crawled.crawl()
    first, second = sorted(crawled.tables())
    assert first == "raw"
    assert second.startswith("raw_")
    crawled.crawl()
    assert sorted(crawled.tables()) == [first, second]


@pytest.mark.as_on_aws("Glue crawlers")
def test_the_crawler_creates_its_database_if_it_does_not_exist(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html"""
    crawled.aws("glue").delete_database(Name=crawled.database)
    crawled.put(aDOTjson=A)
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert crawled.table()["DatabaseName"] == crawled.database


@pytest.mark.as_on_aws("Glue crawlers")
def test_the_crawler_finds_its_database_in_any_letter_case(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_DatabaseInput.html (Name is folded to lower case)"""
    crawled.aws("glue").update_crawler(Name=crawled.crawler, DatabaseName=crawled.database.upper())
    crawled.put(aDOTjson=A)
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert crawled.table()["DatabaseName"] == crawled.database
