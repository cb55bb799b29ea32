"""Pages of a listing, by position in a bucket's sorted names. The cost depends on the page, not on the bucket."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from moto.s3.exceptions import InvalidContinuationToken
from moto.s3.models import FakeDeleteMarker, FakeKey

from localaws.s3.objects import SortedKeys

PAGE_LIMIT = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html


@dataclass(frozen=True)
class Page:
    """Keys and common prefixes (str), in order. `last` is the name of the last one if there are more, else None."""

    items: list[FakeKey | str]
    last: str | None


def page(keys: SortedKeys, prefix: str, delimiter: str, after: str, limit: int) -> Page:
    """The first `limit` current objects and common prefixes after `after`."""
    limit = min(limit, PAGE_LIMIT)
    items: list[FakeKey | str] = []
    if limit <= 0:
        return Page(items, None)
    for item in _items(keys, prefix, delimiter, after):
        if len(items) == limit:
            return Page(items, _name(items[-1]))
        items.append(item)
    return Page(items, None)


def encode_token(name: str) -> str:
    """The continuation token that stands for "after `name`"."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def decode_token(token: str) -> str:
    """The name in a continuation token.

    Raises:
        InvalidContinuationToken: `encode_token` did not make it.
    """
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidContinuationToken() from error


def _items(keys: SortedKeys, prefix: str, delimiter: str, after: str) -> Iterator[FakeKey | str]:
    names = keys.names
    position = bisect_left(names, prefix)
    if after:
        rolled_up = delimiter and after.endswith(delimiter) and after.startswith(prefix) and len(after) > len(prefix)
        position = max(position, bisect_left(names, _end_of(after)) if rolled_up else bisect_right(names, after))
    while position < len(names) and (name := names[position]).startswith(prefix):
        position += 1
        current = keys.get(name)
        if not isinstance(current, FakeKey):  # deleted, in a versioned bucket
            continue
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        if cut >= 0:
            folder = name[: cut + len(delimiter)]
            position = bisect_left(names, _end_of(folder))
            yield folder
        else:
            yield current


def _end_of(prefix: str) -> str:
    """The first string after all that start with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _name(item: FakeKey | str) -> str:
    return item if isinstance(item, str) else item.name


@dataclass
class VersionsPage:
    """A page of ListObjectVersions. If there is `more`, the next page starts after `last_name` and `last_version`.

    Each version and each delete marker has a flag: whether it is the latest of its key.
    """

    versions: list[tuple[FakeKey, bool]] = field(default_factory=list)
    markers: list[tuple[FakeDeleteMarker, bool]] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last_name: str | None = None
    last_version: str | None = None
    more: bool = False


def versions_page(
    keys: SortedKeys, prefix: str, delimiter: str, after: tuple[str, str | None] | None, limit: int
) -> VersionsPage:
    """The first `limit` versions, delete markers and common prefixes after (key, version id) `after`."""
    limit = min(limit, PAGE_LIMIT)
    found = VersionsPage()
    for count, (item, name, version_id, latest) in enumerate(_versions(keys, prefix, delimiter, after)):
        if count == limit:
            found.more = limit > 0
            return found
        found.last_name, found.last_version = name, version_id
        if isinstance(item, str):
            found.prefixes.append(item)
        elif isinstance(item, FakeDeleteMarker):
            found.markers.append((item, latest))
        else:
            found.versions.append((item, latest))
    return found


def _versions(
    keys: SortedKeys, prefix: str, delimiter: str, after: tuple[str, str | None] | None
) -> Iterator[tuple[Any, str, str | None, bool]]:
    """Yield (version, key, version id, whether the latest), newest first for each key.

    Keys with a common prefix are yielded once, as (prefix, prefix, None, False).
    """
    names = keys.names
    position = bisect_left(names, prefix)
    skip_to: str | None = None
    if after is not None:
        name, skip_to = after
        rolled_up = bool(delimiter) and name.endswith(delimiter) and skip_to is None
        start = (
            bisect_left(names, _end_of(name)) if rolled_up else (bisect_left if skip_to else bisect_right)(names, name)
        )
        position = max(position, start)
    while position < len(names) and (name := names[position]).startswith(prefix):
        position += 1
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        if cut >= 0:
            folder = name[: cut + len(delimiter)]
            position = bisect_left(names, _end_of(folder))
            yield folder, folder, None, False
            continue
        versions = list(reversed(keys.getlist(name, [])))
        for number, version in enumerate(versions):
            if skip_to is not None and after is not None and name == after[0]:
                if version.version_id == skip_to:
                    skip_to = None
                continue
            yield version, name, version.version_id, number == 0
