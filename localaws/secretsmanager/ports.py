"""What other parts of the embedded AWS ask of Secrets Manager: `PolicyOf` and `SecretValue` of core/ports.py."""

from __future__ import annotations

from typing import Any

from moto.secretsmanager.exceptions import SecretsManagerClientError
from moto.secretsmanager.models import secretsmanager_backends

from localaws.core.ports import SecretUnreadable, policy_text


def policy_of(account_id: str, region: str, resource: str) -> str:
    """A secret's policy."""
    arn = f"arn:aws:secretsmanager:{region}:{account_id}:{resource}"
    secrets: list[Any] = list(secretsmanager_backends[account_id][region].secrets.values())
    policy = next((getattr(found, "policy", None) for found in secrets if found.arn == arn), None)
    return policy_text(policy)


def value(account_id: str, region: str, secret_id: str) -> str:
    """The text of a secret's current version; empty if it is binary."""
    backend: Any = secretsmanager_backends[account_id][region]
    try:
        return str(backend.get_secret_value(secret_id, None, None).get("SecretString", ""))
    except SecretsManagerClientError as error:
        raise SecretUnreadable(error.message) from None
