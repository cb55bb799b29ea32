"""moto's Secrets Manager, with the checks that it leaves out.

A secret that is scheduled for deletion can only be described, restored and deleted:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.secretsmanager.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    SecretsManagerClientError,
    ValidationException,
)
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend

from localaws.iam.grammar import BadPolicy, check_resource_policy

_MARKED = "You can't perform this operation on the secret because it was marked for deletion."
_NAME_TAKEN = "You can't create this secret because a secret with this name is already scheduled for deletion."

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
_CURRENT = "AWSCURRENT"
_LONGEST = 65_536  # bytes of a secret's value


class LocalSecretsManagerBackend(SecretsManagerBackend):
    """This package's Secrets Manager backend."""

    def get_secret_value(self, secret_id: str, version_id: str, version_stage: str) -> dict[str, Any]:
        """A version's value. Without a version or a stage that is AWSCURRENT's, which moto looks for elsewhere."""
        self._check_not_scheduled(secret_id)
        secret = self.secrets.get(secret_id)
        if not version_id and not version_stage and secret is not None:
            stages = [stage for version in secret.versions.values() for stage in version["version_stages"]]
            version_stage = _CURRENT if _CURRENT in stages else version_stage
        return super().get_secret_value(secret_id, version_id, version_stage)

    def put_resource_policy(self, secret_id: str, policy: str) -> tuple[str, str]:
        """Set a secret's policy.

        Raises:
            SecretsManagerClientError: MalformedPolicyDocumentException; the policy is malformed.
        """
        self._check_not_scheduled(secret_id)
        if isinstance(self.secrets.get(secret_id), FakeSecret):  # else that is what is said
            try:
                check_resource_policy(policy)
            except BadPolicy as error:
                malformed = f"This policy has invalid syntax. {error}"
                raise SecretsManagerClientError("MalformedPolicyDocumentException", malformed) from None
        return super().put_resource_policy(secret_id, policy)

    def update_secret_version_stage(
        self, secret_id: str, version_stage: str, remove_from_version_id: str | None, move_to_version_id: str | None
    ) -> tuple[str, str]:
        """Move a staging label to another version. Readers of the secret then get the version with AWSCURRENT.

        Raises:
            InvalidParameterException: another version has the label and isn't named, or AWSCURRENT would be removed.
        """
        self._check_not_scheduled(secret_id)
        secret = self.secrets.get(secret_id)
        versions = secret.versions if isinstance(secret, FakeSecret) else {}
        holder = next((each for each, found in versions.items() if version_stage in found["version_stages"]), None)
        if version_stage == _CURRENT and remove_from_version_id and not move_to_version_id:
            raise InvalidParameterException(
                f"You can only move staging label {_CURRENT} to a different secret version. "
                "It can\u2019t be completely removed."
            )
        if move_to_version_id and holder not in (None, move_to_version_id) and not remove_from_version_id:
            raise InvalidParameterException(
                f"The parameter RemoveFromVersionId can't be empty. Staging label {version_stage} is currently "
                f"attached to version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
            )
        told = super().update_secret_version_stage(
            secret_id, version_stage, remove_from_version_id or "", move_to_version_id or ""
        )
        if version_stage == _CURRENT and isinstance(secret, FakeSecret):  # the version that moto reads
            secret.set_default_version_id(move_to_version_id)
        return told

    # As moto has them, but refused for a secret that is scheduled for deletion.

    def delete_resource_policy(self, secret_id: str) -> tuple[str, str]:
        """Raises InvalidRequestException."""
        self._check_not_scheduled(secret_id)
        return super().delete_resource_policy(secret_id)

    def get_resource_policy(self, secret_id: str) -> str:
        """Raises InvalidRequestException."""
        self._check_not_scheduled(secret_id)
        return super().get_resource_policy(secret_id)

    def put_secret_value(self, secret_id: str, *arguments: Any, **parameters: Any) -> str:
        """Raises InvalidRequestException."""
        self._check_not_scheduled(secret_id)
        return super().put_secret_value(secret_id, *arguments, **parameters)

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        """Raises InvalidRequestException."""
        self._check_not_scheduled(arn)
        super().tag_resource(arn, tags)

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        """Raises InvalidRequestException."""
        self._check_not_scheduled(arn)
        super().untag_resource(arn, tag_keys)

    def update_secret(self, secret_id: str, *arguments: Any, **parameters: Any) -> str:
        """Raises InvalidRequestException."""
        self._check_not_scheduled(secret_id)
        return super().update_secret(secret_id, *arguments, **parameters)

    def _check_not_scheduled(self, secret_id: str) -> None:
        """For the operations among whose errors AWS lists InvalidRequestException.

        Raises:
            InvalidRequestException: the secret is scheduled for deletion.
        """
        if self.is_scheduled(secret_id):
            raise InvalidRequestException(_MARKED)

    def is_scheduled(self, secret_id: str) -> bool:
        """Whether there is a secret of this name or ARN that will be deleted when its recovery window ends."""
        secret = self.secrets.get(secret_id)
        return isinstance(secret, FakeSecret) and secret.is_deleted()

    def create_secret(self, name: str, *arguments: Any, **parameters: Any) -> str:
        """Create a secret.

        Raises:
            ValidationException: its name is not valid.
            InvalidRequestException: a secret with this name is scheduled for deletion.
        """
        if not _NAME.fullmatch(name):
            raise ValidationException(
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following:"
                " -/_+=.@!"
            )
        if self.is_scheduled(name):
            raise InvalidRequestException(_NAME_TAKEN)
        return super().create_secret(name, *arguments, **parameters)

    def list_secret_version_ids(self, secret_id: str) -> str:
        """Return the versions that have a staging label. Others will be deleted, and are not listed."""
        answer = json.loads(super().list_secret_version_ids(secret_id))
        answer["Versions"] = [each for each in answer["Versions"] if each["VersionStages"]]
        return json.dumps(answer)


def check_value(parameters: Mapping[str, Any]) -> None:
    """Check a secret's value.

    Raises:
        InvalidParameterException: there are two values.
        ValidationException: the value is too long.
    """
    text, binary = parameters.get("SecretString"), parameters.get("SecretBinary")
    if text and binary:
        raise InvalidParameterException(
            "You can't specify both a binary secret value and a string secret value in the same secret."
        )
    if len((text or "").encode()) > _LONGEST or len(binary or "") * 3 // 4 > _LONGEST:
        raise ValidationException(
            f"1 validation error detected: Value at '{'secretString' if text else 'secretBinary'}' failed to satisfy"
            f" constraint: Member must have length less than or equal to {_LONGEST}"
        )
