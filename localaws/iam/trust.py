"""Whether a role's trust policy lets somebody assume the role.

The trust policy must name the caller. If it names the caller's account, the account's own policies decide:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import Role

from localaws.iam.conditions import Keys, listed
from localaws.iam.policy import Caller, Question, Verdict, compiled
from localaws.iam.principals import find_role

ASSUME = "sts:AssumeRole"


def trusts_service(role: str, account_id: str, service: str, source_arn: str = "") -> bool:
    """Whether the role (an ARN or a name) exists, and `service` may assume it.

    Conditions are checked only if the function or job that the role is for is known: `source_arn`.
    """
    found = find_role(role, account_id)
    if found is None:
        return False
    keys: Keys = {"aws:sourceaccount": account_id, "aws:sourcearn": source_arn}
    try:
        document = json.loads(_text(found))
        if not source_arn:
            for statement in listed(document["Statement"]):
                statement.pop("Condition", None)
        said = compiled(json.dumps(document)).verdict(Question(Caller(service=service), ASSUME, found.arn, keys))
    except (ValueError, KeyError, TypeError, AttributeError):  # a policy that an earlier version accepted
        return False
    return said.allowed and not said.denied


def trust(role_arn: str, account_id: str, caller: Caller, keys: Keys) -> Verdict | None:
    """Return the verdict of `role_arn`'s trust policy on `caller`; None if there is no such role."""
    role = find_role(role_arn, account_id)
    if role is None:
        return None
    return compiled(_text(role)).verdict(Question(caller, ASSUME, role_arn, keys))


def _text(role: Role) -> str:
    document: Any = role.assume_role_policy_document
    return document if isinstance(document, str) else json.dumps(document)
