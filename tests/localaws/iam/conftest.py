"""Fixtures that create users and roles, and the resources that they try to reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from iam_actors import TRUST_ACCOUNT, Actor, credentials_of, policy

import localaws


@pytest.fixture
def make_role(stack: localaws.Status, aws: Callable[..., Any], unique: Callable[[str], str]) -> Callable[..., Actor]:
    """`make_role(statement, …)` is a session of a new role with an inline policy of these statements."""

    def make(*statements: dict[str, Any], **settings: Any) -> Actor:
        iam, name = aws("iam"), unique("role")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(TRUST_ACCOUNT), **settings)["Role"]["Arn"]
        session = aws("sts").assume_role(RoleArn=arn, RoleSessionName="tests")
        actor = Actor(arn, name, stack.endpoint_url, credentials_of(session), iam, "role")
        if statements:
            actor.may(*statements)
        return actor

    return make


@pytest.fixture
def make_user(stack: localaws.Status, aws: Callable[..., Any], unique: Callable[[str], str]) -> Callable[..., Actor]:
    """`make_user(statement, …)` is a new IAM user with an access key and an inline policy of these statements."""

    def make(*statements: dict[str, Any]) -> Actor:
        iam, name = aws("iam"), unique("user")
        arn = iam.create_user(UserName=name)["User"]["Arn"]
        key = iam.create_access_key(UserName=name)["AccessKey"]
        credentials = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        actor = Actor(arn, name, stack.endpoint_url, credentials, iam, "user")
        if statements:
            actor.may(*statements)
        return actor

    return make


@pytest.fixture
def bucket(aws: Callable[..., Any], unique: Callable[[str], str]) -> str:
    """A bucket with the objects in/a.txt and other.txt."""
    name = unique("iam-bucket")
    aws("s3").create_bucket(Bucket=name)
    for key in ("in/a.txt", "other.txt"):
        aws("s3").put_object(Bucket=name, Key=key, Body=key.encode())
    return name
