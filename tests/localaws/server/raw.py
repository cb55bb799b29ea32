"""Requests as WSGI environs, in the form in which the HTTP server passes them on, without a server."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pytest

from localaws.core.errors import UnsupportedOperation
from localaws.iam.refusals import Refused
from localaws.server.envelope import Envelope
from localaws.server.reading import Reading, read


def environ(
    method: str,
    target: str,
    headers: Mapping[str, str] | list[tuple[str, str]] = {},  # noqa: B006
    body: bytes = b"",
) -> dict[str, Any]:
    """Return the environ of a request to localhost."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else headers
    if "host" not in {name.lower() for name, _ in pairs}:
        pairs = [("Host", "localhost"), *pairs]
    path, _, query = target.partition("?")
    return {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "RAW_URI": target,
        "localaws.headers": pairs, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)),
    }  # fmt: skip


def envelope(
    method: str,
    target: str,
    headers: Mapping[str, str] | list[tuple[str, str]] = {},  # noqa: B006
    body: bytes = b"",
) -> Envelope:
    """Return a request to localhost as an Envelope."""
    return Envelope.of(environ(method, target, headers, body))


def asked(method: str, target: str, service: str, body: bytes = b"", **headers: str) -> Reading:
    """Return the Reading of a request that is signed for `service`."""
    scope = f"AKIA/20260101/us-east-1/{service}/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"
    given = {"Authorization": signed, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return read(environ(method, target, given, body))


def refused(call: Any, *arguments: Any, **more: Any) -> str:
    """Return the code and the message with which a call is refused."""
    with pytest.raises((Refused, UnsupportedOperation)) as caught:
        call(*arguments, **more)
    error = caught.value
    if isinstance(error, UnsupportedOperation):
        return f"unsupported: {error}"
    assert error.status == (403 if error.code == "MissingAuthenticationToken" else 400)
    return f"{error.code}: {error}"
