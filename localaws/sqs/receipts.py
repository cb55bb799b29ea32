"""Receipt handles. A handle names a queue, a message, and one receive of it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass


class InvalidHandle(ValueError):
    """The handle is not one that SQS gave out for that queue."""


@dataclass(frozen=True)
class Receipt:
    """One receive of a message. `number` is the message's row; `secret` changes with each receive."""

    secret: str
    queue: str  # ARN
    number: int

    @property
    def handle(self) -> str:
        """The receipt handle that the receiver gets."""
        return base64.b64encode(f"{self.secret} {self.queue} {self.number}".encode()).decode()

    @classmethod
    def of(cls, handle: str, queue: str) -> Receipt:
        """Decode `handle`.

        Raises:
            InvalidHandle: it is not a handle, or it is another queue's.
        """
        try:
            secret, arn, number = base64.b64decode(handle, validate=True).decode().split(" ")
            receipt = cls(secret, arn, int(number))
        except (binascii.Error, ValueError) as error:
            raise InvalidHandle(handle) from error
        if receipt.queue != queue:
            raise InvalidHandle(handle)
        return receipt
