"""Resources in a crawler's definition have to exist when the crawler is created, if AWS checks them.

AWS documents only the error's code, InvalidInputException. The texts are quoted in public reports; each test says what
the reports do not show.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from crawled import TRUST, Crawled

ACCOUNT = "123456789012"
NO_ROLE = "Service is unable to assume provided role. Please verify role's TrustPolicy"


def no_queue(arn: str) -> str:
    return f"SQS queue {arn} does not exist or the role provided does not have access to it."


def no_permission(role: str, connection: str) -> str:
    """What IAM says of a role that may not look the connection up."""
    return (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/AWS-Crawler is not authorized to perform: "
        f"glue:GetConnection on resource: arn:aws:glue:us-east-1:{ACCOUNT}:"
    )


@pytest.fixture
def bucket(aws: Callable[..., Any], unique: Callable[[str], str]) -> str:
    """A bucket that is there."""
    name = unique("bucket-")
    aws("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def create(
    aws: Callable[..., Any], unique: Callable[[str], str], glue_role: str
) -> Callable[..., tuple[str, str] | None]:
    """`create(Targets=…)`: make such a crawler; the code and the text of the error, or None where it is accepted."""

    def run(**definition: Any) -> tuple[str, str] | None:
        given = {"Name": unique("c"), "Role": glue_role, "DatabaseName": "not-there-yet", **definition}
        return refusal(lambda: aws("glue").create_crawler(**given))

    return run


Create = Callable[..., tuple[str, str] | None]


def refusal(call: Callable[[], Any]) -> tuple[str, str] | None:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return None


def s3(*paths: str, **settings: Any) -> dict[str, Any]:
    return {"S3Targets": [{"Path": path, **settings} for path in paths]}


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_crawler_of_a_bucket_that_does_not_exist_is_refused(create: Create, bucket: str, unique: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCrawler.html

    Code and text: https://github.com/ansible-collections/community.aws/issues/1796 and
    https://github.com/hashicorp/terraform-provider-aws/pull/30370. Not known: which of several missing buckets AWS
    names; here it is the first one.
    """
    missing = unique("no-such-bucket-")
    for path in (f"s3://{missing}", f"s3://{missing}/", f"s3://{missing}/folder/a.json"):
        refused = create(Targets=s3(f"s3://{bucket}/", path))
        assert refused == ("InvalidInputException", f"S3 bucket {missing} does not exist.")


