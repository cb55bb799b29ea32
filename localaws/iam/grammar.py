"""The grammar of policies that name a principal: trust policies of roles, policies of buckets, queues and secrets.

moto checks identity policies only. The error messages are AWS's, as users report them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from localaws.iam import s3_actions
from localaws.iam.conditions import listed

_LONGEST_OF_BUCKET = 20 << 10  # bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html
_TOP = {"Version", "Id", "Statement"}
_VERSIONS = ("2008-10-17", "2012-10-17")
_ELEMENTS = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}  # fmt: skip
_OPERATOR = re.compile(
    r"(ForAllValues:|ForAnyValue:)?("
    r"String(Not)?(Equals|EqualsIgnoreCase|Like)|Numeric((Not)?Equals|(LessThan|GreaterThan)(Equals)?)"
    r"|Date((Not)?Equals|(LessThan|GreaterThan)(Equals)?)|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like)"
    r"|Null)(IfExists)?",
    re.IGNORECASE,
)
_PRINCIPALS = {"AWS", "Service", "Federated", "CanonicalUser"}
_SERVICE = re.compile(r"[a-z0-9][a-z0-9.-]*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)")
_ACCOUNT = re.compile(r"\d{12}|arn:aws[a-z-]*:iam::\d{12}:root")


class BadPolicy(Exception):
    """The document breaks the grammar; the message is AWS's."""


def check_trust(document: str, exists: Callable[[str], bool]) -> None:
    """Check the trust policy of a role. `exists` says whether an ARN is a user or role that the policy may name.

    Raises:
        BadPolicy: the policy is malformed.
    """
    for statement in _statements(document):
        if "NotPrincipal" in statement:
            raise BadPolicy("AssumeRole policy must not contain NotPrincipal field.")
        _check_principal(statement, exists, name_it=True)
        actions = _actions(statement)
        if not all(isinstance(action, str) and action.lower().startswith("sts:") for action in actions):
            raise BadPolicy("AssumeRole policy may only specify STS AssumeRole actions.")
        if "Resource" in statement:
            raise BadPolicy("Has prohibited field Resource")
        if "NotResource" in statement:
            raise BadPolicy("AssumeRole policy must not contain resources.")


def check_bucket_policy(document: str, bucket_arn: str, exists: Callable[[str], bool]) -> None:
    """Check the policy of a bucket. It may only be about this bucket and what is in it.

    Raises:
        BadPolicy: the policy is malformed.
    """
    if not document.startswith("{"):
        raise BadPolicy("Policies must be valid JSON and the first byte must be '{'")
    if len(document.encode()) > _LONGEST_OF_BUCKET:
        raise BadPolicy("Policy exceeds the maximum allowed document size.")
    for statement in _statements(document):
        if "NotPrincipal" not in statement:
            _check_principal(statement, exists, name_it=False)
        for action in _actions(statement):
            known = isinstance(action, str) and (action == "*" or re.fullmatch(r"(?i)s3:[a-z*?0-9]+", action))
            if not known or not s3_actions.is_known(action):
                raise BadPolicy("Policy has invalid action")
        resources = listed(statement.get("Resource", statement.get("NotResource")))
        if not resources:
            raise BadPolicy("Missing required field Resource")
        for resource in resources:
            if not isinstance(resource, str) or not _can_be_in(resource, bucket_arn):
                raise BadPolicy("Policy has invalid resource")
        if "Action" in statement and "Resource" in statement:
            for action in _actions(statement):
                if not s3_actions.applies(action, resources):
                    raise BadPolicy("Action does not apply to any resource(s) in statement")


def check_resource_policy(document: str) -> None:
    """Check the rules that all resource policies have in common.

    Raises:
        BadPolicy: the policy is malformed.
    """
    for statement in _statements(document):
        if "NotPrincipal" not in statement:
            _check_principal(statement, lambda _: True, name_it=False)
        _actions(statement)


def _statements(document: str) -> list[dict[str, Any]]:
    """Return the policy's statements, after checking the rules that all of them have in common."""
    try:
        policy = json.loads(document)
    except ValueError:
        raise BadPolicy("This policy contains invalid Json") from None
    if not isinstance(policy, dict):
        raise BadPolicy("This policy contains invalid Json")
    if policy.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise BadPolicy("The policy must contain a valid version string")
    if "Statement" not in policy:
        raise BadPolicy("Missing required field Statement")
    statements = listed(policy["Statement"])
    if not statements:
        raise BadPolicy("Could not parse the policy: Statement is empty!")
    if not policy.keys() <= _TOP:
        raise BadPolicy("Syntax errors in policy.")
    for statement in statements:
        _check_statement(statement)
    named = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(named) != len(set(named)):
        raise BadPolicy("The Statement Ids in the policy are not unique")
    return statements


def _check_statement(statement: Any) -> None:
    if not isinstance(statement, dict) or not statement.keys() <= _ELEMENTS:
        raise BadPolicy("Syntax errors in policy.")
    if "Effect" not in statement:
        raise BadPolicy("Missing required field Effect")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise BadPolicy(f"Invalid effect: {statement['Effect']}")
    if statement["Effect"] == "Allow" and "NotPrincipal" in statement:
        raise BadPolicy("Allow with NotPrincipal is not allowed.")
    for pair in (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")):
        if statement.keys() >= set(pair):
            raise BadPolicy("Syntax errors in policy.")
    conditions = statement.get("Condition", {})
    sound = isinstance(conditions, dict) and all(
        _OPERATOR.fullmatch(operator) and isinstance(keys, dict) for operator, keys in conditions.items()
    )
    if not sound or not isinstance(statement.get("Sid", ""), str):
        raise BadPolicy("Syntax errors in policy.")


def _actions(statement: dict[str, Any]) -> list[Any]:
    actions: list[Any] = listed(statement.get("Action", statement.get("NotAction")))
    if not actions:
        raise BadPolicy("Missing required field Action")
    return actions


def _check_principal(statement: dict[str, Any], exists: Callable[[str], bool], *, name_it: bool) -> None:
    principal = statement.get("Principal")
    if "Principal" not in statement:
        raise BadPolicy("Missing required field Principal")
    if principal == "*":
        return
    if not principal:
        raise BadPolicy("Missing required field Principal cannot be empty!")
    if not isinstance(principal, dict):
        raise BadPolicy("Invalid principal in policy")
    for kind, names in principal.items():
        for name in listed(names) or [""]:
            if kind not in _PRINCIPALS or not isinstance(name, str) or not _is_principal(kind, name, exists):
                about = f': "{kind.upper()}":"{name}"' if name_it else ""
                raise BadPolicy(f"Invalid principal in policy{about}")


def _is_principal(kind: str, name: str, exists: Callable[[str], bool]) -> bool:
    if kind == "Service":
        return _SERVICE.fullmatch(name) is not None
    if kind == "AWS" and name != "*" and not _ACCOUNT.fullmatch(name):
        # Policies name a deleted user or role by its unique id.
        return re.fullmatch(r"A(ID|RO)A[A-Z0-9]+", name) is not None or (name.startswith("arn:") and exists(name))
    return bool(name)


def _can_be_in(resource: str, bucket_arn: str) -> bool:
    """Whether a resource, perhaps with wildcards, can be this bucket or something in it."""
    if not resource.startswith("arn:aws:s3:::"):
        return False
    pattern = re.escape(resource.partition("/")[0]).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, bucket_arn) is not None
