"""The queue that brings events back until they are done, and the one for those that are given up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from labkit.display import Described, Fact, Removed, hidden
from labkit.steps.base import Step, found
from labkit.steps.functions import start_timeout
from labkit.waiting import wait_for

MOST_RECEIVES = 500
"""The function gives a message back each time that it is not done. So often, and no end: something is wrong with it."""

DAYS_KEPT = 14  # the most that SQS allows


@dataclass(frozen=True)
class RetriesMade(Described):
    """Who brings events back to the start function, and where they end."""

    queue: str
    function: str
    dead_letter_queue: str


@dataclass(frozen=True)
class DeadLetter(Described):
    """An event that was given up: the file that it tells of, and why."""

    key: str
    reason: str
    receipt_handle: str = hidden()
    body: str = hidden()


class Retries(Step[RetriesMade]):
    """Lambda tries an event that failed twice more, and forgets it. A queue keeps it until its file is loaded."""

    name = "retries"
    notebook = "07_notification"

    def create(self) -> RetriesMade:
        """Make both queues, have the first invoke the start function, and send what Lambda gives up to the second."""
        self.lab.consent(self.name)
        function_arn = self.lab.functions.arn(self.names.start_function)
        for queue, attributes in self._queues().items():
            if self._url(queue) is None:
                self.aws("sqs").create_queue(QueueName=queue, tags=self.config.tags, Attributes=attributes)
            else:
                self.aws("sqs").set_queue_attributes(QueueUrl=self._url(queue), Attributes=attributes)
        self._map(function_arn)
        awslambda = self.aws("lambda")
        awslambda.put_function_event_invoke_config(FunctionName=self.names.start_function, **self._invoke_config())
        return self.describe()

    def dead_letters(self, most: int = 100) -> tuple[DeadLetter, ...]:
        """The events that were given up, up to `most` of them. They stay in their queue."""
        return tuple(self._receive(most, keep=True))

    def redrive(self) -> tuple[DeadLetter, ...]:
        """Send what was given up back to the first queue: it begins anew. Do it when its cause is gone."""
        self.describe()
        sqs, target, source = self.aws("sqs"), self._url(self.names.retry_queue), self._dead_letter_url
        sent: list[DeadLetter] = []
        while letters := tuple(self._receive(10, keep=False)):
            for letter in letters:
                attributes = {"reason": {"DataType": "String", "StringValue": letter.reason}}
                sqs.send_message(QueueUrl=target, MessageBody=letter.body, MessageAttributes=attributes)
                sqs.delete_message(QueueUrl=source, ReceiptHandle=letter.receipt_handle)
            sent += letters
        return tuple(sent)

    def waiting(self) -> int:
        """Events that are not done yet, about: so many messages the first queue has."""
        there = self._attributes(self.names.retry_queue)
        kinds = ("", "NotVisible", "Delayed")
        return sum(int(there.get(f"ApproximateNumberOfMessages{kind}", 0)) for kind in kinds)

    def describe(self) -> RetriesMade:
        """The queues, and the function that the first one invokes."""
        names = self.names
        for queue in self._queues():
            if self._url(queue) is None:
                raise self.missing(f"Queue {queue}")
        mapping = self._mapping()
        if mapping is None:
            raise self.missing(f"The mapping from queue {names.retry_queue} to function {names.start_function}")
        return RetriesMade(names.retry_queue, mapping["FunctionArn"].rsplit(":", 1)[1], names.dead_letter_queue)

    def facts(self) -> Iterator[Fact]:
        """The queues invoke and keep what they should, and nothing was given up."""
        self.describe()
        for queue, wanted in self._queues().items():
            there = self._attributes(queue)
            same = all(_parsed(there.get(name)) == _parsed(value) for name, value in wanted.items())
            yield Fact(same, f"queue {queue} is set up as it should be", self.fix)
        mapping = self._mapping() or {}
        partial = mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"]
        yield Fact(mapping.get("State") == "Enabled" and partial, f"it invokes {self.names.start_function}", self.fix)
        config = (
            found(self.aws("lambda").get_function_event_invoke_config, FunctionName=self.names.start_function) or {}
        )
        kept = config.get("DestinationConfig") == self._invoke_config()["DestinationConfig"]
        yield Fact(kept, f"what fails of {self.names.start_function} goes to {self.names.dead_letter_queue}", self.fix)
        letters = self.dead_letters()
        keys = ", ".join(sorted({letter.key for letter in letters})[:3])
        advice = f"{len(letters)} were: {keys}. Mend what made them fail, then: labkit redrive" if letters else ""
        yield Fact(not letters, "no event was given up", advice)

    def destroy(self) -> Removed:
        """Delete the mapping and the queues, with what is in them."""
        gone = []
        mapping = self._mapping()
        if mapping is not None:
            self.aws("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
            gone.append(f"mapping from queue {self.names.retry_queue}")
        if found(self.aws("lambda").get_function_event_invoke_config, FunctionName=self.names.start_function):
            self.aws("lambda").delete_function_event_invoke_config(FunctionName=self.names.start_function)
        for queue in self._queues():
            if url := self._url(queue):
                self.aws("sqs").delete_queue(QueueUrl=url)
                gone.append(f"queue {queue}")
        return Removed(self.name, tuple(gone))

    def _queues(self) -> dict[str, dict[str, str]]:
        """Queue → its attributes; the dead-letter queue first, since the other one names it."""
        keep = str(DAYS_KEPT * 86_400)
        redrive = {"deadLetterTargetArn": self._arn(self.names.dead_letter_queue), "maxReceiveCount": MOST_RECEIVES}
        return {
            self.names.dead_letter_queue: {"MessageRetentionPeriod": keep},
            self.names.retry_queue: {
                "MessageRetentionPeriod": keep,
                # Lambda asks for no less than the function's timeout: else a message comes again while it is at work.
                "VisibilityTimeout": str(start_timeout(self.config)),
                "RedrivePolicy": json.dumps(redrive),
            },
        }

    def _map(self, function_arn: str) -> None:
        settings = {
            "BatchSize": 10,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            # The least that there is: an invocation waits, and more of them would wait for the same run.
            "ScalingConfig": {"MaximumConcurrency": 2},
            "Enabled": True,
        }
        awslambda, mapping = self.aws("lambda"), self._mapping()
        if mapping is not None:
            awslambda.update_event_source_mapping(UUID=mapping["UUID"], **settings)
            return

        def attempt() -> tuple[str, bool | None]:
            try:
                awslambda.create_event_source_mapping(
                    EventSourceArn=self._arn(self.names.retry_queue), FunctionName=function_arn, **settings
                )
            except ClientError as error:
                # A role's permission, or a queue, that was made a moment ago is not known everywhere in AWS yet.
                if "permissions" in str(error) or "does not exist" in str(error):
                    return str(error), None
                raise
            return "mapped", True

        wait_for(f"mapping of {self.names.retry_queue}", attempt, config=self.config, go_on="Run it again.", quiet=True)

    def _mapping(self) -> dict[str, Any] | None:
        answer = self.aws("lambda").list_event_source_mappings(EventSourceArn=self._arn(self.names.retry_queue))
        return next(iter(answer["EventSourceMappings"]), None)

    def _invoke_config(self) -> dict[str, Any]:
        return {"DestinationConfig": {"OnFailure": {"Destination": self._arn(self.names.dead_letter_queue)}}}

    def _receive(self, most: int, *, keep: bool) -> Iterator[DeadLetter]:
        """Messages of the dead-letter queue; those that are to be kept are put back at the end."""
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
            raise self.missing(f"Queue {self.names.dead_letter_queue}")
        return url

    def _attributes(self, queue: str) -> dict[str, str]:
        answer = found(self.aws("sqs").get_queue_attributes, QueueUrl=self._url(queue), AttributeNames=["All"])
        return dict(answer["Attributes"]) if answer else {}

    def _url(self, queue: str) -> str | None:
        answer = found(self.aws("sqs").get_queue_url, QueueName=queue)
        return str(answer["QueueUrl"]) if answer else None

    def _arn(self, queue: str) -> str:
        return f"arn:aws:sqs:{self.config.region}:{self.lab.session.account_id}:{queue}"


def _letter(message: dict[str, Any]) -> DeadLetter:
    """A message that `start_workflow_function`, Lambda, or the queue itself gave up."""
    body = json.loads(message["Body"])
    event = body.get("requestPayload", body)
    keys = [unquote_plus(record["s3"]["object"]["key"]) for record in event.get("Records", []) if "s3" in record]
    given = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue")
    told = (body.get("responsePayload") or {}).get("errorMessage") if "requestPayload" in body else None
    reason = given or (f"the function failed: {told}" if told else f"not done after {MOST_RECEIVES} tries")
    return DeadLetter(", ".join(keys) or "no file", reason, message["ReceiptHandle"], message["Body"])


def _parsed(attribute: str | None) -> Any:
    return json.loads(attribute) if attribute else None