@pytest.mark.simplified("Glue crawlers", "AWS does not document whether UpdateCrawler checks the buckets")
def test_an_update_to_a_bucket_that_does_not_exist_is_refused_and_changes_nothing(
    crawled: Crawled, unique: Any
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateCrawler.html"""
    glue, missing = crawled.aws("glue"), unique("no-such-bucket-")
    before = glue.get_crawler(Name=crawled.crawler)["Crawler"]
    refused = refusal(
        lambda: glue.update_crawler(Name=crawled.crawler, Targets=s3(f"s3://{missing}/"), TablePrefix="x")
    )
    assert refused == ("InvalidInputException", f"S3 bucket {missing} does not exist.")
    assert glue.get_crawler(Name=crawled.crawler)["Crawler"] == before


def test_an_update_without_targets_is_accepted_even_if_the_bucket_is_gone(crawled: Crawled) -> None:
    crawled.aws("s3").delete_bucket(Bucket=crawled.bucket)
    crawled.aws("glue").update_crawler(Name=crawled.crawler, Description="its bucket is gone")
    assert crawled.crawl()["Status"] == "FAILED"


@pytest.mark.as_on_aws("Glue crawlers")
def test_the_path_and_the_database_need_not_exist_before_the_crawl(create: Create, bucket: str) -> None:
    """ "If your crawler does not specify a database, your tables are placed in the default database"; the crawler makes
    the database that it names: https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html
    """
    assert create(Targets=s3(f"s3://{bucket}/no/such/folder/", f"s3://{bucket}/no/such/object.json")) is None


@pytest.mark.simplified(
    "Glue crawlers",
    "it is not known whether AWS refuses such a role already when the crawler is created",
)
def test_a_role_without_permission_to_list_the_bucket_fails_the_crawl(
    create: Create, bucket: str, aws: Callable[..., Any], unique: Any
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-prereqs.html

    One refusal is known, for a bucket that S3 had disabled: "Unable to validate existence of s3 target s3://bucket1
    because: All access to this object has been disabled"
    (https://github.com/hashicorp/terraform-provider-aws/pull/30370).
    """
    role = unique("may-do-nothing")
    aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    assert create(Targets=s3(f"s3://{bucket}/"), Role=role) is None


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_role_that_glue_cannot_assume_is_refused_with_the_message_of_aws(
    create: Create, bucket: str, aws: Callable[..., Any], unique: Any
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/create-an-iam-role.html

    Code and text: https://github.com/hashicorp/terraform-provider-aws/issues/30371
    """
    assert create(Targets=s3(f"s3://{bucket}/"), Role="nobody") == ("InvalidInputException", NO_ROLE)
    arn = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    assert create(Targets=s3(f"s3://{bucket}/"), Role=arn) == ("InvalidInputException", NO_ROLE)


@pytest.mark.as_on_aws("Glue crawlers")
def test_a_jdbc_target_needs_a_connection_that_exists_and_that_the_role_may_read(
    create: Create, aws: Callable[..., Any], unique: Any, glue_role: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_JdbcTarget.html

    Code, the beginning of the text, and who looks the connection up (the role):
    https://github.com/hashicorp/terraform-provider-aws/pull/5502. Not known: the end of the text if the connection
    does not exist; here it is the one of GetConnection.
    """
    name, role = unique("conn"), unique("may-do-nothing")
    target = {"JdbcTargets": [{"ConnectionName": name, "Path": "db/public/%"}]}
    reason = f"Connection {name} not found. (Service: AmazonDataCatalog; Status Code: 400; "
    refused = create(Targets=target)
    assert refused == (
        "InvalidInputException",
        f"Unable to retrieve connection {name}: {reason}Error Code: EntityNotFoundException)",
    )
    properties = {"JDBC_CONNECTION_URL": "jdbc:redshift://h:5439/db", "USERNAME": "u", "PASSWORD": "p"}
    aws("glue").create_connection(
        ConnectionInput={"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": properties}
    )
    assert create(Targets=target) is None
    aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    code, text = create(Targets=target, Role=role) or ("", "")
    assert code == "InvalidInputException"
    assert text.startswith(f"Unable to retrieve connection {name}: {no_permission(role, name)}")


@pytest.mark.as_on_aws("Glue crawlers")
def test_an_event_queue_that_does_not_exist_or_that_the_role_may_not_read_is_refused(
    create: Create, bucket: str, aws: Callable[..., Any], unique: Any
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html

    Code and text: https://github.com/aws/aws-cdk/issues/33907 and the comments of Terraform's
    internal/service/glue/crawler.go. Not known: whether AWS looks for the dead-letter queue; here it does not.
    """
    queue, role = unique("events"), unique("may-do-nothing")
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}"
    mode = {"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVENT_MODE"}}
    target = s3(f"s3://{bucket}/", EventQueueArn=arn)
    refused = ("InvalidInputException", no_queue(arn))
    assert create(Targets=target, **mode) == refused
    for elsewhere in (arn.replace(ACCOUNT, "999999999999"), arn.replace("us-east-1", "nowhere-1")):
        asked = s3(f"s3://{bucket}/", EventQueueArn=elsewhere)
        assert create(Targets=asked, **mode) == (refused[0], no_queue(elsewhere))
    aws("sqs").create_queue(QueueName=queue)
    assert create(Targets=target, **mode) is None
    aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    assert create(Targets=target, Role=role, **mode) == refused


@pytest.mark.as_on_aws("Glue crawlers")
def test_settings_that_conflict_with_the_recrawl_policy_are_refused_with_the_message_of_aws(
    create: Create, bucket: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html
    https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html

    Texts: https://github.com/LBHackney-IT/Data-Platform/pull/2418 and https://github.com/aws/aws-cdk/issues/17763
    """
    new_folders = {"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}}
    for policy in ({"UpdateBehavior": "UPDATE_IN_DATABASE"}, {"DeleteBehavior": "DEPRECATE_IN_DATABASE"}):
        assert create(Targets=s3(f"s3://{bucket}/"), SchemaChangePolicy=policy, **new_folders) == (
            "InvalidInputException",
            'The SchemaChangePolicy for "Crawl new folders only" Amazon S3 target can have only LOG DeleteBehavior'
            " value and LOG UpdateBehavior value.",
        )
    by_events = {"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVENT_MODE"}}
    assert create(Targets=s3(f"s3://{bucket}/"), **by_events) == (
        "InvalidInputException",
        "Event queue ARN is required when event crawler is selected.",
    )
