"""The HTTP side of SQS: moto's parsing, and the checks that it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sqs.constants import MAXIMUM_VISIBILITY_TIMEOUT
from moto.sqs.exceptions import (
    BatchEntryIdsNotDistinct,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidParameterValue,
    MaxVisibilityTimeout,
    TooManyEntriesInBatchRequest,
)
from moto.sqs.models import _filter_message_attributes
from moto.sqs.responses import SQSResponse

from localaws.iam.principals import ExpiredToken, UnknownKey, WrongToken, of_key
from localaws.sqs.messages import StoredMessage
from localaws.sqs.models import LocalSQSBackend, as_message, sender
from localaws.sqs.queues import LocalQueue, check_names

_MOST_ENTRIES = 10


class LocalSQSResponse(SQSResponse):
    """Answers SQS's requests."""

    @property
    def sqs_backend(self) -> LocalSQSBackend:
        """The backend of the caller's account and region."""
        found = super().sqs_backend
        assert isinstance(found, LocalSQSBackend)
        return found

    def create_queue(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"""
        check_names(self._get_param("Attributes", {}))
        return super().create_queue()

    def receive_message(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html"""
        name = self._get_queue_name()
        queue = self.sqs_backend.get_queue(name)
        if not isinstance(queue, LocalQueue):
            return super().receive_message()
        count = self._between("MaxNumberOfMessages", 1, 10, 1)
        wait = self._between("WaitTimeSeconds", 0, 20, int(queue.receive_message_wait_time_seconds))  # type: ignore[attr-defined]
        hidden = self._get_param("VisibilityTimeout")
        if hidden is not None and not 0 <= int(hidden) <= MAXIMUM_VISIBILITY_TIMEOUT:
            raise MaxVisibilityTimeout()
        found = self.sqs_backend.receive(name, count, wait, None if hidden is None else int(hidden))
        wanted = set(self._get_param("AttributeNames", []) + self._get_param("MessageSystemAttributeNames", []))
        named = self._get_param("MessageAttributeNames", [])
        return ActionResult({"Messages": [_received(each, wanted, named) for each in found]} if found else {})

    def send_message(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""
        with self._as_sender():
            return super().send_message()

    def send_message_batch(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""
        self._check_entries("Send")
        with self._as_sender():
            return super().send_message_batch()

    def delete_message_batch(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html"""
        self._check_entries("Delete")
        return super().delete_message_batch()

    def change_message_visibility_batch(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html"""
        self._check_entries("ChangeMessageVisibility")
        return super().change_message_visibility_batch()

    def start_message_move_task(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html"""
        task = self.sqs_backend.start_message_move_task(
            self._get_param("SourceArn"),
            self._get_param("DestinationArn"),
            self._get_param("MaxNumberOfMessagesPerSecond"),
        )
        return ActionResult({"TaskHandle": task.handle})

    def list_message_move_tasks(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html"""
        most = self._between("MaxResults", 1, 10, 1)
        tasks = self.sqs_backend.list_message_move_tasks(self._get_param("SourceArn"), most)
        return ActionResult({"Results": [task.entry() for task in tasks]}) if tasks else EmptyResult()

    def cancel_message_move_task(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CancelMessageMoveTask.html"""
        task = self.sqs_backend.cancel_message_move_task(self._get_param("TaskHandle"))
        return ActionResult({"ApproximateNumberOfMessagesMoved": task.moved})

    @contextmanager
    def _as_sender(self) -> Iterator[None]:
        """Give the backend the sender: the id of a user or a role's session, otherwise the account."""
        try:
            token = self.headers.get("X-Amz-Security-Token")
            who = of_key(str(self.access_key), token, self.current_account).user_id or None
        except (UnknownKey, WrongToken, ExpiredToken):
            who = None
        before = sender.set(who)
        try:
            yield
        finally:
            sender.reset(before)

    def _between(self, name: str, least: int, most: int, default: int) -> int:
        value = self._get_param(name)
        if value is None:
            return default
        if not least <= int(value) <= most:
            raise InvalidParameterValue(
                f"Value {value} for parameter {name} is invalid. Reason: Must be >= {least} and <= {most}, if provided."
            )
        return int(value)

    def _check_entries(self, action: str) -> None:
        ids = [str(entry["Id"]) for entry in self._get_param("Entries", [])]
        if not ids:
            raise EmptyBatchRequest(action)
        if len(ids) > _MOST_ENTRIES:
            raise TooManyEntriesInBatchRequest(len(ids))
        if any(not 1 <= len(each) <= 80 or not each.replace("-", "").replace("_", "").isalnum() for each in ids):
            raise InvalidBatchEntryId()
        # The first id that repeats an earlier one: in a, b, b, a it is b.
        if twice := next((each for place, each in enumerate(ids) if each in ids[:place]), None):
            raise BatchEntryIdsNotDistinct(twice)


def system_attributes(stored: StoredMessage) -> dict[str, str]:
    """Return the system attributes of a received message, under the API's names."""
    known = {
        "SenderId": stored.sender,
        "SentTimestamp": stored.sent,
        "ApproximateReceiveCount": stored.received,
        "ApproximateFirstReceiveTimestamp": stored.first_received,
        "AWSTraceHeader": stored.trace,
        "DeadLetterQueueSourceArn": stored.source,
    }
    return {name: str(value) for name, value in known.items() if value is not None}


def _received(stored: StoredMessage, wanted: set[str], named: list[str]) -> dict[str, Any]:
    message = as_message(stored)
    answer: dict[str, Any] = {
        "MessageId": stored.id,
        "ReceiptHandle": stored.receipt_handle,
        "MD5OfBody": message.body_md5,
        "Body": stored.body,
    }
    known = system_attributes(stored)
    if attributes := {name: value for name, value in known.items() if name in wanted or "All" in wanted}:
        answer["Attributes"] = attributes
    _filter_message_attributes(message, named)
    if message.message_attributes:
        answer["MessageAttributes"] = message.message_attributes
        answer["MD5OfMessageAttributes"] = message.attribute_md5
    return answer
