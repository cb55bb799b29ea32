"""Asynchronous invocations: accepted at once, retried, and sent to destinations and dead-letter queues."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Deploy = Callable[..., str]
Logged = Callable[..., list[str]]
MakeQueue = Callable[..., Any]

RAISES = "def handler(event, context):\n    print('trying')\n    raise RuntimeError('not today')\n"
ANSWERS = "def handler(event, context):\n    print('ran', event)\n    return {'got': event}\n"


def _destinations(aws: Callable[..., Any], function: str, **queues: Any) -> None:
    aws("lambda").put_function_event_invoke_config(
        FunctionName=function,
        MaximumRetryAttempts=0,
        DestinationConfig={outcome: {"Destination": queue.arn} for outcome, queue in queues.items()},
    )


@pytest.mark.as_on_aws("Lambda")
def test_an_asynchronous_invocation_is_accepted_before_the_function_runs(
    deploy: Deploy, aws: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html"""
    name = deploy("import time\ndef handler(event, context):\n    time.sleep(1)\n    print('ran', event)\n", Timeout=5)
    started = time.monotonic()
    answer = aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')
    assert time.monotonic() - started < 0.9
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    assert "ran {'n': 1}\n" in logged(name, "ran")


@pytest.mark.simplified("Lambda", "retries after 1 and 2 seconds (LOCALAWS_FUNCTION_RETRY_DELAYS), not 1 and 2 minutes")
def test_a_failed_event_is_retried_twice_with_the_same_request_id(
    deploy: Deploy, aws: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
    name = deploy(RAISES)
    aws("lambda").invoke(FunctionName=name, InvocationType="Event")
    messages = logged(name, "REPORT", 3)
    assert messages.count("trying\n") == 3
    assert len({message.split()[2] for message in messages if message.startswith("START")}) == 1


@pytest.mark.as_on_aws("Lambda")
def test_an_event_is_retried_if_its_worker_is_killed(
    deploy: Deploy, aws: Callable[..., Any], logged: Logged, queue: MakeQueue
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
    pids = queue()
    name = deploy(
        "import boto3, os, time\ndef handler(event, context):\n"
        "    sqs = boto3.client('sqs')\n"
        "    sqs.send_message(QueueUrl=event, MessageBody=str(os.getpid()))\n"
        "    time.sleep(1)\n    print('survived')\n",
        Timeout=20,
    )
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(pids.url))
    os.kill(int(pids.collect(1)[0]["Body"]), signal.SIGKILL)
    messages = logged(name, "survived")
    assert sum("Runtime exited with error: signal: killed" in message for message in messages) == 1
    assert len({message.split()[2] for message in messages if message.startswith("START")}) == 1


@pytest.mark.as_on_aws("Lambda")
def test_an_event_that_failed_all_attempts_goes_to_the_failure_destination_and_the_DLQ(
    deploy: Deploy, aws: Callable[..., Any], queue: MakeQueue
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    failures, dead = queue(), queue()
    name = deploy(RAISES, DeadLetterConfig={"TargetArn": dead.arn})
    _destinations(aws, name, OnFailure=failures)
    answer = aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"key": "a"}')
    record = json.loads(failures.collect(1)[0]["Body"])
    request_id = record["requestContext"]["requestId"]
    assert request_id == answer["ResponseMetadata"]["RequestId"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("timestamp"))
    assert record.pop("responsePayload")["errorMessage"] == "not today"
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"key": "a"},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    }
    (letter,) = dead.collect(1)
    assert json.loads(letter["Body"]) == {"key": "a"}
    assert letter["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "not today"},
    }


@pytest.mark.as_on_aws("Lambda")
def test_an_event_that_succeeded_goes_to_the_success_destination_with_its_response(
    deploy: Deploy, aws: Callable[..., Any], queue: MakeQueue
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    successes, failures = queue(), queue()
    name = deploy(ANSWERS)
    _destinations(aws, name, OnSuccess=successes, OnFailure=failures)
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"key": "a"}')
    record = json.loads(successes.collect(1)[0]["Body"])
    assert record["requestContext"]["condition"] == "Success"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == {"got": {"key": "a"}}
    assert failures.counts() == (0, 0, 0)


