"""Which policies with a principal AWS refuses, and with which messages, without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localaws.iam.grammar import BadPolicy, check_bucket_policy, check_resource_policy, check_trust

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/etl"
BUCKET = "arn:aws:s3:::toll.data"
TRUST: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
OF_BUCKET: dict[str, Any] = {
    "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*",
}  # fmt: skip
SYNTAX = "Syntax errors in policy."
DENY_OTHERS = {"Principal": ..., "NotPrincipal": {"AWS": ROLE}, "Effect": "Deny"}


def changed(statement: dict[str, Any], **elements: Any) -> dict[str, Any]:
    """`statement` with other elements; those that are `...` are left out."""
    return {name: value for name, value in {**statement, **elements}.items() if value is not ...}


def document(*statements: Any, **elements: Any) -> str:
    return json.dumps(changed({"Version": "2012-10-17", "Statement": list(statements)}, **elements))


def of_trust(text: str) -> str:
    """What a trust policy is refused with; empty where it is taken. One role is there: ROLE."""
    try:
        check_trust(text, lambda arn: arn == ROLE)
    except BadPolicy as error:
        return str(error)
    return ""


def of_bucket(text: str) -> str:
    """What the policy of the bucket is refused with; empty where it is taken."""
    try:
        check_bucket_policy(text, BUCKET, lambda arn: arn == ROLE)
    except BadPolicy as error:
        return str(error)
    return ""


def of_resource(text: str) -> str:
    """What the policy of a queue or a secret is refused with; empty where it is taken."""
    try:
        check_resource_policy(text)
    except BadPolicy as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (document(TRUST), ""),
        (document(TRUST, Version="2008-10-17", Id="an id"), ""),
        (document(TRUST, Version=...), ""),
        (document(Statement=TRUST), ""),
        (document(TRUST, {**TRUST, "Sid": ""}, {**TRUST, "Sid": ""}), ""),
        (document({**TRUST, "Sid": "a"}, {**TRUST, "Sid": "b"}), ""),
        (document({**TRUST, "Sid": "a"}, {**TRUST, "Sid": "a"}), "The Statement Ids in the policy are not unique"),
        ("{", "This policy contains invalid Json"),
        ('"text"', "This policy contains invalid Json"),
        (document(TRUST, Version="2012-10-18"), "The policy must contain a valid version string"),
        (document(Statement=...), "Missing required field Statement"),
        (document(), "Could not parse the policy: Statement is empty!"),
        (document(TRUST, Statements=[]), SYNTAX),
        (document("text"), SYNTAX),
        (document(changed(TRUST, Actions="sts:*")), SYNTAX),
        (document(changed(TRUST, Sid=1)), SYNTAX),
        (document(changed(TRUST, Effect=...)), "Missing required field Effect"),
        (document(changed(TRUST, Effect="allow")), "Invalid effect: allow"),
        (document(changed(TRUST, NotPrincipal="*")), "Allow with NotPrincipal is not allowed."),
        (document(changed(TRUST, Effect="Deny", NotPrincipal="*")), SYNTAX),
        (document(changed(TRUST, NotAction="sts:TagSession")), SYNTAX),
        (document(changed(TRUST, Resource="*", NotResource="*")), SYNTAX),
    ],
)
def test_a_policy_may_have_each_element_of_the_grammar_once(policy: str, message: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"""
    assert of_trust(policy) == message


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({}, ""),
        ({"StringEquals": {"sts:ExternalId": "x"}}, ""),
        ({"stringequals": {"sts:ExternalId": "x"}}, ""),
        ({"ForAnyValue:StringLike": {"aws:TagKeys": "x"}, "Null": {"aws:TagKeys": "false"}}, ""),
        ({"ForAllValues:ArnLikeIfExists": {"aws:PrincipalArn": "x"}}, ""),
        ({"StringEquals": "x"}, SYNTAX),
        ({"Equals": {"sts:ExternalId": "x"}}, SYNTAX),
        ({"StringEquals": {"sts:ExternalId": "x"}, "IfExists": {}}, SYNTAX),
        ({"StringNotGreaterThan": {}}, SYNTAX),
        ([], SYNTAX),
    ],
)
def test_a_condition_with_an_unknown_operator_is_refused(conditions: Any, message: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    assert of_trust(document({**TRUST, "Condition": conditions})) == message


INVALID = "Invalid principal in policy"


@pytest.mark.parametrize(
    ("principal", "message"),
    [
        ("*", ""),
        ({"AWS": "*"}, ""),
        ({"AWS": [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"]}, ""),
        ({"AWS": ROLE}, ""),
        ({"AWS": "AIDACKCEVSQ6C2EXAMPLE"}, ""),
        ({"AWS": "AROACKCEVSQ6C2EXAMPLE"}, ""),
        ({"Service": "lambda.amazonaws.com"}, ""),
        ({"Federated": "cognito-identity.amazonaws.com"}, ""),
        ({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}, ""),
        (..., "Missing required field Principal"),
        ({}, "Missing required field Principal cannot be empty!"),
        (None, "Missing required field Principal cannot be empty!"),
        (ROLE, INVALID),
        ([ROLE], INVALID),
        ({"AWS": []}, f'{INVALID}: "AWS":""'),
        ({"AWS": [ROLE, ""]}, f'{INVALID}: "AWS":""'),
        ({"Federated": ""}, f'{INVALID}: "FEDERATED":""'),
        ({"AWS": "12345678901"}, f'{INVALID}: "AWS":"12345678901"'),
        ({"AWS": f"{ROLE}2"}, f'{INVALID}: "AWS":"{ROLE}2"'),
        ({"AWS": "AKIACKCEVSQ6C2EXAMPLE"}, f'{INVALID}: "AWS":"AKIACKCEVSQ6C2EXAMPLE"'),
        ({"Aws": ROLE}, f'{INVALID}: "AWS":"{ROLE}"'),
        ({"Service": "lambda.example.com"}, f'{INVALID}: "SERVICE":"lambda.example.com"'),
        ({"Service": "*"}, f'{INVALID}: "SERVICE":"*"'),
    ],
)
def test_a_principal_has_to_be_one_that_a_policy_may_name(principal: Any, message: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"""
    assert of_trust(document(changed(TRUST, Principal=principal))) == message


def test_a_principal_that_is_not_an_ARN_is_refused_even_if_such_a_role_exists() -> None:
    with pytest.raises(BadPolicy, match=INVALID):
        check_trust(document(changed(TRUST, Principal={"AWS": "etl"})), lambda _: True)


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"Action": ["sts:AssumeRole", "STS:TagSession"]}, ""),
        ({"Action": ..., "NotAction": "sts:TagSession"}, ""),
        ({"Action": ["sts:AssumeRole", "s3:GetObject"]}, "AssumeRole policy may only specify STS AssumeRole actions."),
        ({"Action": [1]}, "AssumeRole policy may only specify STS AssumeRole actions."),
        ({"Action": ...}, "Missing required field Action"),
        ({"Action": []}, "Missing required field Action"),
        ({"Resource": "*"}, "Has prohibited field Resource"),
        ({"NotResource": "*"}, "AssumeRole policy must not contain resources."),
        (DENY_OTHERS, "AssumeRole policy must not contain NotPrincipal field."),
    ],
)
def test_a_trust_policy_may_contain_sts_actions_only(elements: dict[str, Any], message: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""
    assert of_trust(document(changed(TRUST, **elements))) == message


WRONG_ACTION, WRONG_RESOURCE = "Policy has invalid action", "Policy has invalid resource"
NOT_OF_RESOURCE = "Action does not apply to any resource(s) in statement"


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({}, ""),
        (DENY_OTHERS, ""),
        ({"Principal": ...}, "Missing required field Principal"),
        # In a bucket's policy AWS doesn't say which principal is wrong.
        ({"Principal": {"AWS": f"{ROLE}2"}}, INVALID),
        ({"Action": "*"}, ""),
        ({"Action": "S3:getobject"}, ""),
        ({"Action": ["s3:GetObject", "s3:Get*"]}, ""),
        ({"Action": "s3:GetObjects"}, WRONG_ACTION),
        ({"Action": "s3:"}, WRONG_ACTION),
        ({"Action": "sqs:GetObject"}, WRONG_ACTION),
        ({"Action": ["s3:GetObject", 1]}, WRONG_ACTION),
        ({"Action": ...}, "Missing required field Action"),
        ({"Action": ..., "NotAction": "s3:GetObject"}, ""),
        ({"Action": ..., "NotAction": "s3:GetObjects"}, WRONG_ACTION),
        # Only what is named to be done must be possible there.
        ({"Action": ..., "NotAction": "s3:ListBucket"}, ""),
        ({"Action": "s3:ListBucket"}, NOT_OF_RESOURCE),
        ({"Action": "s3:ListBucket", "Resource": BUCKET}, ""),
        ({"Action": "s3:ListBucket", "Resource": ..., "NotResource": f"{BUCKET}/*"}, ""),
        ({"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [BUCKET, f"{BUCKET}/*"]}, ""),
        ({"Resource": ...}, "Missing required field Resource"),
        ({"Resource": []}, "Missing required field Resource"),
        ({"Resource": ..., "NotResource": f"{BUCKET}/a"}, ""),
        ({"Resource": ..., "NotResource": "arn:aws:s3:::other/a"}, WRONG_RESOURCE),
        ({"Resource": "arn:aws:s3:::*"}, ""),
        ({"Resource": "arn:aws:s3:::toll?data/a/*"}, ""),
        ({"Resource": "arn:aws:s3:::toll.*/a"}, ""),
        ({"Resource": "arn:aws:s3:::tollxdata/*"}, WRONG_RESOURCE),
        ({"Resource": "arn:aws:s3:::toll.data2/*"}, WRONG_RESOURCE),
        ({"Resource": "*"}, WRONG_RESOURCE),
        ({"Resource": "toll.data/*"}, WRONG_RESOURCE),
        ({"Resource": [f"{BUCKET}/*", 1]}, WRONG_RESOURCE),
        ({"Resource": [f"{BUCKET}/*", "arn:aws:s3:::other/*"]}, WRONG_RESOURCE),
    ],
)
def test_a_bucket_policy_may_contain_s3_actions_on_this_bucket_only(elements: dict[str, Any], message: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-bucket-policy.html"""
    assert of_bucket(document(changed(OF_BUCKET, **elements))) == message


def test_every_statement_is_checked() -> None:
    assert of_trust(document(TRUST, changed(TRUST, Action="s3:GetObject"))).startswith("AssumeRole policy may only")
    assert of_bucket(document(OF_BUCKET, changed(OF_BUCKET, Action="sqs:SendMessage"))) == WRONG_ACTION
    assert of_resource(document(OF_BUCKET, changed(OF_BUCKET, Action=...))) == "Missing required field Action"
    assert of_resource(document(OF_BUCKET, changed(OF_BUCKET, Effect=...))) == "Missing required field Effect"


def test_a_bucket_policy_is_a_JSON_object_of_at_most_20_KB() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html"""
    size = 20 * 1024 - len(document({**OF_BUCKET, "Sid": ""}))
    assert of_bucket(document({**OF_BUCKET, "Sid": "x" * size})) == ""
    too_long = "Policy exceeds the maximum allowed document size."
    assert of_bucket(document({**OF_BUCKET, "Sid": "x" * (size + 1)})) == too_long
    assert of_bucket(f" {document(OF_BUCKET)}") == "Policies must be valid JSON and the first byte must be '{'"


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({}, ""),
        ({"Action": "sqs:SendMessage", "Resource": "anything"}, ""),
        # Whether somebody is there is not asked here.
        ({"Principal": {"AWS": f"{ROLE}2"}}, ""),
        ({"Principal": {"AWS": "etl"}}, INVALID),
        ({"Principal": ...}, "Missing required field Principal"),
        (DENY_OTHERS, ""),
        ({"Action": ...}, "Missing required field Action"),
        ({"Effect": ...}, "Missing required field Effect"),
    ],
)
def test_a_policy_of_another_resource_needs_a_principal_and_an_action(elements: dict[str, Any], message: str) -> None:
    assert of_resource(document(changed(OF_BUCKET, **elements))) == message
