"""What the engine knows about a function, and the result of an invocation."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class FunctionSpec:
    """Everything that a worker depends on: if one of these values changes, a new worker is needed."""

    account_id: str
    region: str
    name: str
    version: str
    runtime: str
    handler: str
    role: str
    timeout: int  # seconds
    memory: int  # MB
    code: str  # digest, see code.py
    layers: tuple[str, ...] = ()  # digests, in the function's order: later layers win
    environment: tuple[tuple[str, str], ...] = ()
    log_group: str = ""
    log_format: str = "Text"
    log_level: str | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Identifies the function's version, whatever its configuration."""
        return self.account_id, self.region, self.name, self.version


@dataclass(frozen=True)
class Invocation:
    """A request to run a function once."""

    payload: bytes
    function_arn: str
    client_context: str | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    trace_id: str = field(default_factory=lambda: f"Root=1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]}")


class Status(StrEnum):
    """How an invocation ended, in the words of the REPORT line."""

    SUCCESS = "success"
    ERROR = "error"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class Result:
    """The result of an invocation. `payload` is the function's answer, or the error as JSON."""

    request_id: str
    version: str
    status: Status
    payload: bytes
    log_tail: bytes = b""

    @property
    def failed(self) -> bool:
        return self.status is not Status.SUCCESS


def error_payload(error_type: str, message: str, **more: Any) -> bytes:
    """Return an error as Lambda writes it."""
    return json.dumps({"errorType": error_type, "errorMessage": message, **more}).encode()
