"""A request, as it was read once (server/reading.py); IAM, the refusals, the saving and the service all use that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REGION = "us-east-1"
DOCUMENT = "localaws.document"
"""Where the environ of a request to S3 has what is in its document, by the names of AWS's model."""
ASKER = "localaws.asker"
"""Where a request's environ has the ARN of who signed it."""
DENIED = "localaws.denied"
"""Where the environ of DeleteObjects has the objects that its signer may not delete, and why."""


@dataclass(frozen=True)
class Call:
    """A call of an API.

    `service` is the name that requests to it are signed for, `operation` AWS's own name of the operation. `parameters`
    are those of the operation's model, by their names: parsed JSON, or flat strings (`Tags.member.1.Key`) where the
    service speaks the query protocol.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    region: str = REGION
    account_id: str = ""
    reads: bool = False
    """Whether it changes nothing, as the tables of operations say (operations/vouching.py)."""

    def __str__(self) -> str:
        return f"{self.service}: {self.operation}"


@dataclass(frozen=True)
class S3Call(Call):
    """A call of S3. Its `parameters` are those of the query, by their names there."""

    method: str = "GET"
    bucket: str = ""
    key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By names in small letters."""
    source: S3Object | None = None
    """What a copy reads."""
    deleted: tuple[S3Object, ...] = ()
    """What DeleteObjects names."""


@dataclass(frozen=True)
class S3Object:
    """An object of S3, or one of its versions."""

    bucket: str
    key: str
    version: str | None = None
