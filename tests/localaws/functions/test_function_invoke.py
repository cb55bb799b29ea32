"""Synchronous invocations."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.processes import outliving

Deploy = Callable[..., str]
Call = Callable[..., tuple[Any, dict[str, Any]]]


@pytest.mark.as_on_aws("Lambda")
def test_a_function_gets_its_event_and_context_and_returns_its_response(deploy: Deploy, call: Call) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""
    name = deploy(
        "def handler(event, context):\n"
        "    return {'event': event, 'name': context.function_name, 'arn': context.invoked_function_arn,\n"
        "            'version': context.function_version, 'memory': context.memory_limit_in_mb,\n"
        "            'left': context.get_remaining_time_in_millis(), 'group': context.log_group_name}\n",
        Timeout=7,
        MemorySize=256,
    )
    answer, response = call(name, {"n": [1, "é"]})
    assert response["StatusCode"] == 200
    assert response["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in response
    assert 5000 < answer.pop("left") <= 7000
    assert answer == {
        "event": {"n": [1, "é"]},
        "name": name,
        "arn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        "version": "$LATEST",
        "memory": "256",
        "group": f"/aws/lambda/{name}",
    }


@pytest.mark.as_on_aws("Lambda")
def test_a_function_has_its_own_and_lambda_s_environment_variables_and_can_call_this_aws(
    deploy: Deploy, call: Call, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    bucket = unique("bucket")
    aws("s3").create_bucket(Bucket=bucket)
    name = deploy(
        "import os, boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('s3').put_object(Bucket=os.environ['BUCKET'], Key='made', Body=b'by a function')\n"
        "    return dict(os.environ)\n",
        Environment={"Variables": {"BUCKET": bucket, "GREETING": "hello"}},
        Timeout=15,
    )
    variables, _ = call(name)
    assert aws("s3").get_object(Bucket=bucket, Key="made")["Body"].read() == b"by a function"
    assert variables["GREETING"] == "hello"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert variables["_HANDLER"] == "lambda_function.handler"
    assert variables["TZ"] == ":UTC"
    assert "VIRTUAL_ENV" not in variables


@pytest.mark.as_on_aws("Lambda")
def test_a_function_calls_aws_with_its_execution_role(deploy: Deploy, call: Call) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"""
    name = deploy(
        "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['Arn']\n",
        Timeout=15,
    )
    assert call(name)[0] == f"arn:aws:sts::123456789012:assumed-role/functions-tests/{name}"


