"""Events of many streams that match a filter pattern, and tests of patterns.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.logs.conftest import Group

INVALID = "InvalidParameterException"


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


@pytest.mark.as_on_aws("CloudWatch Logs")
@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("ERROR -denied -level", ["ERROR no space"]),
        ("?space ?login", ["ERROR no space", "INFO login"]),
        ('"ERROR: access denied"', ["ERROR: access denied"]),
        ("%^[EI].*o%", ["ERROR no space", "INFO login"]),
        ('{ $.level = "ERROR" && $.latency > 500 }', ['{"level": "ERROR", "latency": 731}']),
        ("[level=INFO || level=WARN, rest]", ["INFO login"]),
        ("[]", None),
        ("", None),
    ],
)
def test_events_are_filtered_by_the_pattern(group: Group, pattern: str, found: list[str] | None) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html"""
    lines = [
        *("ERROR no space", "ERROR: access denied", "INFO login"),
        *(json.dumps({"level": "ERROR", "latency": latency}) for latency in (731, 12)),
    ]
    group.put("one", *lines)
    answer = group.logs.filter_log_events(logGroupName=group.name, filterPattern=pattern)
    assert messages(answer) == (lines if found is None else found)


@pytest.mark.as_on_aws("CloudWatch Logs")
@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("http://x", "Invalid character(s) in term ':'"),
        ('"open', "Invalid filter pattern"),
        ("{ $.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
        ("%(a)%", "Invalid character(s) in term '('"),
        ("{ $.a EXISTS }", "Invalid filter pattern"),
    ],
)
def test_a_malformed_pattern_is_refused(
    group: Group, refusal: Callable[..., tuple[str, str]], pattern: str, message: str
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html"""
    assert refusal(group.filter, pattern=pattern) == (INVALID, message)
    assert refusal(group.logs.test_metric_filter, filterPattern=pattern, logEventMessages=["x"]) == (INVALID, message)


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_events_of_all_streams_are_sorted_by_time_and_come_in_pages(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
    began = int(time.time() * 1000)
    for number in range(5):
        group.put("two" if number % 2 else "one", f"x {number}", "other", at=began + 10 * number)
    pages = [group.filter("x", limit=2)]
    while "nextToken" in pages[-1]:
        pages.append(group.filter("x", limit=2, nextToken=pages[-1]["nextToken"]))
    assert [messages(page) for page in pages] == [["x 0", "x 1"], ["x 2", "x 3"], ["x 4"]]
    assert [page["searchedLogStreams"] for page in pages] == [[], [], []]
    events = [event for page in pages for event in page["events"]]
    assert [event["logStreamName"] for event in events] == ["one", "two", "one", "two", "one"]
    assert len({event["eventId"] for event in events}) == 5


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_events_are_filtered_by_a_start_and_an_end_time_that_are_both_inclusive(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
    began = group.put("one", *"abcd")
    assert messages(group.filter(startTime=began + 1, endTime=began + 2)) == ["b", "c"]
    assert messages(group.filter(startTime=2**63 - 1)) == []
    assert messages(group.filter(endTime=0)) == []


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_events_are_filtered_by_stream_names_or_a_stream_name_prefix(
    group: Group, refusal: Callable[..., tuple[str, str]]
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
    group.put("one", "a")
    group.put("two", "b")
    assert messages(group.filter(logStreamNames=["two"])) == ["b"]
    assert messages(group.filter(logStreamNamePrefix="o")) == ["a"]
    assert messages(group.filter(logStreamNamePrefix="x")) == []
    missing = ("ResourceNotFoundException", "The specified log stream does not exist.")
    assert refusal(group.filter, logStreamNames=["one", "three"]) == missing
    assert refusal(group.filter, logStreamNames=["one"], logStreamNamePrefix="o")[0] == INVALID


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_the_latest_events_come_first_on_request(group: Group, refusal: Callable[..., tuple[str, str]]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
    began = group.put("one", *"abc")
    first = group.filter(startTime=began, startFromHead=False, limit=2)
    assert messages(first) == ["c", "b"]
    # The token's direction counts.
    assert messages(group.filter(startTime=began, nextToken=first["nextToken"])) == ["a"]
    assert refusal(group.filter, startFromHead=False)[0] == INVALID


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_a_log_group_can_be_given_by_name_or_by_arn(group: Group, refusal: Callable[..., tuple[str, str]]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
    group.put("one", "a")
    call = group.logs.filter_log_events
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group.name}"
    assert messages(call(logGroupIdentifier=arn)) == messages(call(logGroupIdentifier=group.name)) == ["a"]
    assert refusal(call, logGroupIdentifier=f"{arn}x")[0] == "ResourceNotFoundException"
    assert refusal(call, logGroupIdentifier=arn, logGroupName=group.name)[0] == INVALID
    assert refusal(call)[0] == INVALID


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_a_token_from_another_operation_is_refused(group: Group, refusal: Callable[..., tuple[str, str]]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
    group.put("one", "a", "b")
    tokens = {"nonsense", group.get()["nextForwardToken"]}
    tokens.add(group.logs.describe_log_streams(logGroupName=group.name, limit=1)["nextToken"])
    for token in tokens:
        assert refusal(group.filter, nextToken=token) == (INVALID, "The specified nextToken is invalid.")


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_a_page_has_at_most_one_megabyte(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
    for letter in "abc":
        group.put("one", letter * 500_000)
    first, forward = group.filter(), group.get(startFromHead=True)
    assert [message[0] for message in messages(first)] == [message[0] for message in messages(forward)] == ["a", "b"]
    assert [message[0] for message in messages(group.filter(nextToken=first["nextToken"]))] == ["c"]
    assert [message[0] for message in messages(group.get(nextToken=forward["nextForwardToken"]))] == ["c"]


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_TestMetricFilter_returns_the_matches_and_the_extracted_fields(logs: Any) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TestMetricFilter.html"""
    lines = ["ERROR disk full", "INFO all well", "ERROR no network"]
    tried = logs.test_metric_filter(filterPattern="[level=ERROR, what, ...]", logEventMessages=lines)["matches"]
    assert tried == [
        {
            "eventNumber": 1,
            "eventMessage": lines[0],
            "extractedValues": {"$level": "ERROR", "$what": "disk", "$3": "full"},
        },
        {
            "eventNumber": 3,
            "eventMessage": lines[2],
            "extractedValues": {"$level": "ERROR", "$what": "no", "$3": "network"},
        },
    ]
    found = logs.test_metric_filter(filterPattern="well", logEventMessages=lines)["matches"]
    assert found == [{"eventNumber": 2, "eventMessage": lines[1], "extractedValues": {}}]
