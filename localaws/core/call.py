"""A parsed request. server/reading.py parses it once, for IAM, the refusals, the saving and the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REGION = "us-east-1"
DOCUMENT = "localaws.document"
"""Key in the environ of a request to S3: the content of its document, by the names of AWS's model."""
ASKER = "localaws.asker"
"""Key in the environ of a request: the ARN of its signer."""
DENIED = "localaws.denied"
"""Key in the environ of DeleteObjects: the objects that its signer may not delete, and why."""


@dataclass(frozen=True)
class Call:
    """A call of an API.

    `service` is the service's name in the signature's scope, `operation` AWS's own name of the operation. `parameters`
    have the names of the operation's model: parsed JSON, or flat strings (`Tags.member.1.Key`) if the service speaks
    the query protocol.
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
    """A call of S3. Its `parameters` are those of the query string, under their names there."""

    method: str = "GET"
    bucket: str = ""
    key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By name in lower case."""
    source: S3Object | None = None
    """The object that a copy reads."""
    deleted: tuple[S3Object, ...] = ()
    """The objects that DeleteObjects names."""


@dataclass(frozen=True)
class S3Object:
    """An object of S3, or a version of an object."""

    bucket: str
    key: str
    version: str | None = None
