"""Conditions, variables and wildcards of policies, as documents: nothing is served here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localaws.authorization.policy import Caller, Question, compiled

KEYS: dict[str, str | list[str] | None] = {
    "aws:username": "alice",
    "aws:principalarn": "arn:aws:iam::123456789012:role/team/one",
    "aws:sourceip": "127.0.0.1",
    "aws:securetransport": "true",
    "aws:currenttime": "2026-11-22T17:00:00Z",
    "aws:epochtime": "1795366800",
    "s3:prefix": "in/2026/",
    "s3:max-keys": "10",
    "s3:delimiter": None,
    "aws:tagkeys": ["team", "cost"],
}
OPERATORS = [
    ("StringEquals", "aws:username", "alice", True),
    ("StringEquals", "AWS:UserName", ["bob", "alice"], True),
    ("StringEquals", "aws:username", "Alice", False),
    ("StringNotEquals", "aws:username", "bob", True),
    ("StringNotEquals", "aws:username", ["bob", "alice"], False),
    ("StringEqualsIgnoreCase", "aws:username", "ALICE", True),
    ("StringLike", "s3:prefix", "in/*", True),
    ("StringLike", "s3:prefix", "out/*", False),
    ("StringNotLike", "s3:prefix", "in/*", False),
    ("StringLike", "s3:prefix", "in/????/", True),
    ("ArnLike", "aws:principalarn", "arn:aws:iam::*:role/team/*", True),
    ("ArnEquals", "aws:principalarn", "arn:aws:iam::*:role/*", True),
    ("ArnLike", "aws:principalarn", "arn:aws:*:role/team/one", False),
    ("ArnNotLike", "aws:principalarn", "arn:aws:iam::*:user/*", True),
    ("Bool", "aws:securetransport", "true", True),
    ("Bool", "aws:securetransport", False, False),
    ("IpAddress", "aws:sourceip", "127.0.0.0/8", True),
    ("NotIpAddress", "aws:sourceip", ["10.0.0.0/8", "127.0.0.1"], False),
    ("NumericLessThanEquals", "s3:max-keys", "10", True),
    ("NumericGreaterThan", "s3:max-keys", 10, False),
    ("NumericNotEquals", "s3:max-keys", 11, True),
    ("DateGreaterThan", "aws:currenttime", "2026-01-01T00:00:00Z", True),
    ("DateLessThan", "aws:currenttime", "2026-01-01", False),
    ("DateLessThan", "aws:epochtime", "2027-01-01T00:00:00Z", True),
    ("Null", "s3:delimiter", "true", True),
    ("Null", "s3:prefix", "true", False),
    ("Null", "s3:prefix", "false", True),
    ("ForAnyValue:StringEquals", "aws:tagkeys", "team", True),
    ("ForAllValues:StringEquals", "aws:tagkeys", "team", False),
    ("ForAllValues:StringEquals", "aws:tagkeys", ["cost", "team", "more"], True),
    ("ForAllValues:StringEquals", "s3:delimiter", "/", True),
    ("ForAnyValue:StringEquals", "s3:delimiter", "/", False),
]


def allowed(statement: dict[str, Any], action: str = "s3:ListBucket", resource: str = "arn:aws:s3:::b/k") -> bool:
    """Whether a policy of this Allow statement, or beside this Deny statement, allows the action."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    statements = [statement] if statement["Effect"] == "Allow" else [everything, statement]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    said = compiled(document).verdict(Question(Caller(("arn:x",), "123456789012"), action, resource, KEYS))
    return said.allowed and not said.denied


def with_condition(operator: str, key: str, value: Any, effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:*", "Resource": "*", "Condition": {operator: {key: value}}}


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize(("operator", "key", "value", "met"), OPERATORS)
def test_condition_operators_compare_as_documented(operator: str, key: str, value: Any, met: bool) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    assert allowed(with_condition(operator, key, value)) is met
    assert allowed(with_condition(operator, key, value, "Deny")) is not met


@pytest.mark.as_on_aws("IAM")
def test_a_condition_on_a_key_that_the_request_lacks_is_false_and_a_negated_one_true() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    assert not allowed(with_condition("StringEquals", "s3:delimiter", "/"))
    assert allowed(with_condition("StringNotEquals", "s3:delimiter", "/"))
    assert allowed(with_condition("StringEqualsIfExists", "s3:delimiter", "/"))
    assert not allowed(with_condition("StringEqualsIfExists", "aws:username", "bob"))


@pytest.mark.as_on_aws("IAM")
def test_all_conditions_of_a_statement_must_be_met() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html"""
    statement = with_condition("StringLike", "s3:prefix", "in/*")
    statement["Condition"]["StringEquals"] = {"aws:username": "alice"}
    assert allowed(statement)
    statement["Condition"]["StringEquals"] = {"aws:username": "bob"}
    assert not allowed(statement)


@pytest.mark.simplified("IAM", "a condition key or operator that is not known here allows nothing, and denies")
def test_a_condition_that_cannot_be_judged_allows_nothing_and_denies() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    for operator, key in (("StringEquals", "aws:ResourceTag/team"), ("BinaryEquals", "aws:username")):
        assert not allowed(with_condition(operator, key, "x"))
        assert not allowed(with_condition(operator, key, "x", "Deny"))
    # What is false whatever the unknown key says stays false.
    clear = with_condition("StringEquals", "aws:ResourceTag/team", "x", "Deny")
    clear["Condition"]["StringLike"] = {"s3:prefix": "out/*"}
    assert allowed(clear)


@pytest.mark.as_on_aws("IAM")
def test_policy_variables_stand_for_the_request_s_values() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""
    own = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/home/${aws:username}/*"}
    assert allowed(own, resource="arn:aws:s3:::b/home/alice/x")
    assert not allowed(own, resource="arn:aws:s3:::b/home/bob/x")
    missing = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${s3:delimiter}*"}
    assert not allowed(missing)
    default = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${s3:delimiter, 'k'}"}
    assert allowed(default)


@pytest.mark.as_on_aws("IAM")
def test_a_wildcard_in_an_ARN_does_not_reach_over_the_colons_before_the_resource() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""
    statement = {"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:*:log-group:x"}
    assert not allowed(statement, "logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:x")
    statement["Resource"] = "arn:aws:logs:*:*:log-group:x*"
    assert allowed(statement, "logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:x:log-stream:y")


@pytest.mark.as_on_aws("IAM")
def test_a_log_group_is_named_with_a_colon_and_a_star_at_its_end() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html"""
    from localaws.authorization.actions.logs import log_resource

    asked = log_resource("us-east-1", "123456789012", "/aws/lambda/f")
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f"
    assert not allowed({"Effect": "Allow", "Action": "*", "Resource": group}, "logs:CreateLogGroup", asked)
    assert allowed({"Effect": "Allow", "Action": "*", "Resource": f"{group}:*"}, "logs:CreateLogGroup", asked)