@pytest.mark.as_on_aws("Lambda")
def test_a_throttled_event_waits_until_it_can_run(
    deploy: Deploy, aws: Callable[..., Any], logged: Logged, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
    name = deploy("import time\ndef handler(event, context):\n    print('ran', event)\n    time.sleep(0.5)\n")
    aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    for n in range(2):
        aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(n))
    messages = logged(name, "REPORT", 2)
    assert sorted(message for message in messages if message.startswith("ran")) == ["ran 0\n", "ran 1\n"]


@pytest.mark.as_on_aws("Lambda")
def test_with_a_reserved_concurrency_of_0_an_event_goes_to_the_failure_destination_without_an_attempt(
    deploy: Deploy, aws: Callable[..., Any], queue: MakeQueue
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    failures, dead = queue(), queue()
    name = deploy(ANSWERS, DeadLetterConfig={"TargetArn": dead.arn})
    _destinations(aws, name, OnFailure=failures)
    aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"key": "a"}')
    record = json.loads(failures.collect(1)[0]["Body"])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert dead.collect(1)[0]["MessageAttributes"]["ErrorCode"]["StringValue"] == "429"


@pytest.mark.as_on_aws("Lambda")
def test_reserved_concurrency_throttles_and_leaves_100_executions_for_other_functions(
    deploy: Deploy, call: Callable[..., Any], aws: Callable[..., Any]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
    name = deploy(ANSWERS)
    client = aws("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="Rate Exceeded") as refused:
        call(name)
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert refused.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    with pytest.raises(ClientError, match=r"UnreservedConcurrentExecution below its minimum value of \[100\]"):
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=901)
    client.delete_function_concurrency(FunctionName=name)
    assert call(name, 1)[0] == {"got": 1}


@pytest.mark.as_on_aws("Lambda")
def test_destinations_that_do_not_exist_are_refused(deploy: Deploy, aws: Callable[..., Any], queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html"""
    name, known = deploy(ANSWERS), queue()
    for wanted in ({"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 21_601}):
        with pytest.raises(ClientError):
            aws("lambda").put_function_event_invoke_config(FunctionName=name, **wanted)
    with pytest.raises(ClientError, match=f"The destination ARN {known.arn}x is invalid"):
        aws("lambda").put_function_event_invoke_config(
            FunctionName=name, DestinationConfig={"OnFailure": {"Destination": f"{known.arn}x"}}
        )


@pytest.mark.refused("Lambda")
def test_s3_and_eventbridge_destinations_and_destinations_for_one_version_are_refused(
    deploy: Deploy, aws: Callable[..., Any]
) -> None:
    name = deploy(ANSWERS)
    with pytest.raises(ClientError, match="does not support Qualifier of PutFunctionEventInvokeConfig"):
        aws("lambda").put_function_event_invoke_config(FunctionName=name, Qualifier="1", MaximumRetryAttempts=0)
    for arn in ("arn:aws:s3:::failures", "arn:aws:events:us-east-1:123456789012:event-bus/default"):
        with pytest.raises(ClientError, match=r"does not support a destination in \w+ as OnFailure"):
            aws("lambda").put_function_event_invoke_config(
                FunctionName=name, DestinationConfig={"OnFailure": {"Destination": arn}}
            )


@pytest.mark.as_on_aws("Lambda")
def test_destinations_and_DLQs_that_the_role_may_not_send_to_are_refused(
    deploy_to: Callable[..., None],
    make_role: Callable[..., str],
    aws: Callable[..., Any],
    unique: Callable[[str], str],
    queue: MakeQueue,
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    name, target = unique("function"), queue()
    statement = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    role = make_role(aws("iam"), name, {"Version": "2012-10-17", "Statement": [statement]})
    with pytest.raises(ClientError, match="The provided execution role does not have permissions to call SendMessage"):
        deploy_to(aws("lambda"), name, role, ANSWERS, DeadLetterConfig={"TargetArn": target.arn})
    deploy_to(aws("lambda"), name, role, ANSWERS)
    with pytest.raises(
        ClientError, match=f"execution role does not have permissions to call SendMessage on {target.arn}"
    ):
        _destinations(aws, name, OnFailure=target)
