"""What a role's policies allow, read back from IAM, for judges of tasks about policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from labkit.steps.lab_steps import LabSteps

Statement = dict[str, Any]


def of_role(lab: LabSteps, role: str) -> list[Statement]:
    """The statements of all policies of a role: the inline policies and the attached ones."""
    iam = lab.session.client("iam")
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
        policy = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)["PolicyVersion"]
        documents.append(policy["Document"])
    return [statement for document in documents for statement in _statements(document)]


def allows(statements: Iterable[Statement], action: str, resource: str) -> bool:
    """Whether the statements allow the action on the resource. A Deny wins.

    A statement with a Condition does not count as an Allow, and counts as a Deny, because nothing is known of the
    request.
    """
    effects = [
        statement["Effect"]
        for statement in statements
        if _covers(statement, "Action", action, ignore_case=True) and _covers(statement, "Resource", resource)
        if not (statement["Effect"] == "Allow" and statement.get("Condition"))
    ]
    return "Allow" in effects and "Deny" not in effects


def _statements(document: Any) -> list[Statement]:
    given = json.loads(document) if isinstance(document, str) else document
    statements = given["Statement"]
    return [statements] if isinstance(statements, dict) else list(statements)


def _covers(statement: Statement, element: str, value: str, *, ignore_case: bool = False) -> bool:
    if f"Not{element}" in statement:
        return not _matches(statement[f"Not{element}"], value, ignore_case)
    return _matches(statement.get(element, []), value, ignore_case)


def _matches(patterns: Any, value: str, ignore_case: bool) -> bool:
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value, flags)
        for pattern in ([patterns] if isinstance(patterns, str) else patterns)
    )
