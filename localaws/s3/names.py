"""Checks of the names of buckets and objects, and of values that S3 sends back as headers.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
and https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
"""

from __future__ import annotations

import re
import urllib.parse

from moto.s3.exceptions import InvalidBucketName, S3ClientError

LONGEST_KEY = 1024  # bytes of UTF-8

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


class KeyTooLong(S3ClientError):
    """A key of more than 1024 bytes."""

    def __init__(self) -> None:
        super().__init__("KeyTooLongError", "Your key is too long")


class InvalidCopySource(S3ClientError):
    """A copy source without a bucket or without a key."""

    def __init__(self) -> None:
        super().__init__(
            "InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        )


class InvalidHeaderValue(S3ClientError):
    """A value that cannot be sent back as a header."""

    def __init__(self) -> None:
        super().__init__("InvalidArgument", "Header value cannot be represented using ISO-8859-1.")


def check_header(value: str) -> None:
    """Check that a value can be a header of a response.

    Raises:
        InvalidHeaderValue: it has a line break, another control character, or a character that Latin-1 lacks.
    """
    if any(ord(each) > 0xFF or (ord(each) < 0x20 and each != "\t") for each in value):
        raise InvalidHeaderValue()


def check_bucket(name: str) -> None:
    """Check that a new bucket may have this name.

    Raises:
        InvalidBucketName: it breaks a rule, or is reserved.
    """
    if (
        not _BUCKET.fullmatch(name)
        or ".." in name
        or _ADDRESS.fullmatch(name)
        or name.startswith(_RESERVED_PREFIXES)
        or name.endswith(_RESERVED_SUFFIXES)
    ):
        raise InvalidBucketName()


def check_key(name: str) -> None:
    """Check that a key is short enough.

    Raises:
        KeyTooLong: it has more than 1024 bytes.
    """
    if len(name.encode(errors="replace")) > LONGEST_KEY:
        raise KeyTooLong()


def check_copy_source(header: str) -> None:
    """Check that an `x-amz-copy-source` names a bucket and a key.

    Raises:
        InvalidCopySource: one is missing.
    """
    bucket, _, key = urllib.parse.unquote(header.partition("?")[0]).lstrip("/").partition("/")
    if not bucket or not key:
        raise InvalidCopySource()
