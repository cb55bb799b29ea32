"""The roles that AWS's services assume: check what they allow, and give their credentials to processes.

A function's worker or a job's process gets the credentials of a session of its role.

AWS renews them while the process runs. Here they last until the process has ended, and are revoked then.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from localaws import iam
from localaws.iam.principals import find_role

_UNTIL_FORGOTTEN = 10 * 365 * 86_400  # seconds
_LONGEST_NAME = 64  # characters, https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html


@dataclass(frozen=True)
class RoleCredentials:
    """Temporary credentials of an assumed role."""

    account_id: str
    partition: str
    access_key_id: str
    secret_access_key: str
    session_token: str

    @classmethod
    def assume(cls, role_arn: str, session_name: str, account_id: str, region: str) -> RoleCredentials:
        """Assume `role_arn` as the AWS service that it trusts, in a session with this name."""
        partition = get_partition(region)
        session = sts_backends[account_id][partition].assume_role(
            region_name=region,
            role_session_name=session_name[:_LONGEST_NAME],
            role_arn=role_arn,
            policy="",
            duration=_UNTIL_FORGOTTEN,
            external_id="",
        )
        return cls(account_id, partition, session.access_key_id, session.secret_access_key, session.session_token)

    def environment(self) -> dict[str, str]:
        """Return the variables that SDKs read."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }

    def forget(self) -> None:
        """Revoke these credentials."""
        iam_backends[self.account_id][self.partition].access_keys.pop(self.access_key_id, None)
        sessions = sts_backends[self.account_id][self.partition].assumed_roles
        for session in [session for session in sessions if session.access_key_id == self.access_key_id]:
            with contextlib.suppress(ValueError):
                sessions.remove(session)


def forget_left_over() -> None:
    """Revoke the credentials of processes of an earlier server that was killed."""
    limit = utcnow() + timedelta(days=365)  # STS itself gives twelve hours at most
    backend: Any
    for _, _, backend in list(sts_backends.iter_backends()):
        backend.assumed_roles = [session for session in backend.assumed_roles if session.expiration < limit]


@dataclass(frozen=True)
class ServiceRole:
    """A role (by name or ARN) that a service has assumed, in a session of that name.

    This checks what an engine does inside the server on the role's behalf. What a separate process does over HTTP is
    checked there, by the process's credentials.
    """

    role: str
    session: str
    region: str
    account_id: str

    def require(
        self, action: str, resource: str = "*", keys: Mapping[str, str | list[str] | None] | None = None
    ) -> None:
        """Return if the role may do `action` ("s3:GetObject") to `resource` (an ARN).

        Raises:
            AccessDenied: the role may not do it; the message is AWS's.
        """
        iam.require(
            self.role, action, resource, session=self.session, region=self.region, account_id=self.account_id, keys=keys
        )

    def may_log(self, group: str, stream: str) -> bool:
        """Whether the role may write log events there, and create the group and the stream if they are missing."""
        return iam.permits_logging(
            self.role, group, stream, session=self.session, region=self.region, account_id=self.account_id
        )

    @contextlib.contextmanager
    def credentials(self) -> Iterator[dict[str, str]]:
        """Yield the variables with which SDKs act as the role. The credentials are revoked when the context ends."""
        found = find_role(self.role, self.account_id)
        credentials = RoleCredentials.assume(
            found.arn if found else self.role, self.session, self.account_id, self.region
        )
        try:
            yield credentials.environment()
        finally:
            credentials.forget()
