"""A worker's own temporary credentials: those of its function's role.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from localaws.engines.functions.spec import FunctionSpec

_SECONDS = 43_200


@dataclass(frozen=True)
class RoleCredentials:
    """Temporary credentials of an assumed role."""

    account_id: str
    partition: str
    access_key_id: str
    secret_access_key: str
    session_token: str

    @classmethod
    def assume(cls, spec: FunctionSpec) -> RoleCredentials:
        """Assume the role of `spec`, in a session named as the function: so Lambda names it."""
        partition = get_partition(spec.region)
        session = sts_backends[spec.account_id][partition].assume_role(
            region_name=spec.region,
            role_session_name=spec.name,
            role_arn=spec.role,
            policy="",
            duration=_SECONDS,
            external_id="",
        )
        return cls(spec.account_id, partition, session.access_key_id, session.secret_access_key, session.session_token)

    def environment(self) -> dict[str, str]:
        """The variables that SDKs read."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }

    def forget(self) -> None:
        """Make them worthless."""
        iam_backends[self.account_id][self.partition].access_keys.pop(self.access_key_id, None)
        sessions = sts_backends[self.account_id][self.partition].assumed_roles
        for session in [session for session in sessions if session.access_key_id == self.access_key_id]:
            with contextlib.suppress(ValueError):
                sessions.remove(session)
