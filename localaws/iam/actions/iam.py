"""IAM and STS: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html."""

from __future__ import annotations

from localaws.core.call import Call
from localaws.iam.decision import Access
from localaws.iam.principals import find_role

_KINDS = (
    ("RoleName", "role"), ("UserName", "user"), ("GroupName", "group"), ("InstanceProfileName", "instance-profile"),
)  # fmt: skip


def pass_role(role: str, account_id: str, service: str) -> Access:
    """Return what passing `role` (a name or an ARN) to an AWS service needs.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    known = find_role(role, account_id)
    plain = role if role.startswith("arn:") else f"arn:aws:iam::{account_id}:role/{role.lstrip('/')}"
    return Access(
        "iam:PassRole",
        known.arn if known else plain,
        {"iam:passedtoservice": service, "iam:associatedresourcearn": None},
    )


def accesses(call: Call) -> list[Access]:
    """Return what a call of IAM needs."""
    action, here = f"iam:{call.operation}", f"arn:aws:iam::{call.account_id}"
    # AddUserToGroup is about the group, AttachRolePolicy about the role.
    kinds = reversed(_KINDS) if call.operation.endswith(("Group", "InstanceProfile")) else _KINDS
    passed = []
    if call.operation == "AddRoleToInstanceProfile":
        passed = [pass_role(str(call.parameters.get("RoleName", "")), call.account_id, "ec2.amazonaws.com")]
    for parameter, kind in kinds:
        if name := call.parameters.get(parameter):
            path = str(call.parameters.get("Path") or "/").lstrip("/")
            known = find_role(str(name), call.account_id) if kind == "role" else None
            keys = {"iam:policyarn": call.parameters.get("PolicyArn")}
            return [Access(action, known.arn if known else f"{here}:{kind}/{path}{name}", keys), *passed]
    if arn := call.parameters.get("PolicyArn"):
        return [Access(action, str(arn))]
    if call.operation == "CreatePolicy":
        return [Access(action, f"{here}:policy/{call.parameters.get('PolicyName', '')}")]
    return []


def of_sts(call: Call) -> list[Access]:
    """Return what a call of STS needs. The role's trust policy is checked separately (trust.py)."""
    if call.operation == "AssumeRole":
        keys = {
            "sts:externalid": call.parameters.get("ExternalId"),
            "sts:rolesessionname": call.parameters.get("RoleSessionName"),
        }
        return [Access("sts:AssumeRole", str(call.parameters.get("RoleArn", "*")), keys)]
    return []
