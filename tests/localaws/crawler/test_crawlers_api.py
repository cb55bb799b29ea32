"""The crawler's API: definitions, refusals, states and history."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from crawled import Crawled, make_role

import localaws

TARGETS = {"S3Targets": [{"Path": "s3://some-bucket/"}]}
ROW = '{"id": 1}\n'


@pytest.fixture
def glue(aws: Callable[..., Any]) -> Any:
    """Glue, and the bucket of TARGETS."""
    aws("s3").create_bucket(Bucket="some-bucket")
    return aws("glue")


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawler_is_created_with_the_defaults_of_aws(glue: Any, unique: Callable[[str], str], glue_role: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Crawler.html"""
    name = unique("crawler")
    role = f"arn:aws:iam::123456789012:role/{glue_role}"
    glue.create_crawler(Name=name, Role=role, DatabaseName="raw", Targets=TARGETS)
    crawler = glue.get_crawler(Name=name)["Crawler"]
    assert crawler["Role"] == glue_role
    assert crawler["State"] == "READY"
    assert crawler["Version"] == 1
    assert crawler["CrawlElapsedTime"] == 0
    assert crawler["Targets"]["S3Targets"] == [{"Path": "s3://some-bucket/", "Exclusions": []}]
    assert crawler["Targets"]["JdbcTargets"] == []
    assert crawler["SchemaChangePolicy"] == {
        "UpdateBehavior": "UPDATE_IN_DATABASE",
        "DeleteBehavior": "DEPRECATE_IN_DATABASE",
    }
    assert crawler["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    assert "LastCrawl" not in crawler


@pytest.mark.as_on_aws("Glue crawlers")
def test_an_update_of_a_crawler_changes_only_the_settings_that_it_names(
    glue: Any, unique: Callable[[str], str], glue_role: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateCrawler.html"""
    name = unique("crawler")
    glue.create_crawler(Name=name, Role=glue_role, DatabaseName="raw", Targets=TARGETS, TablePrefix="a_")
    glue.update_crawler(Name=name, DatabaseName="other", Description="moved")
    crawler = glue.get_crawler(Name=name)["Crawler"]
    assert (crawler["DatabaseName"], crawler["Description"], crawler["TablePrefix"]) == ("other", "moved", "a_")
    assert crawler["Version"] == 2
    assert crawler["LastUpdated"] > crawler["CreationTime"]


def assert_refused(glue: Any, definition: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError) as error:
        glue.create_crawler(**definition)
    assert error.value.response["Error"]["Code"] in ("InvalidInputException", "EntityNotFoundException")
    assert reason in error.value.response["Error"]["Message"]


def test_invalid_crawler_definitions_are_refused(glue: Any, unique: Callable[[str], str], glue_role: str) -> None:
    crawler = {"Name": unique("c"), "Role": glue_role, "DatabaseName": "d", "Targets": TARGETS}
    incremental = {"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}}
    update = {"SchemaChangePolicy": {"UpdateBehavior": "UPDATE_IN_DATABASE"}}
    any_database = {"JdbcTargets": [{"ConnectionName": "c", "Path": "%/public/%"}]}
    for change, reason in [
        ({"Role": "nobody"}, "unable to assume provided role"),
        ({"Targets": {}}, "At least one target"),
        ({"Targets": {"S3Targets": [{"Path": "some-bucket/x"}]}}, "must be of the form s3://bucket/prefix"),
        ({"Targets": {"S3Targets": [{"Path": "s3://b/", "Exclusions": ["[a"]}]}}, "is not closed"),
        ({"Targets": {"S3Targets": [{"Path": "s3://b/", "SampleSize": 250}]}}, "between 1 and 249"),
        ({"Targets": {"S3Targets": [{"Path": "s3://b/", "EventQueueArn": "events"}]}}, "ARN of an SQS queue"),
        ({"Targets": {"JdbcTargets": [{"Path": "db/public/%"}]}}, "must name its connection"),
        ({"Targets": any_database}, "can't stand for the database"),
        ({"TablePrefix": "x" * 65}, "at most 64 characters"),
        ({"Configuration": "{"}, "Configuration must be a JSON document"),
        ({"Configuration": '{"Grouping": {"TableLevelConfiguration": 0}}'}, "must be a positive integer"),
        (incremental | update, "can have only LOG"),
    ]:
        assert_refused(glue, crawler | change, reason)


def test_the_name_of_a_crawler_has_up_to_255_characters_and_its_prefix_up_to_64(
    glue: Any, unique: Callable[[str], str], glue_role: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCrawler.html"""
    crawler = {"Role": glue_role, "DatabaseName": "d", "Targets": TARGETS, "TablePrefix": "p" * 64}
    name = unique("c").ljust(255, "n")
    glue.create_crawler(Name=name, **crawler)
    assert glue.get_crawler(Name=name)["Crawler"]["TablePrefix"] == "p" * 64
    with pytest.raises(ClientError, match="length less than or equal to 255"):
        glue.create_crawler(Name=name + "n", **crawler)


@pytest.mark.refused("Glue crawlers")
def test_crawler_schedules_are_refused(glue: Any, unique: Callable[[str], str], glue_role: str) -> None:
    crawler = {"Name": unique("c"), "Role": glue_role, "DatabaseName": "d", "Targets": TARGETS}
    assert_refused(glue, crawler | {"Schedule": "cron(0 * * * ? *)"}, "does not support this crawler setting: Schedule")
    for call in (glue.start_crawler_schedule, glue.stop_crawler_schedule, glue.update_crawler_schedule):
        with pytest.raises(ClientError) as error:
            call(CrawlerName="any")
        assert error.value.response["Error"]["Code"] == "NotImplemented"


@pytest.mark.refused("Glue crawlers")
def test_custom_classifiers_are_refused(glue: Any, unique: Callable[[str], str], glue_role: str) -> None:
    crawler = {"Name": unique("c"), "Role": glue_role, "DatabaseName": "d", "Targets": TARGETS}
    assert_refused(glue, crawler | {"Classifiers": ["mine"]}, "Classifier mine not found")
    with pytest.raises(ClientError) as error:
        glue.create_classifier(JsonClassifier={"Name": "mine", "JsonPath": "$[*]"})
    assert error.value.response["Error"]["Code"] == "NotImplemented"


@pytest.mark.refused("Glue crawlers")
@pytest.mark.parametrize(
    "kind", ["DynamoDBTargets", "MongoDBTargets", "CatalogTargets", "DeltaTargets", "IcebergTargets", "HudiTargets"]
)
def test_targets_other_than_s3_and_jdbc_are_refused(
    glue: Any, unique: Callable[[str], str], glue_role: str, kind: str
) -> None:
    target = {"CatalogTargets": {"DatabaseName": "d", "Tables": ["t"]}}.get(kind, {})
    crawler = {"Name": unique("c"), "Role": glue_role, "DatabaseName": "d", "Targets": {kind: [target]}}
    assert_refused(glue, crawler, f"does not support this crawler setting: {kind}")


@pytest.mark.refused("Glue crawlers")
def test_unsupported_crawler_configuration_and_lineage_settings_are_refused(
    glue: Any, unique: Callable[[str], str], glue_role: str
) -> None:
    crawler = {"Name": unique("c"), "Role": glue_role, "DatabaseName": "d", "Targets": TARGETS}
    for asked in ('{"CreatePartitionIndex": true}', '{"CrawlerOutput": {"Tables": {"TableThreshold": 5}}}'):
        assert_refused(glue, crawler | {"Configuration": asked}, "does not support this Configuration")
    lineage = {"LineageConfiguration": {"CrawlerLineageSettings": "ENABLE"}}
    assert_refused(glue, crawler | lineage, "does not support this crawler setting: CrawlerLineageSettings ENABLE")


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_role_that_does_not_trust_glue_is_refused(
    aws: Callable[..., Any], glue: Any, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/create-an-iam-role.html"""
    role = unique("LambdaOnly")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:*"}]}
    aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))
    with pytest.raises(ClientError, match="verify role's TrustPolicy"):
        glue.create_crawler(Name=unique("c"), Role=role, DatabaseName="d", Targets=TARGETS)


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_second_crawler_with_the_same_name_is_refused(
    glue: Any, unique: Callable[[str], str], glue_role: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCrawler.html"""
    wanted = {"Name": unique("c"), "Role": glue_role, "DatabaseName": "d", "Targets": TARGETS}
    glue.create_crawler(**wanted)
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_crawler(**wanted)


@pytest.mark.as_on_aws("Glue crawlers")
def test_every_operation_on_a_missing_crawler_names_the_crawler_in_its_error(glue: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartCrawler.html"""
    for operation in (
        glue.get_crawler, glue.start_crawler, glue.stop_crawler, glue.delete_crawler, glue.update_crawler
    ):  # fmt: skip
        with pytest.raises(glue.exceptions.EntityNotFoundException, match="nobody"):
            operation(Name="nobody")
    with pytest.raises(glue.exceptions.EntityNotFoundException, match="nobody"):
        glue.list_crawls(CrawlerName="nobody")


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawler_that_is_not_running_cannot_be_stopped(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StopCrawler.html"""
    glue = crawled.aws("glue")
    with pytest.raises(glue.exceptions.CrawlerNotRunningException, match=crawled.crawler):
        glue.stop_crawler(Name=crawled.crawler)


@pytest.mark.as_on_aws("Glue crawlers")
def test_crawlers_can_be_listed_by_name_and_by_tag_and_can_be_deleted(
    glue: Any, unique: Callable[[str], str], glue_role: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ListCrawlers.html"""
    one, two, tag = unique("c"), unique("c"), unique("tag")
    for name, tags in ((one, {tag: "x"}), (two, {})):
        glue.create_crawler(Name=name, Role=glue_role, DatabaseName="d", Targets=TARGETS, Tags=tags)
    pages = glue.get_paginator("get_crawlers").paginate(PaginationConfig={"PageSize": 1})
    assert {one, two} <= {crawler["Name"] for page in pages for crawler in page["Crawlers"]}
    assert glue.list_crawlers(Tags={tag: "x"})["CrawlerNames"] == [one]
    glue.delete_crawler(Name=one)
    found = glue.batch_get_crawlers(CrawlerNames=[one, two])
    assert [crawler["Name"] for crawler in found["Crawlers"]] == [two]
    assert found["CrawlersNotFound"] == [one]


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawler_s_history_lists_the_changes_of_each_crawl_with_the_newest_first(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CrawlerHistory.html"""
    glue = crawled.aws("glue")
    crawled.put(aDOTjson=ROW)
    crawled.crawl()
    crawled.put(bDOTjson='{"id": 1, "extra": "x"}')
    crawled.crawl()
    newest, oldest = glue.list_crawls(CrawlerName=crawled.crawler)["Crawls"]
    name = crawled.table()["Name"]
    for crawl, action in ((oldest, "ADD"), (newest, "UPDATE")):
        assert crawl["State"] == "COMPLETED"
        assert crawl["StartTime"] <= crawl["EndTime"]
        table = json.loads(json.loads(crawl["Summary"])["TABLE"])
        assert table == {action: {"Details": {"names": [name]}, "Count": 1}}
    last = glue.get_crawler(Name=crawled.crawler)["Crawler"]["LastCrawl"]
    assert last["MessagePrefix"] == newest["CrawlId"]
    assert last["StartTime"] == newest["StartTime"]
    first_page = glue.list_crawls(CrawlerName=crawled.crawler, MaxResults=1)
    assert [crawl["CrawlId"] for crawl in first_page["Crawls"]] == [newest["CrawlId"]]
    rest = glue.list_crawls(CrawlerName=crawled.crawler, NextToken=first_page["NextToken"])
    assert [crawl["CrawlId"] for crawl in rest["Crawls"]] == [oldest["CrawlId"]]


@pytest.mark.as_on_aws("Glue crawlers")
def test_the_crawls_of_a_crawler_can_be_filtered_by_id_state_and_time(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CrawlsFilter.html"""
    glue = crawled.aws("glue")
    crawled.put(aDOTjson=ROW)
    crawled.crawl()
    crawled.aws("s3").delete_object(Bucket=crawled.bucket, Key="a.json")
    crawled.aws("s3").delete_bucket(Bucket=crawled.bucket)
    crawled.crawl()
    failed, completed = glue.list_crawls(CrawlerName=crawled.crawler)["Crawls"]

    def found(*filters: tuple[str, str, str]) -> list[str]:
        asked = [{"FieldName": f, "FilterOperator": o, "FieldValue": v} for f, o, v in filters]
        crawls = glue.list_crawls(CrawlerName=crawled.crawler, Filters=asked)["Crawls"]
        return [crawl["State"] for crawl in crawls]

    since = str(int(failed["StartTime"].timestamp() * 1000))
    assert found(("CRAWL_ID", "EQ", completed["CrawlId"])) == ["COMPLETED"]
    assert found(("CRAWL_ID", "NE", completed["CrawlId"])) == ["FAILED"]
    assert found(("STATE", "EQ", "FAILED")) == ["FAILED"]
    assert found(("START_TIME", "GE", since)) == ["FAILED"]
    assert found(("START_TIME", "LT", since)) == ["COMPLETED"]
    assert found(("END_TIME", "GT", "0"), ("STATE", "EQ", "COMPLETED")) == ["COMPLETED"]
    assert found(("DPU_HOUR", "LE", "1")) == ["FAILED", "COMPLETED"]


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawler_s_metrics_count_the_tables_that_its_crawls_changed(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CrawlerMetrics.html"""
    glue = crawled.aws("glue")
    crawled.put(aDOTjson=ROW)
    crawled.crawl()
    crawled.put(bDOTjson='{"id": 1, "extra": "x"}')
    crawled.crawl()
    (metrics,) = glue.get_crawler_metrics(CrawlerNameList=[crawled.crawler])["CrawlerMetricsList"]
    crawls = glue.list_crawls(CrawlerName=crawled.crawler)["Crawls"]
    seconds = sorted((crawl["EndTime"] - crawl["StartTime"]).total_seconds() for crawl in crawls)
    assert metrics["MedianRuntimeSeconds"] == pytest.approx(sum(seconds) / 2, abs=0.01)
    assert (metrics["TablesCreated"], metrics["TablesUpdated"], metrics["TablesDeleted"]) == (1, 1, 0)
    assert (metrics["TimeLeftSeconds"], metrics["StillEstimating"]) == (0, False)


@pytest.mark.as_on_aws("Glue crawlers")
def test_each_crawl_is_logged_from_start_to_end(crawled: Crawled) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/console-crawlers-details.html"""
    crawled.put(aDOTjson=ROW)
    crawled.crawl()
    lines = [line.partition("] ")[2] for line in crawled.log()]
    assert lines[0] == f"BENCHMARK : Running Start Crawl for Crawler {crawled.crawler}"
    assert f"INFO : Created table {crawled.table()['Name']} in database {crawled.database}" in lines
    assert lines[-1] == "BENCHMARK : Crawler has finished running and is in state READY"


@pytest.mark.simplified("Glue crawlers", "a crawl that the killed server interrupted is failed at the next start")
def test_a_killed_crawl_is_failed_and_files_from_earlier_crawls_are_not_read_again(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_LastCrawlInfo.html"""
    status = localaws.start(tmp_path)
    try:
        glue = _client(status, "glue")
        role = make_role(_client(status, "iam"), "Role")
        crawled = Crawled(lambda service: _client(status, service), "some-bucket", "d", "s3")
        _client(status, "s3").create_bucket(Bucket="some-bucket")
        crawled.put(badDOTjson=b"\x00\xff")
        glue.create_crawler(Name="s3", Role=role, DatabaseName="d", Targets=TARGETS)
        crawled.crawl()
        assert any("do not recognize the format" in line for line in crawled.log())
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"jdbc:redshift://127.0.0.1:{silent.getsockname()[1]}/db"
            properties = {"JDBC_CONNECTION_URL": url, "USERNAME": "u", "PASSWORD": "p"}
            glue.create_connection(
                ConnectionInput={"Name": "conn", "ConnectionType": "JDBC", "ConnectionProperties": properties}
            )
            targets = {"JdbcTargets": [{"ConnectionName": "conn", "Path": "db/public/%"}]}
            glue.create_crawler(Name="c", Role=role, DatabaseName="d", Targets=targets)
            glue.start_crawler(Name="c")
            assert status.pid is not None
            os.kill(status.pid, signal.SIGKILL)
        status = _start_again(tmp_path)
        crawler = _client(status, "glue").get_crawler(Name="c")["Crawler"]
        assert crawler["State"] == "READY"
        assert crawler["LastCrawl"]["Status"] == "FAILED"
        assert "was interrupted" in crawler["LastCrawl"]["ErrorMessage"]
        _client(status, "glue").start_crawler(Name="c")
        crawled.put(aDOTjson=ROW)
        crawled.crawl()
        assert not any("do not recognize the format" in line for line in crawled.log())
    finally:
        localaws.stop(tmp_path)


def _client(status: localaws.Status, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=status.endpoint_url,
        region_name=status.region,
        aws_access_key_id=status.access_key_id,
        aws_secret_access_key=status.secret_access_key,
    )


def _start_again(home: Path) -> localaws.Status:
    deadline = time.monotonic() + 20
    while localaws.status(home).running and time.monotonic() < deadline:
        time.sleep(0.02)
    return localaws.start(home)
