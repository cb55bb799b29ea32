"""The roles that Glue assumes."""

from __future__ import annotations

from moto.glue.exceptions import InvalidInputException

from localaws.iam.trust import trusts_service

SERVICE = "glue.amazonaws.com"
CRAWLER_SESSION = "AWS-Crawler"  # the session name with which Glue assumes a crawler's role


def role_name(role: str) -> str:
    """Return the name, without the path, of a role that is given by name or ARN."""
    return role.rpartition("/")[2] if role.startswith("arn:") or "/" in role else role


def require_role(role: str, account_id: str) -> str:
    """Check that Glue can assume `role`, a name or an ARN; return its name.

    Raises:
        InvalidInputException: there is no such role, or it does not trust Glue.
    """
    if not can_assume(role, account_id):
        # AWS's message, which is the same for a missing role and for a role that does not trust Glue.
        text = "Service is unable to assume provided role. Please verify role's TrustPolicy"
        raise InvalidInputException("", text)
    return role_name(role)


def can_assume(role: str, account_id: str, source_arn: str = "") -> bool:
    """Whether `role`, a name or an ARN, exists and trusts Glue (see `trusts_service`)."""
    return bool(role) and trusts_service(role, account_id, SERVICE, source_arn)


def not_assumed(role: str) -> str:
    """Return Glue's message for a job whose role it can't assume."""
    return f"Role {role} should be given assume role permissions for Glue Service."
