"""Functions, their events and their queues after the server was killed: once, for all of these tests."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import psutil
import pytest

import localaws
from tests.processes import outliving

ARN = "arn:aws:sqs:us-east-1:123456789012:"
# Marks that it runs, under the way it was invoked, and returns once it may.
SOURCE = """
import boto3, time
def handler(event, context):
    s3 = boto3.client("s3")
    records = event.get("Records")
    way = "batch/" + records[0]["attributes"]["ApproximateReceiveCount"] if records else event["way"]
    s3.put_object(Bucket="marks", Key=f"begun/{way}/{context.aws_request_id}")
    if not s3.list_objects_v2(Bucket="marks", Prefix="go").get("Contents"):
        time.sleep(60)
    if way == "old":
        raise RuntimeError("not in six hours")
    s3.put_object(Bucket="marks", Key=f"done/{way}/{context.aws_request_id}")
    return way
"""


@dataclass(frozen=True)
class Killed:
    """What was there before the kill, and clients of what came after it."""

    aws: Callable[[str], Any]
    begun: dict[str, str]  # way → request id
    workers: list[psutil.Process]
    kept: str  # URLs of queues
    dead: str
    in_flight: str  # receipt handle
    failures: str  # URL of the queue where failures go


def _clients(status: localaws.Status) -> Callable[[str], Any]:
    session = boto3.Session(status.access_key_id, status.secret_access_key, region_name=status.region)
    return lambda service: session.client(service, endpoint_url=status.endpoint_url)


def _marks(s3: Any, prefix: str, count: int = 1) -> list[list[str]]:
    """Wait for keys with this prefix: their parts after it."""
    deadline = time.monotonic() + 60
    found: list[str] = []
    while time.monotonic() < deadline:
        found = [each["Key"] for each in s3.list_objects_v2(Bucket="marks", Prefix=prefix).get("Contents", [])]
        if len(found) >= count:
            return [key.removeprefix(prefix).split("/") for key in found]
        time.sleep(0.05)
    raise AssertionError(f"{count} keys with {prefix} expected: {found}")


def _receive(sqs: Any, url: str, **more: Any) -> list[dict[str, Any]]:
    return list(sqs.receive_message(QueueUrl=url, AttributeNames=["All"], **more).get("Messages", []))


def _fill_queues(sqs: Any) -> tuple[str, str, str]:
    """Messages in every state: the queue's URL, its dead-letter queue's, and the handle of the one in flight."""
    dead = str(sqs.create_queue(QueueName="dead")["QueueUrl"])
    policy = json.dumps({"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 2})
    attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "600"}
    url = str(sqs.create_queue(QueueName="kept", Attributes=attributes)["QueueUrl"])
    sqs.send_message(QueueUrl=url, MessageBody="dead")
    assert [len(_receive(sqs, url, VisibilityTimeout=0)) for _ in range(3)] == [1, 1, 0]
    sqs.send_message(QueueUrl=url, MessageBody="deleted")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=_receive(sqs, url)[0]["ReceiptHandle"])
    sqs.send_message(QueueUrl=url, MessageBody="in flight")
    (in_flight,) = _receive(sqs, url)
    sqs.send_message(QueueUrl=url, MessageBody="shown again")
    handle = _receive(sqs, url)[0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=600)
    return url, dead, in_flight["ReceiptHandle"]


@pytest.fixture(scope="module")
def killed(
    tmp_path_factory: pytest.TempPathFactory, make_role: Callable[..., str], deploy_to: Callable[..., None]
) -> Iterator[Killed]:
    """A server that was killed while a function ran for an event and for a batch, and the next one."""
    home = tmp_path_factory.mktemp("killed") / "lab"
    try:
        status = localaws.start(home)
        aws = _clients(status)
        sqs, functions = aws("sqs"), aws("lambda")
        kept, dead, in_flight = _fill_queues(sqs)
        mapped = sqs.create_queue(QueueName="mapped", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
        aws("s3").create_bucket(Bucket="marks")
        deploy_to(functions, "slow", make_role(aws("iam"), "r"), SOURCE, Timeout=90)
        functions.create_event_source_mapping(EventSourceArn=f"{ARN}mapped", FunctionName="slow")
        failures = sqs.create_queue(QueueName="failures")["QueueUrl"]
        functions.put_function_event_invoke_config(
            FunctionName="slow", DestinationConfig={"OnFailure": {"Destination": f"{ARN}failures"}}
        )
        for way in ("event", "old"):
            functions.invoke(FunctionName="slow", InvocationType="Event", Payload=json.dumps({"way": way}))
        sqs.send_message(QueueUrl=mapped, MessageBody="batch")
        begun = {mark[0]: mark[-1] for mark in _marks(aws("s3"), "begun/", 3)}
        aws("s3").put_object(Bucket="marks", Key="go")
        server = psutil.Process(status.pid)
        workers = [child for child in server.children(recursive=True) if "bootstrap.py" in " ".join(child.cmdline())]
        os.kill(server.pid, signal.SIGKILL)
        assert outliving([server]) == []
        with sqlite3.connect(home / "state" / "function-events.sqlite") as events:
            events.execute("update events set accepted = accepted - 6 * 3600 where payload like '%old%'")
        events.close()
        yield Killed(_clients(localaws.start(home)), begun, workers, kept, dead, in_flight, failures)
    finally:
        localaws.stop(home)


@pytest.mark.as_on_aws("Lambda")
def test_after_a_killed_server_an_accepted_event_runs_again_and_no_old_worker_is_left(killed: Killed) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html"""
    assert len(killed.workers) == 3
    assert outliving(killed.workers) == []
    ((request_id,),) = _marks(killed.aws("s3"), "done/event/")
    assert request_id == killed.begun["event"]
    answer = killed.aws("lambda").invoke(FunctionName="slow", Payload=b'{"way": "asked"}')
    assert json.loads(answer["Payload"].read()) == "asked"


@pytest.mark.simplified("Lambda", "an interrupted batch runs again at once, as if it had not been received")
def test_a_batch_that_was_interrupted_by_a_killed_server_runs_again(killed: Killed) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
    ((times, request_id),) = _marks(killed.aws("s3"), "done/batch/")
    assert times == "1"
    assert request_id != killed.begun["batch"]
    (mapping,) = killed.aws("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["State"] == "Enabled"


@pytest.mark.as_on_aws("SQS")
def test_changes_that_sqs_acknowledged_survive_a_killed_server(killed: Killed) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html"""
    sqs = killed.aws("sqs")
    (again,) = _receive(sqs, killed.kept, MaxNumberOfMessages=10)
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("shown again", "2")
    counts = sqs.get_queue_attributes(QueueUrl=killed.kept, AttributeNames=["All"])["Attributes"]
    assert (counts["ApproximateNumberOfMessagesNotVisible"], counts["ApproximateNumberOfMessagesDelayed"]) == ("2", "1")
    (letter,) = _receive(sqs, killed.dead)
    assert (letter["Body"], letter["Attributes"]["DeadLetterQueueSourceArn"]) == ("dead", f"{ARN}kept")
    sqs.delete_message(QueueUrl=killed.kept, ReceiptHandle=killed.in_flight)
    counts = sqs.get_queue_attributes(QueueUrl=killed.kept, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesNotVisible"] == "1"
