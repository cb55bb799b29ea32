"""SQS's errors that moto lacks or words differently."""

from __future__ import annotations

import json
from typing import Any

from moto.sqs.exceptions import InvalidParameterValue, SQSException


class BadReceiptHandle(SQSException):
    """The handle is not one of this queue's."""

    def __init__(self, handle: str) -> None:
        super().__init__(
            "ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.'
        )


class MessageNotAvailable(InvalidParameterValue):
    """The handle is an old one, or its message is deleted."""

    def __init__(self, handle: str) -> None:
        super().__init__(
            f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available"
            " for visibility timeout change."
        )


class MessageNotInflight(SQSException):
    """The message is visible again: its receiver has lost it."""

    def __init__(self) -> None:
        super().__init__("MessageNotInflight", "The specified message isn't in flight.")


class TotalVisibilityTooLong(InvalidParameterValue):
    """A message can be hidden for 12 hours from when it was received."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the"
            " message is beyond the limit [43200 seconds]."
        )


class BadRedrivePolicy(InvalidParameterValue):
    """The policy does not name a dead-letter queue or a count, or one of them is not valid."""

    def __init__(self, policy: Any, reason: str) -> None:
        shown = policy if isinstance(policy, str) else json.dumps(policy)
        super().__init__(f"Value {shown} for parameter RedrivePolicy is invalid. Reason: {reason}")


class ResourceNotFound(SQSException):
    """The queue or the task that a message move names does not exist."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFoundException", message)
