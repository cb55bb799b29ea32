"""Conditions, variables and wildcards of policy documents, without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localaws.iam.conditions import Keys, holds, listed
from localaws.iam.policy import Caller, Question, compiled

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
    ("StringEquals", "AWS:UserName", ["bob", "alice"], True),
    ("StringLike", "s3:prefix", "in/????/", True),
    ("StringNotLike", "s3:prefix", "in/*", False),
    ("ArnLike", "aws:principalarn", "arn:aws:iam::*:role/team/*", True),
    ("Bool", "aws:securetransport", False, False),
    ("IpAddress", "aws:sourceip", "127.0.0.0/8", True),
    ("NotIpAddress", "aws:sourceip", ["10.0.0.0/8", "127.0.0.1"], False),
    ("NumericGreaterThan", "s3:max-keys", 10, False),
    ("NumericNotEquals", "s3:max-keys", 11, True),
    ("DateGreaterThan", "aws:currenttime", "2026-01-01T00:00:00Z", True),
    ("DateLessThan", "aws:epochtime", "2027-01-01T00:00:00Z", True),
    ("Null", "s3:delimiter", "true", True),
    ("ForAnyValue:StringEquals", "aws:tagkeys", "team", True),
    ("ForAllValues:StringEquals", "aws:tagkeys", "team", False),
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
def test_all_conditions_of_a_statement_have_to_be_met() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html"""
    statement = with_condition("StringLike", "s3:prefix", "in/*")
    statement["Condition"]["StringEquals"] = {"aws:username": "alice"}
    assert allowed(statement)
    statement["Condition"]["StringEquals"] = {"aws:username": "bob"}
    assert not allowed(statement)


@pytest.mark.simplified("IAM", "this applies to condition keys and operators that are not known here")
def test_a_condition_that_cannot_be_evaluated_does_not_allow_but_does_deny() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    for operator, key in (("StringEquals", "aws:ResourceTag/team"), ("BinaryEquals", "aws:username")):
        assert not allowed(with_condition(operator, key, "x"))
        assert not allowed(with_condition(operator, key, "x", "Deny"))
    # What is false whatever the unknown key says stays false.
    clear = with_condition("StringEquals", "aws:ResourceTag/team", "x", "Deny")
    clear["Condition"]["StringLike"] = {"s3:prefix": "out/*"}
    assert allowed(clear)


