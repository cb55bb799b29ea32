"""Creating and deleting groups and streams, events that are too old or too new, and retention."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.logs.conftest import Group

INVALID = "InvalidParameterException"
HOUR = 3_600_000
DAY = 24 * HOUR


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_events_older_than_the_group_s_retention_are_gone(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
    now = int(time.time() * 1000)
    group.put("one", "old", at=now - 2 * DAY)
    group.put("one", "new", at=now)
    group.put("two", "older", at=now - 3 * DAY)
    group.logs.put_retention_policy(logGroupName=group.name, retentionInDays=1)
    assert messages(group.get()) == messages(group.filter()) == ["new"]
    one, two = group.logs.describe_log_streams(logGroupName=group.name)["logStreams"]
    assert (one["firstEventTimestamp"], one["storedBytes"]) == (now, len("new"))
    assert ("firstEventTimestamp" in two, two["storedBytes"]) == (False, 0)
    (told,) = group.logs.describe_log_groups(logGroupNamePrefix=group.name)["logGroups"]
    assert (told["retentionInDays"], told["storedBytes"]) == (1, len("new"))


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_after_a_retention_policy_is_deleted_all_new_events_are_kept(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteRetentionPolicy.html"""
    group.logs.put_retention_policy(logGroupName=group.name, retentionInDays=1)
    group.logs.delete_retention_policy(logGroupName=group.name)
    group.put("one", "old", at=int(time.time() * 1000) - 2 * DAY)
    assert messages(group.get()) == ["old"]


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_events_that_are_too_old_too_new_or_expired_are_rejected_and_the_others_accepted(group: Group) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_RejectedLogEventsInfo.html"""
    group.logs.put_retention_policy(logGroupName=group.name, retentionInDays=7)
    now = int(time.time() * 1000)
    stamps = [now - 20 * DAY, now - 15 * DAY, now - 8 * DAY, now - 8 * DAY + 1, now + 3 * HOUR, now + 4 * HOUR]
    events = [{"timestamp": stamp, "message": str(place)} for place, stamp in enumerate(stamps)]
    answer = group.logs.put_log_events(logGroupName=group.name, logStreamName="one", logEvents=events)
    assert answer["rejectedLogEventsInfo"] == {
        "tooOldLogEventEndIndex": 2,
        "expiredLogEventEndIndex": 4,
        "tooNewLogEventStartIndex": 4,
    }
    group.logs.delete_retention_policy(logGroupName=group.name)
    answer = group.logs.put_log_events(logGroupName=group.name, logStreamName="one", logEvents=events[1:4])
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert messages(group.get()) == ["2", "3"]


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_a_batch_of_events_has_to_be_in_order_and_within_the_limits_of_count_and_size(
    group: Group, refusal: Callable[..., tuple[str, str]]
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""
    now = int(time.time() * 1000)

    def refused(*events: tuple[int, str]) -> str:
        batch = [{"timestamp": stamp, "message": message} for stamp, message in events]
        asked = {"logGroupName": group.name, "logStreamName": "one", "logEvents": batch}
        code, message = refusal(group.logs.put_log_events, **asked)
        assert code == INVALID
        return message

    assert "must be in chronological order" in refused((now, "a"), (now - 1, "b"))
    assert "cannot span more than 24 hours" in refused((now - DAY - HOUR, "a"), (now, "b"))
    assert refused((now, "x" * 1_048_551)) == "Upload too large: 1048577 bytes exceeds limit of 1048576"
    assert group.get()["events"] == []


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_deleting_a_stream_deletes_its_events(group: Group, refusal: Callable[..., tuple[str, str]]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html"""
    group.put("one", "old")
    group.logs.delete_log_stream(logGroupName=group.name, logStreamName="one")
    missing = ("ResourceNotFoundException", "The specified log stream does not exist.")
    assert refusal(group.get) == missing
    event = {"timestamp": int(time.time() * 1000), "message": "new"}
    put = {"logGroupName": group.name, "logStreamName": "one", "logEvents": [event]}
    assert refusal(group.logs.put_log_events, **put) == missing
    assert refusal(group.logs.delete_log_stream, logGroupName=group.name, logStreamName="one") == missing
    assert messages(group.filter()) == []


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_a_second_stream_with_the_same_name_is_refused(group: Group, refusal: Callable[..., tuple[str, str]]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html"""
    refused = refusal(group.logs.create_log_stream, logGroupName=group.name, logStreamName="one")
    assert refused == ("ResourceAlreadyExistsException", "The specified log stream already exists")


def test_kms_keys_metric_filters_and_subscription_filters_of_log_groups_are_refused(
    logs: Any, group: Group, refusal: Callable[..., tuple[str, str]]
) -> None:
    code, message = refusal(
        logs.create_log_group, logGroupName="x", kmsKeyId="arn:aws:kms:us-east-1:123456789012:key/k"
    )
    assert (code, "kmsKeyId of CreateLogGroup" in message) == ("NotImplemented", True)
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    filtered = {"logGroupName": group.name, "filterName": "f", "filterPattern": ""}
    for call, given in (
        (logs.put_metric_filter, filtered | {"metricTransformations": [metric]}),
        (
            logs.put_subscription_filter,
            filtered | {"destinationArn": "arn:aws:lambda:us-east-1:123456789012:function:f"},
        ),
        (logs.describe_metric_filters, {}),
        (logs.describe_subscription_filters, {"logGroupName": group.name}),
    ):
        assert refusal(call, **given)[0] == "NotImplemented"