@pytest.mark.as_on_aws("Lambda")
def test_the_log_tail_has_the_output_between_the_START_and_REPORT_lines(deploy: Deploy, call: Call) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html"""
    name = deploy(
        "import logging, sys\n"
        "def handler(event, context):\n"
        "    print('to stdout')\n"
        "    print('to stderr', file=sys.stderr)\n"
        "    logging.getLogger().warning('a warning')\n",
    )
    _, response = call(name, LogType="Tail")
    lines = base64.b64decode(response["LogResult"]).decode().splitlines()
    request_id = response["ResponseMetadata"]["HTTPHeaders"].get("x-amzn-requestid")
    assert request_id
    assert lines[0] == f"START RequestId: {request_id} Version: $LATEST"
    assert lines[1:3] == ["to stdout", "to stderr"]
    assert re.fullmatch(r"\[WARNING\]\t\S+Z\t[0-9a-f-]{36}\ta warning", lines[3])
    assert re.fullmatch(r"END RequestId: [0-9a-f-]{36}", lines[4])
    assert re.fullmatch(
        r"REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms",
        lines[5],
    )


@pytest.mark.as_on_aws("Lambda")
def test_each_worker_writes_to_a_log_stream_of_its_own(
    deploy: Deploy, call: Call, logged: Callable[..., list[str]], aws: Callable[..., Any]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html"""
    name = deploy("print('loading')\ndef handler(event, context):\n    print('two\\nlines')\n")
    call(name)
    call(name)
    messages = logged(name, "REPORT", 2)
    assert messages[0].startswith("INIT_START Runtime Version: python:3.")
    assert messages[1] == "loading\n"
    assert [message for message in messages if message in ("two\n", "lines\n")] == ["two\n", "lines\n"] * 2
    assert sum("Init Duration" in message for message in messages) == 1
    streams = aws("logs").describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    assert [bool(re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", s["logStreamName"])) for s in streams] == [
        True
    ]


@pytest.mark.as_on_aws("Lambda")
def test_output_from_the_import_of_a_module_is_logged_before_the_START_line(
    deploy: Deploy, call: Call, logged: Callable[..., list[str]]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""
    code = "print('\\n'.join(map(str, range(2000))))\ndef handler(event, context): pass\n"
    names = [deploy(code) for _ in range(12)]
    with ThreadPoolExecutor(len(names)) as pool:  # so many at once that the embedded AWS reads their output late
        list(pool.map(call, names))
    for name in names:
        messages = logged(name, "REPORT")
        assert messages[2000:2002] == ["1999\n", next(m for m in messages if m.startswith("START "))]


def test_many_lines_and_a_last_line_without_a_newline_are_logged(
    deploy: Deploy, call: Call, logged: Callable[..., list[str]]
) -> None:
    name = deploy(
        "import sys\n"
        "def handler(event, context):\n"
        "    for n in range(5000): print('line', n, 'x' * 50)\n"
        "    sys.stdout.write('no end')\n",
        Timeout=20,
    )
    _, response = call(name, LogType="Tail")
    assert len(base64.b64decode(response["LogResult"])) == 4096
    messages = logged(name, "REPORT")
    assert sum(message.startswith("line ") for message in messages) == 5000
    assert messages[-3:-2] == ["no end"]
    assert messages[-2].startswith("END ")


@pytest.mark.as_on_aws("Lambda")
def test_an_exception_in_the_handler_is_an_unhandled_error_with_its_stack_trace(deploy: Deploy, call: Call) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""
    name = deploy("def handler(event, context):\n    raise ValueError('no ' + event['what'])\n")
    error, response = call(name, {"what": "toll"})
    assert response["StatusCode"] == 200
    assert response["FunctionError"] == "Unhandled"
    assert error["errorType"] == "ValueError"
    assert error["errorMessage"] == "no toll"
    assert error["stackTrace"] == [
        "  File \"/var/task/lambda_function.py\", line 2, in handler\n    raise ValueError('no ' + event['what'])\n"
    ]
    again, _ = call(name, {"what": "more"})
    assert again["errorMessage"] == "no more"


@pytest.mark.as_on_aws("Lambda")
@pytest.mark.parametrize("package", ["labkit", "localaws", "faker", "pandas"])
def test_a_function_cannot_import_packages_that_its_zip_lacks(deploy: Deploy, call: Call, package: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-package.html"""
    error, response = call(deploy(f"import {package}\ndef handler(event, context): ...\n"))
    assert response["FunctionError"] == "Unhandled"
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert error["errorMessage"] == f"Unable to import module 'lambda_function': No module named '{package}'"


@pytest.mark.as_on_aws("Lambda")
@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("def handler(event, context) return 1\n", "Runtime.UserCodeSyntaxError", "Syntax error in module"),
        ("def other(event, context): ...\n", "Runtime.HandlerNotFound", "Handler 'handler' missing on module"),
        ("1 / 0\n", "ZeroDivisionError", "division by zero"),
        ("import os\nos._exit(3)\n", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
    ],
)
def test_a_module_that_cannot_be_imported_is_an_error_that_says_why(
    deploy: Deploy, call: Call, source: str, kind: str, message: str
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html"""
    error, response = call(deploy(source), LogType="Tail")
    assert response["FunctionError"] == "Unhandled"
    assert error["errorType"] == kind
    assert message in error["errorMessage"]
    assert f"Status: error\tError Type: {kind}" in base64.b64decode(response["LogResult"]).decode()


@pytest.mark.as_on_aws("Lambda")
@pytest.mark.parametrize(
    ("ending", "how"),
    [
        ("os._exit(7)", "Runtime exited with error: exit status 7"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
    ],
)
def test_a_worker_that_dies_is_an_exit_error_and_the_next_invocation_gets_a_new_worker(
    deploy: Deploy, call: Call, ending: str, how: str
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""
    name = deploy(f"import os\ndef handler(event, context):\n    if event: {ending}\n    return 'alive'\n")
    assert call(name)[0] == "alive"
    error, response = call(name, {"die": True})
    assert response["FunctionError"] == "Unhandled"
    assert error["errorType"] == "Runtime.ExitError"
    assert re.fullmatch(rf"RequestId: [0-9a-f-]{{36}} Error: {re.escape(how)}", error["errorMessage"])
    assert call(name)[0] == "alive"


def test_an_idle_worker_that_is_killed_is_replaced_without_an_error(deploy: Deploy, call: Call) -> None:
    name = deploy("import os\ndef handler(event, context): return os.getpid()\n")
    pid, _ = call(name)
    os.kill(pid, signal.SIGKILL)
    assert outliving([pid]) == []
    again, response = call(name)
    assert "FunctionError" not in response
    assert again != pid


@pytest.mark.as_on_aws("Lambda")
def test_a_function_is_stopped_at_its_timeout(deploy: Deploy, call: Call) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""
    name = deploy("import time\ndef handler(event, context):\n    time.sleep(event or 0)\n    return 'ok'\n", Timeout=1)
    assert call(name)[0] == "ok"
    started = time.monotonic()
    error, response = call(name, 30, LogType="Tail")
    assert 1 <= time.monotonic() - started < 5
    assert response["FunctionError"] == "Unhandled"
    assert error["errorType"] == "Sandbox.Timedout"
    assert re.fullmatch(r"RequestId: [0-9a-f-]{36} Error: Task timed out after 1.00 seconds", error["errorMessage"])
    log = base64.b64decode(response["LogResult"]).decode()
    assert "Task timed out after 1.00 seconds" in log
    assert "Status: timeout" in log
    assert call(name)[0] == "ok"


@pytest.mark.simplified("Lambda", "at most 8 invocations of a function run at once, then more wait; AWS has 1,000")
def test_invocations_of_a_function_run_concurrently(
    deploy: Deploy, call: Call, aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"""
    bucket = unique("bucket")
    aws("s3").create_bucket(Bucket=bucket)
    # Each waits for the others: they end only if they run at the same time.
    name = deploy(
        "import boto3, os, time\n"
        "def handler(bucket, context):\n"
        "    s3 = boto3.client('s3')\n"
        "    s3.put_object(Bucket=bucket, Key=str(os.getpid()))\n"
        "    while s3.list_objects_v2(Bucket=bucket)['KeyCount'] < 6:\n"
        "        time.sleep(0.05)\n",
        Timeout=40,
    )
    with ThreadPoolExecutor(6) as pool:
        answers = [answer for answer, _ in pool.map(lambda _: call(name, bucket), range(6))]
    assert answers == [None] * 6


@pytest.mark.as_on_aws("Lambda")
def test_global_state_of_a_warm_worker_is_kept_for_the_next_invocation(deploy: Deploy, call: Call) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""
    name = deploy("calls = 0\ndef handler(event, context):\n    global calls\n    calls += 1\n    return calls\n")
    assert [call(name)[0] for _ in range(3)] == [1, 2, 3]


@pytest.mark.as_on_aws("Lambda")
def test_a_dry_run_does_not_run_the_function(deploy: Deploy, aws: Callable[..., Any]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    name = deploy("def handler(event, context): ...\n")
    assert aws("lambda").invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(ClientError) as refused:
        aws("lambda").invoke(FunctionName="nobody", InvocationType="DryRun")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.as_on_aws("Lambda")
def test_a_payload_has_to_be_json_and_within_the_size_limits(deploy: Deploy, aws: Callable[..., Any]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    name = deploy("def handler(event, context): return 'x' * event['answer']\n", Timeout=20)
    with pytest.raises(ClientError) as refused:
        aws("lambda").invoke(FunctionName=name, Payload=b"{not json")
    assert refused.value.response["Error"]["Code"] == "InvalidRequestContentException"
    with pytest.raises(ClientError) as refused:
        aws("lambda").invoke(FunctionName=name, Payload=json.dumps("x" * 6_291_456))
    assert refused.value.response["Error"]["Code"] == "RequestTooLargeException"
    with pytest.raises(ClientError) as refused:
        aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps("x" * 1_048_576))
    assert refused.value.response["Error"]["Code"] == "RequestTooLargeException"
    answer = aws("lambda").invoke(FunctionName=name, Payload=json.dumps({"answer": 6_291_456}))
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"
    answer = aws("lambda").invoke(FunctionName=name, Payload=json.dumps({"answer": 5_000_000}))
    assert len(answer["Payload"].read()) == 5_000_002


@pytest.mark.refused("Lambda")
def test_runtimes_other_than_python_are_refused(deploy: Deploy, aws: Callable[..., Any]) -> None:
    with pytest.raises(ClientError, match=r"does not support Runtime nodejs22\.x .* in CreateFunction"):
        deploy("", Runtime="nodejs22.x", Handler="index.handler")
    name = deploy("")
    with pytest.raises(ClientError, match=r"does not support Runtime java21 .* in UpdateFunctionConfiguration"):
        aws("lambda").update_function_configuration(FunctionName=name, Runtime="java21")
