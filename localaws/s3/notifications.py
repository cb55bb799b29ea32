"""Event notifications: a bucket's configuration, the event records, and their delivery after the answer.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.s3.exceptions import InvalidNotificationDestination, S3ClientError
from moto.s3.models import OWNER, Notification, NotificationConfiguration
from moto.sns.models import sns_backends
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends

from localaws.core import context
from localaws.iam.service_principals import allows
from localaws.s3.objects import StoredBucket

log = logging.getLogger(__name__)


class Kind(StrEnum):
    """The kinds of destinations: attributes of moto's configuration."""

    FUNCTION = "cloud_function"
    QUEUE = "queue"
    TOPIC = "topic"


@dataclass(frozen=True)
class Requester:
    """Who caused an event, and in which request."""

    principal_id: str = "Anonymous"
    source_ip: str = "127.0.0.1"
    request_id: str = field(default_factory=lambda: secrets.token_hex(8).upper())
    host_id: str = field(default_factory=lambda: secrets.token_urlsafe(48))


requester: ContextVar[Requester | None] = ContextVar("requester", default=None)


@dataclass(frozen=True)
class Delivery:
    """One event for one destination."""

    kind: Kind
    arn: str
    bucket_arn: str
    account_id: str
    body: str

    def to_bytes(self) -> bytes:
        """Encode for the index."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, state: bytes) -> Delivery:
        """Decode from the index."""
        fields = json.loads(state)
        return cls(**{**fields, "kind": Kind(fields["kind"])})

    def deliver(self) -> None:
        """Hand the event to its destination, durably. If that is impossible, log why: as on AWS, nobody is notified.

        Raises:
            Exception: something else went wrong, such as a full disk; the event is kept.
        """
        region, name = self.arn.split(":")[3], self.arn.split(":")[5]
        if self.kind is Kind.FUNCTION:
            functions = context.current().ports.functions
            if not functions.exists(self.account_id, self.arn):
                log.warning("An event of %s is lost: the function %s is gone", self.bucket_arn, self.arn)
            elif not _lets_s3("lambda:InvokeFunction", self.arn, self.account_id, self.bucket_arn):
                log.warning("An event of %s is lost: %s does not let S3 invoke it", self.bucket_arn, self.arn)
            else:
                functions.invoke_async(self.arn, self.body.encode())
        elif self.kind is Kind.QUEUE:
            if problem := _problem_of_queue(self.account_id, self.arn, self.bucket_arn):
                log.warning("An event of %s is lost: %s: %s", self.bucket_arn, self.arn, problem)
                return
            with contextlib.suppress(QueueDoesNotExist):
                sqs_backends[self.account_id][region].send_message(queue_name=name, message_body=self.body)
                context.current().state.save("sqs")
        elif problem := _problem_of_topic(self.account_id, self.arn, self.bucket_arn):
            log.warning("An event of %s is lost: %s: %s", self.bucket_arn, self.arn, problem)
        else:
            sns_backends[self.account_id][region].publish(
                arn=self.arn, message=self.body, subject="Amazon S3 Notification"
            )
            context.current().state.save("sns")
            context.current().state.save("sqs")  # the topic's queues have it by now


class UnableToValidateDestinations(S3ClientError):
    """A destination is missing, or does not let S3 in."""

    def __init__(self, refused: list[tuple[str, str]]) -> None:
        super().__init__("InvalidArgument", "Unable to validate the following destination configurations")
        self.refused = refused


class AmbiguousConfiguration(S3ClientError):
    """Two configurations would notify of the same object."""

    def __init__(self) -> None:
        super().__init__(
            "InvalidArgument",
            "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are"
            " overlapping for the same event type.",
        )


class EventBridgeNotSupported(S3ClientError):
    """The embedded AWS has no EventBridge to send the events to."""

    def __init__(self) -> None:
        super().__init__(
            "NotImplemented",
            "The embedded AWS does not support EventBridgeConfiguration of PutBucketNotificationConfiguration.",
        )


def configure(bucket: StoredBucket, wanted: dict[str, Any] | None, *, validate: bool = True) -> list[Delivery]:
    """Set the notifications of `bucket`. Return the test events to deliver.

    Raises:
        S3ClientError: an event's name is unknown, two configurations overlap, or a destination is in another
            region, missing, or (unless `validate` is off) does not let S3 in. Then nothing is changed.
    """
    if not wanted:
        bucket.notifications = None
        return []
    if wanted.get("EventBridgeConfiguration") is not None:
        raise EventBridgeNotSupported()
    configuration = NotificationConfiguration(
        topic=wanted.get("TopicConfiguration"),
        queue=wanted.get("QueueConfiguration"),
        cloud_function=wanted.get("CloudFunctionConfiguration"),
    )
    each = [(kind, notification) for kind in Kind for notification in getattr(configuration, kind)]
    if any(notification.arn.split(":")[3] != bucket.region_name for _, notification in each):
        raise InvalidNotificationDestination()
    if any(_overlap(one, other) for (_, one), (_, other) in combinations(each, 2)):
        raise AmbiguousConfiguration()
    if validate:
        problems = ((notification.arn, _problem(bucket, kind, notification.arn)) for kind, notification in each)
        refused = [(arn, problem) for arn, problem in problems if problem]
        if refused:
            raise UnableToValidateDestinations(refused)
    bucket.notifications = configuration
    test = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": iso_8601_datetime_with_milliseconds(),
        "Bucket": bucket.name,
        "RequestId": (requester.get() or Requester()).request_id,
        "HostId": (requester.get() or Requester()).host_id,
    }
    # A function is not sent a test event.
    destinations = {(kind, notification.arn) for kind, notification in each if kind is not Kind.FUNCTION}
    return [Delivery(kind, arn, bucket.arn, bucket.account_id, json.dumps(test)) for kind, arn in sorted(destinations)]


def deliveries(
    bucket: StoredBucket,
    event: str,
    key: str,
    *,
    size: int | None = None,
    etag: str | None = None,
    version_id: str | None = None,
    sequence: int | None = None,
) -> Iterator[Delivery]:
    """Yield the deliveries for `event` ("s3:ObjectCreated:Put") of `key`. `sequence` is a number from `sequencer`."""
    if bucket.notifications is None:
        return
    for kind in Kind:
        for notification in getattr(bucket.notifications, kind):
            if _matches(notification, event, key):
                details = {"size": size, "eTag": etag, "versionId": version_id}
                record = _record(bucket, event, notification.id, key, details, sequence or sequencer.next())
                body = json.dumps({"Records": [record]})
                yield Delivery(kind, notification.arn, bucket.arn, bucket.account_id, body)


def _record(
    bucket: StoredBucket,
    event: str,
    configuration_id: str,
    key: str,
    details: dict[str, Any],
    sequence: int,
) -> dict[str, Any]:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    cause = requester.get() or Requester()
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region_name,
        "eventTime": iso_8601_datetime_with_milliseconds(),
        "eventName": event.removeprefix("s3:"),
        "userIdentity": {"principalId": cause.principal_id},
        "requestParameters": {"sourceIPAddress": cause.source_ip},
        "responseElements": {"x-amz-request-id": cause.request_id, "x-amz-id-2": cause.host_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {"name": bucket.name, "ownerIdentity": {"principalId": OWNER}, "arn": bucket.arn},
            "object": {
                # As in S3, a space becomes "+", and "/" stays.
                "key": urllib.parse.quote_plus(key, safe="/"),
                **{name: value for name, value in details.items() if value is not None},
                "sequencer": f"{sequence:018X}",
            },
        },
    }


class Sequencer:
    """Numbers events: a later event of a key has a higher number, even after a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last = 0

    def start_after(self, last: int) -> None:
        """Give only numbers above `last` from now on, even if the clock was set back."""
        with self._lock:
            self.last = max(self.last, last)

    def next(self) -> int:
        """The next number."""
        with self._lock:
            self.last = max(self.last + 1, time.time_ns())
            return self.last


