"""Bodies of requests: check that they are what was signed, and prepare them for moto."""

from __future__ import annotations

import hashlib
import io
import re
from typing import Any

from localaws.core.call import DOCUMENT, S3Call
from localaws.iam.gate import Gate
from localaws.iam.principals import Principal
from localaws.iam.refusals import Refused, bad_signature
from localaws.s3 import documents, requests
from localaws.server import chunks
from localaws.server.claims import claim_of
from localaws.server.envelope import Envelope, Environ, body_of
from localaws.server.reading import Reading
from localaws.server.signatures import UNSIGNED, same
from localaws.server.signatures import verify as verify_signature

_HASH = "x-amz-content-sha256"
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_STORE_BODIES = frozenset({"PutObject", "UploadPart", "PostObject"})
"""Operations of S3 whose body is an object, not an XML document."""
_READ_WHOLE = 1 << 20
"""In bytes. A longer body is hashed while it is read, not before."""


def verify(reading: Reading, secret: str) -> None:
    """Verify the request's signature. `checked` then verifies the body.

    Raises:
        Refused: the signature is wrong.
    """
    claim = reading.claim
    assert claim is not None
    if reading.form is not None:
        reading.form.verify(claim, secret)
        return
    verify_signature(claim, secret, reading.envelope, _payload(reading))


def checked(reading: Reading, secret: str | None) -> Environ:
    """Return the request for moto, with a body that is what was signed.

    Args:
        reading: the request.
        secret: its signer's secret; None if signatures are not verified.

    Raises:
        Refused: the body is not what was signed, or it is truncated.
    """
    if reading.form is not None and reading.claim is not None:
        assert isinstance(reading.call, S3Call)
        reading.form.check_policy(reading.call.bucket)
    announced = reading.envelope.headers.get(_HASH, "")
    encodings = [each.strip() for each in reading.envelope.headers.get("content-encoding", "").split(",")]
    if reading.call.service == "s3" and (announced.startswith("STREAMING-") or "aws-chunked" in encodings):
        _unchunk(reading, announced, encodings, secret)
    environ = reading.environ()
    if reading.call.service == "s3" and reading.body is None and secret is not None and _SHA256.fullmatch(announced):
        _expect(environ, announced.lower())
    if isinstance(reading.call, S3Call) and reading.call.operation not in _STORE_BODIES:
        # For DeleteObjects, check the signed body: moto's was rewritten when the request was parsed.
        came = reading.envelope.body() if reading.call.operation == "DeleteObjects" else body_of(environ)
        requests.check_body(reading.call, came)
        if documents.takes_one(reading.call.operation):
            _read_document(reading.call.operation, environ)
    return environ


def _read_document(operation: str, environ: Environ) -> None:
    """Parse the document. Give it to moto as XML, and to others as values, under DOCUMENT."""
    document = documents.read(operation, body_of(environ))
    environ[DOCUMENT] = document.members
    environ["wsgi.input"] = io.BytesIO(document.body)
    environ["CONTENT_LENGTH"] = str(len(document.body))
    environ.pop("wsgi.input_terminated", None)


def asker(envelope: Envelope, gate: Gate, *, verified: bool) -> tuple[Principal | None, str | None]:
    """Return who signed a request in the way of S3's requests, and their key; None if that can't be verified.

    Raises:
        Refused: the request has several signatures, or a malformed one.
    """
    claim = claim_of(envelope)
    if claim is None:
        return gate.principal(None, None, "s3"), None
    try:
        if verified:
            secret = gate.secret_of(claim.access_key_id, claim.token, "s3")
            announced = envelope.headers.get(_HASH, "")
            if announced not in (UNSIGNED, hashlib.sha256(envelope.body()).hexdigest()):
                return None, None
            verify_signature(claim, secret, envelope, announced)
        return gate.principal(claim.access_key_id, claim.token, "s3"), claim.access_key_id
    except Refused:
        return None, None


def _payload(reading: Reading) -> str:
    """Return what the signature has in place of the body."""
    claim, announced = reading.claim, reading.envelope.headers.get(_HASH)
    assert claim is not None
    if reading.call.service == "s3":
        if claim.way.startswith("query"):
            return announced if announced and _HASH in claim.signed_headers else UNSIGNED
        if claim.way == "header-2":
            return ""
        if announced is None:
            raise Refused(400, "InvalidRequest", f"Missing required header for this request: {_HASH}")
        if announced not in (UNSIGNED, *chunks.STREAMING) and not _SHA256.fullmatch(announced):
            raise Refused(
                400,
                "InvalidArgument",
                f"{_HASH} must be {UNSIGNED}, {', '.join(sorted(chunks.STREAMING))}, or a valid sha256 value.",
            )
        return announced
    actual = hashlib.sha256(reading.envelope.body()).hexdigest()
    if announced is not None and announced != actual:
        raise bad_signature(reading.call.service)
    return actual


def _unchunk(reading: Reading, kind: str, encodings: list[str], secret: str | None) -> None:
    if kind not in chunks.STREAMING:
        raise Refused(
            400, "InvalidArgument", f"With Content-Encoding aws-chunked, {_HASH} must say how the chunks are signed."
        )
    length = reading.envelope.headers.get("x-amz-decoded-content-length", "")
    if not re.fullmatch(r"\d{1,15}", length):
        raise Refused(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    named = reading.envelope.headers.get("x-amz-trailer", "")
    announced = frozenset(name.strip().lower() for name in named.split(",") if name.strip())
    signer = chunks.Signer(reading.claim, secret) if reading.claim is not None and secret is not None else None
    plain = chunks.unchunked(reading.envelope.body(), kind, int(length), announced, signer)
    reading.body = plain.content
    left = [each for each in encodings if each and each != "aws-chunked"]
    reading.headers = {name: value for name, value in reading.headers.items() if name != "content-encoding"}
    reading.headers |= plain.trailer
    if left:
        reading.headers["content-encoding"] = ",".join(left)


def _expect(environ: Environ, digest: str) -> None:
    """Refuse the body if it has another hash: immediately or, if it is long, when its last byte is read."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    stream = environ["wsgi.input"]
    if length > _READ_WHOLE and not isinstance(stream, io.BytesIO):
        environ["wsgi.input"] = _Hashed(stream, length, digest)
        return
    _compare(hashlib.sha256(body_of(environ)).hexdigest(), digest)


class _Hashed:
    """A body that is hashed while it is read."""

    def __init__(self, stream: Any, length: int, digest: str) -> None:
        self._stream = stream
        self._left = length
        self._digest = digest
        self._hash = hashlib.sha256()

    def read(self, size: int | None = -1) -> bytes:
        return self._took(self._stream.read(size))

    def readline(self, size: int | None = -1) -> bytes:
        return self._took(self._stream.readline(size))

    def readinto(self, buffer: Any) -> int:
        count: int = self._stream.readinto(buffer)
        self._took(bytes(memoryview(buffer)[:count]))
        return count

    def _took(self, data: bytes) -> bytes:
        self._hash.update(data)
        self._left -= len(data)
        if self._left <= 0:
            _compare(self._hash.hexdigest(), self._digest)
        return data


def _compare(actual: str, announced: str) -> None:
    if not same(actual, announced):
        raise Refused(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
