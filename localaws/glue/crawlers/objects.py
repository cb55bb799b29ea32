"""The objects of S3, as a crawl lists and reads them: inside the server, without a call over HTTP for each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeDeleteMarker

from localaws.glue.crawlers.errors import CrawlFailed
from localaws.iam import AccessDenied

if TYPE_CHECKING:
    from localaws.iam.service_roles import ServiceRole
    from localaws.s3.models import LocalS3Backend
    from localaws.s3.objects import StoredKey


class ObjectGone(Exception):
    """The object was deleted after it was listed."""


@dataclass(frozen=True)
class S3Object:
    """An object as it was listed, or read."""

    bucket: str
    key: str
    size: int  # bytes
    etag: str
    modified: datetime


class Objects:
    """The objects of one account, as far as a crawler's role may see them."""

    def __init__(self, role: ServiceRole) -> None:
        from localaws.s3.models import backend

        self._role = role
        self._backend: LocalS3Backend = backend(role.account_id)

    def current(self, bucket: str, prefix: str) -> list[Any]:
        """The objects of `bucket` whose keys (their `name`) start with `prefix`, in order, as S3 itself keeps them.

        A changed object is another Python object: whoever remembers the last listing sees by identity what is new.
        `listed` tells the details.

        Raises:
            CrawlFailed: there is no such bucket, or the role may not list it.
        """
        stored: Any = self._backend.buckets.get(bucket)
        if stored is None:
            raise CrawlFailed(
                f"The S3 location s3://{bucket}/{prefix} can't be read: The specified bucket does not exist"
            )
        asked: dict[str, str | list[str] | None] = {"s3:prefix": prefix, "s3:delimiter": None, "s3:max-keys": None}
        try:
            self._role.require("s3:ListBucket", f"arn:aws:s3:::{bucket}", asked)
        except AccessDenied as denied:
            raise CrawlFailed(f"The S3 location s3://{bucket}/{prefix} can't be read: {denied}") from None
        keys = stored.keys
        with self._backend.lock:
            start = bisect_left(keys.names, prefix)
            end = bisect_left(keys.names, prefix[:-1] + chr(ord(prefix[-1]) + 1)) if prefix else len(keys.names)
            # What `keys` says of a name is its newest version; asked as a plain dictionary it says so ten times faster.
            found = [versions[-1] for name in keys.names[start:end] if (versions := dict.get(keys, name))]
        return [key for key in found if not isinstance(key, FakeDeleteMarker)]

    @staticmethod
    def listed(key: Any) -> S3Object:
        """The details of an object that `current` gave."""
        return S3Object(key.bucket_name, key.name, key.size, key.etag, key.last_modified)

    def read(self, item: S3Object, size: int) -> tuple[bytes, S3Object]:
        """The first `size` bytes, and the object that they are of: as it is now, not as it was listed.

        Raises:
            ObjectGone: it is not there any more.
            AccessDenied: the role may not read it.
        """
        now, file = self.file(item)
        try:
            with file.open("rb") as stream:
                return stream.read(size), now
        except FileNotFoundError:
            raise ObjectGone from None

    def file(self, item: S3Object) -> tuple[S3Object, Path]:
        """The object as it is now, and the file that holds it, for who opens it at once; raises what `read` raises."""
        self._role.require("s3:GetObject", f"arn:aws:s3:::{item.bucket}/{item.key}", {"s3:versionid": None})
        key = self._current(item)
        try:
            return replace(self.listed(key), bucket=item.bucket), key.file()
        except FileNotFoundError:
            raise ObjectGone from None

    def read_end(self, item: S3Object, size: int) -> bytes:
        """The last `size` bytes.

        Raises:
            ObjectGone: it is not there any more.
        """
        end = b""
        for chunk in self._chunks(self._current(item)):
            end = (end + chunk)[-size:]
        return end

    def _current(self, item: S3Object) -> Any:
        stored: Any = self._backend.buckets.get(item.bucket)
        key = stored.keys.get(item.key) if stored else None
        if not hasattr(key, "chunks"):  # deleted, or covered by a delete marker
            raise ObjectGone
        return key

    @staticmethod
    def _chunks(key: StoredKey) -> Any:
        def read() -> Iterator[bytes]:
            try:
                yield from key.chunks()
            except FileNotFoundError:
                raise ObjectGone from None

        return read()
