"""Fixtures: a user with few permissions, resources to attack, and a client that sends what no SDK would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import localaws
from tests.localaws.server.wire import Wire


@dataclass(frozen=True)
class Victim:
    """What somebody with few rights must not get at."""

    secret: str
    bucket: str
    queue: str
    role: str
    role_arn: str
    database: str
    password: str = "the victim's password"
    content: bytes = b"the victim's object"
    key: str = "private/plan.txt"


@pytest.fixture(scope="module")
def victim(aws: Callable[..., Any]) -> Iterator[Victim]:
    """One, with something of each service."""
    name = "victim-of-requests"
    role = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_trusting("lambda.amazonaws.com"))["Role"]
    aws("secretsmanager").create_secret(Name=name, SecretString=Victim.password)
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key=Victim.key, Body=Victim.content)
    queue = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    aws("sqs").send_message(QueueUrl=queue, MessageBody="the victim's message")
    aws("glue").create_database(DatabaseInput={"Name": "victim_of_requests"})
    made = Victim(name, name, queue, name, role["Arn"], "victim_of_requests")
    yield made
    aws("glue").delete_database(Name=made.database)
    aws("sqs").delete_queue(QueueUrl=queue)
    aws("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    aws("s3").delete_object(Bucket=name, Key=Victim.key)
    aws("s3").delete_bucket(Bucket=name)
    aws("iam").delete_role(RoleName=name)


@pytest.fixture
def someone(
    stack: localaws.Status, aws: Callable[..., Any], unique: Callable[[str], str]
) -> Iterator[Callable[..., Wire]]:
    """`someone(statement, …)` is the wire of a new user who may do that and nothing else."""
    made: list[tuple[str, str]] = []

    def make(*statements: dict[str, Any]) -> Wire:
        iam, name = aws("iam"), unique("someone")
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made.append((name, key["AccessKeyId"]))
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        return Wire(
            stack.endpoint_url,
            {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]},
        )

    yield make
    for name, key_id in made:
        aws("iam").delete_access_key(UserName=name, AccessKeyId=key_id)


@pytest.fixture
def root(stack: localaws.Status) -> Wire:
    """The wire of the lab's own key."""
    key = {"aws_access_key_id": stack.access_key_id, "aws_secret_access_key": stack.secret_access_key}
    return Wire(stack.endpoint_url, key)


@pytest.fixture
def stranger(stack: localaws.Status) -> Wire:
    """The wire of somebody without a key."""
    return Wire(stack.endpoint_url)


def _trusting(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
