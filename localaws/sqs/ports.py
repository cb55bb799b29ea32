"""What other parts of the embedded AWS ask of SQS: `Queues` and `PolicyOf` of core/ports.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends

from localaws.core.ports import QueueUnavailable, policy_text
from localaws.sqs.messages import MessageStore, StoredMessage, decode_attributes
from localaws.sqs.models import as_message
from localaws.sqs.queues import LocalQueue
from localaws.sqs.receipts import Receipt
from localaws.sqs.responses import system_attributes


class StandardQueues:
    """The standard queues, by their ARNs; see `Queues`."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store
        self.changes = store.changes
        self.wait = store.wait
        self.wait_for_change = store.wait_for_change
        self.wake = store.wake

    def visibility_timeout(self, arn: str) -> int:
        """See `Queues`."""
        return _queue(arn).reading().visibility

    def receive(self, arn: str, limit: int, most_bytes: int, holder: str) -> Sequence[StoredMessage]:
        """See `Queues`."""
        return self._store.receive(arn, limit, _queue(arn).reading(), most_bytes=most_bytes, holder=holder)

    def described(self, message: StoredMessage) -> dict[str, Any]:
        """See `Queues`."""
        given = as_message(message)
        shown: dict[str, Any] = {
            "MessageId": message.id,
            "ReceiptHandle": message.receipt_handle,
            "Body": message.body,
            "MD5OfBody": given.body_md5,
            "Attributes": system_attributes(message),
            "MessageAttributes": decode_attributes(message.attributes),
        }
        if given.message_attributes:
            shown["MD5OfMessageAttributes"] = given.attribute_md5
        return shown

    def delete(self, messages: Sequence[StoredMessage]) -> None:
        """See `Queues`."""
        self._store.delete([Receipt(each.receipt or "", each.queue, each.number) for each in messages])

    def let_go(self, messages: Sequence[StoredMessage]) -> None:
        """See `Queues`."""
        self._store.let_go(messages)

    def give_back(self, messages: Sequence[StoredMessage]) -> None:
        """See `Queues`."""
        self._store.give_back(messages)


def policy_of(account_id: str, region: str, name: str) -> str:
    """A queue's policy."""
    queue: Any = sqs_backends[account_id][region].queues.get(name)
    policy = queue.policy if queue is not None else None
    return policy_text(policy)


def _queue(arn: str) -> LocalQueue:
    region, account_id, name = arn.split(":")[3:6]
    try:
        queue = sqs_backends[account_id][region].get_queue(name)
    except QueueDoesNotExist as error:
        raise QueueUnavailable(f"{arn} is gone") from error
    if not isinstance(queue, LocalQueue):
        raise QueueUnavailable(f"{arn} is a FIFO queue")
    return queue
