"""Bodies in chunks, with a signature for each chunk or with trailing checksums (Content-Encoding: aws-chunked).

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from localaws.iam.refusals import Refused, bad_signature
from localaws.server.claims import Claim
from localaws.server.signatures import same, signature_of

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_WITH_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_WITH_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
STREAMING = frozenset({SIGNED, SIGNED_WITH_TRAILER, UNSIGNED_WITH_TRAILER})

_HEAD = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?")
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass
class Signer:
    """Computes the chain of signatures: each one covers the one before."""

    claim: Claim
    secret: str

    def follow(self, previous: str, content: bytes) -> str:
        """Return the signature of a chunk that comes after the signature `previous`."""
        return self._of("PAYLOAD", [previous, _EMPTY, hashlib.sha256(content).hexdigest()])

    def of_trailer(self, previous: str, trailer: bytes) -> str:
        """Return the signature of the headers after the last chunk."""
        return self._of("TRAILER", [previous, hashlib.sha256(trailer).hexdigest()])

    def _of(self, what: str, parts: list[str]) -> str:
        text = "\n".join([f"AWS4-HMAC-SHA256-{what}", self.claim.timestamp, self.claim.scope, *parts])
        return signature_of(text, self.claim, self.secret)


@dataclass
class Plain:
    """A decoded body, and the headers that came after it."""

    content: bytes
    trailer: dict[str, str] = field(default_factory=dict)


def unchunked(body: bytes, kind: str, length: int, announced: frozenset[str], signer: Signer | None) -> Plain:
    """Decode a body in chunks.

    Args:
        body: the body as it came.
        kind: the value of x-amz-content-sha256, one of STREAMING.
        length: the content's length, from x-amz-decoded-content-length.
        announced: the names of the trailer's headers, from x-amz-trailer.
        signer: computes the chunks' signatures; None if these are not verified.

    Raises:
        Refused: the body is malformed, or a signature is wrong.
    """
    parts: list[bytes] = []
    place, previous = 0, signer.claim.signature if signer else ""
    while True:
        head, place = _line(body, place)
        match = _HEAD.fullmatch(head)
        if match is None or (match[2] is None) == (kind in (SIGNED, SIGNED_WITH_TRAILER)):
            raise _incomplete()
        size = int(match[1], 16)
        content = body[place : place + size]
        if len(content) != size:
            raise _incomplete()
        place += size
        if match[2] is not None and signer is not None:
            expected = signer.follow(previous, content)
            if not same(expected, match[2].decode()):
                raise bad_signature("s3")
        previous = match[2].decode() if match[2] else previous
        if not size:
            break
        parts.append(content)
        if body[place : place + 2] != b"\r\n":
            raise _incomplete()
        place += 2
    plain = Plain(b"".join(parts))
    if len(plain.content) != length:
        raise _incomplete()
    if kind == SIGNED:
        if body[place:] not in (b"", b"\r\n"):
            raise _incomplete()
        return plain
    plain.trailer = _trailer(body[place:], announced, previous, signer if kind == SIGNED_WITH_TRAILER else None)
    return plain


def _trailer(text: bytes, announced: frozenset[str], previous: str, signer: Signer | None) -> dict[str, str]:
    found: dict[str, str] = {}
    signature = None
    for line in text.replace(b"\r\n", b"\n").split(b"\n"):
        if not line.strip():
            continue
        name, colon, value = line.decode("latin-1").partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon or name in found:
            raise _malformed_trailer()
        if name == "x-amz-trailer-signature":
            signature = value
        else:
            found[name] = value
    if set(found) != announced:
        raise _malformed_trailer()
    if signer is not None:
        canonical = "".join(f"{name}:{value}\n" for name, value in sorted(found.items())).encode()
        if signature is None or not same(signer.of_trailer(previous, canonical), signature):
            raise bad_signature("s3")
    return found


def _line(body: bytes, start: int) -> tuple[bytes, int]:
    end = body.find(b"\r\n", start, start + 200)
    if end < 0:
        raise _incomplete()
    return body[start:end], end + 2


def _incomplete() -> Refused:
    return Refused(400, "IncompleteBody", "The request body terminated unexpectedly")


def _malformed_trailer() -> Refused:
    return Refused(
        400,
        "MalformedTrailerError",
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    )
