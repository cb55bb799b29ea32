"""Asynchronous invocations: accepted at once, retried, and sent where failures go."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

Deploy = Callable[..., str]
Logged = Callable[..., list[str]]

RAISES = "def handler(event, context):\n    print('trying')\n    raise RuntimeError('not today')\n"


def test_an_event_is_accepted_before_the_function_runs(deploy: Deploy, aws: Callable[..., Any], logged: Logged) -> None:
    name = deploy("import time\ndef handler(event, context):\n    time.sleep(1)\n    print('ran', event)\n", Timeout=5)
    started = time.monotonic()
    answer = aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')
    assert time.monotonic() - started < 0.9
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    assert "ran {'n': 1}\n" in logged(name, "ran")


def test_a_failed_event_is_tried_twice_more_with_the_same_request_id(
    deploy: Deploy, aws: Callable[..., Any], logged: Logged
) -> None:
    name = deploy(RAISES)
    aws("lambda").invoke(FunctionName=name, InvocationType="Event")
    messages = logged(name, "REPORT", 3)
    assert messages.count("trying\n") == 3
    assert len({message.split()[2] for message in messages if message.startswith("START")}) == 1


def test_an_event_that_failed_for_good_goes_to_the_failure_destination_and_the_dead_letter_queue(
    deploy: Deploy, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    sqs = aws("sqs")
    queues = {kind: sqs.create_queue(QueueName=unique(kind))["QueueUrl"] for kind in ("failures", "dead")}
    arns = {
        kind: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for kind, url in queues.items()
    }
    name = deploy(RAISES, DeadLetterConfig={"TargetArn": arns["dead"]})
    aws("lambda").put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arns["failures"]}},
    )
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"key": "a"}')
    record = json.loads(_receive(sqs, queues["failures"])["Body"])
    assert record["requestPayload"] == {"key": "a"}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "not today"
    dead = _receive(sqs, queues["dead"])
    assert json.loads(dead["Body"]) == {"key": "a"}
    assert dead["MessageAttributes"]["ErrorMessage"]["StringValue"] == "not today"


def test_a_throttled_event_waits_until_it_may_run(deploy: Deploy, aws: Callable[..., Any], logged: Logged) -> None:
    name = deploy("def handler(event, context): print('ran at last')\n")
    aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    aws("lambda").invoke(FunctionName=name, InvocationType="Event")
    aws("lambda").delete_function_concurrency(FunctionName=name)
    assert "ran at last\n" in logged(name, "ran at last")


def _receive(sqs: Any, url: str) -> dict[str, Any]:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [])
        if found:
            return dict(found[0])
        time.sleep(0.05)
    raise AssertionError(f"nothing arrived in {url}")
