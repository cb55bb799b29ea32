"""The queue of S3 events that tells a crawler in event mode what changed.

https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html: S3 sends its events to an SQS queue,
directly or through an SNS topic; the crawler lists the folders in which objects were added or deleted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from localaws.core.context import Context
from localaws.glue.crawlers.errors import CrawlFailed

READS_QUEUE = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")  # what the crawler's role must be allowed to do
_BATCH = 10  # the most messages that SQS returns at once
_HIDDEN_SECONDS = 300  # visibility timeout of received messages: longer than a crawl takes
_TEST_EVENT = "s3:TestEvent"


@dataclass
class EventQueue:
    """One queue, read by one crawl. Received messages return to the queue unless `done` is called."""

    client: Any  # boto3's, of SQS
    url: str
    dead_letter_url: str | None
    log: Callable[[str], None]
    changed: list[tuple[str, str]] = field(default_factory=list)  # bucket and key of each object that an event names
    _taken: list[str] = field(default_factory=list)  # receipt handles

    @classmethod
    def open(cls, context: Context, arn: str, dead_letter_arn: str | None, log: Callable[[str], None]) -> EventQueue:
        """Return the queue with that ARN, after receiving the messages that are in it now.

        Raises:
            CrawlFailed: there is no such queue.
        """
        client = context.client("sqs", arn.split(":")[3])
        try:
            dead_letter_url = _url(client, dead_letter_arn) if dead_letter_arn else None
            queue = cls(client, _url(client, arn), dead_letter_url, log)
            queue._take()
        except ClientError as error:
            raise CrawlFailed(f"The queue {arn} can't be read: {error.response['Error']['Message']}") from None
        return queue

    def done(self) -> None:
        """Delete the received messages: their changes are in the catalog."""
        for start in range(0, len(self._taken), _BATCH):
            handles = self._taken[start : start + _BATCH]
            entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
            self.client.delete_message_batch(QueueUrl=self.url, Entries=entries)

    def _take(self) -> None:
        while True:
            answer = self.client.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=_BATCH, VisibilityTimeout=_HIDDEN_SECONDS, WaitTimeSeconds=0
            )
            messages = answer.get("Messages") or []
            if not messages:
                return
            for message in messages:
                self._read(message)

    def _read(self, message: dict[str, Any]) -> None:
        try:
            self.changed.extend(objects_of(message["Body"]))
        except (ValueError, KeyError, TypeError):
            if self.dead_letter_url is None:
                self.log(f"WARN : Message {message['MessageId']} is not an S3 event: it is left in the queue")
                return
            self.client.send_message(QueueUrl=self.dead_letter_url, MessageBody=message["Body"])
            self.log(f"WARN : Message {message['MessageId']} is not an S3 event: it was sent to the dead-letter queue")
        self._taken.append(message["ReceiptHandle"])


def objects_of(body: str) -> Iterator[tuple[str, str]]:
    """Yield bucket and key of each object that a message names: an S3 event, or an SNS notification that holds one.

    Raises:
        ValueError, KeyError, TypeError: the message is neither.
    """
    event = json.loads(body)
    if event.get("Type") == "Notification":
        event = json.loads(event["Message"])
    if event.get("Event") == _TEST_EVENT:
        return
    for record in event["Records"]:
        s3 = record["s3"]
        yield s3["bucket"]["name"], unquote_plus(s3["object"]["key"])


def _url(client: Any, arn: str) -> str:
    return str(client.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])
