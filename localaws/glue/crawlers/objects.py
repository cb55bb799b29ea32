"""Lists and reads S3 objects for a crawl: inside the server, without an HTTP call for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from localaws.core.ports import NoSuchBucket, ObjectEntry, ObjectGone, Objects
from localaws.glue.crawlers.errors import CrawlFailed
from localaws.iam import AccessDenied
from localaws.iam.service_roles import ServiceRole


class CrawledObjects:
    """The objects that a crawler's role may see."""

    def __init__(self, objects: Objects, role: ServiceRole) -> None:
        self._objects = objects
        self._role = role

    def current(self, bucket: str, prefix: str) -> list[Any]:
        """Return the objects of `bucket` whose keys start with `prefix`; see `Objects.current`.

        Raises:
            CrawlFailed: there is no such bucket, or the role may not list it.
        """
        try:
            return self._objects.current(self._role, bucket, prefix)
        except NoSuchBucket:
            reason = "The specified bucket does not exist"
        except AccessDenied as denied:
            reason = str(denied)
        raise CrawlFailed(f"The S3 location s3://{bucket}/{prefix} can't be read: {reason}")

    def listed(self, key: Any) -> ObjectEntry:
        """Return the details of an object that `current` returned."""
        return self._objects.entry(key)

    def read(self, item: ObjectEntry, size: int) -> tuple[bytes, ObjectEntry]:
        """Return the first `size` bytes of an object, and the object as it is now, not as it was listed.

        Raises:
            ObjectGone: the object was deleted.
            AccessDenied: the role may not read it.
            ObjectArchived: its storage class is an archive.
        """
        now, file = self.file(item)
        try:
            with file.open("rb") as stream:
                return stream.read(size), now
        except FileNotFoundError:
            raise ObjectGone from None

    def read_end(self, item: ObjectEntry, size: int) -> bytes:
        """Return the last `size` bytes of an object; raises what `read` raises."""
        _, file = self.file(item)
        try:
            with file.open("rb") as stream:
                stream.seek(max(0, file.stat().st_size - size))
                return stream.read(size)
        except FileNotFoundError:
            raise ObjectGone from None

    def file(self, item: ObjectEntry) -> tuple[ObjectEntry, Path]:
        """Return the object as it is now, and the file that holds it, for a caller that opens it right away.

        Raises what `read` raises.
        """
        return self._objects.file(self._role, item.bucket, item.key)
