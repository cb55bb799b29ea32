"""Queues after the server was killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import localaws

KEEPS = "arn:aws:sqs:us-east-1:123456789012:"
SOURCE = """
import boto3, time
def handler(event, context):
    s3 = boto3.client("s3")
    times = event["Records"][0]["attributes"]["ApproximateReceiveCount"]
    s3.put_object(Bucket="marks", Key=f"begun/{times}/{context.aws_request_id}")
    if not s3.list_objects_v2(Bucket="marks", Prefix="go").get("Contents"):
        time.sleep(30)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lab"
    localaws.stop(tmp_path / "lab")


def _clients(status: localaws.Status) -> Callable[[str], Any]:
    session = boto3.Session(status.access_key_id, status.secret_access_key, region_name=status.region)
    return lambda service: session.client(service, endpoint_url=status.endpoint_url)


def _keys(s3: Any, count: int) -> set[str]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = {each["Key"] for each in s3.list_objects_v2(Bucket="marks", Prefix="begun/").get("Contents", [])}
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{count} keys expected")


@pytest.mark.as_on_aws("State")
def test_what_sqs_acknowledged_is_there_after_a_kill(
    home: Path, make_role: Callable[..., str], deploy_to: Callable[..., None]
) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html"""
    status = localaws.start(home)
    aws = _clients(status)
    sqs, functions = aws("sqs"), aws("lambda")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = f'{{"deadLetterTargetArn": "{KEEPS}dead", "maxReceiveCount": 2}}'
    kept = sqs.create_queue(QueueName="kept", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "600"})
    mapped = sqs.create_queue(QueueName="mapped", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    url = kept["QueueUrl"]

    def receive(**more: Any) -> list[dict[str, Any]]:
        return list(sqs.receive_message(QueueUrl=url, AttributeNames=["All"], **more).get("Messages", []))

    sqs.send_message(QueueUrl=url, MessageBody="dead")
    assert [len(receive(VisibilityTimeout=0)) for _ in range(3)] == [1, 1, 0]
    sqs.send_message(QueueUrl=url, MessageBody="deleted")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=receive()[0]["ReceiptHandle"])
    sqs.send_message(QueueUrl=url, MessageBody="in flight")
    (in_flight,) = receive()
    sqs.send_message(QueueUrl=url, MessageBody="shown again")
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receive()[0]["ReceiptHandle"], VisibilityTimeout=0)
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=600)
    aws("s3").create_bucket(Bucket="marks")
    deploy_to(functions, "reads", make_role(aws("iam"), "r"), SOURCE, Timeout=60)
    functions.create_event_source_mapping(EventSourceArn=f"{KEEPS}mapped", FunctionName="reads")
    sqs.send_message(QueueUrl=mapped, MessageBody="batch")
    _keys(aws("s3"), 1)
    aws("s3").put_object(Bucket="marks", Key="go")
    os.kill(status.pid, signal.SIGKILL)

    aws = _clients(localaws.start(home))
    sqs = aws("sqs")
    (again,) = receive(MaxNumberOfMessages=10)
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("shown again", "2")
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (counts["ApproximateNumberOfMessagesNotVisible"], counts["ApproximateNumberOfMessagesDelayed"]) == ("2", "1")
    (letter,) = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"])["Messages"]
    assert (letter["Body"], letter["Attributes"]["DeadLetterQueueSourceArn"]) == ("dead", f"{KEEPS}kept")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=in_flight["ReceiptHandle"])
    # The batch that the server died with runs again at once, as if it had not been received.
    assert {key.split("/")[1] for key in _keys(aws("s3"), 2)} == {"1"}
    (mapping,) = aws("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["State"] == "Enabled"
