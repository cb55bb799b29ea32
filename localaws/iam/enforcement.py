"""Check what an engine does on a role's behalf inside the server. On AWS, a service does this as the role."""

from __future__ import annotations

from collections.abc import Mapping

from moto.logs.models import logs_backends

from localaws.core.context import ACCOUNT_ID, REGION
from localaws.iam.actions.logs import log_resource
from localaws.iam.decision import Access, Origin, refusal
from localaws.iam.principals import UnknownKey, of_session

_enforced = False


class AccessDenied(Exception):
    """A role may not do what an engine should do on its behalf. The message is AWS's."""


def enforce(on: bool) -> None:
    """Turn the checks in this process on or off."""
    global _enforced
    _enforced = on


def enforced() -> bool:
    """Whether IAM's policies are enforced."""
    return _enforced


def require(
    role: str,
    action: str,
    resource: str = "*",
    *,
    session: str,
    region: str = REGION,
    account_id: str = ACCOUNT_ID,
    keys: Mapping[str, str | list[str] | None] | None = None,
) -> None:
    """Return if `role` (a name or an ARN) may do `action` ("s3:GetObject") to `resource` (an ARN).

    Args:
        role: the role whose policies are checked.
        action: one action of IAM.
        resource: what the action is done to.
        session: the service's name for its session of the role.
        region: the region in which the service acts.
        account_id: the role's account.
        keys: the action's own condition keys, in lower case; None for a key that the request doesn't have.

    Raises:
        AccessDenied: the role may not do it, or it does not exist.
    """
    if not _enforced:
        return
    try:
        principal = of_session(role, session, account_id)
    except UnknownKey:
        raise AccessDenied(f"The role {role} can't be assumed: it does not exist") from None
    if reason := refusal(principal, Access(action, resource, keys or {}), Origin(region)):
        raise AccessDenied(reason.text)


def permits(
    role: str,
    action: str,
    resource: str = "*",
    *,
    session: str,
    region: str = REGION,
    account_id: str = ACCOUNT_ID,
) -> bool:
    """Whether `require` would return."""
    try:
        require(role, action, resource, session=session, region=region, account_id=account_id)
    except AccessDenied:
        return False
    return True


def permits_logging(
    role: str, group: str, stream: str, *, session: str, region: str = REGION, account_id: str = ACCOUNT_ID
) -> bool:
    """Whether a service may write log events as `role`, and create the group and the stream if they are missing.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html#monitoring-cloudwatchlogs-prereqs
    """
    if not _enforced:
        return True
    there = logs_backends[account_id][region].groups.get(group)
    needed = [("logs:PutLogEvents", stream)]
    if there is None or stream not in there.streams:
        needed.append(("logs:CreateLogStream", stream))
    if there is None:
        needed.append(("logs:CreateLogGroup", ""))
    return all(
        permits(
            role, action, log_resource(region, account_id, group, name), session=session, region=region,
            account_id=account_id,
        )
        for action, name in needed
    )  # fmt: skip
