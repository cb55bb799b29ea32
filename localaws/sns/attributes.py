"""Attributes of topics and subscriptions: which have an effect, and which values are valid.

Sources: https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html and
https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.core.utils import camelcase_to_underscores
from moto.sns.exceptions import SNSInvalidParameter
from moto.sqs.models import sqs_backends

from localaws.core.errors import UnsupportedOperation
from localaws.iam.grammar import BadPolicy, check_resource_policy

_OF_TOPICS = ("DisplayName", "Policy")
# AWS acts on these, and this package doesn't. The values are the defaults.
_OF_TOPICS_REFUSED = {
    "ArchivePolicy": "", "ContentBasedDeduplication": "false", "DataProtectionPolicy": "", "DeliveryPolicy": "",
    "FifoThroughputScope": "", "FifoTopic": "false", "KmsMasterKeyId": "", "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
}  # fmt: skip
_FEEDBACK = re.compile(
    "(HTTP|Firehose|Lambda|Application|SQS)(Success|Failure)Feedback(RoleArn|SampleRate)", re.IGNORECASE
)
_OF_SUBSCRIPTIONS = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
_OF_SUBSCRIPTIONS_REFUSED = ("DeliveryPolicy", "ReplayPolicy", "SubscriptionRoleArn")
_SCOPES = ("MessageAttributes", "MessageBody")
_DISPLAY_NAME = 100  # characters


def check_topic_attribute(name: str, value: Any) -> None:
    """Check that an attribute of a topic has an effect. `name` may be written as in moto, with underscores.

    Raises:
        UnsupportedOperation: it has no effect here.
        SNSInvalidParameter: there is no such attribute, or the value is not valid for it.
    """
    text = str(value).lower() if isinstance(value, bool) else str(value or "")
    for each, unset in _OF_TOPICS_REFUSED.items():
        if name in (each, camelcase_to_underscores(each)):
            if text not in ("", unset):
                raise UnsupportedOperation(f"the attribute {each} of a topic")
            return
    if _FEEDBACK.fullmatch(name.replace("_", "")):
        raise UnsupportedOperation(f"the attribute {name} of a topic")
    if name not in (*_OF_TOPICS, *map(camelcase_to_underscores, _OF_TOPICS)):
        raise SNSInvalidParameter("Invalid parameter: AttributeName")
    if name in ("DisplayName", "display_name") and len(text) > _DISPLAY_NAME:
        raise SNSInvalidParameter("Invalid parameter: DisplayName Reason: Display name is too long")
    if name in ("Policy", "policy"):
        try:
            check_resource_policy(text)
        except BadPolicy as error:
            raise SNSInvalidParameter(f"Invalid parameter: Policy Error: {error}") from None


def check_subscription_attribute(name: str, value: Any, protocol: str, account_id: str) -> None:
    """Check that an attribute of a subscription has an effect.

    Raises:
        UnsupportedOperation: it has no effect here.
        SNSInvalidParameter: there is no such attribute, or the value is not valid for it.
    """
    if name in _OF_SUBSCRIPTIONS_REFUSED:
        if value:
            raise UnsupportedOperation(f"the attribute {name} of a subscription")
    elif name not in _OF_SUBSCRIPTIONS:
        raise SNSInvalidParameter("Invalid parameter: AttributeName")
    elif name == "RawMessageDelivery" and value and protocol != "sqs":
        raise SNSInvalidParameter(
            f"Invalid parameter: Attributes Reason: Delivery protocol [{protocol}] does not support raw message"
            " delivery."
        )
    elif name == "FilterPolicyScope" and value not in _SCOPES:
        raise SNSInvalidParameter(
            f"Invalid parameter: FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or"
            " MessageAttributes"
        )
    elif name == "FilterPolicy" and value and _json(value) is None:
        raise SNSInvalidParameter("Invalid parameter: FilterPolicy: failed to parse JSON.")
    elif name == "RedrivePolicy" and value:
        _check_redrive_policy(value, account_id)


def dead_letter_queue(attributes: dict[str, Any]) -> str | None:
    """Return the ARN of a subscription's dead-letter queue; None if it has none."""
    policy = _json(attributes.get("RedrivePolicy") or "{}") or {}
    return str(policy["deadLetterTargetArn"]) if "deadLetterTargetArn" in policy else None


def _check_redrive_policy(value: str, account_id: str) -> None:
    policy = _json(value)
    if policy is None:
        raise SNSInvalidParameter("Invalid parameter: RedrivePolicy: failed to parse JSON.")
    if set(policy) != {"deadLetterTargetArn"}:
        raise SNSInvalidParameter("Invalid parameter: RedrivePolicy: must have deadLetterTargetArn, and nothing else")
    arn = str(policy["deadLetterTargetArn"])
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sqs" or parts[4] != account_id:
        raise SNSInvalidParameter("Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn")
    if arn.endswith(".fifo") or parts[5] not in sqs_backends[account_id][parts[3]].queues:
        raise SNSInvalidParameter(
            "Invalid parameter: RedrivePolicy: deadLetterTargetArn must be a standard queue that exists"
        )


def _json(text: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return None
    return found if isinstance(found, dict) else None
