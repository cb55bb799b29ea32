"""What a Condition element makes of a request's keys, operator by operator; no server.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from typing import Any

import pytest

from localaws.authorization.conditions import Keys, holds, listed

ARN = "arn:aws:s3:::tolls/a.json"


def met(operator: str, wanted: Any, found: str | list[str] | None) -> bool | None:
    return holds({operator: {"s3:Key": wanted}}, {"s3:key": found})


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
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
    ],
)
def test_an_operator(operator: str, wanted: Any, found: str, expected: bool) -> None:
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
    # A date may be a number of seconds, too: this is 2026-01-02T00:00:00Z.
    assert [met(f"Date{order}", "1767312000", found) for found in dates] == [below, same, above]


@pytest.mark.parametrize("operator", ["NumericEquals", "NumericLessThan", "DateEquals", "DateGreaterThan"])
def test_what_is_no_number_and_no_date_compares_with_nothing(operator: str) -> None:
    assert met(operator, "nonsense", "1") is False
    assert met(operator, "1", "nonsense") is False


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
def test_a_key_that_the_request_lacks(operator: str, found: str | None, expected: bool) -> None:
    assert met(operator, "a", found) is expected


@pytest.mark.parametrize(("wanted", "absent", "present"), [("true", True, False), ("false", False, True)])
def test_Null_asks_whether_the_key_is_there(wanted: str, absent: bool, present: bool) -> None:
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
def test_a_key_with_several_values(operator: str, found: list[str], expected: bool) -> None:
    assert met(operator, ["a", "b"], found) is expected


def test_all_conditions_must_be_met() -> None:
    keys: Keys = {"s3:a": "1", "s3:b": "2"}
    assert holds({}, keys) is True
    assert holds({"StringEquals": {"s3:a": "1", "s3:b": "2"}}, keys) is True
    assert holds({"StringEquals": {"s3:a": "1", "s3:b": "1"}}, keys) is False
    assert holds({"StringEquals": {"s3:a": "1"}, "StringLike": {"s3:b": "1*"}}, keys) is False


def test_what_nobody_knows_makes_no_condition_true() -> None:
    keys: Keys = {"s3:a": "1"}
    assert holds({"StringEquals": {"s3:unknown": "1"}}, keys) is None
    assert holds({"Sounds": {"s3:a": "1"}}, keys) is None
    assert holds({"ForMostValues:StringEquals": {"s3:a": "1"}}, keys) is None
    assert holds({"StringEquals": {"s3:a": "${s3:unknown}"}}, keys) is None
    # One that is not met decides, whatever the others are.
    assert holds({"StringEquals": {"s3:unknown": "1", "s3:a": "2"}}, keys) is False
    # All tags of a principal are known: one that is not there is not there.
    assert holds({"StringEquals": {"aws:PrincipalTag/team": "x"}}, keys) is False


def test_a_variable_in_a_value_is_the_request_s() -> None:
    keys: Keys = {"s3:prefix": "home/ann", "aws:username": "ann", "aws:userid": None}
    assert holds({"StringEquals": {"s3:prefix": "home/${aws:username}"}}, keys) is True
    assert holds({"StringEquals": {"s3:prefix": "home/${ aws:UserName }"}}, keys) is True
    assert holds({"StringEquals": {"s3:prefix": "home/${aws:userid}"}}, keys) is False
    assert holds({"StringEquals": {"s3:prefix": ["home/${aws:userid}", "home/ann"]}}, keys) is True
    assert holds({"StringEquals": {"s3:prefix": "home/${aws:userid, 'ann'}"}}, keys) is True


@pytest.mark.parametrize(
    ("value", "expected"), [(None, []), ("a", ["a"]), (["a"], ["a"]), (True, ["true"]), (False, ["false"]), ({}, [{}])]
)
def test_an_element_is_one_value_or_several(value: Any, expected: list[Any]) -> None:
    assert listed(value) == expected
