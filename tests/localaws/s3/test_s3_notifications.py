"""What a bucket may be told to notify, and what arrives in a queue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def bucket(aws: Callable[..., Any], unique: Callable[[str], str]) -> str:
    name = unique("bucket")
    aws("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def queue(aws: Callable[..., Any], unique: Callable[[str], str]) -> tuple[str, str]:
    """(URL, ARN)"""
    name = unique("queue")
    url = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:123456789012:{name}"


def _configure(aws: Callable[..., Any], bucket: str, *wanted: dict[str, Any]) -> None:
    aws("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": list(wanted)}
    )


def _queued(arn: str, *events: str, **filters: str) -> dict[str, Any]:
    rules = [{"Name": name, "Value": value} for name, value in filters.items()]
    return {"QueueArn": arn, "Events": list(events), "Filter": {"Key": {"FilterRules": rules}}}


def _receive(aws: Callable[..., Any], url: str) -> dict[str, Any]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for message in aws("sqs").receive_message(QueueUrl=url).get("Messages", []):
            aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return dict(json.loads(message["Body"]))
        time.sleep(0.02)
    raise AssertionError(f"nothing arrived in {url}")


def test_a_queue_gets_a_test_event_first_and_then_the_events(
    aws: Callable[..., Any], bucket: str, queue: tuple[str, str]
) -> None:
    url, arn = queue
    _configure(aws, bucket, _queued(arn, "s3:ObjectCreated:*", suffix=".json"))
    test = _receive(aws, url)
    assert (test["Event"], test["Bucket"], test["Service"]) == ("s3:TestEvent", bucket, "Amazon S3")
    assert "Records" not in test
    aws("s3").put_object(Bucket=bucket, Key="a.csv", Body=b"")
    aws("s3").put_object(Bucket=bucket, Key="a.json", Body=b"")
    assert _receive(aws, url)["Records"][0]["s3"]["object"]["key"] == "a.json"


def test_later_events_have_higher_sequencers(aws: Callable[..., Any], bucket: str, queue: tuple[str, str]) -> None:
    url, arn = queue
    _configure(aws, bucket, _queued(arn, "s3:ObjectCreated:*"))
    _receive(aws, url)
    for _ in range(3):
        aws("s3").put_object(Bucket=bucket, Key="k", Body=b"")
    sequencers = [_receive(aws, url)["Records"][0]["s3"]["object"]["sequencer"] for _ in range(3)]
    assert len(set(sequencers)) == 3
    assert {len(sequencer) for sequencer in sequencers} == {18}


def test_a_delete_marker_is_an_event_of_its_own(aws: Callable[..., Any], bucket: str, queue: tuple[str, str]) -> None:
    url, arn = queue
    aws("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    _configure(aws, bucket, _queued(arn, "s3:ObjectRemoved:*"))
    _receive(aws, url)
    version = aws("s3").put_object(Bucket=bucket, Key="k", Body=b"")["VersionId"]
    aws("s3").delete_object(Bucket=bucket, Key="k")
    assert _receive(aws, url)["Records"][0]["eventName"] == "ObjectRemoved:DeleteMarkerCreated"
    aws("s3").delete_object(Bucket=bucket, Key="k", VersionId=version)
    record = _receive(aws, url)["Records"][0]
    assert record["eventName"] == "ObjectRemoved:Delete"
    assert record["s3"]["object"]["versionId"] == version


def test_what_is_configured_is_what_is_told(aws: Callable[..., Any], bucket: str, queue: tuple[str, str]) -> None:
    _configure(aws, bucket, {"Id": "mine", **_queued(queue[1], "s3:ObjectCreated:Put", PREFIX="in/", suffix=".json")})
    (told,) = aws("s3").get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert told == {
        "Id": "mine",
        "QueueArn": queue[1],
        "Events": ["s3:ObjectCreated:Put"],
        "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/"}, {"Name": "Suffix", "Value": ".json"}]}},
    }
    aws("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "QueueConfigurations" not in aws("s3").get_bucket_notification_configuration(Bucket=bucket)


def test_overlapping_configurations_are_refused(aws: Callable[..., Any], bucket: str, queue: tuple[str, str]) -> None:
    arn = queue[1]
    with pytest.raises(ClientError, match="Configuration is ambiguously defined") as refused:
        _configure(
            aws,
            bucket,
            _queued(arn, "s3:ObjectCreated:Put", suffix=".json"),
            _queued(arn, "s3:ObjectCreated:*", prefix="in/"),
        )
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    _configure(
        aws,
        bucket,
        _queued(arn, "s3:ObjectCreated:Put", suffix=".json"),
        _queued(arn, "s3:ObjectCreated:Put", suffix=".csv"),
        _queued(arn, "s3:ObjectRemoved:*"),
    )


def test_a_missing_queue_and_an_unknown_event_are_refused(aws: Callable[..., Any], bucket: str) -> None:
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        _configure(aws, bucket, _queued("arn:aws:sqs:us-east-1:123456789012:nobody", "s3:ObjectCreated:*"))
    with pytest.raises(ClientError, match="not supported for notifications"):
        _configure(aws, bucket, _queued("arn:aws:sqs:us-east-1:123456789012:nobody", "s3:ObjectEaten"))
