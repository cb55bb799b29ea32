"""Requests as an attacker writes them: signed with any key, with any content, also changed after signing."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FORM = "application/x-www-form-urlencoded"
JSON = "application/x-amz-json-1.1"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@dataclass
class Wire:
    """One signer's way to an endpoint."""

    endpoint: str
    key: dict[str, str] = field(default_factory=dict)
    """aws_access_key_id, aws_secret_access_key and, for a session, aws_session_token; empty signs nothing."""

    def send(
        self,
        method: str,
        target: str,
        *,
        service: str = "s3",
        region: str = "us-east-1",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        after: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request whose signature is right. `after` are headers that are added, or changed, after signing."""
        parts = urllib.parse.urlsplit(self.endpoint)
        given = {"Host": parts.netloc, **(headers or {})}
        if self.key:
            # By the header Host; some releases of Python refuse a name before an IPv6 address in a URL.
            signed = AWSRequest(method, f"{self.endpoint}{target}", data=body, headers=given)
            credentials = Credentials(
                self.key["aws_access_key_id"], self.key["aws_secret_access_key"], self.key.get("aws_session_token")
            )
            (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, region).add_auth(signed)
            given = dict(signed.headers.items())
        return self.raw(method, target, {**given, **(after or {})}, body)

    def raw(
        self, method: str, target: str, headers: dict[str, str] | list[tuple[str, str]], body: bytes = b""
    ) -> Answer:
        """Send exactly this."""
        parts = urllib.parse.urlsplit(self.endpoint)
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        pairs = list(headers.items()) if isinstance(headers, dict) else headers
        names = {name.lower() for name, _ in pairs}
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in pairs:
                connection.putheader(name, value)
            if not names & {"content-length", "transfer-encoding"}:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def json(self, service: str, target: str, given: Any, path: str = "/", **more: Any) -> Answer:
        """A call of a service that speaks JSON."""
        body = given if isinstance(given, bytes) else json.dumps(given).encode()
        headers = {"X-Amz-Target": target, "Content-Type": JSON, **more.pop("headers", {})}
        return self.send("POST", path, service=service, headers=headers, body=body, **more)

    def form(self, service: str, given: dict[str, str] | list[tuple[str, str]], path: str = "/", **more: Any) -> Answer:
        """A call of a service that speaks the query protocol."""
        headers = {"Content-Type": FORM, **more.pop("headers", {})}
        body = urllib.parse.urlencode(given).encode()
        return self.send("POST", path, service=service, headers=headers, body=body, **more)
