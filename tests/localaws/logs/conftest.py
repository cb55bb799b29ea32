"""Fixtures: a log group with two streams, and events to put into them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Group:
    """A group with the streams "one" and "two"."""

    logs: Any
    name: str

    def put(self, stream: str, *messages: str, at: int | None = None) -> int:
        """Put events with timestamps a millisecond apart; return the first timestamp."""
        first = int(time.time() * 1000) if at is None else at
        events = [{"timestamp": first + number, "message": message} for number, message in enumerate(messages)]
        self.logs.put_log_events(logGroupName=self.name, logStreamName=stream, logEvents=events)
        return first

    def get(self, stream: str = "one", **asked: Any) -> dict[str, Any]:
        """Return the response of GetLogEvents."""
        answer: dict[str, Any] = self.logs.get_log_events(logGroupName=self.name, logStreamName=stream, **asked)
        return answer

    def filter(self, pattern: str = "", **asked: Any) -> dict[str, Any]:
        """Return the response of FilterLogEvents."""
        answer: dict[str, Any] = self.logs.filter_log_events(logGroupName=self.name, filterPattern=pattern, **asked)
        return answer


@pytest.fixture
def logs(aws: Callable[..., Any]) -> Any:
    return aws("logs", config=Config(parameter_validation=False, retries={"total_max_attempts": 1}))


@pytest.fixture
def group(logs: Any, unique: Callable[[str], str]) -> Group:
    made = Group(logs, unique("group"))
    logs.create_log_group(logGroupName=made.name)
    for stream in ("one", "two"):
        logs.create_log_stream(logGroupName=made.name, logStreamName=stream)
    return made


@pytest.fixture
def refusal() -> Callable[..., tuple[str, str]]:
    """`refusal(call, **arguments)` returns the code and the message with which a call is refused."""

    def of(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as refused:
            call(**arguments)
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]

    return of
