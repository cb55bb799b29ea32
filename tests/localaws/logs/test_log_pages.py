"""Pages of a stream's events, of streams and of groups, and limits and tokens that are refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.logs.conftest import Group

INVALID = "InvalidParameterException"
BAD_TOKEN = (INVALID, "The specified nextToken is invalid.")


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_events_of_a_stream_can_be_paged_forwards_and_backwards(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html"""
    group.put("one", *"abcde")
    latest = group.get(limit=2)
    assert messages(latest) == ["d", "e"]
    earlier = group.get(limit=2, nextToken=latest["nextBackwardToken"])
    assert messages(earlier) == ["b", "c"]
    assert messages(group.get(limit=2, nextToken=earlier["nextForwardToken"])) == ["d", "e"]
    first = group.get(limit=2, nextToken=earlier["nextBackwardToken"])
    assert messages(first) == ["a"]


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_at_the_end_of_a_stream_the_same_token_is_returned_and_finds_later_events(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html"""
    empty = group.get()
    assert group.get(nextToken=empty["nextForwardToken"])["nextForwardToken"] == empty["nextForwardToken"]
    group.put("one", "a")
    page = group.get(nextToken=empty["nextForwardToken"])
    assert messages(page) == ["a"]
    for token in ("nextForwardToken", "nextBackwardToken"):
        end = group.get(nextToken=page[token])
        assert (end["events"], end[token]) == ([], page[token])
    group.put("one", "b")
    assert messages(group.get(nextToken=page["nextForwardToken"])) == ["b"]


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_events_of_a_stream_are_read_up_to_an_exclusive_end_time(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html"""
    began = group.put("one", *"abcd")
    assert messages(group.get(startTime=began + 1, endTime=began + 3)) == ["b", "c"]
    assert messages(group.get(endTime=0)) == []


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_streams_are_described_in_pages_in_the_requested_order(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html"""
    group.logs.create_log_stream(logGroupName=group.name, logStreamName="three")
    now = int(time.time() * 1000)
    for stream, at in (("one", now), ("two", now - 5), ("three", now - 9)):
        group.put(stream, "x", at=at)

    def all_pages(**asked: Any) -> list[str]:
        page = group.logs.describe_log_streams(logGroupName=group.name, limit=1, **asked)
        names = [each["logStreamName"] for each in page["logStreams"]]
        while "nextToken" in page:
            page = group.logs.describe_log_streams(
                logGroupName=group.name, limit=1, nextToken=page["nextToken"], **asked
            )
            names += [each["logStreamName"] for each in page["logStreams"]]
        return names

    assert all_pages() == ["one", "three", "two"]
    assert all_pages(descending=True) == ["two", "three", "one"]
    assert all_pages(orderBy="LastEventTime") == ["three", "two", "one"]
    assert all_pages(orderBy="LastEventTime", descending=True) == ["one", "two", "three"]
    assert all_pages(logStreamNamePrefix="t") == ["three", "two"]


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_groups_are_described_in_pages_sorted_by_name(logs: Any, unique: Callable[[str], str]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html"""
    prefix = unique("sorted")
    for name in ("/b", "-a", "/B", "/c"):
        logs.create_log_group(logGroupName=prefix + name)
    found: list[str] = []
    asked: dict[str, Any] = {"logGroupNamePrefix": prefix, "limit": 3}
    while True:
        page = logs.describe_log_groups(**asked)
        found.append(" ".join(each["logGroupName"].removeprefix(prefix) for each in page["logGroups"]))
        if "nextToken" not in page:
            break
        asked["nextToken"] = page["nextToken"]
    assert found == ["-a /B /b", "/c"]


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_an_invalid_token_is_refused(group: Group, refusal: Callable[..., tuple[str, str]]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html"""
    logs, name = group.logs, group.name
    of_streams = logs.describe_log_streams(logGroupName=name, limit=1)["nextToken"]
    of_another = group.get("two")["nextForwardToken"]
    for token in ("nonsense", "f/1", "e30=", of_streams, of_another):
        assert refusal(group.get, nextToken=token) == BAD_TOKEN
    for token in ("nonsense", of_another):
        assert refusal(logs.describe_log_streams, logGroupName=name, nextToken=token) == BAD_TOKEN
        assert refusal(logs.describe_log_groups, nextToken=token) == BAD_TOKEN
    assert refusal(logs.describe_log_streams, logGroupName=name, nextToken=of_streams, descending=True) == BAD_TOKEN


@pytest.mark.as_on_aws("CloudWatch Logs")
@pytest.mark.parametrize(
    ("operation", "given", "told"),
    [
        (
            "filter_log_events",
            {"limit": 0},
            "Value at 'limit' failed to satisfy constraint: Member must have value greater",
        ),
        ("filter_log_events", {"limit": 10_001}, "Member must have value less than or equal to 10000"),
        ("filter_log_events", {"filterPattern": "x" * 1025}, "Member must have length less than or equal to 1024"),
        ("filter_log_events", {"nextToken": ""}, "Member must have length greater than or equal to 1"),
        ("filter_log_events", {"startTime": -1}, "Member must have value greater than or equal to 0"),
        ("filter_log_events", {"logStreamNames": []}, "Member must have length greater than or equal to 1"),
        ("get_log_events", {"logStreamName": "one", "limit": 0}, "Member must have value greater than or equal to 1"),
        ("get_log_events", {"logStreamName": "one", "limit": 10_001}, "Member must have value less than or equal to"),
        ("get_log_events", {"logStreamName": "a:b"}, "Member must satisfy regular expression pattern: [^:*]*"),
        ("describe_log_streams", {"limit": 0}, "Member must have value greater than or equal to 1"),
        ("describe_log_streams", {"limit": 51}, "Member must have value less than or equal to 50"),
        ("describe_log_streams", {"orderBy": "Name"}, "enum value set: [LogStreamName, LastEventTime]"),
        (
            "describe_log_groups",
            {"logGroupName": None, "limit": 0},
            "Member must have value greater than or equal to 1",
        ),
        ("describe_log_groups", {"logGroupName": None, "limit": 51}, "Member must have value less than or equal to 50"),
        ("put_log_events", {"logStreamName": "one", "logEvents": []}, "Member must have length greater than or equal"),
        ("create_log_stream", {"logStreamName": "a*"}, "Member must satisfy regular expression pattern"),
        ("create_log_group", {"logGroupName": "a b"}, "Member must satisfy regular expression pattern"),
        ("put_retention_policy", {"retentionInDays": 2}, "Member must satisfy enum value set: [1, 3, 5, 7, 14,"),
        (
            "test_metric_filter",
            {"logGroupName": None, "filterPattern": "", "logEventMessages": ["x"] * 51},
            "equal to 50",
        ),
    ],
)
def test_parameters_that_violate_the_model_are_refused(
    group: Group, refusal: Callable[..., tuple[str, str]], operation: str, given: dict[str, Any], told: str
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html"""
    asked = {name: value for name, value in ({"logGroupName": group.name} | given).items() if value is not None}
    code, message = refusal(getattr(group.logs, operation), **asked)
    assert (code, told in message) == (INVALID, True), message
    assert message.startswith("1 validation error detected: Value ")
