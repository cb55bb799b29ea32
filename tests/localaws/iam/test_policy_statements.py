"""Whether the statements of a policy document allow or deny a request, without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localaws.iam.policy import Caller, Question, Verdict, verdict

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/etl"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/etl/run"
OBJECT = "arn:aws:s3:::tolls/a.json"
CALLER = Caller((SESSION, ROLE), ACCOUNT)

NOTHING, ALLOWED, DENIED = Verdict(), Verdict(allowed=True), Verdict(denied=True)
TO_ACCOUNT = Verdict(to_account=True)


def said(*statements: dict[str, Any], caller: Caller = CALLER, action: str = "s3:GetObject", **keys: Any) -> Verdict:
    """What a policy with these statements says of `action` on the object."""
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return verdict([document], Question(caller, action, OBJECT, keys))


def allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **elements}


def deny(**elements: Any) -> dict[str, Any]:
    return allow(**elements) | {"Effect": "Deny"}


def without(statement: dict[str, Any], *elements: str) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name not in elements}


def test_the_effects_of_several_statements_and_policies_are_combined() -> None:
    assert said(allow(), deny()) == Verdict(denied=True, allowed=True)
    assert said() == NOTHING
    one, other = (json.dumps({"Statement": each}) for each in (allow(), deny()))
    assert verdict([one, other], Question(CALLER, "s3:GetObject", OBJECT)) == Verdict(denied=True, allowed=True)
    assert verdict(["[]"], Question(CALLER, "s3:GetObject", OBJECT)) == NOTHING


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("s3:GetObject", ALLOWED),
        ("S3:getobject", ALLOWED),
        ("s3:Get*", ALLOWED),
        ("s3:GetObjec?", ALLOWED),
        ("s3:GetObjectTagging", NOTHING),
        ("s3:Get", NOTHING),
        ("*", ALLOWED),
        (["s3:PutObject", "s3:GetObject"], ALLOWED),
        ([], NOTHING),
    ],
)
def test_an_action_matches_as_a_whole_and_in_any_letter_case(action: Any, expected: Verdict) -> None:
    assert said(allow(Action=action)) == expected
    opposite = NOTHING if expected == ALLOWED else ALLOWED
    assert said(without(allow(NotAction=action), "Action")) == opposite


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (OBJECT, ALLOWED),
        ("arn:aws:s3:::tolls/*", ALLOWED),
        ("arn:aws:s3:::tolls/?.json", ALLOWED),
        ("arn:aws:s3:::toll", NOTHING),
        ("arn:aws:s3:::TOLLS/a.json", NOTHING),
        ("arn:aws:sqs:::tolls/a.json", NOTHING),
        (["arn:aws:s3:::other/*", OBJECT], ALLOWED),
        ("arn:*", ALLOWED),
        ("arn:*:a.json", NOTHING),
        # A star at the end reaches over the parts that are left out.
        ("arn:aws:s3*", ALLOWED),
        ("arn:aws:sqs*", NOTHING),
        ("arn:aws:*:tolls", NOTHING),
    ],
)
def test_a_resource_pattern_matches_each_part_of_the_ARN_by_itself(resource: Any, expected: Verdict) -> None:
    assert said(allow(Resource=resource)) == expected
    opposite = NOTHING if expected == ALLOWED else ALLOWED
    assert said(without(allow(NotResource=resource), "Resource")) == opposite


USERNAME = "arn:aws:s3:::tolls/${aws:username}.json"


@pytest.mark.parametrize(
    ("effect", "element", "keys", "expected"),
    [
        # With a value, the variable stands for it.
        (allow, "Resource", {"aws:username": "a"}, ALLOWED),
        (allow, "Resource", {"aws:username": "b"}, NOTHING),
        (allow, "NotResource", {"aws:username": "a"}, NOTHING),
        (allow, "NotResource", {"aws:username": "b"}, ALLOWED),
        (deny, "NotResource", {"aws:username": "b"}, DENIED),
        # The request has no value: the statement is about nothing.
        (allow, "Resource", {"aws:username": None}, NOTHING),
        (deny, "Resource", {"aws:username": None}, NOTHING),
        (allow, "NotResource", {"aws:username": None}, NOTHING),
        (deny, "NotResource", {"aws:username": None}, NOTHING),
        # Nobody knows the value: what can't be judged allows nothing, and denies.
        (allow, "Resource", {}, NOTHING),
        (deny, "Resource", {}, DENIED),
        (allow, "NotResource", {}, NOTHING),
        (deny, "NotResource", {}, DENIED),
    ],
)
def test_a_variable_in_a_resource_is_replaced_by_the_request_s_value(
    effect: Any, element: str, keys: dict[str, Any], expected: Verdict
) -> None:
    statement = without(effect(), "Resource") | {element: USERNAME}
    assert said(statement, **keys) == expected


def test_a_variable_may_have_a_default() -> None:
    assert said(allow(Resource="arn:aws:s3:::tolls/${aws:username, 'a'}.json"), **{"aws:username": None}) == ALLOWED


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("${*}.json", "*.json", True),
        ("${*}.json", "a.json", False),
        ("${*}.json", "[*].json", False),
        ("${?}.json", "?.json", True),
        ("${?}.json", "a.json", False),
        ("${$}{aws:username}", "${aws:username}", True),
        ("${*}*", "*a", True),
        ("${*}*", "a*", False),
    ],
)
def test_a_star_in_variable_braces_matches_only_a_star_in_a_resource(pattern: str, name: str, expected: bool) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""
    document = json.dumps({"Statement": deny(Resource=f"arn:aws:s3:::tolls/{pattern}")})
    question = Question(CALLER, "s3:GetObject", f"arn:aws:s3:::tolls/{name}")
    assert verdict([document], question).denied is expected
    statement = allow(Condition={"StringLike": {"s3:prefix": pattern}})
    assert said(statement, **{"s3:prefix": name}).allowed is expected


def test_a_star_in_variable_braces_equals_a_star_in_a_condition() -> None:
    statement = allow(Condition={"StringEquals": {"s3:prefix": "${*}/${?}"}})
    assert said(statement, **{"s3:prefix": "*/?"}) == ALLOWED
    assert said(statement, **{"s3:prefix": "a/b"}) == NOTHING


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", ALLOWED),
        ({"AWS": "*"}, ALLOWED),
        ({"AWS": ROLE}, ALLOWED),
        ({"AWS": [SESSION]}, ALLOWED),
        ({"AWS": ACCOUNT}, TO_ACCOUNT),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, TO_ACCOUNT),
        ({"AWS": [f"arn:aws:iam::{ACCOUNT}:root", ROLE]}, ALLOWED),
        ({"AWS": "arn:aws:iam::210987654321:root"}, NOTHING),
        ({"Service": "s3.amazonaws.com"}, NOTHING),
        (ROLE, NOTHING),
    ],
)
def test_a_principal_is_matched_by_its_own_ARN_or_by_its_account(principal: Any, expected: Verdict) -> None:
    assert said(allow(Principal=principal)) == expected
    assert said(deny(Principal=principal)) == (NOTHING if expected == NOTHING else DENIED)


def test_a_service_is_matched_only_by_a_Service_principal() -> None:
    sns = Caller(service="sns.amazonaws.com")
    assert said(allow(Principal={"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]}), caller=sns) == ALLOWED
    assert said(allow(Principal={"Service": "s3.amazonaws.com"}), caller=sns) == NOTHING
    assert said(allow(Principal={"AWS": "*"}), caller=sns) == NOTHING


def test_a_caller_without_an_account_is_not_matched_by_an_account() -> None:
    assert said(allow(Principal={"AWS": [""]}), caller=Caller()) == NOTHING


def test_NotPrincipal_denies_all_others_and_allows_nothing() -> None:
    other = {"AWS": "arn:aws:iam::123456789012:role/other"}
    assert said(deny(NotPrincipal=other)) == DENIED
    assert said(deny(NotPrincipal={"AWS": ROLE})) == NOTHING
    assert said(deny(NotPrincipal={"AWS": ACCOUNT})) == NOTHING
    assert said(allow(NotPrincipal=other)) == NOTHING
    assert said(allow(NotPrincipal={"AWS": ROLE})) == NOTHING


@pytest.mark.parametrize(
    ("keys", "allows", "denies"),
    [
        ({"aws:username": "a"}, ALLOWED, DENIED),
        ({"aws:username": "b"}, NOTHING, NOTHING),
        ({"aws:username": None}, NOTHING, NOTHING),
        ({}, NOTHING, DENIED),
    ],
)
def test_a_condition_that_cannot_be_evaluated_does_not_allow_but_does_deny(
    keys: dict[str, Any], allows: Verdict, denies: Verdict
) -> None:
    condition = {"StringEquals": {"aws:username": "a"}}
    assert said(allow(Condition=condition), **keys) == allows
    assert said(deny(Condition=condition), **keys) == denies
