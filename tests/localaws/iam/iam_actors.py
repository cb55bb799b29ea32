"""Users and roles that make calls, and the policies to give them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
TRUST_ACCOUNT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
_session = boto3.Session(region_name="us-east-1")


def policy(*statements: dict[str, Any]) -> str:
    """Return a policy document with these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return an Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a Deny statement."""
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """Return the code and the message with which `call` is refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@dataclass
class Actor:
    """A user, or a role's session, with its own credentials."""

    arn: str
    name: str
    endpoint_url: str
    credentials: dict[str, str]
    iam: Any
    kind: str

    def client(self, service: str, **settings: Any) -> Any:
        """Return a boto3 client with these credentials."""
        config = Config(retries={"max_attempts": 1, "mode": "standard"}, **settings)
        return _session.client(service, endpoint_url=self.endpoint_url, config=config, **self.credentials)

    def may(self, *statements: dict[str, Any]) -> None:
        """Replace the inline policy by these statements."""
        put = self.iam.put_role_policy if self.kind == "role" else self.iam.put_user_policy
        key = "RoleName" if self.kind == "role" else "UserName"
        put(**{key: self.name}, PolicyName="own", PolicyDocument=policy(*statements))


def credentials_of(answer: dict[str, Any]) -> dict[str, str]:
    """Return the credentials in an answer of STS, as arguments for boto3."""
    given = answer["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
