"""State is the same after a restart, also for moto services that this project does not subclass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import localaws

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, '
    '"Action": "sts:AssumeRole"}]}'
)
SERVICES: list[tuple[str, str, dict[str, Any], str, dict[str, Any]]] = [
    ("ec2", "create_vpc", {"CidrBlock": "10.9.0.0/16"}, "describe_vpcs", {}),
    ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST}, "get_role", {"RoleName": "r"}),
    ("logs", "create_log_group", {"logGroupName": "g"}, "describe_log_groups", {}),
    ("secretsmanager", "create_secret", {"Name": "s", "SecretString": "x"}, "get_secret_value", {"SecretId": "s"}),
    ("sqs", "create_queue", {"QueueName": "q"}, "list_queues", {}),
    ("sns", "create_topic", {"Name": "t"}, "list_topics", {}),
    ("events", "put_rule", {"Name": "r", "ScheduleExpression": "rate(1 day)"}, "describe_rule", {"Name": "r"}),
    ("kms", "create_key", {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, "list_keys", {}),
    ("ssm", "put_parameter", {"Name": "p", "Value": "v", "Type": "String"}, "get_parameter", {"Name": "p"}),
    (
        "dynamodb",
        "create_table",
        {
            "TableName": "t",
            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
        "describe_table",
        {"TableName": "t"},
    ),
    ("glue", "create_database", {"DatabaseInput": {"Name": "d"}}, "get_databases", {}),
]


@pytest.fixture(scope="module")
def before_and_after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Any, Any]]]:
    """By service: what its read call answered before the server stopped, and after it started again."""
    home: Path = tmp_path_factory.mktemp("state")
    try:
        client = clients(localaws.start(home, allow_unproven=True))
        before = {}
        for service, create, arguments, read, selection in SERVICES:
            getattr(client(service), create)(**arguments)
            before[service] = answer(client(service), read, selection)
        localaws.stop(home)
        client = clients(localaws.start(home, allow_unproven=True))
        yield {
            service: (before[service], answer(client(service), read, selection))
            for service, _, _, read, selection in SERVICES
        }
    finally:
        localaws.stop(home)


def clients(status: localaws.Status) -> Callable[[str], Any]:
    session = boto3.Session(status.access_key_id, status.secret_access_key, region_name=status.region)
    return lambda service: session.client(service, endpoint_url=status.endpoint_url)


def answer(client: Any, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = getattr(client, operation)(**arguments)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize("service", [service for service, *_ in SERVICES])
def test_a_service_reads_the_same_after_a_restart(before_and_after: Any, service: str) -> None:
    before, after = before_and_after[service]
    assert before
    assert after == before
