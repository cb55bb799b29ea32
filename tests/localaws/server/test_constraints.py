"""Ranges, lengths, patterns and enums of AWS's models, and AWS's errors for invalid values, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from localaws.iam.refusals import Refused
from localaws.server.constraints import check_constraints

TRIGGER: dict[str, Any] = {"Name": "t", "Type": "ON_DEMAND", "Actions": [{"JobName": "j"}]}


def told(service: str, operation: str, given: dict[str, Any]) -> str:
    """Code and message of the refusal; empty where all values fit."""
    try:
        check_constraints(service, operation, given)
    except Refused as error:
        return f"{error.status}: {error.code}: {error.message}".removeprefix("400: ")
    return ""


def of_trigger(**changed: Any) -> str:
    return told("glue", "CreateTrigger", {**TRIGGER, **changed})


def test_valid_values_are_accepted() -> None:
    assert of_trigger() == ""
    assert of_trigger(Description="several\nlines \U0001f600", Tags={"a": "b"}, StartOnCreation=True) == ""
    assert of_trigger(Predicate={"Conditions": None, "NotKnown": 1}) == ""
    assert told("glue", "GetCatalogImportStatus", {}) == ""


@pytest.mark.parametrize(("length", "fits"), [(0, False), (1, True), (255, True), (256, False)])
def test_the_length_of_a_string_is_checked(length: int, fits: bool) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateTrigger.html: Name"""
    assert (of_trigger(Name="x" * length) == "") is fits


@pytest.mark.parametrize(
    ("number", "reason"),
    [(0, "greater than or equal to 1"), (1, ""), (100, ""), (101, "less than or equal to 100")],
)
def test_the_range_of_a_number_is_checked(number: int, reason: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html: MaxResults"""
    found = told("glue", "GetTables", {"DatabaseName": "d", "MaxResults": number})
    assert found == "" if not reason else found.endswith(f"Member must have value {reason}")


def test_the_size_of_a_list_and_of_a_map_is_checked() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html: logEvents"""
    given: dict[str, Any] = {"logGroupName": "g", "logStreamName": "s", "logEvents": []}
    assert told("logs", "PutLogEvents", given) == (
        "InvalidParameterException: 1 validation error detected: Value at 'logEvents' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )
    tags = {f"k{number}": "v" for number in range(51)}
    assert "'tags' failed to satisfy constraint: Member must have length less than or equal to 50" in of_trigger(
        Tags=tags
    )
    del tags["k0"]
    assert of_trigger(Tags=tags) == ""


def test_the_error_for_an_invalid_value_has_the_value_and_its_path() -> None:
    """https://github.com/boto/boto3/issues/3229 shows the sentence."""
    assert of_trigger(Type="NEVER") == (
        "ValidationException: 1 validation error detected: Value 'NEVER' at 'type' failed to satisfy constraint: "
        "Member must satisfy enum value set: [SCHEDULED, CONDITIONAL, ON_DEMAND, EVENT]"
    )
    assert " at 'actions.2.member.jobName' failed" in of_trigger(Actions=[{"JobName": "j"}, {"JobName": ""}])
    assert " at 'tags.key' failed" in of_trigger(Tags={"": "v"})
    assert " at 'tags.k.member' failed" in of_trigger(Tags={"k": "v" * 257})
    assert " at 'eventBatchingCondition.batchSize' failed" in of_trigger(EventBatchingCondition={"BatchSize": 0})


def test_one_error_lists_all_invalid_values() -> None:
    found = of_trigger(Name="", Type="NEVER", Actions=[{"Timeout": 0}])
    assert found.startswith("ValidationException: 3 validation errors detected: Value '' at 'name' failed")
    assert found.count("; Value ") == 2


def test_a_pattern_has_to_match_the_whole_value() -> None:
    given = {"logGroupName": "a group"}
    pattern = r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+"
    assert told("logs", "CreateLogGroup", given).endswith(
        f"Value at 'logGroupName' failed to satisfy constraint: {pattern}"
    )
    assert told("logs", "CreateLogGroup", {"logGroupName": "/a/group"}) == ""
    assert told("logs", "CreateLogGroup", {"logGroupName": "group\n"}) != ""
    assert "at 'name' failed" in of_trigger(Name="a\nname")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": True, "b": None, "c": ["x", 1]}, "{a=true, b=null, c=[x, 1]}"),
        ({}, "{}"),
        ("text", "text"),
        (1.5, "1.5"),
        (False, "false"),
    ],
)
def test_a_value_is_shown_in_the_error_as_Java_prints_it(value: Any, shown: str) -> None:
    from localaws.server.constraints import _shown

    assert _shown(value) == shown


def test_other_services_check_their_values_themselves() -> None:
    assert told("sqs", "CreateQueue", {"QueueName": ""}) == ""
    assert told("iam", "CreateUser", {"UserName": ""}) == ""
