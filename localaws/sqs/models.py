"""moto's SQS, with messages that are on disk, wake waiting receivers, and can be moved back (redrive).

FIFO queues are moto's own, and are saved with moto's state.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from moto.sqs.constants import MAXIMUM_MESSAGE_LENGTH, MAXIMUM_VISIBILITY_TIMEOUT
from moto.sqs.exceptions import (
    BatchRequestTooLong,
    InvalidParameterValue,
    MissingParameter,
    PurgeQueueInProgress,
    QueueAlreadyExists,
    QueueDoesNotExist,
    SQSException,
)
from moto.sqs.models import MAXIMUM_MESSAGE_DELAY, Message, Queue, SQSBackend, sqs_backends

from localaws.core.errors import UnsupportedOperation
from localaws.sqs.errors import BadReceiptHandle, MessageNotAvailable, MessageNotInflight, TotalVisibilityTooLong
from localaws.sqs.messages import Hidden, NewMessage, StoredMessage, decode_attributes, encode_attributes, messages
from localaws.sqs.moves import MoveOperations
from localaws.sqs.queues import LocalQueue, check_attributes
from localaws.sqs.receipts import InvalidHandle, Receipt

# The sender's id, while their request is being answered.
sender: ContextVar[str | None] = ContextVar("sender", default=None)

_PURGE_SECONDS = 60
_ALLOWED_CONTROLS = "\t\n\r"


class LocalSQSBackend(MoveOperations, SQSBackend):
    """This package's SQS backend."""

    def reset(self) -> None:
        """Forget all queues and their messages. A move between two queues ends, because they are gone."""
        for queue in self.queues.values():
            messages().clear(queue.queue_arn)
        super().reset()

    # Queues

    def create_queue(self, name: str, tags: dict[str, str] | None = None, **kwargs: Any) -> Queue:
        """Create a queue, or return it if it exists with the same attributes."""
        if kwargs.pop("region", None) is not None:  # a call by CloudFormation, which passes the name twice
            kwargs.pop("QueueName", None)
        is_fifo = str(kwargs.get("FifoQueue", "false")).lower() == "true"
        check_attributes(kwargs, self._arns(), fifo=is_fifo)
        kind: Callable[..., Queue] = Queue if is_fifo or name.endswith(".fifo") else LocalQueue
        new = kind(name, region=self.region_name, account_id=self.account_id, **kwargs)
        if known := self.queues.get(name):
            for key in kwargs:
                if known.attributes.get(key) != new.attributes.get(key):
                    raise QueueAlreadyExists(
                        f"A queue already exists with the same name and a different value for attribute {key}"
                    )
            return known
        new.tags = dict(tags or {})
        self.queues[name] = new
        messages().wake(new.queue_arn)
        return new

    def set_queue_attributes(self, queue_name: str, attributes: dict[str, Any]) -> Queue:
        """Change attributes, all or none."""
        queue = self.get_queue(queue_name)
        check_attributes(attributes, self._arns(), fifo=queue.fifo_queue)
        changed = super().set_queue_attributes(queue_name, attributes)
        messages().wake(queue.queue_arn)
        return changed

    def delete_queue(self, queue_name: str) -> None:
        """Delete a queue and its messages."""
        queue = self.get_queue(queue_name)
        messages().clear(queue.queue_arn)
        for other in self.queues.values():
            if other.dead_letter_queue is queue:
                other.dead_letter_queue = None
        super().delete_queue(queue_name)
        messages().wake(queue.queue_arn)

    def purge_queue(self, queue_name: str) -> None:
        """Delete the messages of a queue, at most once a minute."""
        queue = self.get_queue(queue_name)
        if queue.last_purged_at is not None and time.time() - queue.last_purged_at < _PURGE_SECONDS:
            raise PurgeQueueInProgress(queue_name)
        super().purge_queue(queue_name)
        messages().clear(queue.queue_arn)

    def _arns(self) -> set[str]:
        return {queue.queue_arn for queue in self.queues.values()}

    # Sending

    def send_message(
        self,
        queue_name: str,
        message_body: str,
        message_attributes: dict[str, Any] | None = None,
        delay_seconds: int | None = None,
        deduplication_id: str | None = None,
        group_id: str | None = None,
        system_attributes: dict[str, Any] | None = None,
        validate_group_id: bool = True,
    ) -> Message:
        """Put a message into a queue. It is on disk when this returns."""
        queue = self.get_queue(queue_name)
        if not isinstance(queue, LocalQueue):
            return super().send_message(
                queue_name,
                message_body,
                message_attributes,
                delay_seconds,
                deduplication_id,
                group_id,
                system_attributes,
                validate_group_id,
            )
        _check_for_standard(deduplication_id, group_id)
        new = self._new_message(queue, message_body, message_attributes, delay_seconds, system_attributes)
        messages().add(queue.queue_arn, [new])
        return _answer(new, message_attributes)

    def send_message_batch(
        self, queue_name: str, entries: dict[str, dict[str, Any]]
    ) -> tuple[list[Message], list[dict[str, Any]]]:
        """Put up to ten messages into a queue. The second list has the errors of invalid messages."""
        queue = self.get_queue(queue_name)
        if not isinstance(queue, LocalQueue):
            return super().send_message_batch(queue_name, entries)
        size = sum(_size(entry["MessageBody"], entry.get("MessageAttributes")) for entry in entries.values())
        if size > MAXIMUM_MESSAGE_LENGTH:
            raise BatchRequestTooLong(size)
        accepted: list[NewMessage] = []
        answers: list[Message] = []
        failed: list[dict[str, Any]] = []
        for entry in entries.values():
            attributes = entry.get("MessageAttributes")
            try:
                _check_for_standard(entry.get("MessageDeduplicationId"), entry.get("MessageGroupId"))
                new = self._new_message(
                    queue,
                    entry["MessageBody"],
                    attributes,
                    entry.get("DelaySeconds"),
                    entry.get("MessageSystemAttributes"),
                )
            except SQSException as error:
                failed.append(_failure(entry["Id"], error))
                continue
            accepted.append(new)
            answers.append(_answer(new, attributes))
            answers[-1].user_id = entry["Id"]  # type: ignore[attr-defined]
        if accepted:
            messages().add(queue.queue_arn, accepted)
        return answers, failed

    def _new_message(
        self,
        queue: LocalQueue,
        body: str,
        attributes: dict[str, Any] | None,
        delay: int | None,
        system_attributes: dict[str, Any] | None,
    ) -> NewMessage:
        if not body:
            raise MissingParameter("MessageBody")
        if any(ord(each) < 0x20 and each not in _ALLOWED_CONTROLS for each in body):
            raise SQSException(
                "InvalidMessageContents",
                "Invalid characters found. Valid unicode characters are #x9 |"
                " #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
            )
        limit = int(queue.maximum_message_size)  # type: ignore[attr-defined]
        if _size(body, attributes) > limit:
            raise InvalidParameterValue(
                f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
            )
        if delay is not None and not 0 <= int(delay) <= MAXIMUM_MESSAGE_DELAY:
            raise InvalidParameterValue(
                f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
            )
        seconds = int(queue.delay_seconds) if delay is None else int(delay)  # type: ignore[attr-defined]
        for name in attributes or {}:
            Message.validate_attribute_name(name)
        trace = (system_attributes or {}).get("AWSTraceHeader", {}).get("StringValue")
        who = sender.get() or self.account_id
        return NewMessage(str(uuid.uuid4()), body, encode_attributes(attributes), seconds, who, trace)

    # Receiving

    def receive(
        self, queue_name: str, count: int, wait_seconds: int, visibility_timeout: int | None
    ) -> list[StoredMessage]:
        """Receive up to `count` messages from a standard queue. Wait up to `wait_seconds` for the first one."""
        deadline = time.monotonic() + wait_seconds
        while True:
            queue = self.get_queue(queue_name)  # it may be deleted, or changed, while we wait
            assert isinstance(queue, LocalQueue)
            seen = messages().changes(queue.queue_arn)
            found = messages().receive(queue.queue_arn, count, queue.reading(visibility_timeout))
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            messages().wait(queue.queue_arn, seen, left)

    def delete_message(self, queue_name: str, receipt_handle: str) -> None:
        """Delete a message by its latest receipt handle."""
        queue = self.get_queue(queue_name)
        if not isinstance(queue, LocalQueue):
            return super().delete_message(queue_name, receipt_handle)
        return messages().delete([_receipt(queue, receipt_handle)])

    def delete_message_batch(
        self, queue_name: str, receipts: list[dict[str, Any]]
    ) -> tuple[list[str], list[dict[str, Any]]]:
        """Delete up to ten messages. Return the ids of the deleted ones, and the errors of the others."""
        queue = self.get_queue(queue_name)
        if not isinstance(queue, LocalQueue):
            return super().delete_message_batch(queue_name, receipts)
        good: dict[str, Receipt] = {}
        failed: list[dict[str, Any]] = []
        for entry in receipts:
            try:
                good[entry["Id"]] = _receipt(queue, entry["ReceiptHandle"])
            except BadReceiptHandle as error:
                failed.append(_failure(entry["Id"], error))
        messages().delete(list(good.values()))
        return list(good), failed

    def change_message_visibility(self, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        """Hide a message in flight for `visibility_timeout` seconds from now."""
        queue = self.get_queue(queue_name)
        if not isinstance(queue, LocalQueue):
            return super().change_message_visibility(queue_name, receipt_handle, visibility_timeout)
        if not 0 <= visibility_timeout <= MAXIMUM_VISIBILITY_TIMEOUT:
            raise InvalidParameterValue(
                f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must"
                " be an integer between 0 and 43200."
            )
        match messages().hide(_receipt(queue, receipt_handle), visibility_timeout):
            case Hidden.GONE:
                raise MessageNotAvailable(receipt_handle)
            case Hidden.NOT_IN_FLIGHT:
                raise MessageNotInflight()
            case Hidden.TOO_LONG:
                raise TotalVisibilityTooLong(visibility_timeout)
            case Hidden.YES:
                return None

    def change_message_visibility_batch(
        self, queue_name: str, entries: list[dict[str, Any]]
    ) -> tuple[list[str], list[dict[str, Any]]]:
        """Hide up to ten messages. Return the ids of the hidden ones, and the errors of the others."""
        done: list[str] = []
        failed: list[dict[str, Any]] = []
        for entry in entries:
            try:
                self.change_message_visibility(queue_name, entry["ReceiptHandle"], int(entry["VisibilityTimeout"]))
                done.append(entry["Id"])
            except QueueDoesNotExist:
                raise
            except SQSException as error:
                failed.append(_failure(entry["Id"], error))
        return done, failed


def as_message(stored: StoredMessage) -> Message:
    """Convert `stored` to moto's class, for checksums and answers."""
    message = Message(stored.id, stored.body)
    message.message_attributes = decode_attributes(stored.attributes)
    return message


def _answer(new: NewMessage, attributes: dict[str, Any] | None) -> Message:
    message = Message(new.id, new.body)
    message.message_attributes = attributes or {}
    return message


def _receipt(queue: LocalQueue, handle: str) -> Receipt:
    try:
        return Receipt.of(handle, queue.queue_arn)
    except InvalidHandle as error:
        raise BadReceiptHandle(handle) from error


def _size(body: str, attributes: dict[str, Any] | None) -> int:
    """Return the size that counts, in bytes: the body, and the attributes' names, types and values."""
    size = len(body.encode())
    for name, attribute in (attributes or {}).items():
        value = attribute.get("BinaryValue") or str(attribute.get("StringValue") or "").encode()
        size += len(name.encode()) + len(str(attribute.get("DataType", "")).encode()) + len(value)
    return size


def _check_for_standard(deduplication_id: str | None, group_id: str | None) -> None:
    """Check that all parameters of a message to a standard queue have an effect.

    Raises:
        InvalidParameterValue: it has a deduplication id, which AWS accepts for FIFO queues only.
        UnsupportedOperation: it has a message group, which AWS uses for fair queues.
    """
    if deduplication_id:
        raise InvalidParameterValue(
            f"Value {deduplication_id} for parameter MessageDeduplicationId is invalid. Reason: The request include"
            " parameter that is not valid for this queue type."
        )
    if group_id:
        raise UnsupportedOperation("MessageGroupId of a message to a standard queue (fair queues)")


def _failure(entry_id: str, error: SQSException) -> dict[str, Any]:
    return {"Id": entry_id, "SenderFault": True, "Code": error.code, "Message": error.message}


def resume_moves() -> None:
    """Continue the message moves that an earlier server started."""
    for _, _, backend in sqs_backends.iter_backends():
        if isinstance(backend, LocalSQSBackend):
            backend.resume_message_moves()
