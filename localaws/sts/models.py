"""STS's sessions: moto's, with a check of the session's policy."""

from __future__ import annotations

from typing import Any

from moto.iam.exceptions import MalformedPolicyDocument
from moto.sts.exceptions import STSClientError
from moto.sts.models import AssumedRole, STSBackend

from localaws.iam.models import check_identity_policy


class LocalSTSBackend(STSBackend):
    """This package's STS backend."""

    def assume_role(self, *, policy: str | None = None, **asked: Any) -> AssumedRole:  # type: ignore[override]
        """Create a session of a role, limited by `policy`.

        Raises:
            STSClientError: MalformedPolicyDocument; the policy is malformed.
        """
        if policy:
            try:
                check_identity_policy(policy)
            except MalformedPolicyDocument as error:
                raise STSClientError("MalformedPolicyDocument", error.message) from None
        return super().assume_role(policy=policy or "", **asked)
