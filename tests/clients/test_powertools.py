"""Powertools for AWS Lambda in a function: https://docs.powertools.aws.dev/lambda/python/latest/

Its package is in the function's zip, as `pip install --target` puts it there.
"""

from __future__ import annotations

import io
import json
import sysconfig
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Client = Callable[[str], Any]
SOURCE = """
import os

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes import S3Event, event_source

logger = Logger(service="tolls")
processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context(log_event=False)
@event_source(data_class=S3Event)
def on_object(event, context):
    key = event.object_key
    body = boto3.client("s3").get_object(Bucket=event.bucket_name, Key=key)["Body"].read().decode()
    logger.info("read", extra={"key": key, "body": body})


def _one(record):
    logger.info("taken", extra={"body": record.body})
    if record.body.startswith("bad"):
        raise ValueError(record.body)


def on_messages(event, context):
    return process_partial_response(event=event, record_handler=_one, processor=processor, context=context)
"""


@pytest.fixture(scope="module")
def package() -> bytes:
    """The function with powertools and what it needs, as a zip."""
    site = Path(sysconfig.get_paths()["purelib"])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.py", SOURCE)
        for name in ("aws_lambda_powertools", "jmespath", "typing_extensions.py"):
            files = (site / name).rglob("*.py") if (site / name).is_dir() else [site / name]
            for file in files:
                archive.write(file, file.relative_to(site))
    return stream.getvalue()


@pytest.fixture
def deploy(aws: Client, unique: Callable[[str], str], role: str, package: bytes) -> Callable[[str], str]:
    """`deploy("main.handler")` makes a function: its name."""

    def make(handler: str) -> str:
        name = unique("function")
        aws("lambda").create_function(
            FunctionName=name, Runtime="python3.13", Handler=handler, Role=role, Code={"ZipFile": package}, Timeout=30
        )
        return name

    return make


def _logged(aws: Client, function: str, message: str, count: int) -> list[dict[str, Any]]:
    """The function's structured log lines with this message, once there are `count`."""
    logs, deadline, found = aws("logs"), time.monotonic() + 60, []
    while len(found) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            continue
        lines = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
        found = [line for line in lines if line["message"] == message]
    return found


def test_an_s3_event_is_parsed_and_logged_with_the_fields_of_the_context(
    aws: Client, bucket: str, deploy: Callable[[str], str]
) -> None:
    function = deploy("main.on_object")
    arn = aws("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    aws("lambda").add_permission(
        FunctionName=function, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
    )  # fmt: skip
    aws("s3").put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    aws("s3").put_object(Bucket=bucket, Key="a b+ä.txt", Body=b"content")
    (line,) = _logged(aws, function, "read", 1)
    assert (line["key"], line["body"], line["service"], line["level"]) == ("a b+ä.txt", "content", "tolls", "INFO")
    assert (line["function_name"], line["function_arn"], line["cold_start"]) == (function, arn, True)
    assert line["function_request_id"]


def test_the_batch_processor_returns_only_the_failed_messages_to_the_queue(
    aws: Client, unique: Callable[[str], str], deploy: Callable[[str], str]
) -> None:
    function, sqs, name = deploy("main.on_messages"), aws("sqs"), unique("queue")
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    for body in ("good 1", "bad 2", "good 3"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    aws("lambda").create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:us-east-1:123456789012:{name}", FunctionName=function, BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )  # fmt: skip
    taken = {line["body"] for line in _logged(aws, function, "taken", 3)}
    assert taken == {"good 1", "bad 2", "good 3"}
    wanted = {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "1"}
    deadline = time.monotonic() + 20
    while sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(wanted))["Attributes"] != wanted:
        assert time.monotonic() < deadline
        time.sleep(0.1)
