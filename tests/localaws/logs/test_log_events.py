"""Log groups, streams and their events, which are read from a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def logs(aws: Callable[..., Any]) -> Any:
    return aws("logs")


@pytest.fixture
def group(logs: Any, unique: Callable[[str], str]) -> str:
    name = unique("group")
    logs.create_log_group(logGroupName=name)
    for stream in ("one", "two"):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
    return name


def put(logs: Any, group: str, stream: str, *messages: str) -> int:
    """Put events with stamps a millisecond apart; the first one's stamp."""
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    return now


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_events_of_a_stream_are_read_in_pages_between_two_times(logs: Any, group: str) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html"""
    began = put(logs, group, "one", *"abcde")
    asked = {"logGroupName": group, "logStreamName": "one", "startFromHead": True, "limit": 2}
    first = logs.get_log_events(**asked)
    second = logs.get_log_events(**asked, nextToken=first["nextForwardToken"])
    assert [event["message"] for event in first["events"] + second["events"]] == list("abcd")
    late = logs.get_log_events(logGroupName=group, logStreamName="one", startTime=began + 3)["events"]
    assert [event["message"] for event in late] == ["d", "e"]


@pytest.mark.as_on_aws("CloudWatch Logs")
def test_events_of_all_streams_are_found_by_a_pattern(logs: Any, group: str) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
    put(logs, group, "one", "ERROR a", "fine")
    put(logs, group, "two", "ERROR b")
    found = logs.filter_log_events(logGroupName=group, filterPattern="ERROR")["events"]
    assert sorted((event["logStreamName"], event["message"]) for event in found) == [
        ("one", "ERROR a"),
        ("two", "ERROR b"),
    ]
    assert len({event["eventId"] for event in found}) == 2


def test_a_stream_has_the_times_of_its_first_and_last_event_and_its_size(logs: Any, group: str) -> None:
    began = put(logs, group, "one", "first", "last")
    told, empty = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert (told["firstEventTimestamp"], told["lastEventTimestamp"]) == (began, began + 1)
    assert told["storedBytes"] == len("firstlast")
    assert "firstEventTimestamp" not in empty


def test_deleting_a_group_deletes_its_events(logs: Any, group: str) -> None:
    put(logs, group, "one", "old")
    logs.delete_log_group(logGroupName=group)
    with pytest.raises(ClientError) as refused:
        logs.get_log_events(logGroupName=group, logStreamName="one")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    assert logs.get_log_events(logGroupName=group, logStreamName="one")["events"] == []


def test_half_a_surrogate_pair_does_not_stop_the_rest_from_being_logged(logs: Any, group: str) -> None:
    put(logs, group, "one", "\ud83d and more")
    (event,) = logs.get_log_events(logGroupName=group, logStreamName="one")["events"]
    assert event["message"].endswith(" and more")


@pytest.mark.as_on_aws("Secrets Manager")
def test_a_new_secret_value_is_AWSCURRENT_and_the_old_value_is_AWSPREVIOUS(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html"""
    secrets, name = aws("secretsmanager"), unique("secret")
    secrets.create_secret(Name=name, SecretString="old")
    secrets.put_secret_value(SecretId=name, SecretString="new")
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "new"
    assert secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"] == "old"
