"""A standard queue: moto's attributes, with the messages in `MessageStore`."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any

from moto.sqs.exceptions import InvalidAttributeName, InvalidAttributeValue
from moto.sqs.models import Queue

from localaws.core.errors import UnsupportedOperation
from localaws.iam.grammar import BadPolicy, check_resource_policy
from localaws.sqs.errors import BadRedrivePolicy
from localaws.sqs.messages import Counts, Reading, messages

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
BOUNDS = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
_SETTABLE = {*BOUNDS, "Policy", "RedrivePolicy", "SqsManagedSseEnabled", *Queue.FIFO_ATTRIBUTES}
# AWS acts on these, and this package doesn't. The values are the defaults.
_NOT_SUPPORTED = {
    "KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "", "RedriveAllowPolicy": "", "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}  # fmt: skip
_MOST_RECEIVES = 1000


class LocalQueue(Queue):
    """A standard queue."""

    @property
    def counts(self) -> Counts:
        """How many messages the queue has."""
        return messages().counts(self.queue_arn, self.retention)

    @property
    def approximate_number_of_messages(self) -> int:
        """The messages that can be received."""
        return self.counts.visible

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        """The messages that were received and are hidden."""
        return self.counts.in_flight

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        """The messages that can't be received for the first time yet."""
        return self.counts.delayed

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes as the API has them: times are whole seconds."""
        found = super().attributes
        return {**found, **{name: int(found[name]) for name in ("CreatedTimestamp", "LastModifiedTimestamp")}}

    @property
    def retention(self) -> int:
        """How long messages are kept (seconds)."""
        return int(self.message_retention_period)  # type: ignore[attr-defined]

    def reading(self, visibility_timeout: int | None = None) -> Reading:
        """Return how the queue is read now, with `visibility_timeout` (seconds) or the queue's own."""
        hidden = self.visibility_timeout if visibility_timeout is None else visibility_timeout  # type: ignore[attr-defined]
        if self.dead_letter_queue is None or not self.redrive_policy:
            return Reading(int(hidden), self.retention)
        return Reading(
            int(hidden), self.retention, self.dead_letter_queue.queue_arn, int(self.redrive_policy["maxReceiveCount"])
        )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_messages_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _messages_lock=threading.Condition())


def check_names(attributes: Iterable[str]) -> None:
    """Refuse names of attributes that don't exist or can't be set.

    Raises:
        InvalidAttributeName: as on AWS.
    """
    for name in attributes:
        if name not in _SETTABLE and name not in _NOT_SUPPORTED:
            raise InvalidAttributeName(name)


def check_attributes(attributes: dict[str, Any], known_queues: set[str], *, fifo: bool) -> None:
    """Refuse attributes that SQS or this package does not accept. `known_queues` are ARNs.

    Raises:
        UnsupportedOperation: this package lacks the attribute.
        InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue: as on AWS.
    """
    check_names(attributes)
    for name, value in attributes.items():
        if name in _NOT_SUPPORTED and value not in (None, "", _NOT_SUPPORTED[name]):
            raise UnsupportedOperation(f"the attribute {name}")
        if name in BOUNDS and not _is_between(value, *BOUNDS[name]):
            raise InvalidAttributeValue(name)
        if name == "Policy" and value:
            _check_policy(str(value))
        if name == "RedrivePolicy" and value:
            _check_redrive_policy(value, known_queues, fifo=fifo)


def _check_policy(document: str) -> None:
    try:
        check_resource_policy(document)
    except BadPolicy:
        raise InvalidAttributeValue("Policy") from None


def _is_between(value: Any, least: int, most: int) -> bool:
    try:
        return least <= int(value) <= most
    except (TypeError, ValueError):
        return False


def _check_redrive_policy(policy: Any, known_queues: set[str], *, fifo: bool) -> None:
    try:
        wanted = json.loads(policy) if isinstance(policy, str) else dict(policy)
    except ValueError as error:
        raise BadRedrivePolicy(policy, "Redrive policy is not a valid JSON map.") from error
    if not wanted:
        return
    for name in ("deadLetterTargetArn", "maxReceiveCount"):
        if name not in wanted:
            raise BadRedrivePolicy(policy, f"Redrive policy does not contain mandatory attribute: {name}.")
    count = wanted["maxReceiveCount"]
    if not _is_between(count, 1, _MOST_RECEIVES):
        raise BadRedrivePolicy(
            policy,
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to {_MOST_RECEIVES} both inclusive.",
        )
    target = str(wanted["deadLetterTargetArn"])
    if target not in known_queues:
        raise BadRedrivePolicy(policy, "Dead letter target does not exist.")
    if target.endswith(".fifo") != fifo:
        raise BadRedrivePolicy(policy, "Dead-letter queue must be same type of queue as the source.")
