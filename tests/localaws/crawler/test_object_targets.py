"""An include path that is one object: its table has the object's location and contains nothing else.

AWS: "For Amazon S3 data stores, include path syntax is bucket-name/folder-name/file-name.ext"
(https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html). AWS's own example crawls
``s3://awsglue-datasets/examples/medicare/Medicare_Hospital_Provider.csv``, and its table is
``medicare_hospital_provider_csv``
(https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html).
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crawled import Crawled

A = json.dumps({"id": 1, "name": "x"}) + "\n"
B = json.dumps({"city": "x", "country": "y"}) + "\n"


def location(crawled: Crawled, table: str) -> str:
    return str(crawled.tables()[table]["StorageDescriptor"]["Location"])


def retarget(crawled: Crawled, *paths: str, **settings: Any) -> None:
    """Give the crawler these include paths, below its bucket."""
    targets = [{"Path": f"s3://{crawled.bucket}/{path}"} for path in paths]
    crawled.aws("glue").update_crawler(Name=crawled.crawler, Targets={"S3Targets": targets}, **settings)


@pytest.mark.as_on_aws("Glue crawlers")
def test_the_table_of_a_single_object_has_its_location_and_is_named_after_it(
    new_crawled: Callable[..., Crawled],
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
    """
    crawled = new_crawled("raw/Toll Data.json", TablePrefix="lab_")
    crawled.put_key("raw/Toll Data.json", A)
    crawled.put_key("raw/Toll Data.json.old", B)
    crawled.put_key("raw/other.json", A * 5)
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert set(crawled.tables()) == {"lab_toll_data_json"}
    assert location(crawled, "lab_toll_data_json") == f"s3://{crawled.bucket}/raw/Toll Data.json"
    assert crawled.columns() == {"id": "int", "name": "string"}
    assert crawled.table()["PartitionKeys"] == []
    parameters = crawled.table()["Parameters"]
    assert (parameters["objectCount"], parameters["recordCount"]) == ("1", "1")
    assert "exclusions" not in parameters


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_single_object_may_have_any_format_and_may_be_at_the_top_of_the_bucket(
    new_crawled: Callable[..., Crawled],
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    crawled = new_crawled("a.json.gz")
    parquet = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2]}), parquet)
    objects = {"a.json.gz": gzip.compress(A.encode()), "b.csv": b"id,town\n1,Bern\n", "c.parquet": parquet.getvalue()}
    for key, body in objects.items():
        crawled.put_key(key, body)
    retarget(crawled, *objects)
    crawled.crawl()
    kinds = {name: table["Parameters"]["classification"] for name, table in crawled.tables().items()}
    assert kinds == {"a_json_gz": "json", "b_csv": "csv", "c_parquet": "parquet"}
    assert {location(crawled, name) for name in kinds} == {f"s3://{crawled.bucket}/{key}" for key in objects}


def test_a_single_object_is_crawled_even_if_a_crawl_of_its_folder_would_skip_it(
    new_crawled: Callable[..., Crawled],
) -> None:
    crawled = new_crawled("raw/_a.json", SampleSize=1)
    crawled.put(raw___aDOTjson=A)
    crawled.crawl()
    assert set(crawled.tables()) == {"_a_json"}


def test_a_recrawl_reads_the_single_object_and_never_its_neighbours(new_crawled: Callable[..., Crawled]) -> None:
    crawled = new_crawled("raw/a.json")
    crawled.put(raw__aDOTjson=A)
    crawled.crawl()
    crawled.put(raw__bDOTjson=B)
    crawled.crawl()
    assert crawled.columns() == {"id": "int", "name": "string"}
    assert crawled.table()["VersionId"] == "1"
    crawled.put(raw__aDOTjson='{"id": 1, "name": "x", "fee": 0.5}\n' * 2)
    crawled.crawl()
    assert crawled.columns() == {"id": "int", "name": "string", "fee": "double"}
    assert crawled.table()["Parameters"]["recordCount"] == "2"


@pytest.mark.parametrize(("behaviour", "left"), [("DEPRECATE_IN_DATABASE", 1), ("DELETE_FROM_DATABASE", 0)])
def test_the_table_of_a_deleted_object_is_handled_as_the_delete_behavior_says(
    new_crawled: Callable[..., Crawled], behaviour: str, left: int
) -> None:
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": behaviour}
    crawled = new_crawled("raw/a.json", SchemaChangePolicy=policy)
    crawled.put(raw__aDOTjson=A, raw__bDOTjson=A)
    crawled.crawl()
    crawled.aws("s3").delete_object(Bucket=crawled.bucket, Key="raw/a.json")
    crawled.crawl()
    assert len(crawled.tables()) == left
    assert all("DEPRECATED_BY_CRAWLER" in table["Parameters"] for table in crawled.tables().values())
    crawled.put(raw__aDOTjson=A)
    crawled.crawl()
    assert "DEPRECATED_BY_CRAWLER" not in crawled.table()["Parameters"]


