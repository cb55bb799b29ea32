"""Four IAM roles: for Glue, for each of the two functions, and for Redshift's COPY."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from labkit import origins, policies
from labkit.calls import found
from labkit.policies import Policy
from labkit.show.display import Described, Fact, Removed
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step

POLICY_NAME = "toll-etl"


@dataclass(frozen=True)
class RolesMade(Described):
    """The roles' names."""

    glue: str
    generator_function: str
    start_function: str
    redshift_copy: str


class Roles(Step[RolesMade]):
    """Each service gets its own role, which allows only what that service needs (`labkit/policies.py`)."""

    name = "roles"
    notebook = "00_start"
    makes = "an IAM role for each function and service"

    @names_all_missing
    def create(self) -> RolesMade:
        """Create the roles, and set their policies."""
        self.lab.consent(self.name)
        for role, (service, policy) in self._wanted().items():
            self.create_role(role, service)
            self.put_policy(role, POLICY_NAME, policy)
        return self.describe()

    def create_role(self, role: str, service: str) -> None:
        """Create a role for a service, such as "lambda.amazonaws.com". A role that exists is updated."""
        iam, trust = self.aws("iam"), json.dumps(policies.trust(service))
        if found(iam.get_role, RoleName=role) is None:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust, Tags=self.tag_list)
            iam.get_waiter("role_exists").wait(RoleName=role)
        else:
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
            iam.tag_role(RoleName=role, Tags=self.tag_list)

    def put_policy(self, role: str, policy_name: str, policy: Policy) -> None:
        """Set a role's inline policy."""
        self.aws("iam").put_role_policy(RoleName=role, PolicyName=policy_name, PolicyDocument=json.dumps(policy))

    def describe(self) -> RolesMade:
        """The roles' names."""
        for role in self._wanted():
            self.arn(role)
        names = self.names
        return RolesMade(names.glue_role, names.generator_role, names.start_role, names.copy_role)

    def arn(self, role: str) -> str:
        """The ARN of the role with this name.

        Raises:
            MissingStep: it is not there yet.
        """
        answer = found(self.aws("iam").get_role, RoleName=role)
        if answer is None:
            raise origins.missing(self.names, "Role", role, self.name)
        return str(answer["Role"]["Arn"])

    def facts(self) -> Iterator[Fact]:
        """Each role exists, with exactly the right permissions."""
        for role, (_service, policy) in self._wanted().items():
            exists = self.exists(role)
            yield Fact(exists, f"role {role} exists", self.fix)
            if exists:
                same = self.has_policy(role, POLICY_NAME, policy)
                yield Fact(same, f"role {role} may do what its part needs, and nothing else", self.fix)

    def exists(self, role: str) -> bool:
        """Whether there is a role with this name."""
        return found(self.aws("iam").get_role, RoleName=role) is not None

    def has_policy(self, role: str, policy_name: str, policy: Policy) -> bool:
        """Whether a role has this policy with this content."""
        given = found(self.aws("iam").get_role_policy, RoleName=role, PolicyName=policy_name)
        return given is not None and _document(given["PolicyDocument"]) == policy

    def destroy(self) -> Removed:
        """Delete the roles with their policies."""
        gone = [f"role {role}" for role in self._wanted() if self.delete_role(role)]
        return Removed(self.name, tuple(gone))

    def delete_role(self, role: str) -> bool:
        """Delete a role with its policies; False if there is none."""
        iam = self.aws("iam")
        if not self.exists(role):
            return False
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
        for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role, PolicyArn=attached["PolicyArn"])
        iam.delete_role(RoleName=role)
        return True

    def delete_policy(self, role: str, policy_name: str) -> bool:
        """Delete one policy of a role; False if there is none."""
        iam = self.aws("iam")
        if found(iam.get_role_policy, RoleName=role, PolicyName=policy_name) is None:
            return False
        iam.delete_role_policy(RoleName=role, PolicyName=policy_name)
        return True

    def _wanted(self) -> dict[str, tuple[str, Policy]]:
        """Role → (the service that assumes it, its policy)."""
        names, region, account = self.names, self.config.region, self.lab.session.account_id
        return {
            names.glue_role: ("glue.amazonaws.com", policies.glue(names, region, account)),
            names.generator_role: ("lambda.amazonaws.com", policies.generator(names, region, account)),
            names.start_role: ("lambda.amazonaws.com", policies.start_function(names, region, account)),
            names.copy_role: ("redshift.amazonaws.com", policies.copy(names)),
        }


def _document(policy: Policy | str) -> Policy:
    """Return the policy as a dict: boto3 may have parsed it already, or it may still be JSON text."""
    return json.loads(policy) if isinstance(policy, str) else policy
