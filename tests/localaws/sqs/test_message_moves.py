"""Moving messages out of a dead-letter queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

MakeQueue = Callable[..., Any]


def _dead_letters(queue: MakeQueue, *bodies: str) -> tuple[Any, Any, list[str]]:
    """A queue, its dead-letter queue with these messages, and their ids."""
    dead = queue()
    made = queue(dead=dead, receives=1, VisibilityTimeout=0)
    sent = made.send(*bodies)
    while made.receive():
        pass
    assert dead.counts()[0] == len(bodies)
    return made, dead, sent


def _task(queue: Any, status: str) -> dict[str, Any]:
    """The latest task of the queue, once it has this status."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        (task,) = queue.sqs.list_message_move_tasks(SourceArn=queue.arn)["Results"]
        if task["Status"] == status:
            return dict(task)
        time.sleep(0.02)
    raise AssertionError(f"{status} expected: {task}")


@pytest.mark.as_on_aws("SQS")
def test_redrive_moves_dead_letters_back_to_their_source_queue_as_new_messages(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html"""
    made, dead, sent = _dead_letters(queue, *"abc")
    handle = made.sqs.start_message_move_task(SourceArn=dead.arn)["TaskHandle"]
    task = _task(dead, "COMPLETED")
    assert (task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]) == (3, 3)
    assert "TaskHandle" not in task
    back = made.receive()
    assert sorted(message["Body"] for message in back) == ["a", "b", "c"]
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in back} == {"1"}
    assert not {message["MessageId"] for message in back} & set(sent)
    assert dead.counts() == (0, 0, 0)
    with pytest.raises(ClientError, match="Task does not exist") as refused:
        made.sqs.cancel_message_move_task(TaskHandle=handle)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.as_on_aws("SQS")
def test_a_message_move_task_with_a_rate_limit_can_be_cancelled(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CancelMessageMoveTask.html"""
    _, dead, _ = _dead_letters(queue, *"abcdef")
    other = queue()
    sqs = dead.sqs
    wanted = {"SourceArn": dead.arn, "DestinationArn": other.arn, "MaxNumberOfMessagesPerSecond": 1}
    handle = sqs.start_message_move_task(**wanted)["TaskHandle"]
    with pytest.raises(ClientError, match="Only one active task is allowed"):
        sqs.start_message_move_task(**wanted)
    assert other.collect(1)
    running = _task(dead, "RUNNING")
    assert (running["TaskHandle"], running["DestinationArn"]) == (handle, other.arn)
    sqs.cancel_message_move_task(TaskHandle=handle)
    cancelled = _task(dead, "CANCELLED")
    moved = cancelled["ApproximateNumberOfMessagesMoved"]
    assert 1 <= moved < 6
    assert dead.counts()[0] == 6 - moved


@pytest.mark.as_on_aws("SQS")
def test_a_message_move_task_needs_a_dead_letter_queue_and_a_destination_that_exists(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html"""
    plain = queue()
    _, dead, _ = _dead_letters(queue)
    for wanted, code, words in (
        ({"SourceArn": plain.arn}, "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue"),
        ({"SourceArn": f"{plain.arn}x"}, "ResourceNotFoundException", "SourceArn parameter doesn't exist"),
        ({"SourceArn": dead.arn, "DestinationArn": f"{plain.arn}x"}, "ResourceNotFoundException", "DestinationArn"),
    ):
        with pytest.raises(ClientError, match=words) as refused:
            plain.sqs.start_message_move_task(**wanted)
        assert refused.value.response["Error"]["Code"] == code
    dead.send("sent here by hand")
    plain.sqs.start_message_move_task(SourceArn=dead.arn)
    assert _task(dead, "FAILED")["FailureReason"] == "CouldNotDetermineMessageSource"
    assert dead.counts()[0] == 1
