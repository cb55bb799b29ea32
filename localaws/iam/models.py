"""IAM's state: moto's backend, with checks of the policy documents of roles, users and groups."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.exceptions import (
    DeleteConflictException,
    EntityAlreadyExists,
    MalformedPolicyDocument,
    NotFoundException,
    ValidationError,
)
from moto.iam.models import Group, IAMBackend, ManagedPolicy, PolicyVersion, Role
from moto.iam.policy_validation import IAMPolicyDocumentValidator

from localaws.iam.conditions import listed
from localaws.iam.grammar import BadPolicy, check_trust


class LocalIAMBackend(IAMBackend):
    """moto's IAM backend, with AWS's checks and messages."""

    def get_role(self, role_name: str) -> Role:
        """Return a role by its name. Raise NotFoundException, in AWS's words, if there is none."""
        try:
            return super().get_role(role_name)
        except NotFoundException:
            raise NotFoundException(f"The role with name {role_name} cannot be found.") from None

    def get_group(self, group_name: str) -> Group:
        """Return a group by its name. Raise NotFoundException, in AWS's words, if there is none."""
        try:
            return super().get_group(group_name)
        except NotFoundException:
            raise NotFoundException(f"The group with name {group_name} cannot be found.") from None

    def create_role(
        self,
        role_name: str,
        assume_role_policy_document: str,
        path: str,
        permissions_boundary: str | None,
        description: str,
        tags: list[dict[str, str]],
        max_session_duration: str | None,
        linked_service: str | None = None,
    ) -> Role:
        """Make a role.

        Raises:
            MalformedPolicyDocument: its trust policy is malformed.
            NotFoundException: there is no such permissions boundary.
            ValidationError: the maximum session duration is too short or too long.
        """
        self._check_trust(assume_role_policy_document)
        self._check_boundary(permissions_boundary)
        _check_duration(max_session_duration)
        return super().create_role(
            role_name, assume_role_policy_document, path, permissions_boundary, description, tags,
            max_session_duration, linked_service,
        )  # fmt: skip

    def update_assume_role_policy(self, role_name: str, policy_document: str) -> None:
        """Change a role's trust policy.

        Raises:
            MalformedPolicyDocument: the policy is malformed.
        """
        role = self.get_role(role_name)
        self._check_trust(policy_document)
        role.assume_role_policy_document = policy_document

    def put_role_permissions_boundary(self, role_name: str, permissions_boundary: str) -> None:
        """Set a role's permissions boundary.

        Raises:
            NotFoundException: there is no such policy.
        """
        self._check_boundary(permissions_boundary)
        super().put_role_permissions_boundary(role_name, permissions_boundary)

    def put_role_policy(self, role_name: str, policy_name: str, policy_json: str) -> None:
        """Set an inline policy of a role. Raise MalformedPolicyDocument if the policy is malformed."""
        _refuse_principals(policy_json)
        super().put_role_policy(role_name, policy_name, policy_json)

    def put_user_policy(self, user_name: str, policy_name: str, policy_json: str) -> None:
        """Set an inline policy of a user. Raise MalformedPolicyDocument if the policy is malformed."""
        _refuse_principals(policy_json)
        super().put_user_policy(user_name, policy_name, policy_json)

    def put_group_policy(self, group_name: str, policy_name: str, policy_json: str) -> None:
        """Set an inline policy of a group. Raise MalformedPolicyDocument if the policy is malformed."""
        _refuse_principals(policy_json)
        super().put_group_policy(group_name, policy_name, policy_json)

    def create_policy(
        self, description: str, path: str, policy_document: str, policy_name: str, tags: list[dict[str, str]]
    ) -> ManagedPolicy:
        """Create a managed policy. Raise MalformedPolicyDocument if it is malformed."""
        _refuse_principals(policy_document)
        return super().create_policy(description, path, policy_document, policy_name, tags)

    def create_policy_version(self, policy_arn: str, policy_document: str, set_as_default: bool) -> PolicyVersion:
        """Create another version of a policy. Raise MalformedPolicyDocument if it is malformed."""
        _refuse_principals(policy_document)
        return super().create_policy_version(policy_arn, policy_document, set_as_default)

    def update_role(self, role_name: str, role_description: str | None, max_session_duration: Any) -> Role:
        """Change a role's maximum session duration, and its description if one is given.

        Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html

        Raises:
            ValidationError: the duration is not between 3600 and 43200 seconds.
        """
        _check_duration(max_session_duration)
        role = self.get_role(role_name)
        kept = role.description if role_description is None else role_description
        return super().update_role(role_name, kept, max_session_duration)

    def update_user(self, user_name: str, new_path: str | None = None, new_user_name: str | None = None) -> None:
        """Change a user's name or path. The user keeps its keys, policies and groups.

        Raises:
            EntityAlreadyExists: another user has the new name.
        """
        if new_user_name and new_user_name != user_name and new_user_name in self.users:
            raise EntityAlreadyExists(f"User with name {new_user_name} already exists.")
        super().update_user(user_name, new_path, new_user_name)
        if new_user_name:
            for key in self.users[new_user_name].access_keys:
                key.user_name = new_user_name

    def delete_policy(self, policy_arn: str) -> None:
        """Delete a policy.

        Raises:
            DeleteConflictException: it is attached, or has versions besides its default one.
        """
        policy = self.get_policy(policy_arn)
        holders: list[Any] = [*self.users.values(), *self.groups.values(), *self.roles.values()]
        bounded = any(role.permissions_boundary_arn == policy_arn for role in self.roles.values())
        if bounded or any(policy_arn in holder.managed_policies for holder in holders):
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise DeleteConflictException(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's"
                " versions. The default version is deleted with the policy."
            )
        super().delete_policy(policy_arn)

    def delete_user(self, user_name: str) -> None:
        """Delete a user without keys, policies and groups.

        Raises:
            DeleteConflictException: it has keys or policies, or is in a group.
        """
        user = self.get_user(user_name)
        if user.access_keys:
            raise DeleteConflictException("Cannot delete entity, must delete access keys first.")
        if any(user in group.users for group in self.groups.values()):
            raise DeleteConflictException("Cannot delete entity, must remove users from group first.")
        super().delete_user(user_name)

    def delete_group(self, group_name: str) -> None:
        """Delete a group without users and policies.

        Raises:
            DeleteConflictException: it has users or policies.
        """
        group = self.get_group(group_name)
        if group.users:
            raise DeleteConflictException("Cannot delete entity, must remove users from group first.")
        if group.managed_policies:
            raise DeleteConflictException("Cannot delete entity, must detach all policies first.")
        if group.policies:
            raise DeleteConflictException("Cannot delete entity, must delete policies first.")
        super().delete_group(group_name)

    def is_known(self, arn: str) -> bool:
        """Whether a policy may name this ARN. A user or role of this account must exist; others are not known here."""
        kind, _, _ = arn.split(":", 5)[-1].partition("/")
        if f"::{self.account_id}:" not in arn or kind not in ("role", "user"):
            return True
        known: list[Any] = [*self.roles.values(), *self.users.values()]
        return any(each.arn == arn for each in known)

    def _check_trust(self, document: str) -> None:
        try:
            check_trust(document, self.is_known)
        except BadPolicy as error:
            raise MalformedPolicyDocument(str(error)) from None

    def _check_boundary(self, arn: str | None) -> None:
        if arn and self.policy_arn_regex.match(arn) and arn not in self.managed_policies:
            raise NotFoundException(f"Scope ARN: {arn} does not exist or is not attachable.")


def _check_duration(seconds: str | None) -> None:
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    if seconds is not None and not 3600 <= int(seconds) <= 43_200:
        raise ValidationError(
            f"1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint:"
            " Member must have value between 3600 and 43200"
        )


def check_identity_policy(document: str) -> None:
    """Check an identity policy. Raise MalformedPolicyDocument if it is malformed."""
    _refuse_principals(document)
    IAMPolicyDocumentValidator(document).validate()


def _refuse_principals(document: str) -> None:
    """Raise MalformedPolicyDocument if an identity policy names a principal. moto checks everything else."""
    try:
        statements = listed(json.loads(document)["Statement"])
    except (ValueError, KeyError, TypeError):
        return
    if any(isinstance(each, dict) and {"Principal", "NotPrincipal"} & each.keys() for each in statements):
        raise MalformedPolicyDocument("Policy document should not specify a principal.")
