"""Secrets Manager and KMS.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html.
"""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend

from localaws.core.call import Call
from localaws.iam.decision import Access


def secret_arn(secret_id: str, region: str, account_id: str) -> str:
    """Return the ARN of a secret, given its name, its ARN, or its ARN without the six characters at the end."""
    backend: Any = get_backend("secretsmanager")[account_id][region]
    found = backend.secrets.get(secret_id)
    if found is not None:
        return str(found.arn)
    return (
        secret_id
        if secret_id.startswith("arn:")
        else f"arn:aws:secretsmanager:{region}:{account_id}:secret:{secret_id}"
    )


def of_secret(call: Call) -> list[Access]:
    """Return what a call of Secrets Manager needs; empty if it is not about particular resources."""
    action = f"secretsmanager:{call.operation}"
    if secret_id := call.parameters.get("SecretId"):
        return [Access(action, secret_arn(str(secret_id), call.region, call.account_id))]
    if call.operation == "CreateSecret":
        name = call.parameters.get("Name", "")
        return [Access(action, f"arn:aws:secretsmanager:{call.region}:{call.account_id}:secret:{name}")]
    if call.operation == "BatchGetSecretValue":
        ids = [str(each) for each in call.parameters.get("SecretIdList") or []]
        values = [
            Access("secretsmanager:GetSecretValue", secret_arn(each, call.region, call.account_id)) for each in ids
        ]
        return [Access(action), *values]
    return []


def of_key(call: Call) -> list[Access]:
    """Return what a call of KMS needs; empty if it is not about a particular key."""
    key = str(call.parameters.get("KeyId") or "")
    if not key:
        return []
    if not key.startswith("arn:"):
        kind = "" if key.startswith("alias/") else "key/"
        key = f"arn:aws:kms:{call.region}:{call.account_id}:{kind}{key}"
    return [Access(f"kms:{call.operation}", key)]
