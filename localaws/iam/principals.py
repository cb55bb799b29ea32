"""Who signed a request: the account's root (the lab's own key), a user of IAM, a role's session, or nobody."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import Role, User, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from localaws.core.context import ACCOUNT_ID
from localaws.iam.policy import Caller

PARTITION = "aws"


class UnknownKey(Exception):
    """There is no such access key, or its owner was deleted."""


class WrongToken(Exception):
    """A session's key came without the session's token, or with another token."""


class ExpiredToken(Exception):
    """The session is over."""


@dataclass(frozen=True)
class Principal:
    """The signer whose permissions are checked. Policies are read each time, so a change takes effect immediately."""

    arn: str
    account_id: str
    kind: str  # as aws:PrincipalType: Account, User, AssumedRole, Anonymous
    caller: Caller
    user_id: str = ""
    user_name: str = ""
    identity: tuple[str, ...] = ()  # documents of the identity's policies
    boundary: tuple[str, ...] | None = None  # ... of its permissions boundary
    session_policy: tuple[str, ...] | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def is_anonymous(self) -> bool:
        """Whether the request was not signed."""
        return self.kind == "Anonymous"


ANONYMOUS = Principal("anonymous", "", "Anonymous", Caller())
_ROOT = f"arn:aws:iam::{ACCOUNT_ID}:root"
ROOT = Principal(_ROOT, ACCOUNT_ID, "Account", Caller((_ROOT,), ACCOUNT_ID))
"""The account's own key, which the lab has. It may do everything that a bucket's policy doesn't deny."""


def secret_of(access_key_id: str, token: str | None, account_id: str) -> str:
    """Return the secret of this access key.

    Raises:
        UnknownKey: nobody has this key.
        WrongToken: the session has another token.
        ExpiredToken: the session is over.
    """
    session = _session(access_key_id, account_id)
    if session is not None:
        _check_session(session, token)
        return str(session.secret_access_key)
    return str(_user_key(access_key_id, token, account_id).secret_access_key)


def of_key(access_key_id: str, token: str | None, account_id: str) -> Principal:
    """Return the principal that has this access key.

    Raises:
        UnknownKey: nobody has this key.
        WrongToken: the session has another token.
        ExpiredToken: the session is over.
    """
    session = _session(access_key_id, account_id)
    if session is not None:
        _check_session(session, token)
        return of_session(session.role_arn, session.session_name, account_id, session.policy or "")
    return _of_user(_user_key(access_key_id, token, account_id).user_name, account_id)


def of_session(role_arn: str, session_name: str, account_id: str, policy: str = "") -> Principal:
    """Return the principal of a session of a role, which is given by its ARN or name.

    Raises:
        UnknownKey: the role does not exist any more.
    """
    role = find_role(role_arn, account_id)
    if role is None:
        raise UnknownKey
    arn = f"arn:{PARTITION}:sts::{account_id}:assumed-role/{role.name}/{session_name}"
    return Principal(
        arn=arn,
        account_id=account_id,
        kind="AssumedRole",
        caller=Caller((arn, role.arn), account_id),
        user_id=f"{role.id}:{session_name}",
        identity=_documents(role),
        boundary=_boundary(role.permissions_boundary_arn, account_id),
        session_policy=(policy,) if policy else None,
        tags=_tags(role.tags),
    )


def _of_user(name: str, account_id: str) -> Principal:
    backend = iam_backends[account_id][PARTITION]
    user: User | None = backend.users.get(name)
    if user is None:
        raise UnknownKey
    groups = [group for group in list(backend.groups.values()) if user in group.users]
    return Principal(
        arn=user.arn,
        account_id=account_id,
        kind="User",
        caller=Caller((user.arn,), account_id),
        user_id=user.id,
        user_name=user.name,
        identity=(*_documents(user), *(document for group in groups for document in _documents(group))),
        tags=_tags(user.tags),
    )


def find_role(role: str, account_id: str) -> Role | None:
    """Return the role with this ARN or (Glue accepts both) name; None if there is none."""
    by_arn, name = role.startswith("arn:"), role.rpartition("/")[2]
    for found in list(iam_backends[account_id][PARTITION].roles.values()):
        if found.arn == role or (not by_arn and found.name == name):
            return found
    return None


def _user_key(access_key_id: str, token: str | None, account_id: str) -> Any:
    key: Any = iam_backends[account_id][PARTITION].access_keys.get(access_key_id)
    if key is None or not key.user_name or key.status != "Active":
        raise UnknownKey
    if token is not None:  # a user's key has none
        raise WrongToken
    return key


def _check_session(session: AssumedRole, token: str | None) -> None:
    if token is None or not hmac.compare_digest(token.encode(), session.session_token.encode()):
        raise WrongToken
    if session.expiration.replace(tzinfo=UTC) < datetime.now(UTC):
        raise ExpiredToken


def _session(access_key_id: str, account_id: str) -> AssumedRole | None:
    if not access_key_id.startswith("ASIA"):
        return None
    sessions = list(sts_backends[account_id][PARTITION].assumed_roles)
    # The latest first: sessions in use are seldom old.
    return next((session for session in reversed(sessions) if session.access_key_id == access_key_id), None)


def _documents(holder: Any) -> tuple[str, ...]:
    """Return the inline policies of a user, group or role, and those attached to it."""
    attached = [_current(policy) for policy in list(holder.managed_policies.values())]
    return (*list(holder.policies.values()), *attached)


def _current(policy: Any) -> str:
    versions = (version for version in policy.versions if version.version_id == policy.default_version_id)
    return str(next(versions).document)


def _boundary(arn: str | None, account_id: str) -> tuple[str, ...] | None:
    if not arn:
        return None
    policy = iam_backends[account_id][PARTITION].managed_policies.get(arn)
    return () if policy is None else (_current(policy),)


def _tags(tags: Iterable[dict[str, str]] | dict[str, dict[str, str]] | None) -> dict[str, str]:
    given = tags.values() if isinstance(tags, dict) else tags or ()
    return {tag["Key"]: tag["Value"] for tag in given}
