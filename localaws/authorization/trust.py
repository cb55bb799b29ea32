"""Whether a role's trust policy lets somebody take the role.

A role's trust policy must name who assumes it; naming the account leaves it to the account's own policies:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
"""

from __future__ import annotations

import json
from typing import Any

from localaws.authorization.conditions import Keys
from localaws.authorization.policy import Caller, Question, Verdict, compiled
from localaws.authorization.principals import find_role

ASSUME = "sts:AssumeRole"


def trust(role_arn: str, account_id: str, caller: Caller, keys: Keys) -> Verdict | None:
    """What the trust policy of `role_arn` says of `caller`; None where there is no such role."""
    role = find_role(role_arn, account_id)
    if role is None:
        return None
    document: Any = role.assume_role_policy_document
    text = document if isinstance(document, str) else json.dumps(document)
    return compiled(text).verdict(Question(caller, ASSUME, role_arn, keys))
