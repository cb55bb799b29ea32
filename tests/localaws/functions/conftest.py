"""Fixtures for tests of functions: deploying one from its source, and waiting for its output."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest

import localaws

TRUST_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
# What the functions of these tests do, and what Lambda does for them.
ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["logs:*", "s3:*", "sqs:*", "sns:*", "lambda:InvokeFunction"], "Resource": "*"}
    ],
}


def zipped(**files: str) -> bytes:
    """A zip of modules: `zipped(lambda_function="...")` holds lambda_function.py."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, source in files.items():
            archive.writestr(f"{name}.py", source)
    return stream.getvalue()


@pytest.fixture(scope="session")
def make_role() -> Callable[..., str]:
    """`make_role(iam, name, policy)` makes a role that Lambda may assume and that may do this, and gives its ARN."""

    def make(iam: Any, name: str, policy: dict[str, Any] = ALLOWED) -> str:
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST_LAMBDA))
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=json.dumps(policy))
        return str(made["Role"]["Arn"])

    return make


@pytest.fixture(scope="session")
def role(aws: Callable[..., Any], make_role: Callable[..., str]) -> str:
    """A role that Lambda may assume."""
    return make_role(aws("iam"), "functions-tests")


@pytest.fixture(scope="session")
def deploy_to() -> Callable[..., None]:
    """`deploy_to(client, name, role, source, Timeout=1)` makes a function of `source`."""

    def make(client: Any, name: str, role: str, source: str, **settings: Any) -> None:
        wanted = {"Runtime": "python3.13", "Handler": "lambda_function.handler", "Role": role, **settings}
        client.create_function(FunctionName=name, Code={"ZipFile": zipped(lambda_function=source)}, **wanted)

    return make


@pytest.fixture
def deploy(
    aws: Callable[..., Any], unique: Callable[[str], str], role: str, deploy_to: Callable[..., None]
) -> Callable[..., str]:
    """`deploy(source, Timeout=1)` makes a function of `source` and gives its name."""

    def make(source: str, **settings: Any) -> str:
        name = unique("function")
        deploy_to(aws("lambda"), name, role, source, **settings)
        return name

    return make


@pytest.fixture
def call(aws: Callable[..., Any]) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """`call(name, {"n": 1})` invokes synchronously: (what came back, the response)."""

    def invoke(name: str, event: Any = None, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        answer = aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event), **arguments)
        return json.loads(answer["Payload"].read() or b"null"), answer

    return invoke


@pytest.fixture
def logged(aws: Callable[..., Any]) -> Callable[..., list[str]]:
    """`logged(name, "text", count)` waits until `count` of the function's log events hold `text`: all its events."""

    def wait(name: str, text: str, count: int = 1, seconds: float = 15.0) -> list[str]:
        deadline = time.monotonic() + seconds
        messages: list[str] = []
        while time.monotonic() < deadline:
            groups = aws("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
            if groups:
                events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
                messages = [event["message"] for event in events]
                if sum(text in message for message in messages) >= count:
                    return messages
            time.sleep(0.05)
        raise AssertionError(f"{count} × {text!r} expected in the log of {name}: {messages}")

    return wait


@pytest.fixture(scope="session")
def client_of() -> Callable[..., Any]:
    """`client_of(status, "lambda")` is a boto3 client of the embedded AWS with this status."""

    def make(status: localaws.Status, service: str) -> Any:
        session = boto3.Session(status.access_key_id, status.secret_access_key, region_name=status.region)
        return session.client(service, endpoint_url=status.endpoint_url)

    return make
