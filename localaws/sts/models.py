"""STS's sessions: moto's, with the session's policy looked at."""

from __future__ import annotations

from typing import Any

from moto.iam.exceptions import MalformedPolicyDocument
from moto.sts.exceptions import STSClientError
from moto.sts.models import AssumedRole, STSBackend

from localaws.iam.models import check_identity_policy


class LocalSTSBackend(STSBackend):
    """STS as this package has it."""

    def assume_role(self, *, policy: str | None = None, **asked: Any) -> AssumedRole:  # type: ignore[override]
        """Make a session of a role, which its policy limits.

        Raises:
            STSClientError: MalformedPolicyDocument.
        """
        if policy:
            try:
                check_identity_policy(policy)
            except MalformedPolicyDocument as error:
                raise STSClientError("MalformedPolicyDocument", error.message) from None
        return super().assume_role(policy=policy or "", **asked)
