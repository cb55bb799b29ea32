"""Services use the permissions of their role, inside the server as over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from iam_actors import allow, policy

TRUST = policy({"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"})
Crawl = Callable[..., dict[str, Any]]
CATALOG = allow(["glue:GetDatabase", "glue:CreateDatabase", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable"])
LOGS = allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"])


@pytest.fixture
def crawl(aws: Callable[..., Any], unique: Callable[[str], str], bucket: str) -> Crawl:
    """`crawl(statement, …)` crawls the bucket as a role that may do this, and gives its end and its lines."""
    iam, glue, s3 = aws("iam"), aws("glue"), aws("s3")
    role, crawler = unique("role"), unique("crawler")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
    target = {"S3Targets": [{"Path": f"s3://{bucket}/data/"}]}
    glue.create_crawler(Name=crawler, Role=role, DatabaseName=unique("db"), Targets=target)
    for name in ("a", "b"):
        s3.put_object(Bucket=bucket, Key=f"data/{name}.json", Body=b'{"x": 1}\n')

    def run(*statements: dict[str, Any]) -> dict[str, Any]:
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=policy(*statements))
        glue.start_crawler(Name=crawler)
        deadline = time.monotonic() + 30
        while (found := glue.get_crawler(Name=crawler)["Crawler"])["State"] != "READY":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        logs = aws("logs")
        try:
            page = logs.get_log_events(logGroupName="/aws-glue/crawlers", logStreamName=crawler, limit=1000)
        except logs.exceptions.ResourceNotFoundException:
            page = {"events": []}
        return {**found["LastCrawl"], "lines": [event["message"] for event in page["events"]]}

    return run


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawl_has_the_permissions_of_its_role(crawl: Crawl, bucket: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-prereqs.html"""
    read = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    ended = crawl(CATALOG, LOGS, read)
    assert ended["Status"] == "FAILED"
    assert f'is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::{bucket}"' in ended["ErrorMessage"]
    listing = allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition={"StringEquals": {"s3:prefix": "data/"}})
    ended = crawl(LOGS, read, listing)
    assert (ended["Status"], "glue:GetDatabase" in ended["ErrorMessage"]) == ("FAILED", True)
    assert crawl(CATALOG, LOGS, read, listing)["Status"] == "SUCCEEDED"


@pytest.mark.simplified("Glue crawlers", "such a file adds nothing to a table; AWS makes a table of it")
def test_a_file_that_the_role_may_not_read_is_logged_and_the_crawl_continues(crawl: Crawl, bucket: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-prereqs.html"""
    listing = allow("s3:ListBucket", f"arn:aws:s3:::{bucket}")
    ended = crawl(CATALOG, LOGS, listing, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/data/a.json"))
    assert ended["Status"] == "SUCCEEDED"
    denied = [line for line in ended["lines"] if "Error Code: AccessDenied" in line]
    assert len(denied) == 1
    assert f"s3://{bucket}/data/b.json" in denied[0]


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawl_whose_role_may_not_write_logs_has_no_log(crawl: Crawl, bucket: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/glue-troubleshooting-errors.html"""
    ended = crawl(CATALOG, allow("s3:*"))
    assert (ended["Status"], ended["lines"]) == ("SUCCEEDED", [])
