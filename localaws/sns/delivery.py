"""How a message reaches a topic's queues and functions.

Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html. The embedded AWS cannot sign messages, so none is signed.
"""

from __future__ import annotations

import base64
import json
import logging
from dataclasses import dataclass
from typing import Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.sns.models import Subscription
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends

from localaws.core import context
from localaws.iam.service_principals import lets_in
from localaws.sns.attributes import dead_letter_queue

log = logging.getLogger(__name__)

_PRINCIPAL = "sns.amazonaws.com"
_MOST_RAW_ATTRIBUTES = 10


class Undeliverable(Exception):
    """The endpoint is gone, or doesn't let the topic in."""


@dataclass(frozen=True)
class Notification:
    """A message of a topic, as it was published."""

    id: str
    topic_arn: str
    message: str
    subject: str | None
    attributes: dict[str, dict[str, Any]]
    """Type and Value by name. A binary value is in base64."""
    structured: bool
    """Whether the message is JSON with a text for each protocol."""

    def text(self, protocol: str) -> str:
        """Return the text for subscribers of `protocol`."""
        if not self.structured:
            return self.message
        texts = json.loads(self.message)
        return str(texts.get(protocol, texts["default"]))

    def envelope(self, protocol: str) -> dict[str, Any]:
        """Return the message for subscribers without raw message delivery."""
        return {
            "Type": "Notification",
            "MessageId": self.id,
            "TopicArn": self.topic_arn,
            **({"Subject": self.subject} if self.subject else {}),
            "Message": self.text(protocol),
            "Timestamp": iso_8601_datetime_with_milliseconds(),
            **({"MessageAttributes": self.attributes} if self.attributes else {}),
        }


def deliver(subscription: Subscription, notification: Notification) -> None:
    """Hand a message to a subscriber. On failure, only log it, and send it to the dead-letter queue, if any."""
    matcher = subscription._filter_policy_matcher
    if matcher is not None and not matcher.matches(notification.attributes, notification.message):
        return
    try:
        if subscription.protocol == "sqs":
            _to_queue(subscription, notification)
        else:
            _to_function(subscription, notification)
    except Undeliverable as error:
        log.warning("A message of %s could not be delivered: %s", notification.topic_arn, error)
        _redrive(subscription, notification, str(error))


def _to_queue(subscription: Subscription, notification: Notification) -> None:
    if subscription.attributes.get("RawMessageDelivery"):
        if len(notification.attributes) > _MOST_RAW_ATTRIBUTES:
            raise Undeliverable(f"a raw message can have at most {_MOST_RAW_ATTRIBUTES} attributes")
        attributes = {name: _as_sqs(value) for name, value in notification.attributes.items()}
        _send(subscription.endpoint, notification, notification.text("sqs"), attributes)
    else:
        _send(subscription.endpoint, notification, json.dumps(notification.envelope("sqs")), {})


def _to_function(subscription: Subscription, notification: Notification) -> None:
    arn, account_id = subscription.endpoint, subscription.account_id
    functions = context.current().ports.functions
    if not functions.exists(account_id, arn):
        raise Undeliverable(f"{arn} is gone")
    if not lets_in(_PRINCIPAL, "lambda:InvokeFunction", arn, account_id, notification.topic_arn):
        raise Undeliverable(f"{arn} does not let SNS invoke it")
    told = {"Subject": None, "MessageAttributes": {}, **notification.envelope("lambda")}
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": told,
    }
    functions.invoke_async(arn, json.dumps({"Records": [record]}).encode())


def _redrive(subscription: Subscription, notification: Notification, reason: str) -> None:
    if (arn := dead_letter_queue(subscription.attributes)) is None:
        return
    raw = subscription.protocol == "sqs" and subscription.attributes.get("RawMessageDelivery")
    protocol = subscription.protocol
    body = notification.text(protocol) if raw else json.dumps(notification.envelope(protocol))
    try:
        _send(arn, notification, body, {"ErrorMessage": {"DataType": "String", "StringValue": reason}})
    except Undeliverable as error:
        log.warning("Its dead-letter queue could not be reached either: %s", error)


def _send(arn: str, notification: Notification, body: str, attributes: dict[str, Any]) -> None:
    region, account_id, name = arn.split(":")[3:6]
    if not lets_in(_PRINCIPAL, "sqs:SendMessage", arn, account_id, notification.topic_arn):
        raise Undeliverable(f"{arn} is gone, or does not let SNS send to it")
    try:
        sqs_backends[account_id][region].send_message(name, body, message_attributes=attributes)
    except QueueDoesNotExist:
        raise Undeliverable(f"{arn} is gone") from None


def _as_sqs(attribute: dict[str, Any]) -> dict[str, Any]:
    kind, value = attribute["Type"], attribute["Value"]
    if kind.startswith("Binary"):
        return {"DataType": kind, "BinaryValue": base64.b64decode(value)}
    # SQS doesn't know SNS's lists.
    return {"DataType": "String" if kind == "String.Array" else kind, "StringValue": str(value)}
