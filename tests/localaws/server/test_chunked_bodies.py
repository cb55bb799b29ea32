"""Chunked bodies: each chunk's signature and size and the trailing headers are verified, without a server."""

from __future__ import annotations

import hashlib

import pytest

from localaws.iam.refusals import Refused
from localaws.server.chunks import SIGNED, SIGNED_WITH_TRAILER, UNSIGNED_WITH_TRAILER, Plain, Signer, unchunked
from localaws.server.claims import Claim

CLAIM = Claim("header", "AKIA", "5eed", date="20260102", region="us-east-1", timestamp="20260102T000000Z")
SIGNER = Signer(CLAIM, "secret")
CRC = "x-amz-checksum-crc32"


def chunked(*parts: bytes, trailer: str = "", signer: Signer = SIGNER) -> bytes:
    """A body in signed chunks, the empty one at its end left out unless it is given."""
    body, signature = b"", signer.claim.signature
    for part in parts:
        signature = signer.follow(signature, part)
        body += f"{len(part):x};chunk-signature={signature}\r\n".encode() + part + (b"\r\n" if part else b"")
    if trailer:
        behind = signer.of_trailer(signature, f"{trailer}\n".encode())
        body += f"{trailer}\r\nx-amz-trailer-signature:{behind}\r\n".encode()
    return body + b"\r\n"


def plain(body: bytes, kind: str = SIGNED, length: int = 8, *announced: str, signer: Signer | None = SIGNER) -> Plain:
    return unchunked(body, kind, length, frozenset(announced), signer)


def code(body: bytes, kind: str = SIGNED, length: int = 8, *announced: str) -> str:
    """The code of what the body is refused with."""
    with pytest.raises(Refused) as refused:
        plain(body, kind, length, *announced)
    return refused.value.code


BODY = chunked(b"abcde", b"fgh", b"")


def test_the_content_of_signed_chunks_is_joined() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html"""
    assert plain(BODY) == Plain(b"abcdefgh", {})
    assert plain(BODY.removesuffix(b"\r\n")).content == b"abcdefgh"
    assert plain(chunked(b""), length=0).content == b""
    assert plain(chunked(b"x" * 0x1AB, b"").replace(b"1ab;", b"1AB;"), length=0x1AB).content == b"x" * 0x1AB


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace(b"abcde", b"abcdE"),
        BODY.replace(b"abcde", b"fgh\r\n"),
        chunked(b"abcde", b"fgh", b"", signer=Signer(CLAIM, "another")),
        # A chunk's signature is made over the one before: neither may be left out, nor come in another order.
        chunked(b"abcde", b"x", b"fgh", b"").replace(chunked(b"abcde", b"x")[len(chunked(b"abcde")) - 2 : -2], b""),
        BODY.replace(BODY[: len(chunked(b"abcde")) - 2], b""),
    ],
)
def test_a_chunk_with_a_wrong_signature_is_refused(body: bytes) -> None:
    assert code(body) == "SignatureDoesNotMatch"


def test_the_signature_of_the_last_chunk_is_verified_too() -> None:
    head, mark, tail = BODY.rpartition(b"0;chunk-signature=")
    assert code(head + mark + b"0" * 64 + tail[64:]) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        BODY[:20],
        BODY[: BODY.index(b"\r\n") + 4],
        BODY[: BODY.rindex(b"0;")],
        BODY.replace(b"5;", b"6;", 1),
        BODY.replace(b"5;", b"4;", 1),
        BODY.replace(b"5;", b"-5;", 1),
        BODY.replace(b"5;", b"x;", 1),
        BODY.replace(b"5;", b";", 1),
        BODY.replace(b"chunk-signature", b"signature"),
        BODY + b"more",
        BODY.replace(b"abcde\r\n", b"abcde\n\n"),
        b"5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n",
        b" " * 201 + BODY,
    ],
)
def test_a_body_with_malformed_chunks_is_incomplete(body: bytes) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    assert code(body) in ("IncompleteBody", "SignatureDoesNotMatch")
    with pytest.raises(Refused):
        plain(body, signer=None)


def test_the_content_has_to_have_the_announced_length() -> None:
    for length in (0, 7, 9):
        assert code(BODY, SIGNED, length) == "IncompleteBody"


def test_signatures_are_not_verified_if_verification_is_off() -> None:
    """The lab's setting verify_signatures."""
    other = chunked(b"abcdefgh", b"", trailer=f"{CRC}:AAAAAA==", signer=Signer(CLAIM, "another"))
    found = plain(other, SIGNED_WITH_TRAILER, 8, CRC, signer=None)
    assert found == Plain(b"abcdefgh", {CRC: "AAAAAA=="})


