"""Receipt handles: which receipt of which message of which queue."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass


class InvalidHandle(ValueError):
    """Not a handle that SQS gave out for that queue."""


@dataclass(frozen=True)
class Receipt:
    """One receipt of a message; `number` is its row, `secret` changes with each receipt."""

    secret: str
    queue: str  # ARN
    number: int

    @property
    def handle(self) -> str:
        """As receivers get it."""
        return base64.b64encode(f"{self.secret} {self.queue} {self.number}".encode()).decode()

    @classmethod
    def of(cls, handle: str, queue: str) -> Receipt:
        """The receipt that `handle` stands for.

        Raises:
            InvalidHandle: it is none, or one of another queue.
        """
        try:
            secret, arn, number = base64.b64decode(handle, validate=True).decode().split(" ")
            receipt = cls(secret, arn, int(number))
        except (binascii.Error, ValueError) as error:
            raise InvalidHandle(handle) from error
        if receipt.queue != queue:
            raise InvalidHandle(handle)
        return receipt
