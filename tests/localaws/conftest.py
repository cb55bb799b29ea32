"""Fixtures for tests of several services: queues, and receiving their messages."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import localaws


@dataclass(frozen=True)
class MadeQueue:
    """A queue and a client of it."""

    sqs: Any
    url: str
    arn: str

    def send(self, *bodies: str, **more: Any) -> list[str]:
        """Send each of `bodies`; the messages' ids."""
        return [self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **more)["MessageId"] for body in bodies]

    def receive(self, **arguments: Any) -> list[dict[str, Any]]:
        """Up to ten messages, with all that SQS says of them."""
        wanted = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"], "MessageAttributeNames": ["All"], **arguments}
        return list(self.sqs.receive_message(QueueUrl=self.url, **wanted).get("Messages", []))

    def delete(self, message: dict[str, Any]) -> None:
        """Delete a message that was received."""
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def collect(self, count: int, seconds: float = 15.0) -> list[dict[str, Any]]:
        """Receive and delete until `count` messages have come."""
        deadline, found = time.monotonic() + seconds, []
        while len(found) < count and time.monotonic() < deadline:
            for message in self.receive(WaitTimeSeconds=1):
                found.append(message)
                self.delete(message)
        assert len(found) >= count, f"{count} messages expected in {self.url}: {found}"
        return found

    def counts(self) -> tuple[int, int, int]:
        """How many are visible, in flight and delayed."""
        names = ("", "NotVisible", "Delayed")
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        visible, in_flight, delayed = (int(found[f"ApproximateNumberOfMessages{name}"]) for name in names)
        return visible, in_flight, delayed


@pytest.fixture
def queue(aws: Callable[..., Any], unique: Callable[[str], str]) -> Callable[..., MadeQueue]:
    """`queue(VisibilityTimeout=1, dead=other, receives=2)` makes one; `dead` gets what was received twice in vain."""

    def make(dead: MadeQueue | None = None, receives: int = 1, **attributes: Any) -> MadeQueue:
        wanted = {name: str(value) for name, value in attributes.items()}
        if dead is not None:
            wanted["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": receives})
        sqs = aws("sqs")
        name = unique("queue")
        url = sqs.create_queue(QueueName=name, Attributes=wanted)["QueueUrl"]
        return MadeQueue(sqs, url, f"arn:aws:sqs:us-east-1:123456789012:{name}")

    return make


@pytest.fixture
def allowing(stack: localaws.Status) -> Iterator[None]:
    """The lab answers what it does not vouch for, for one test."""
    localaws.start(stack.home, allow_unproven=True)
    yield
    localaws.start(stack.home, allow_unproven=False)
