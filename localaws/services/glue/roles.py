"""The roles that Glue assumes."""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import ServiceException
from moto.glue.exceptions import InvalidInputException
from moto.iam.models import iam_backends

SERVICE = "glue.amazonaws.com"
CRAWLER_SESSION = "AWS-Crawler"  # what Glue calls a crawler's session of its role


def role_name(role: str) -> str:
    """The name of a role that is given by name or by ARN, paths and all."""
    return role.rpartition("/")[2] if role.startswith("arn:") or "/" in role else role


def require_role(role: str, account_id: str) -> str:
    """Check that Glue can assume `role`, a name or an ARN; return its name.

    Raises:
        InvalidInputException: there is no such role, or it does not trust Glue.
    """
    if not can_assume(role, account_id):
        # AWS's text, which does not tell a role that is missing from one that does not trust Glue.
        text = "Service is unable to assume provided role. Please verify role's TrustPolicy"
        raise InvalidInputException("", text)
    return role_name(role)


def can_assume(role: str, account_id: str) -> bool:
    """Whether there is such a role, given by name or ARN, and it trusts Glue."""
    try:
        found = iam_backends[account_id]["aws"].get_role(role_name(role or ""))
    except ServiceException:
        return False
    return _trusts_glue(found.assume_role_policy_document)


def _trusts_glue(document: Any) -> bool:
    try:
        policy = json.loads(document) if isinstance(document, str) else document
        statements = policy["Statement"]
    except (ValueError, KeyError, TypeError):
        return False
    return any(_allows_glue(statement) for statement in ([statements] if isinstance(statements, dict) else statements))


def _allows_glue(statement: dict[str, Any]) -> bool:
    actions, principal = statement.get("Action", []), statement.get("Principal", {})
    services = principal.get("Service", []) if isinstance(principal, dict) else principal
    actions = [actions] if isinstance(actions, str) else actions
    services = [services] if isinstance(services, str) else services
    return (
        statement.get("Effect") == "Allow"
        and any(action.lower() in ("sts:assumerole", "sts:*", "*") for action in actions)
        and any(service in (SERVICE, "*") for service in services)
    )
