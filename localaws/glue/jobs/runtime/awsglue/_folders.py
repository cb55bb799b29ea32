"""Lists the objects in "folders" of S3, and deletes old ones."""

from __future__ import annotations

import datetime
import os.path
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from awsglue import _aws
from awsglue._s3 import S3Object, split

_PAGE = 1000  # objects; S3 gives no more in one answer


def objects_in(uris: Sequence[str], *, recurse: bool) -> list[list[S3Object]]:
    """Return the objects with content in each of the "folders" `uris`.

    Hidden objects (whose last part begins with "_" or ".") are left out, as by Hadoop's input formats.
    """
    by_bucket: dict[str, list[str]] = {}
    addresses = [_folder(uri) for uri in uris]
    for bucket, folder in addresses:
        by_bucket.setdefault(bucket, []).append(folder)
    found: dict[tuple[str, str], list[S3Object]] = {}
    for bucket, folders in by_bucket.items():
        for folder, items in _objects_by_folder(bucket, sorted(set(folders))).items():
            found[bucket, folder] = [item for item in items if _is_data(item, folder, recurse)]
    return [found[address] for address in addresses]


def _folder(uri: str) -> tuple[str, str]:
    bucket, key = split(uri)
    return bucket, key if not key or key.endswith("/") else key + "/"


def _is_data(item: S3Object, folder: str, recurse: bool) -> bool:
    hidden = item.key.rsplit("/", 1)[-1].startswith(("_", "."))
    return item.size > 0 and not hidden and (recurse or "/" not in item.key[len(folder) :])


def _objects_by_folder(bucket: str, folders: list[str]) -> dict[str, list[S3Object]]:
    """Return all objects under each of the sorted `folders`."""
    if len(folders) == 1:
        return {folders[0]: list(objects(bucket, folders[0]))}
    scan = _Scan(bucket, folders)
    # A role that may not list the folders' common prefix may still be allowed to list each folder.
    return {folder: list(objects(bucket, folder) if scan.refused else scan.under(folder)) for folder in folders}


def objects(bucket: str, prefix: str) -> Iterator[S3Object]:
    """Yield all objects whose keys begin with `prefix`."""
    pages = _aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        yield from _items(bucket, page)


def _items(bucket: str, page: Mapping[str, Any]) -> Iterator[S3Object]:
    for item in page.get("Contents", []):
        changed = item["LastModified"].replace(microsecond=0)
        yield S3Object(bucket, item["Key"], item["Size"], changed, item["ETag"])


def delete_older(uri: str, age: datetime.timedelta) -> None:
    """Delete all objects in the "folder" `uri` that were last changed at least `age` ago."""
    bucket, key = split(uri if uri.endswith("/") else uri + "/")
    limit = datetime.datetime.now(datetime.UTC) - age
    keys = [{"Key": item.key} for item in objects(bucket, key) if item.last_modified <= limit]
    for start in range(0, len(keys), 1000):
        answer = _aws.client("s3").delete_objects(Bucket=bucket, Delete={"Objects": keys[start : start + 1000]})
        for failure in answer.get("Errors", []):
            raise OSError(f"s3://{bucket}/{failure['Key']} was not deleted: {failure['Code']} {failure['Message']}")


@dataclass
class _Page:
    items: list[S3Object] = field(default_factory=list)
    truncated: bool = False
    """Whether there are more pages."""
    after: str = ""
    """The page holds the objects that follow this key."""


class _Scan:
    """Finds the objects under many folders by listing their common prefix. A partition of one object then costs next to
    nothing, whereas a request for each would cost milliseconds. Objects between the folders are skipped."""

    def __init__(self, bucket: str, folders: list[str]) -> None:
        common = os.path.commonprefix(folders)  # noqa: RUF071  a key is a text, not a path
        self._bucket = bucket
        self._parent = common[: common.rfind("/") + 1]
        self._page: _Page | None = None
        self._keys: list[str] = []
        self._size = 64
        self._used = 0
        self.refused = False

    def under(self, folder: str) -> list[S3Object]:
        """Return the objects under `folder`, which must be the next of the sorted folders."""
        found: list[S3Object] = []
        after = folder
        while True:
            if self._page is None or not self._reaches(self._page, after):
                self._ask(after)
            if self._page is None:
                return list(objects(self._bucket, folder))
            start, end = bisect_right(self._keys, after), bisect_left(self._keys, _end_of(folder))
            found += self._page.items[start:end]
            self._used += end - start
            if end < len(self._keys) or not self._page.truncated:
                return found
            after = self._keys[-1]

    def _reaches(self, page: _Page, after: str) -> bool:
        """Whether `page` holds the objects that follow `after`."""
        return page.after <= after and (not page.truncated or (bool(self._keys) and after < self._keys[-1]))

    def _ask(self, after: str) -> None:
        if self._page is not None:
            # Ask for more if most listed objects were wanted, and for fewer if the folders lie far apart.
            dense = 2 * self._used >= len(self._keys)
            self._size = min(self._size * 4, _PAGE) if dense else max(self._size // 4, 16)
        self._page, self._used = _ask(self._bucket, self._parent, after, self._size), 0
        self._keys = [item.key for item in self._page.items] if self._page else []
        self.refused = self._page is None


def _end_of(folder: str) -> str:
    """Return the first string that sorts after all that begin with `folder`, which ends in a slash."""
    return folder[:-1] + chr(ord("/") + 1) if folder else "\U0010ffff"


def _ask(bucket: str, parent: str, after: str, size: int) -> _Page | None:
    """Return one page of at most `size` objects under `parent`, from the first one after `after`; None if refused."""
    try:
        page = _aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=parent, StartAfter=after, MaxKeys=size)
    except ClientError:
        return None
    return _Page(list(_items(bucket, page)), page["IsTruncated"], after)
