"""STS's sessions: moto's, with the session's policy looked at."""

from __future__ import annotations

from typing import Any

from moto.iam.exceptions import MalformedPolicyDocument
from moto.sts.exceptions import STSClientError
from moto.sts.models import AssumedRole, STSBackend

from localaws.authorization.principals import find_role
from localaws.services.iam.models import check_identity_policy

_HOUR = 3600  # seconds: how long a role's sessions may last where nothing else is set


class LocalSTSBackend(STSBackend):
    """STS as this package has it."""

    def assume_role(self, *, policy: str | None = None, **asked: Any) -> AssumedRole:  # type: ignore[override]
        """Make a session of a role, which its policy limits.

        Raises:
            STSClientError: MalformedPolicyDocument; or it is to last longer than the role allows (ValidationError).
        """
        role = find_role(asked["role_arn"], self.account_id)
        if role is not None and int(asked["duration"]) > int(role.max_session_duration or _HOUR):
            raise STSClientError(
                "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
        if policy:
            try:
                check_identity_policy(policy)
            except MalformedPolicyDocument as error:
                raise STSClientError("MalformedPolicyDocument", error.message) from None
        return super().assume_role(policy=policy or "", **asked)

    def assume_role_for_service(self, role_arn: str, session_name: str, region: str, seconds: int) -> AssumedRole:
        """A session that a service makes for itself; how long a role's sessions may be is no limit to it."""
        return super().assume_role(
            region_name=region,
            role_session_name=session_name,
            role_arn=role_arn,
            policy="",
            duration=seconds,
            external_id="",
        )