sequencer = Sequencer()


def _filter(notification: Notification, name: str) -> str:
    rules = notification.filters.get("S3Key", {}).get("FilterRule", [])
    return next((str(rule["Value"]) for rule in rules if rule["Name"].lower() == name), "")


def _matches(notification: Notification, event: str, key: str) -> bool:
    wildcard = event.rpartition(":")[0] + ":*"
    return (
        (event in notification.events or wildcard in notification.events)
        and key.startswith(_filter(notification, "prefix"))
        and key.endswith(_filter(notification, "suffix"))
    )


def _overlap(one: Notification, other: Notification) -> bool:
    """Whether one key and one event could match both."""
    prefixes = sorted((_filter(one, "prefix"), _filter(other, "prefix")), key=len)
    suffixes = sorted((_filter(one, "suffix"), _filter(other, "suffix")), key=len)
    return (
        any(_same_event(first, second) for first in one.events for second in other.events)
        and prefixes[1].startswith(prefixes[0])
        and suffixes[1].endswith(suffixes[0])
    )


def _same_event(one: str, other: str) -> bool:
    if one.endswith(":*") or other.endswith(":*"):
        return one.rpartition(":")[0].startswith(other.removesuffix(":*")) or other.rpartition(":")[0].startswith(
            one.removesuffix(":*")
        )
    return one == other


def _problem(bucket: StoredBucket, kind: Kind, arn: str) -> str | None:
    """Why S3 could not send to `arn`; None if it could."""
    if kind is Kind.FUNCTION:
        allowed = _lets_s3("lambda:InvokeFunction", arn, bucket.account_id, bucket.arn)
        # AWS's message for a missing function is the same: it does not reveal which functions exist.
        return None if allowed else f"Not authorized to invoke function [{arn}]"
    if kind is Kind.QUEUE:
        return _problem_of_queue(bucket.account_id, arn, bucket.arn)
    return _problem_of_topic(bucket.account_id, arn, bucket.arn)


def _problem_of_topic(account_id: str, arn: str, bucket_arn: str) -> str | None:
    if arn not in sns_backends[account_id][arn.split(":")[3]].topics:
        return "The destination topic does not exist"
    if arn.endswith(".fifo"):
        return "S3 does not send to FIFO topics"
    if _lets_s3("sns:Publish", arn, account_id, bucket_arn):
        return None
    return "Permissions on the destination topic do not allow S3 to publish notifications from this bucket"


def _problem_of_queue(account_id: str, arn: str, bucket_arn: str) -> str | None:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    region, name = arn.split(":")[3], arn.split(":")[5]
    if name not in sqs_backends[account_id][region].queues:
        return "The destination queue does not exist"
    if name.endswith(".fifo"):
        return "S3 does not send to FIFO queues"
    if _lets_s3("sqs:SendMessage", arn, account_id, bucket_arn):
        return None
    return "Permissions on the destination queue do not allow S3 to publish notifications"


def _lets_s3(action: str, arn: str, account_id: str, bucket_arn: str) -> bool:
    """Whether the policy of a function, queue or topic lets S3 send events of the bucket."""
    return allows("s3.amazonaws.com", action, arn, account_id, bucket_arn)