def test_signed_chunks_may_have_trailing_headers() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html"""
    body = chunked(b"abcdefgh", b"", trailer=f"{CRC}:AAAAAA==")
    assert plain(body, SIGNED_WITH_TRAILER, 8, CRC) == Plain(b"abcdefgh", {CRC: "AAAAAA=="})
    assert code(body.replace(b"AAAAAA==", b"BBBBBB=="), SIGNED_WITH_TRAILER, 8, CRC) == "SignatureDoesNotMatch"
    # AWS's page ends each trailing header with a newline before the line end, which makes a blank line.
    as_documented = body.replace(b"\r\nx-amz-trailer-signature", b"\n\r\nx-amz-trailer-signature")
    assert plain(as_documented, SIGNED_WITH_TRAILER, 8, CRC) == Plain(b"abcdefgh", {CRC: "AAAAAA=="})
    unsigned = body[: body.index(b"x-amz-trailer-signature")]
    assert code(unsigned, SIGNED_WITH_TRAILER, 8, CRC) == "SignatureDoesNotMatch"
    # Without a trailer there is nothing to be behind the chunks.
    assert code(body, SIGNED, 8, CRC) == "IncompleteBody"
    assert code(body, SIGNED_WITH_TRAILER, 8) == "MalformedTrailerError"


def test_the_trailer_signature_covers_its_headers_sorted_by_name() -> None:
    signature = SIGNER.follow(SIGNER.follow(CLAIM.signature, b"abcdefgh"), b"")
    behind = SIGNER.of_trailer(signature, b"x-a:1\nx-b:2\n")
    body = chunked(b"abcdefgh", b"")[:-2] + f"X-B: 2\r\nx-a:1 \r\nx-amz-trailer-signature:{behind}\r\n\r\n".encode()
    assert plain(body, SIGNED_WITH_TRAILER, 8, "x-a", "x-b").trailer == {"x-a": "1", "x-b": "2"}


UNSIGNED_BODY = b"8\r\nabcdefgh\r\n0\r\n"


@pytest.mark.parametrize(
    ("trailer", "announced", "expected"),
    [
        (b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n", [CRC], {CRC: "AAAAAA=="}),
        (b"x-amz-checksum-crc32:AAAAAA==\n\r\n\r\n\r\n", [CRC], {CRC: "AAAAAA=="}),
        (b"x-a:b:c\r\n\r\n", ["x-a"], {"x-a": "b:c"}),
        (b"\r\n", [], {}),
        (b"", [], {}),
    ],
)
def test_unsigned_chunks_may_have_trailing_headers(
    trailer: bytes, announced: list[str], expected: dict[str, str]
) -> None:
    for signer in (SIGNER, None):
        found = plain(UNSIGNED_BODY + trailer, UNSIGNED_WITH_TRAILER, 8, *announced, signer=signer)
        assert found == Plain(b"abcdefgh", expected)


@pytest.mark.parametrize(
    ("trailer", "announced"),
    [
        (b"", [CRC]),
        (b"x-amz-checksum-crc32:A\r\n", []),
        (b"x-amz-checksum-crc32:A\r\nx-more:1\r\n", [CRC]),
        (b"x-amz-checksum-crc32:A\r\nx-amz-checksum-crc32:B\r\n", [CRC]),
        (b"x-amz-checksum-crc32\r\n", [CRC]),
    ],
)
def test_trailing_headers_have_to_be_announced_and_may_appear_once(trailer: bytes, announced: list[str]) -> None:
    assert code(UNSIGNED_BODY + trailer, UNSIGNED_WITH_TRAILER, 8, *announced) == "MalformedTrailerError"


def test_chunks_have_to_be_signed_if_and_only_if_the_request_says_so() -> None:
    assert code(BODY, UNSIGNED_WITH_TRAILER) == "IncompleteBody"
    assert code(UNSIGNED_BODY, SIGNED_WITH_TRAILER) == "IncompleteBody"
    assert code(UNSIGNED_BODY, SIGNED) == "IncompleteBody"


def test_the_signature_of_an_empty_chunk_covers_the_hash_of_an_empty_text() -> None:
    text = "\n".join(
        ["AWS4-HMAC-SHA256-PAYLOAD", "20260102T000000Z", "20260102/us-east-1/s3/aws4_request", "5eed",
         hashlib.sha256(b"").hexdigest(), hashlib.sha256(b"").hexdigest()]
    )  # fmt: skip
    from localaws.server.signatures import signature_of

    assert SIGNER.follow("5eed", b"") == signature_of(text, CLAIM, "secret")
