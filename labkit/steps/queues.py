"""The exactly-once delivery's two SQS queues: one delivers events again, and one is its dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from labkit.calls import found, retry
from labkit.errors import MissingStep
from labkit.show.display import Described, Fact, hidden
from labkit.show.waiting import wait_for
from labkit.tables import html_table, text_table

if TYPE_CHECKING:
    from labkit.steps.lab_steps import LabSteps

MOST_RECEIVES = 500
"""The queue's maxReceiveCount.

The start function returns a message to the queue each time that its event is not done, so only a number this high
means an error.
"""

DAYS_KEPT = 14  # the most that SQS allows


@dataclass(frozen=True)
class DeadLetter(Described):
    """An event that was given up, with the file that it names and the reason."""

    key: str
    reason: str
    receipt_handle: str = hidden()
    body: str = hidden()


class DeadLetters(tuple[DeadLetter, ...]):
    """Events that were given up: a tuple, shown as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        return text_table(self._rows()) if self else "no event was given up"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        return html_table(self._rows(), ("file", "reason")) if self else f"<div>{self!r}</div>"

    def _rows(self) -> list[tuple[str, str]]:
        return [(letter.key, letter.reason) for letter in self]


class Queues:
    """Lambda retries a failed event twice, and then drops it. The queue keeps the event until its file is loaded."""

    def __init__(self, lab: LabSteps) -> None:
        self.lab = lab
        self.names = lab.names
        self.aws = lab.session.client
        self.config = lab.config

    @property
    def timeout(self) -> int:
        """The start function's timeout in seconds: it waits twice `retry_seconds`, and its calls take time too."""
        return round(4 * self.config.retry_seconds) + 6

    def create(self) -> None:
        """Create both queues. The first invokes the start function; events that Lambda gives up go to the second."""
        function = self.names.reliable_start_function
        for queue, attributes in self._queues().items():
            if self._url(queue) is None:
                self.aws("sqs").create_queue(QueueName=queue, tags=self.config.new_tags, Attributes=attributes)
            else:
                self.aws("sqs").set_queue_attributes(QueueUrl=self._url(queue), Attributes=attributes)
        self._map(self.lab.functions.arn(function))
        self.aws("lambda").put_function_event_invoke_config(FunctionName=function, **self._invoke_config())

    def pause(self) -> None:
        """Stop delivering events, and delete all messages of both queues."""
        mapping = self._mapping()
        if mapping is not None:
            self.aws("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        self.empty()

    def empty(self) -> None:
        """Delete all messages of both queues."""
        sqs = self.aws("sqs")
        for queue in self._queues():
            url = self._url(queue)
            if url is None:
                continue
            try:
                sqs.purge_queue(QueueUrl=url)
            except sqs.exceptions.PurgeQueueInProgress:  # SQS allows one purge a minute
                self._empty_by_hand(queue, url)

    def _empty_by_hand(self, queue: str, url: str) -> None:
        """Receive and delete all messages, including those that an invocation is about to return."""
        sqs = self.aws("sqs")

        def look() -> tuple[str, bool | None]:
            while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            left = self._messages(queue)
            return f"{left} messages left", None if left else True

        wait_for(f"queue {queue} to be empty", look, config=self.config, go_on="Run it again.", quiet=True)

    def dead_letters(self, most: int = 100) -> DeadLetters:
        """The events that were given up, up to `most` of them. They stay in their queue."""
        return DeadLetters(self._receive(most, keep=True))

    def redrive(self) -> DeadLetters:
        """Send the dead letters back to the first queue, to start from the beginning. Fix what made them fail first."""
        sqs, target, source = self.aws("sqs"), self._url(self.names.retry_queue), self._dead_letter_url
        sent: list[DeadLetter] = []
        while letters := tuple(self._receive(10, keep=False)):
            for letter in letters:
                attributes = {"reason": {"DataType": "String", "StringValue": letter.reason}}
                sqs.send_message(QueueUrl=target, MessageBody=letter.body, MessageAttributes=attributes)
                sqs.delete_message(QueueUrl=source, ReceiptHandle=letter.receipt_handle)
            sent += letters
        return DeadLetters(sent)

    def waiting(self) -> int:
        """The approximate number of events that are not done yet: the messages of the first queue."""
        return self._messages(self.names.retry_queue)

    def _messages(self, queue: str) -> int:
        there = self._attributes(queue)
        kinds = ("", "NotVisible", "Delayed")
        return sum(int(there.get(f"ApproximateNumberOfMessages{kind}", 0)) for kind in kinds)

    def exist(self) -> bool:
        """Whether both queues exist, and the first one has an event source mapping."""
        return all(map(self._url, self._queues())) and self._mapping() is not None

    def facts(self, fix: str) -> Iterator[Fact]:
        """The queues and their mapping are set up, failed events go to the dead-letter queue, and it is empty."""
        function, dead_letters = self.names.reliable_start_function, self.names.dead_letter_queue
        for queue, wanted in self._queues().items():
            there = self._attributes(queue)
            same = all(_parsed(there.get(name)) == _parsed(value) for name, value in wanted.items())
            yield Fact(same, f"queue {queue} is set up as it should be", fix)
        mapping = self._mapping() or {}
        partial = mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"]
        invokes = mapping.get("State") == "Enabled" and partial
        yield Fact(invokes, f"queue {self.names.retry_queue} invokes {function}", fix)
        config = found(self.aws("lambda").get_function_event_invoke_config, FunctionName=function) or {}
        kept = config.get("DestinationConfig") == self._invoke_config()["DestinationConfig"]
        yield Fact(kept, f"events for which {function} fails go to {dead_letters}", fix)
        letters = self.dead_letters() if self._url(dead_letters) else ()
        keys = ", ".join(sorted({letter.key for letter in letters})[:3])
        advice = f"{len(letters)} were: {keys}. Fix the cause, then: labkit redrive" if letters else ""
        yield Fact(not letters, "no event was given up", advice)

    def destroy(self) -> Iterator[str]:
        """Delete the mapping and the queues with their messages, and yield what was deleted."""
        awslambda, function = self.aws("lambda"), self.names.reliable_start_function
        mapping = self._mapping()
        if mapping is not None:
            awslambda.delete_event_source_mapping(UUID=mapping["UUID"])
            yield f"mapping from queue {self.names.retry_queue}"
        if found(awslambda.get_function_event_invoke_config, FunctionName=function):
            awslambda.delete_function_event_invoke_config(FunctionName=function)
        for queue in self._queues():
            if url := self._url(queue):
                self.aws("sqs").delete_queue(QueueUrl=url)
                yield f"queue {queue}"

    def _queues(self) -> dict[str, dict[str, str]]:
        """Each queue's attributes. The dead-letter queue comes first, because the other one refers to it."""
        keep = str(DAYS_KEPT * 86_400)
        redrive = {"deadLetterTargetArn": self._arn(self.names.dead_letter_queue), "maxReceiveCount": MOST_RECEIVES}
        return {
            self.names.dead_letter_queue: {"MessageRetentionPeriod": keep},
            self.names.retry_queue: {
                "MessageRetentionPeriod": keep,
                # Not less than the function's timeout, or a message would be delivered again while it is being handled.
                "VisibilityTimeout": str(self.timeout),
                "RedrivePolicy": json.dumps(redrive),
            },
        }

    def _map(self, function_arn: str) -> None:
        settings = {
            "BatchSize": 10,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            # The minimum that Lambda allows: more invocations would all wait for the same run.
            "ScalingConfig": {"MaximumConcurrency": 2},
            "Enabled": True,
        }
        awslambda, mapping = self.aws("lambda"), self._mapping()
        if mapping is not None:
            awslambda.update_event_source_mapping(UUID=mapping["UUID"], **settings)
            return

        def create() -> None:
            awslambda.create_event_source_mapping(
                EventSourceArn=self._arn(self.names.retry_queue),
                FunctionName=function_arn,
                Tags=self.config.new_tags,
                **settings,
            )

        # The permission and the queue are new, and Lambda may not know them yet.
        retry(f"mapping of {self.names.retry_queue}", create, "permissions", "does not exist", config=self.config)

    def _mapping(self) -> dict[str, Any] | None:
        answer = self.aws("lambda").list_event_source_mappings(EventSourceArn=self._arn(self.names.retry_queue))
        return next(iter(answer["EventSourceMappings"]), None)

    def _invoke_config(self) -> dict[str, Any]:
        return {"DestinationConfig": {"OnFailure": {"Destination": self._arn(self.names.dead_letter_queue)}}}

    def _receive(self, most: int, *, keep: bool) -> Iterator[DeadLetter]:
        """Receive messages of the dead-letter queue. With `keep`, each becomes visible in the queue again."""
        sqs, url = self.aws("sqs"), self._dead_letter_url
        letters: list[DeadLetter] = []
        while len(letters) < most:
            messages = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=30
            ).get("Messages", [])
            if not messages:
                break
            letters += map(_letter, messages)
        for letter in letters:
            if keep:
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=letter.receipt_handle, VisibilityTimeout=0)
            yield letter

    @property
    def _dead_letter_url(self) -> str:
        url = self._url(self.names.dead_letter_queue)
        if url is None:
            raise MissingStep(f"Queue {self.names.dead_letter_queue}", step="reliability", notebook="09_reliability")
        return url

    def _attributes(self, queue: str) -> dict[str, str]:
        """A queue's attributes; empty if there is no such queue."""
        url = self._url(queue)
        answer = found(self.aws("sqs").get_queue_attributes, QueueUrl=url, AttributeNames=["All"]) if url else None
        return dict(answer["Attributes"]) if answer else {}

    def _url(self, queue: str) -> str | None:
        answer = found(self.aws("sqs").get_queue_url, QueueName=queue)
        return str(answer["QueueUrl"]) if answer else None

    def _arn(self, queue: str) -> str:
        return f"arn:aws:sqs:{self.config.region}:{self.lab.session.account_id}:{queue}"


def _letter(message: dict[str, Any]) -> DeadLetter:
    """Parse a dead-letter message, which comes from the start function, from Lambda, or from the queue itself."""
    body = json.loads(message["Body"])
    event = body.get("requestPayload", body)
    keys = [unquote_plus(record["s3"]["object"]["key"]) for record in event.get("Records", []) if "s3" in record]
    given = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue")
    told = (body.get("responsePayload") or {}).get("errorMessage") if "requestPayload" in body else None
    reason = given or (f"the function failed: {told}" if told else f"not done after {MOST_RECEIVES} tries")
    return DeadLetter(", ".join(keys) or "no file", reason, message["ReceiptHandle"], message["Body"])


def _parsed(attribute: str | None) -> Any:
    return json.loads(attribute) if attribute else None
