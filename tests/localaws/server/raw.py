"""Requests as the HTTP side hands them on: an environ of WSGI, without a server."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from localaws.server.envelope import Envelope


def environ(
    method: str,
    target: str,
    headers: Mapping[str, str] | list[tuple[str, str]] = {},  # noqa: B006
    body: bytes = b"",
) -> dict[str, Any]:
    """The environ of a request to localhost."""
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
    """A request to localhost, as it came over the wire."""
    return Envelope.of(environ(method, target, headers, body))
