"""The policies of secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

READ_BY_ALL = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}


@pytest.mark.as_on_aws("Secrets Manager")
@pytest.mark.parametrize(
    "document",
    [
        "some policy",
        "{}",
        "[]",
        json.dumps({"Version": "2019-10-19", "Statement": [READ_BY_ALL]}),
        json.dumps({"Version": "2012-10-17", "Statement": [{**READ_BY_ALL, "Effect": "Maybe"}]}),
        json.dumps(
            {"Version": "2012-10-17", "Statement": [{k: v for k, v in READ_BY_ALL.items() if k != "Principal"}]}
        ),
    ],
)
def test_a_malformed_resource_policy_is_refused(
    aws: Callable[..., Any], unique: Callable[[str], str], document: str
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html"""
    client, name = aws("secretsmanager"), unique("secret")
    client.create_secret(Name=name, SecretString="kept")
    sound = json.dumps({"Version": "2012-10-17", "Statement": [READ_BY_ALL]})
    client.put_resource_policy(SecretId=name, ResourcePolicy=sound)
    with pytest.raises(ClientError) as refused:
        client.put_resource_policy(SecretId=name, ResourcePolicy=document)
    assert refused.value.response["Error"]["Code"] == "MalformedPolicyDocumentException"
    assert client.get_resource_policy(SecretId=name)["ResourcePolicy"] == sound


def test_a_policy_for_a_missing_secret_is_refused_with_ResourceNotFoundException(aws: Callable[..., Any]) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws("secretsmanager").put_resource_policy(SecretId="nobody's", ResourcePolicy="some policy")