@pytest.mark.as_on_aws("IAM")
def test_policy_variables_are_replaced_by_the_values_of_the_request() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""
    own = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/home/${aws:username}/*"}
    assert allowed(own, resource="arn:aws:s3:::b/home/alice/x")
    assert not allowed(own, resource="arn:aws:s3:::b/home/bob/x")
    missing = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${s3:delimiter}*"}
    assert not allowed(missing)
    default = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${s3:delimiter, 'k'}"}
    assert allowed(default)


@pytest.mark.as_on_aws("IAM")
def test_a_wildcard_in_an_ARN_does_not_match_across_colons_before_the_resource() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""
    statement = {"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:*:log-group:x"}
    assert not allowed(statement, "logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:x")
    statement["Resource"] = "arn:aws:logs:*:*:log-group:x*"
    assert allowed(statement, "logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:x:log-stream:y")


@pytest.mark.as_on_aws("IAM")
def test_a_log_group_s_ARN_ends_with_a_colon_and_a_star() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html"""
    from localaws.iam.actions.logs import log_resource

    asked = log_resource("us-east-1", "123456789012", "/aws/lambda/f")
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f"
    assert not allowed({"Effect": "Allow", "Action": "*", "Resource": group}, "logs:CreateLogGroup", asked)
    assert allowed({"Effect": "Allow", "Action": "*", "Resource": f"{group}:*"}, "logs:CreateLogGroup", asked)


ARN = "arn:aws:s3:::tolls/a.json"


def met(operator: str, wanted: Any, found: str | list[str] | None) -> bool | None:
    return holds({operator: {"s3:Key": wanted}}, {"s3:key": found})


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringLike", "a*", "aB", True),
        ("StringLike", "a*", "AB", False),
        ("StringNotLike", "a*", "AB", True),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", [], "b", False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringEqualsIgnoreCase", "a", "b", False),
        ("StringNotEqualsIgnoreCase", "a", "A", False),
        ("StringNotEqualsIgnoreCase", "a", "b", True),
        ("StringLike", "a*c", "abbc", True),
        ("StringLike", "a?c", "abbc", False),
        ("StringLike", "a?c", "abc", True),
        ("StringLike", "a.c", "abc", False),
        ("StringLike", "a*", "a\nb", True),
        ("StringNotLike", "a*", "abc", False),
        ("StringNotLike", "a*", "b", True),
        ("Bool", "true", "True", True),
        ("Bool", True, "true", True),
        ("Bool", False, "true", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.1/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.0/8", "11.1.2.3", False),
        ("IpAddress", "nonsense", "10.1.2.3", False),
        ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", False),
        ("NotIpAddress", "10.0.0.0/8", "11.1.2.3", True),
        *((operator, "arn:aws:s3:::*", ARN, True) for operator in ("ArnEquals", "ArnLike")),
        *((operator, "arn:aws:s3:::*", ARN, False) for operator in ("ArnNotEquals", "ArnNotLike")),
        *((operator, "arn:aws:sqs:*", ARN, False) for operator in ("ArnEquals", "ArnLike")),
        *((operator, "arn:aws:sqs:*", ARN, True) for operator in ("ArnNotEquals", "ArnNotLike")),
        ("ArnLike", "arn:*:tolls/a.json", ARN, False),
        ("ArnLike", "arn:aws:s?:::tolls/a.json", ARN, True),
        ("ArnLike", "arn:aws:s?:::tolls", ARN, False),
        ("ArnLike", "arn:aws:logs:*:*:log-group:*:*", "arn:aws:logs:us-east-1:1:log-group:a:log-stream:b", True),
        ("ArnLike", "arn:aws:logs:*:*:log-group:*:z", "arn:aws:logs:us-east-1:1:log-group:a:log-stream:z", True),
        ("ArnLike", "arn:aws:logs:*:*:log*:z", "arn:aws:logs:us-east-1:1:log-group:a:log-stream:z", True),
    ],
)
def test_a_string_operator_compares_as_documented(operator: str, wanted: Any, found: str, expected: bool) -> None:
    assert met(operator, wanted, found) is expected


@pytest.mark.parametrize(
    ("order", "below", "same", "above"),
    [
        ("Equals", False, True, False),
        ("NotEquals", True, False, True),
        ("LessThan", True, False, False),
        ("LessThanEquals", True, True, False),
        ("GreaterThan", False, False, True),
        ("GreaterThanEquals", False, True, True),
    ],
)
def test_numbers_and_dates_have_an_order(order: str, below: bool, same: bool, above: bool) -> None:
    numbers = [met(f"Numeric{order}", 10, found) for found in ("9.5", "10", "10.5")]
    assert numbers == [below, same, above]
    dates = ("2026-01-01T00:00:00Z", "2026-01-02", "2026-01-02T00:00:01+00:00")
    assert [met(f"Date{order}", "2026-01-02T00:00:00Z", found) for found in dates] == [below, same, above]
    # A date may be of another time zone: https://www.w3.org/TR/NOTE-datetime
    assert [met(f"Date{order}", "2026-01-02T02:00:00+02:00", found) for found in dates] == [below, same, above]
    # A date may be a number of seconds, too: this is 2026-01-02T00:00:00Z.
    assert [met(f"Date{order}", "1767312000", found) for found in dates] == [below, same, above]


@pytest.mark.parametrize("operator", ["NumericEquals", "NumericLessThan", "DateEquals", "DateGreaterThan"])
def test_a_value_that_is_not_a_number_or_a_date_never_matches(operator: str) -> None:
    assert met(operator, "nonsense", "1") is False
    assert met(operator, "1", "nonsense") is False


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize(
    ("operator", "found", "expected"),
    [
        ("StringEquals", None, False),
        ("StringNotEquals", None, True),
        ("StringEqualsIfExists", None, True),
        ("StringEqualsIfExists", "b", False),
        ("StringEqualsIfExists", "a", True),
        ("NotIpAddress", None, True),
        ("NumericNotEquals", None, True),
        ("DateNotEquals", None, True),
        ("ArnNotLike", None, True),
        ("ForAllValues:StringEquals", None, True),
        ("ForAnyValue:StringEquals", None, False),
    ],
)
def test_a_condition_on_a_missing_key_is_false_and_a_negated_condition_is_true(
    operator: str, found: str | None, expected: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    assert met(operator, "a", found) is expected


@pytest.mark.parametrize(("wanted", "absent", "present"), [("true", True, False), ("false", False, True)])
def test_the_Null_operator_checks_whether_the_key_is_present(wanted: str, absent: bool, present: bool) -> None:
    assert met("Null", wanted, None) is absent
    assert met("Null", wanted, "a") is present
    assert met("Null", wanted.upper(), "a") is present


@pytest.mark.parametrize(
    ("operator", "found", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAllValues:StringEquals", [], True),
        ("ForAnyValue:StringEquals", ["a", "c"], True),
        ("ForAnyValue:StringEquals", ["c"], False),
        ("ForAnyValue:StringEquals", [], False),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["c", "a"], False),
        ("ForAnyValue:StringNotEquals", ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], False),
        ("ForAnyValue:StringLikeIfExists", ["a"], True),
    ],
)
def test_ForAllValues_and_ForAnyValue_compare_a_key_with_several_values(
    operator: str, found: list[str], expected: bool
) -> None:
    assert met(operator, ["a", "b"], found) is expected


def test_a_condition_with_an_unknown_key_or_operator_is_undecided() -> None:
    keys: Keys = {"s3:a": "1"}
    assert holds({"StringEquals": {"s3:unknown": "1"}}, keys) is None
    assert holds({"Sounds": {"s3:a": "1"}}, keys) is None
    assert holds({"ForMostValues:StringEquals": {"s3:a": "1"}}, keys) is None
    assert holds({"StringEquals": {"s3:a": "${s3:unknown}"}}, keys) is None
    # One that is not met decides, whatever the others are.
    assert holds({"StringEquals": {"s3:unknown": "1", "s3:a": "2"}}, keys) is False
    # All tags of a principal are known: one that is not there is not there.
    assert holds({"StringEquals": {"aws:PrincipalTag/team": "x"}}, keys) is False


def test_a_variable_in_a_condition_value_is_replaced_by_the_request_s_value() -> None:
    keys: Keys = {"s3:prefix": "home/ann", "aws:username": "ann", "aws:userid": None}
    assert holds({"StringEquals": {"s3:prefix": "home/${aws:username}"}}, keys) is True
    assert holds({"StringEquals": {"s3:prefix": "home/${ aws:UserName }"}}, keys) is True
    assert holds({"StringEquals": {"s3:prefix": "home/${aws:userid}"}}, keys) is False
    assert holds({"StringEquals": {"s3:prefix": ["home/${aws:userid}", "home/ann"]}}, keys) is True
    assert holds({"StringEquals": {"s3:prefix": "home/${aws:userid, 'ann'}"}}, keys) is True


@pytest.mark.parametrize(
    ("value", "expected"), [(None, []), ("a", ["a"]), (["a"], ["a"]), (True, ["true"]), (False, ["false"]), ({}, [{}])]
)
def test_a_policy_element_may_be_one_value_or_a_list(value: Any, expected: list[Any]) -> None:
    assert listed(value) == expected
