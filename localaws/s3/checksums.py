"""The checksums of objects: S3's algorithms, and the comparison with what a client sent.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Protocol

from moto.core.utils import get_service_model
from moto.s3.exceptions import S3ClientError

from localaws.core.errors import UnsupportedOperation

HEADER = "x-amz-checksum-"
_OTHERS = frozenset({f"{HEADER}{name}" for name in ("algorithm", "type", "mode")})


class _Hash(Protocol):
    def update(self, data: bytes) -> None: ...

    def digest(self) -> bytes: ...


class Crc:
    """A reflected CRC whose register begins and ends inverted."""

    def __init__(self, size: int, step: Callable[[bytes, int], int]) -> None:
        """`size` is in bytes; `step` continues a CRC with more data."""
        self._size = size
        self._step = step
        self._value = 0

    def update(self, data: bytes) -> None:
        """Take in more data."""
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        """The CRC, the most significant byte first."""
        return self._value.to_bytes(self._size, "big")


def _sliced(polynomial: int, size: int) -> Callable[[bytes, int], int]:
    """Return the step of a CRC that no library here has. It takes eight bytes at a time: about 8 MB a second."""
    mask = (1 << 8 * size) - 1

    def step(data: bytes, value: int) -> int:
        one, two, three, four, five, six, seven, eight = _tables(polynomial)
        value ^= mask
        whole = len(data) & ~7
        for place in range(0, whole, 8):
            value ^= int.from_bytes(data[place : place + 8], "little")
            value = (
                eight[value & 255] ^ seven[value >> 8 & 255] ^ six[value >> 16 & 255] ^ five[value >> 24 & 255]
                ^ four[value >> 32 & 255] ^ three[value >> 40 & 255] ^ two[value >> 48 & 255] ^ one[value >> 56]
            )  # fmt: skip
        for byte in data[whole:]:
            value = one[(value ^ byte) & 255] ^ value >> 8
        return value ^ mask

    return step


@cache
def _tables(polynomial: int) -> tuple[tuple[int, ...], ...]:
    """Return eight tables: what a byte changes in the CRC if 0 to 7 bytes follow it."""
    first = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (polynomial if byte & 1 else 0)
        first.append(byte)
    tables = [first]
    for _ in range(7):
        tables.append([first[value & 255] ^ value >> 8 for value in tables[-1]])
    return tuple(map(tuple, tables))


# The polynomials, their bits reversed, of CRC-32/ISCSI and CRC-64/NVME: https://reveng.sourceforge.io/crc-catalogue/all.htm
_ALGORITHMS: dict[str, Callable[[], _Hash]] = {
    "CRC32": lambda: Crc(4, zlib.crc32),
    "CRC32C": lambda: Crc(4, _sliced(0x82F63B78, 4)),
    "CRC64NVME": lambda: Crc(8, _sliced(0x9A6C9329AC4BC9B5, 8)),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
}
WHOLE_ONLY = frozenset({"CRC64NVME"})
"""Algorithms that have no composite checksum for an object uploaded in parts."""


@cache
def _of_s3() -> frozenset[str]:
    """The algorithms in AWS's model: more than are implemented here."""
    return frozenset(get_service_model("s3").shape_for("ChecksumAlgorithm").enum)


def require_known(algorithm: str) -> None:
    """Check the name of an algorithm.

    Raises:
        UnsupportedOperation: S3 has it, but it is not implemented here.
        S3ClientError: S3 has no such algorithm.
    """
    if algorithm in _ALGORITHMS:
        return
    if algorithm in _of_s3():
        raise UnsupportedOperation(f"the checksum algorithm {algorithm}")
    text = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
    raise S3ClientError("InvalidRequest", f"{text}[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")


def digest(algorithm: str, pieces: Iterable[bytes]) -> bytes:
    """The checksum of the concatenation of `pieces`."""
    made = _ALGORITHMS[algorithm]()
    for piece in pieces:
        made.update(piece)
    return made.digest()


def written(value: bytes) -> str:
    """A checksum as S3 writes it: in Base64."""
    return base64.b64encode(value).decode()


def announced(headers: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the algorithm and the value that a request gives.

    The algorithm is "" if the request names none; the value is None if the request leaves it to S3.

    Raises:
        S3ClientError: the request names several algorithms, or one that S3 doesn't have.
    """
    given = {
        name.lower().removeprefix(HEADER).upper(): str(value)
        for name, value in headers.items()
        if name.lower().startswith(HEADER) and name.lower() not in _OTHERS
    }
    wanted = str(headers.get("x-amz-sdk-checksum-algorithm") or "").upper()
    if wanted:
        require_known(wanted)
    if len(given) > 1:
        text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise S3ClientError("InvalidRequest", text)
    for algorithm, value in given.items():
        if algorithm in _of_s3():
            require_known(algorithm)
        if algorithm not in _ALGORITHMS:
            raise S3ClientError(
                "InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid."
            )
        if wanted and wanted != algorithm:
            raise S3ClientError("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
        if _decoded(value, len(_ALGORITHMS[algorithm]().digest())) is None:
            raise S3ClientError("InvalidRequest", f"Value for {HEADER}{algorithm.lower()} header is invalid.")
        return algorithm, value
    return wanted, None


def check_md5(headers: Mapping[str, Any], actual: str) -> None:
    """Compare the header Content-MD5, if there is one, with an MD5 in hex. Raises S3ClientError."""
    value = headers.get("content-md5")
    if value is None:
        return
    found = _decoded(str(value), 16)
    if found is None:
        raise S3ClientError("InvalidDigest", "The Content-MD5 you specified was invalid.")
    if found.hex() != actual:
        raise S3ClientError("BadDigest", "The Content-MD5 you specified did not match what we received.")


def check(algorithm: str, value: str, actual: str) -> None:
    """Compare a checksum with the one that was computed. Raises S3ClientError."""
    if value != actual:
        raise S3ClientError("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")


def _decoded(value: str, size: int) -> bytes | None:
    try:
        found = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if len(found) == size else None
