"""S3 events that invoke a function."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Deploy = Callable[..., str]
Logged = Callable[..., list[str]]

PRINTS = "import json\ndef handler(event, context):\n    print('EVENT ' + json.dumps(event))\n"


@pytest.fixture
def bucket(aws: Callable[..., Any], unique: Callable[[str], str]) -> str:
    name = unique("bucket")
    aws("s3").create_bucket(Bucket=name)
    return name


def _arn(function: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{function}"


def _notify(aws: Callable[..., Any], bucket: str, function: str, *events: str, **filters: str) -> None:
    rules = [{"Name": name, "Value": value} for name, value in filters.items()]
    aws("s3").put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {
                    "Id": "s3Events",
                    "LambdaFunctionArn": _arn(function),
                    "Events": list(events),
                    "Filter": {"Key": {"FilterRules": rules}},
                }
            ]
        },
    )


def _permit(aws: Callable[..., Any], bucket: str, function: str, **conditions: str) -> None:
    wanted = conditions or {"SourceArn": f"arn:aws:s3:::{bucket}", "SourceAccount": "123456789012"}
    aws("lambda").add_permission(
        FunctionName=function, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", **wanted
    )


def _events(messages: list[str]) -> list[dict[str, Any]]:
    found = [json.loads(message.removeprefix("EVENT ")) for message in messages if message.startswith("EVENT ")]
    return [record for event in found for record in event["Records"]]


@pytest.mark.as_on_aws("S3")
def test_an_object_that_matches_the_notification_filter_invokes_the_function(
    aws: Callable[..., Any], bucket: str, deploy: Deploy, logged: Logged
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html"""
    function = deploy(PRINTS)
    _permit(aws, bucket, function)
    _notify(aws, bucket, function, "s3:ObjectCreated:Put", Prefix="in/", Suffix=".json")
    for key in ("in/other.csv", "out/toll.json", "in/toll 1+2/é.json"):
        aws("s3").put_object(Bucket=bucket, Key=key, Body=b"abc")
    (record,) = _events(logged(function, "EVENT"))
    assert record["eventVersion"] == "2.1"
    assert record["eventSource"] == "aws:s3"
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["awsRegion"] == "us-east-1"
    assert record["s3"]["configurationId"] == "s3Events"
    assert record["s3"]["bucket"]["name"] == bucket
    assert record["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{bucket}"
    assert record["s3"]["object"]["key"] == "in/toll+1%2B2/%C3%A9.json"
    assert record["s3"]["object"]["size"] == 3
    assert record["s3"]["object"]["eTag"] == "900150983cd24fb0d6963f7d28e17f72"
    assert int(record["s3"]["object"]["sequencer"], 16) > 0
    assert {"userIdentity", "requestParameters", "responseElements", "eventTime"} <= set(record)


@pytest.mark.as_on_aws("S3")
def test_PutObject_returns_before_the_function_runs(
    aws: Callable[..., Any], bucket: str, deploy: Deploy, logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html"""
    function = deploy(f"import time\ntime.sleep(1)\n{PRINTS}")
    _permit(aws, bucket, function)
    _notify(aws, bucket, function, "s3:ObjectCreated:*", Suffix=".json")
    started = time.monotonic()
    aws("s3").put_object(Bucket=bucket, Key="a.json", Body=b"")
    assert time.monotonic() - started < 0.9
    assert len(_events(logged(function, "EVENT"))) == 1


@pytest.mark.as_on_aws("S3")
def test_copies_multipart_uploads_and_deletions_invoke_the_function_too(
    aws: Callable[..., Any], bucket: str, deploy: Deploy, logged: Logged
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html"""
    function = deploy(PRINTS)
    _permit(aws, bucket, function)
    _notify(aws, bucket, function, "s3:ObjectCreated:*", "s3:ObjectRemoved:*")
    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="one", Body=b"1")
    s3.copy_object(Bucket=bucket, Key="two", CopySource={"Bucket": bucket, "Key": "one"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="three")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="three", UploadId=upload, PartNumber=1, Body=b"333")
    s3.complete_multipart_upload(
        Bucket=bucket,
        Key="three",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    s3.delete_object(Bucket=bucket, Key="one")
    records = sorted(_events(logged(function, "EVENT", 4)), key=lambda record: record["s3"]["object"]["sequencer"])
    assert [(record["eventName"], record["s3"]["object"]["key"]) for record in records] == [
        ("ObjectCreated:Put", "one"),
        ("ObjectCreated:Copy", "two"),
        ("ObjectCreated:CompleteMultipartUpload", "three"),
        ("ObjectRemoved:Delete", "one"),
    ]
    assert records[2]["s3"]["object"]["size"] == 3


@pytest.mark.as_on_aws("S3")
def test_an_event_reaches_the_function_through_an_sns_topic(
    aws: Callable[..., Any], bucket: str, deploy: Deploy, logged: Logged, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html"""
    function = deploy(PRINTS)
    topic = aws("sns").create_topic(Name=unique("topic"))["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=_arn(function))
    aws("lambda").add_permission(
        FunctionName=function, StatementId="sns", Action="lambda:InvokeFunction", Principal="sns.amazonaws.com",
        SourceArn=topic,
    )  # fmt: skip
    wanted = {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}
    given = {"Bucket": bucket, "NotificationConfiguration": wanted}
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        aws("s3").put_bucket_notification_configuration(**given)
    lets = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}
    document = json.dumps({"Version": "2012-10-17", "Statement": [lets]})
    aws("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
    aws("s3").put_bucket_notification_configuration(**given)
    aws("s3").put_object(Bucket=bucket, Key="k", Body=b"")
    received = [record["Sns"] for record in _events(logged(function, "EVENT", 2))]
    assert {each["TopicArn"] for each in received} == {topic}
    # Each runs the function in an environment of its own, so either may be first in the log.
    test, event = sorted((json.loads(each["Message"]) for each in received), key=lambda each: "Records" in each)
    assert test["Event"] == "s3:TestEvent"
    assert event["Records"][0]["s3"]["object"]["key"] == "k"


@pytest.mark.as_on_aws("S3")
def test_a_function_whose_policy_does_not_allow_s3_to_invoke_it_is_refused(
    aws: Callable[..., Any], bucket: str, deploy: Deploy
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html"""
    function = deploy(PRINTS)
    for conditions in (None, {"SourceArn": "arn:aws:s3:::another"}, {"SourceAccount": "999999999999"}):
        if conditions:
            _permit(aws, bucket, function, **conditions)
        with pytest.raises(ClientError, match="Unable to validate the following destination configurations") as no:
            _notify(aws, bucket, function, "s3:ObjectCreated:Put")
        assert no.value.response["Error"]["Code"] == "InvalidArgument"
        if conditions:
            aws("lambda").remove_permission(FunctionName=function, StatementId="s3")
    assert "LambdaFunctionConfigurations" not in aws("s3").get_bucket_notification_configuration(Bucket=bucket)


def test_a_notification_to_a_missing_function_is_refused(aws: Callable[..., Any], bucket: str) -> None:
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        _notify(aws, bucket, "nobody", "s3:ObjectCreated:Put")


@pytest.mark.as_on_aws("S3")
def test_removing_the_permission_stops_the_events(
    aws: Callable[..., Any], bucket: str, deploy: Deploy, logged: Logged
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html"""
    function = deploy(PRINTS)
    _permit(aws, bucket, function)
    _notify(aws, bucket, function, "s3:ObjectCreated:Put")
    aws("lambda").remove_permission(FunctionName=function, StatementId="s3")
    aws("s3").put_object(Bucket=bucket, Key="unseen", Body=b"")
    _permit(aws, bucket, function)
    aws("s3").put_object(Bucket=bucket, Key="seen", Body=b"")
    assert [record["s3"]["object"]["key"] for record in _events(logged(function, "EVENT"))] == ["seen"]
