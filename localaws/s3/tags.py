"""Tags of buckets and objects, and S3's rules for them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Mapping

from moto.s3.exceptions import BadRequest, InvalidTagError, S3ClientError

_MOST_OF_OBJECT, _MOST_OF_BUCKET = 10, 50
_LONGEST_KEY, _LONGEST_VALUE = 128, 256
_TEXT = re.compile(r"[\w\s.:/=+\-@]*")


def of_header(header: str) -> dict[str, str]:
    """Return the tags in x-amz-tagging. Raise S3ClientError if it can't be parsed, or breaks a rule."""
    try:
        pairs = urllib.parse.parse_qsl(header, keep_blank_values=True, strict_parsing=bool(header), errors="strict")
    except ValueError:
        pairs = []
    if (header and not pairs) or len({key for key, _ in pairs}) != len(pairs):
        raise S3ClientError(
            "InvalidArgument",
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag "
            "name duplicates.",
        )
    return of_object(pairs)


def of_document(document: Mapping[str, list[dict[str, str]]]) -> list[tuple[str, str]]:
    """The keys and values in a Tagging element."""
    return [(tag["Key"], tag["Value"]) for tag in document["TagSet"]]


def of_object(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the tags of an object. Raise S3ClientError if they break a rule."""
    tags = list(pairs)
    if len(tags) > _MOST_OF_OBJECT:
        raise BadRequest(f"Object tags cannot be greater than {_MOST_OF_OBJECT}")
    return _checked(tags, "Your TagKey cannot be prefixed with aws:")


def of_bucket(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the tags of a bucket. Raise S3ClientError if they break a rule."""
    tags = list(pairs)
    if len(tags) > _MOST_OF_BUCKET:
        raise BadRequest(f"Bucket tag count cannot be greater than {_MOST_OF_BUCKET}")
    return _checked(tags, "System tags cannot be added/updated by requester")


def _checked(tags: list[tuple[str, str]], reserved: str) -> dict[str, str]:
    if len({key for key, _ in tags}) != len(tags):
        raise InvalidTagError("Cannot provide multiple Tags with the same key")
    for key, value in tags:
        if not 0 < len(key) <= _LONGEST_KEY or not _TEXT.fullmatch(key):
            raise InvalidTagError("The TagKey you have provided is invalid")
        if len(value) > _LONGEST_VALUE or not _TEXT.fullmatch(value):
            raise InvalidTagError("The TagValue you have provided is invalid")
        if key.lower().startswith("aws:"):
            raise InvalidTagError(reserved)
    return dict(tags)
