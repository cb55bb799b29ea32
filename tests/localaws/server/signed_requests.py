"""Requests that are signed by hand, so that a test can change what was signed, when, and in which chunks."""

from __future__ import annotations

import base64
import hashlib
import urllib.parse
from datetime import UTC, datetime
from typing import Any

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localaws.server.chunks import Signer
from localaws.server.claims import Claim
from tests.localaws.server.wire import Answer, Wire


def sign(
    wire: Wire, method: str, target: str, body: bytes, service: str = "s3", headers: dict[str, str] | None = None
) -> dict[str, str]:
    """Sign a request as botocore does, and return its headers."""
    request = AWSRequest(method, f"{wire.endpoint}{target}", data=body, headers=headers or {})
    credentials = Credentials(wire.key["aws_access_key_id"], wire.key["aws_secret_access_key"])
    (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, "us-east-1").add_auth(request)
    return dict(request.headers.items())


class _Announced(SigV4Auth):  # type: ignore[misc]
    """Signs with the x-amz-content-sha256 and the time that the request has already."""

    moment = ""

    def add_auth(self, request: Any) -> None:
        request.context["timestamp"] = self.moment
        request.headers["X-Amz-Date"] = self.moment
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))

    def _normalize_url_path(self, path: str) -> str:
        return path


def headers_of(
    wire: Wire, method: str, target: str, headers: dict[str, str], moment: str = "", service: str = "s3"
) -> dict[str, str]:
    """Sign a request with these headers at `moment` ("20260102T003000Z"; now by default), and return all headers."""
    request = AWSRequest(method, f"{wire.endpoint}{target}", headers=headers)
    signer = _Announced(
        Credentials(wire.key["aws_access_key_id"], wire.key["aws_secret_access_key"]), service, "us-east-1"
    )
    signer.moment = moment or f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    signer.add_auth(request)
    return {"Host": urllib.parse.urlsplit(wire.endpoint).netloc, **dict(request.headers.items())}


def ask_at(wire: Wire, moment: datetime, service: str) -> Answer:
    """Send a request to `service` that was signed at `moment`."""
    stamp = f"{moment:%Y%m%dT%H%M%SZ}"
    if service == "s3":
        given = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
        return wire.raw("GET", "/", headers_of(wire, "GET", "/", given, stamp))
    body = b"{}" if service == "glue" else b"Action=ListRoles&Version=2010-05-08"
    kind = {"X-Amz-Target": "AWSGlue.GetDatabases", "Content-Type": "application/x-amz-json-1.1"}
    given = kind if service == "glue" else {"Content-Type": "application/x-www-form-urlencoded"}
    given = {**given, "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
    return wire.raw("POST", "/", headers_of(wire, "POST", "/", given, stamp, service), body)


def put_chunked(wire: Wire, bucket: str, content: bytes, *, trailer: bool, broken: str = "") -> Answer:
    """PUT `content` in signed chunks. `broken` names what is wrong with them."""
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    headers = {
        "x-amz-content-sha256": kind, "Content-Encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(len(content) + (broken == "length")),
    }  # fmt: skip
    if trailer:
        headers["x-amz-trailer"] = "x-amz-checksum-sha256"
    moment = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    given = headers_of(wire, "PUT", f"/{bucket}/chunked", headers, moment)
    signature = given["Authorization"].rpartition("Signature=")[2]
    claim = Claim(
        "header", wire.key["aws_access_key_id"], signature, date=moment[:8], region="us-east-1", timestamp=moment
    )
    signer, body = Signer(claim, wire.key["aws_secret_access_key"]), b""
    for place in range(0, len(content) + 65536, 65536):
        part = content[place : place + 65536]
        signature = signer.follow(signature, part)
        shown = "0" * 64 if broken == "signature" else signature
        sent = part.swapcase() if broken == "content" else part
        size = len(part) + 1 if broken == "size" and part else len(part)
        body += f"{size:x};chunk-signature={shown}\r\n".encode() + sent + (b"\r\n" if part else b"")
        if not part:
            break
    if trailer:
        line = f"x-amz-checksum-sha256:{base64.b64encode(hashlib.sha256(content).digest()).decode()}"
        behind = signer.of_trailer(signature, f"{line}\n".encode())
        body += f"{line}\r\nx-amz-trailer-signature:{behind}\r\n".encode()
    body += b"\r\n"
    if broken == "cut":
        body = body[: len(body) // 2]
    if broken == "missing":
        body = body[: body.rindex(b"0;chunk")]
    return wire.raw("PUT", f"/{bucket}/chunked", given, body)