@pytest.mark.simplified("Glue crawlers", "AWS does not document the result of a crawl of a missing object")
def test_an_object_that_does_not_exist_makes_no_table(new_crawled: Callable[..., Crawled]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    crawled = new_crawled("raw/nothing.json")
    crawled.put(raw__nothingDOTjsonDOTold=A)
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert crawled.tables() == {}


@pytest.mark.simplified("Glue crawlers", "AWS does not document which of the two it crawls")
def test_a_trailing_slash_tells_a_folder_from_an_object_with_the_same_name(
    new_crawled: Callable[..., Crawled],
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    crawled = new_crawled("raw")
    crawled.put(raw=A, raw__aDOTjson=B)
    crawled.crawl()
    assert (location(crawled, "raw"), set(crawled.columns())) == (f"s3://{crawled.bucket}/raw", {"id", "name"})
    retarget(crawled, "raw", "raw/")
    crawled.crawl()
    first, second = sorted(crawled.tables())
    assert (first, location(crawled, first)) == ("raw", f"s3://{crawled.bucket}/raw")
    assert second.startswith("raw_")
    assert location(crawled, second) == f"s3://{crawled.bucket}/raw/"
    crawled.crawl()
    assert sorted(crawled.tables()) == [first, second]


def test_an_empty_object_that_marks_a_folder_is_treated_as_the_folder(new_crawled: Callable[..., Crawled]) -> None:
    crawled = new_crawled("raw")
    crawled.put(raw="", raw__aDOTjson=A)
    crawled.crawl()
    assert location(crawled, "raw") == f"s3://{crawled.bucket}/raw/"


@pytest.mark.simplified(
    "Glue crawlers",
    "AWS does not document the effect of exclusions on an include path that is an object",
)
def test_exclusions_are_relative_to_the_object_and_never_exclude_it(new_crawled: Callable[..., Crawled]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html"""
    crawled = new_crawled("raw/a.json", Exclusions=["*.json"])
    crawled.put(raw__aDOTjson=A)
    crawled.crawl()
    kept = json.loads(crawled.table()["Parameters"]["exclusions"])
    assert kept == [f"s3://{crawled.bucket}/raw/a.json/*.json"]


def test_a_folder_and_an_object_in_it_keep_their_tables_in_a_recrawl(
    new_crawled: Callable[..., Crawled],
) -> None:
    crawled = new_crawled("raw/")
    for day in (1, 2, 3):
        crawled.put_key(f"raw/day={day}/a.json", A)
    crawled.put_key("raw/day=2/towns.json", B)
    retarget(crawled, "raw/day=2/towns.json", "raw/")
    crawled.crawl()
    tables = crawled.tables()
    assert set(tables) == {"raw", "towns_json"}
    assert [key["Name"] for key in tables["raw"]["PartitionKeys"]] == ["day"]
    crawled.put_key("raw/day=4/a.json", A)
    crawled.crawl()
    assert set(crawled.tables()) == {"raw", "towns_json"}
    assert crawled.tables()["towns_json"]["VersionId"] == "1"


@pytest.mark.as_on_aws("Glue crawlers")
def test_an_incremental_crawl_does_not_crawl_a_single_object_again(
    new_crawled: Callable[..., Crawled],
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html"""
    crawled = new_crawled("raw/a.json", RecrawlPolicy={"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"})
    crawled.put(raw__aDOTjson=A)
    crawled.crawl()
    crawled.put(raw__aDOTjson=B, raw__bDOTjson=B)
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert set(crawled.tables()) == {"a_json"}
    assert crawled.columns() == {"id": "int", "name": "string"}


@pytest.mark.simplified("Glue crawlers", "an archived object adds nothing, as one that the role may not read")
@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_is_named_in_the_log_and_not_read(
    new_crawled: Callable[..., Crawled], storage_class: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (InvalidObjectState)"""
    crawled = new_crawled("in/")
    crawled.put_key("in/a.json", A)
    body = json.dumps({"id": 1, "old": True})
    crawled.aws("s3").put_object(Bucket=crawled.bucket, Key="in/b.json", Body=body, StorageClass=storage_class)
    assert crawled.crawl()["Status"] == "SUCCEEDED"
    assert crawled.columns() == {"id": "int", "name": "string"}
    assert crawled.table()["Parameters"]["objectCount"] == "1"
    (said,) = [line for line in crawled.log() if "InvalidObjectState" in line]
    assert "The operation is not valid for the object's storage class" in said
    assert f"s3://{crawled.bucket}/in/b.json" in said
