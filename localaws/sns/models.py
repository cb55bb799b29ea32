"""moto's SNS, with topics that deliver to queues and functions, and refuse what they could not deliver."""

from __future__ import annotations

import json
import uuid
from typing import Any

from moto.core.exceptions import ServiceException
from moto.sns.exceptions import (
    BatchEntryIdsNotDistinct,
    SNSInvalidParameter,
    TooManyEntriesInBatchRequest,
)
from moto.sns.models import SNSBackend, Subscription, Topic
from moto.sns.utils import FilterPolicyMatcher

from localaws.core.errors import UnsupportedOperation
from localaws.sns.attributes import check_subscription_attribute, check_topic_attribute
from localaws.sns.delivery import Notification, deliver

_DELIVERED = ("lambda", "sqs")
_NOT_DELIVERED = ("application", "email", "email-json", "firehose", "http", "https", "sms")
MESSAGE_LIMIT = 262_144  # bytes, https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_SUBJECT = 100  # characters
_MOST_ENTRIES = 10


class LocalSNSBackend(SNSBackend):
    """This package's SNS backend."""

    def create_topic(
        self, name: str, attributes: dict[str, str] | None = None, tags: dict[str, str] | None = None
    ) -> Topic:
        """Create a topic, or return it if it exists with the same attributes and tags.

        Raises:
            UnsupportedOperation, SNSInvalidParameter: an attribute is not accepted.
        """
        for each, value in (attributes or {}).items():
            check_topic_attribute(each, value)
        wanted = {each: value for each, value in (attributes or {}).items() if each in ("DisplayName", "Policy")}
        known = self.topics.get(f"arn:aws:sns:{self.region_name}:{self.account_id}:{name}")
        if known is not None:
            if wanted.get("DisplayName", known.display_name) != known.display_name or (
                "Policy" in wanted and json.loads(wanted["Policy"]) != json.loads(known.policy)
            ):
                raise SNSInvalidParameter(
                    "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
                )
            if tags and tags != known._tags:
                raise SNSInvalidParameter("Invalid parameter: Tags Reason: Topic already exists with different tags")
            return known
        return super().create_topic(name, wanted, tags)

    def get_topic(self, arn: str) -> Topic:
        """Return the topic.

        Raises:
            SNSInvalidParameter: `arn` is not an ARN.
            TopicNotFound: there is no such topic.
        """
        elements = arn.count(":") + 1
        if elements < 6:
            raise SNSInvalidParameter(
                f"Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not {elements}"
            )
        return super().get_topic(arn)

    def set_topic_attribute(self, topic_arn: str, attribute_name: str, attribute_value: Any) -> None:
        """Change an attribute.

        Raises:
            UnsupportedOperation, SNSInvalidParameter: the attribute is not accepted.
        """
        self.get_topic(topic_arn)
        check_topic_attribute(attribute_name, attribute_value)
        super().set_topic_attribute(topic_arn, attribute_name, attribute_value or "")

    def subscribe(self, topic_arn: str, endpoint: str, protocol: str) -> Subscription:
        """Subscribe a queue or a function to a topic.

        Raises:
            SNSNotFoundError: there is no such topic.
            UnsupportedOperation: the endpoint is neither, so nothing would be delivered.
            SNSInvalidParameter: there is no such protocol, or the endpoint is not an ARN of its service.
        """
        self.get_topic(topic_arn)
        if protocol in _NOT_DELIVERED:
            raise UnsupportedOperation(f"Protocol {protocol} of Subscribe")
        if protocol not in _DELIVERED:
            raise SNSInvalidParameter(
                f"Invalid parameter: Amazon SNS does not support this protocol string: {protocol}"
            )
        if str(endpoint).split(":")[:3] != ["arn", "aws", protocol] or str(endpoint).count(":") < 5:
            raise SNSInvalidParameter(f"Invalid parameter: {protocol.upper()} endpoint ARN")
        return super().subscribe(topic_arn, endpoint, protocol)

    def set_subscription_attributes(self, arn: str, name: str, value: Any) -> None:
        """Change an attribute of a subscription.

        Raises:
            UnsupportedOperation, SNSInvalidParameter: the attribute is not accepted.
        """
        if arn in self.subscriptions:
            subscription = self.subscriptions[arn]
            check_subscription_attribute(name, value, subscription.protocol, self.account_id)
            policy: Any = subscription._filter_policy
            if name == "FilterPolicyScope" and policy:
                self._validate_filter_policy(policy, scope=value)
                subscription._filter_policy_matcher = FilterPolicyMatcher(policy, value)
        super().set_subscription_attributes(arn, name, value)

    def check_same(self, subscription: Subscription, attributes: dict[str, Any]) -> None:
        """Check that a subscription has these attributes.

        Raises:
            SNSInvalidParameter: it has others.
        """
        if any(subscription.attributes.get(name) != value for name, value in attributes.items()):
            raise SNSInvalidParameter(
                "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
            )

    def publish(
        self,
        message: str,
        arn: str | None,
        phone_number: str | None = None,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> str:
        """Hand a message to the subscribers of a topic. Return its id.

        Raises:
            TopicNotFound: there is no such topic.
            SNSInvalidParameter: the message is too long, or malformed.
        """
        topic = self.get_topic(str(arn))
        _check_message(message, subject, message_structure)
        notification = Notification(
            str(uuid.uuid4()), topic.arn, message, subject, message_attributes or {}, bool(message_structure)
        )
        for subscription in self._get_topic_subscriptions(topic):
            deliver(subscription, notification)
        return notification.id

    def publish_batch(
        self, topic_arn: str, publish_batch_request_entries: list[dict[str, Any]]
    ) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
        """Publish up to ten messages. The second list has the errors of those that were refused."""
        self.get_topic(topic_arn)
        ids = [each["Id"] for each in publish_batch_request_entries]
        if len(ids) > _MOST_ENTRIES:
            raise TooManyEntriesInBatchRequest
        if len(set(ids)) != len(ids):
            raise BatchEntryIdsNotDistinct
        done: list[dict[str, str]] = []
        failed: list[dict[str, Any]] = []
        for each in publish_batch_request_entries:
            try:
                published = self.publish(
                    each["Message"],
                    topic_arn,
                    subject=each.get("Subject"),
                    message_attributes=each.get("MessageAttributes"),
                    message_structure=each.get("MessageStructure"),
                )
            except ServiceException as error:
                failed.append({"Id": each["Id"], "Code": error.code, "Message": error.message, "SenderFault": True})
            else:
                done.append({"Id": each["Id"], "MessageId": published})
        return done, failed


def _check_message(message: str, subject: str | None, structure: str | None) -> None:
    if not message:
        raise SNSInvalidParameter("Invalid parameter: Empty message")
    if len(message.encode()) > MESSAGE_LIMIT:
        raise SNSInvalidParameter("Invalid parameter: Message too long")
    if subject is not None and not 0 < len(subject) <= _SUBJECT:
        raise SNSInvalidParameter("Invalid parameter: Subject")
    if structure is None:
        return
    if structure != "json":
        raise SNSInvalidParameter("Invalid parameter: MessageStructure")
    try:
        texts = json.loads(message)
    except ValueError:
        raise SNSInvalidParameter("Invalid parameter: Message Structure - JSON message body failed to parse") from None
    if not isinstance(texts, dict) or not isinstance(texts.get("default"), str):
        raise SNSInvalidParameter("Invalid parameter: Message Structure - No default entry in JSON message body")
