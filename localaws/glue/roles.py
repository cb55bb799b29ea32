"""The roles that Glue assumes."""

from __future__ import annotations

from moto.glue.exceptions import InvalidInputException

from localaws.iam.trust import trusts_service

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


def can_assume(role: str, account_id: str, source_arn: str = "") -> bool:
    """Whether there is such a role, given by name or ARN, and it trusts Glue (see `trusts_service`)."""
    return bool(role) and trusts_service(role, account_id, SERVICE, source_arn)


def not_assumed(role: str) -> str:
    """What Glue says of a job's role that it can't assume."""
    return f"Role {role} should be given assume role permissions for Glue Service."
