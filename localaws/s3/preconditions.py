"""Conditional requests: on the object's ETag, or on the time of its last change.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html. Which of two conditions takes
precedence: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html and …/API_CopyObject.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from moto.s3.exceptions import MissingKey, PreconditionFailed
from moto.s3.models import FakeKey

from localaws.iam.refusals import Refused

OF_SOURCE = "x-amz-copy-source-"
_MATCH, _NONE_MATCH = "if-match", "if-none-match"
_SINCE, _NOT_SINCE = "if-modified-since", "if-unmodified-since"
READING = (_MATCH, _NONE_MATCH, _SINCE, _NOT_SINCE)


class NotModified(Exception):
    """The client already has this version of the object."""


def check_reading(headers: Mapping[str, str], key: FakeKey) -> None:
    """Check the conditions of a GET or a HEAD of `key`.

    Raises:
        PreconditionFailed: If-Match or If-Unmodified-Since is not met.
        NotModified: If-None-Match or If-Modified-Since is not met, so the client has this version.
    """
    failed = _failed(headers, "", key)
    if failed in (_NONE_MATCH, _SINCE):
        raise NotModified
    if failed:
        raise PreconditionFailed(_written(failed))


def check_source(headers: Mapping[str, str], key: FakeKey) -> None:
    """Check the conditions of a copy of `key`. Raise PreconditionFailed if one is not met."""
    if failed := _failed(headers, OF_SOURCE, key):
        raise PreconditionFailed(f"{OF_SOURCE}{_written(failed)}")


def check_writing(headers: Mapping[str, str], current: FakeKey | None) -> None:
    """Check the conditions of a write that replaces `current`, or creates the object if `current` is None.

    Raises:
        PreconditionFailed: the current object does not meet a condition.
        MissingKey: If-Match is given, but there is no object.
        Refused: If-None-Match is not *, the only value that it may have in a write.
    """
    wanted, unwanted = headers.get(_MATCH), headers.get(_NONE_MATCH)
    if unwanted is not None and unwanted != "*":
        raise Refused(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
    if wanted is not None and current is None:
        raise MissingKey()
    if wanted is not None and current is not None and not _is_one_of(wanted, current):
        raise PreconditionFailed("If-Match")
    if unwanted is not None and current is not None:
        raise PreconditionFailed("If-None-Match")


def _failed(headers: Mapping[str, str], prefix: str, key: FakeKey) -> str | None:
    """Return the condition that is not met, or None. One on the ETag takes precedence over one on the time."""
    given = {name: value for name in READING if (value := headers.get(prefix + name)) is not None}
    modified = key.last_modified.replace(microsecond=0, tzinfo=UTC)
    if _MATCH in given:
        if not _is_one_of(given[_MATCH], key):
            return _MATCH
    elif (moment := _moment(given.get(_NOT_SINCE))) and modified > moment:
        return _NOT_SINCE
    if _NONE_MATCH in given:
        return _NONE_MATCH if _is_one_of(given[_NONE_MATCH], key) else None
    if (moment := _moment(given.get(_SINCE))) and modified <= moment:
        return _SINCE
    return None


def _is_one_of(etags: str, key: FakeKey) -> bool:
    listed = [each.strip().removeprefix("W/").strip('"') for each in etags.split(",")]
    return "*" in listed or key.etag.strip('"') in listed


def _moment(text: str | None) -> datetime | None:
    """The time of a condition; None if it can't be parsed or lies in the future: S3 then ignores the condition."""
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    if found is None:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if found <= datetime.now(UTC) else None


def _written(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
