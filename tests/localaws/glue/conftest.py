"""Fixtures for tests of Glue's API: a client without validation, and one resource of each kind that is listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

Refusal = tuple[str, str]


@pytest.fixture(scope="session")
def glue(aws: Callable[..., Any]) -> Any:
    """A client that checks nothing of its own: what is refused, the server refuses."""
    return aws("glue", config=Config(parameter_validation=False))


@pytest.fixture(scope="session")
def role(aws: Callable[..., Any]) -> str:
    """A role that Glue may assume."""
    trust = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return str(aws("iam").create_role(RoleName="GlueApiRole", AssumeRolePolicyDocument=document)["Role"]["Arn"])


@pytest.fixture
def database(glue: Any, unique: Callable[[str], str]) -> str:
    """The name of an empty database."""
    name = unique("database")
    glue.create_database(DatabaseInput={"Name": name})
    return name


@pytest.fixture
def refused(glue: Any) -> Callable[..., Refusal]:
    """`refused("get_tables", DatabaseName="x")` is the code and the message with which the call is refused."""

    def call(operation: str, **arguments: Any) -> Refusal:
        with pytest.raises(ClientError) as refusal:
            getattr(glue, operation)(**arguments)
        error = refusal.value.response["Error"]
        return error["Code"], error["Message"]

    return call
