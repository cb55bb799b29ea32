"""Message moves (redrive): from a dead-letter queue back to the messages' source queues, or to another queue.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
A moved message counts as new: it has a new id and a new time.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import threading
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from moto.sqs.exceptions import InvalidParameterValue
from moto.sqs.models import SQSBackend

from localaws.core import context
from localaws.sqs.errors import ResourceNotFound
from localaws.sqs.messages import messages, now_ms
from localaws.sqs.queues import LocalQueue

log = logging.getLogger(__name__)

_CHUNK = 200  # messages moved in one transaction
_KEPT = 10  # tasks listed for a queue
_RATES = range(1, 501)  # messages a second

if TYPE_CHECKING:
    _Base = SQSBackend
else:
    _Base = object


class MoveStatus(StrEnum):
    """The states of a task, as SQS names them."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


@dataclass
class MoveTask:
    """One move of messages. `rate` is in messages per second, `started` in milliseconds."""

    id: str
    source: str
    destination: str | None
    rate: int | None
    to_move: int
    started: int
    moved: int = 0
    status: MoveStatus = MoveStatus.RUNNING
    failure: str | None = None

    @property
    def handle(self) -> str:
        """The handle with which the task is cancelled."""
        return base64.b64encode(json.dumps({"taskId": self.id, "sourceArn": self.source}).encode()).decode()

    def entry(self) -> dict[str, Any]:
        """Return the task's entry in ListMessageMoveTasks."""
        shown = {
            "TaskHandle": self.handle if self.status is MoveStatus.RUNNING else None,
            "Status": str(self.status),
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.failure,
            "StartedTimestamp": self.started,
        }
        return {name: value for name, value in shown.items() if value is not None}


# Wakes a task's thread early, when the task is cancelled.
_interrupts: dict[str, threading.Event] = {}


class MoveOperations(_Base):
    """StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask."""

    def start_message_move_task(self, source: str, destination: str | None, rate: int | None) -> MoveTask:
        """Start to move the messages of the dead-letter queue `source` (ARN).

        Raises:
            ResourceNotFound: a queue does not exist.
            InvalidParameterValue: `source` is not the dead-letter queue of any queue, or has a running task.
        """
        queue = self._queue(source, "SourceArn")
        if destination is not None:
            self._queue(destination, "DestinationArn")
        if not any(other.dead_letter_queue is queue for other in self.queues.values()):
            raise InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.")
        if rate is not None and rate not in _RATES:
            raise InvalidParameterValue(
                f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: must be between"
                f" {_RATES[0]} and {_RATES[-1]}, if provided."
            )
        if any(task.status in (MoveStatus.RUNNING, MoveStatus.CANCELLING) for task in self._tasks(source)):
            raise InvalidParameterValue(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given"
                " time."
            )
        task = MoveTask(str(uuid.uuid4()), source, destination, rate, queue.counts.visible, now_ms())
        self._tasks(source)[:] = [task, *self._tasks(source)][:_KEPT]
        self._run_in_background(task)
        return task

    def list_message_move_tasks(self, source: str, most: int) -> list[MoveTask]:
        """Return the latest tasks of the queue `source` (ARN), newest first.

        Raises:
            ResourceNotFound: there is no such queue.
        """
        self._queue(source, "SourceArn")
        return self._tasks(source)[:most]

    def cancel_message_move_task(self, handle: str) -> MoveTask:
        """Stop a running task. The messages that it has moved stay where they are.

        Raises:
            InvalidParameterValue: `handle` is not a task handle.
            ResourceNotFound: its queue or its task does not exist, or the task is not running.
        """
        try:
            named = json.loads(base64.b64decode(handle, validate=True))
            task_id, source = str(named["taskId"]), str(named["sourceArn"])
        except (binascii.Error, ValueError, KeyError, TypeError) as error:
            raise InvalidParameterValue("Value for parameter TaskHandle is invalid.") from error
        self._queue(source, "SourceArn")
        for task in self._tasks(source):
            if task.id == task_id and task.status is MoveStatus.RUNNING:
                task.status = MoveStatus.CANCELLING
                _interrupts[task.id].set()
                return task
        raise ResourceNotFound("Task does not exist.")

    def resume_message_moves(self) -> None:
        """Continue the tasks that were running when an earlier server ended."""
        for tasks in self._all_tasks().values():
            for task in tasks:
                if task.status in (MoveStatus.RUNNING, MoveStatus.CANCELLING):
                    self._run_in_background(task)

    def _queue(self, arn: str, parameter: str) -> LocalQueue:
        queue = self.queues.get(arn.rpartition(":")[2])
        if not isinstance(queue, LocalQueue) or queue.queue_arn != arn:
            raise ResourceNotFound(f"The resource that you specified for the {parameter} parameter doesn't exist.")
        return queue

    def _tasks(self, source: str) -> list[MoveTask]:
        return self._all_tasks().setdefault(source, [])

    def _all_tasks(self) -> dict[str, list[MoveTask]]:
        tasks: dict[str, list[MoveTask]] = self.__dict__.setdefault("move_tasks", {})
        return tasks

    def _run_in_background(self, task: MoveTask) -> None:
        interrupt = _interrupts[task.id] = threading.Event()
        threading.Thread(target=self._run, args=(task, interrupt), name="message-move", daemon=True).start()

    def _run(self, task: MoveTask, interrupt: threading.Event) -> None:
        try:
            task.failure = self._move(task, interrupt)
        except Exception as error:
            log.exception("The movement of messages from %s failed", task.source)
            task.failure = type(error).__name__
        if task.failure:
            task.status = MoveStatus.FAILED
        else:
            task.status = MoveStatus.CANCELLED if task.status is MoveStatus.CANCELLING else MoveStatus.COMPLETED
        _interrupts.pop(task.id, None)
        context.current().state.save("sqs")

    def _move(self, task: MoveTask, interrupt: threading.Event) -> str | None:
        """Move messages until none are left, or `task` is cancelled. Return why it failed, or None."""
        while task.status is MoveStatus.RUNNING:
            arns = {queue.queue_arn for queue in self.queues.values()}
            if task.source not in arns or (task.destination is not None and task.destination not in arns):
                return "AWS.SimpleQueueService.NonExistentQueue"
            moved = messages().move(task.source, task.destination, arns, 1 if task.rate else _CHUNK)
            task.moved += moved.count
            if moved.homeless:
                return "CouldNotDetermineMessageSource"
            if not moved.count:
                return None
            if task.rate:
                interrupt.wait(1 / task.rate)
        return None
