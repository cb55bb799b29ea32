"""moto's S3, with bodies in files. Changes are saved before the call is answered, events are delivered after it."""

from __future__ import annotations

from moto.core.base_backend import BaseBackend
from moto.s3.exceptions import (
    MethodNotAllowed,
)
from moto.s3.models import (
    FakeKey,
    FakeTableStorageBucket,
    s3_backends,
)

from localaws.core.context import ACCOUNT_ID
from localaws.core.home import Home
from localaws.s3.listing import Page, VersionsPage, decode_token, encode_token, page, versions_page
from localaws.s3.objects import StoredBucket
from localaws.s3.upload_backend import UploadBackend


def open_store(home: Home) -> None:
    """Load the S3 of `home`; called once, when its server starts.

    Raises:
        StateRefused: the index is of another version, or damaged.
    """
    backend(ACCOUNT_ID).open_store(home)


def deliver_waiting() -> None:
    """Deliver the events that an earlier server accepted but could not hand over."""
    backend(ACCOUNT_ID).deliver_waiting()


def backend(account_id: str) -> LocalS3Backend:
    """The S3 of `account_id`."""
    found = s3_backends[account_id]["aws"]
    assert isinstance(found, LocalS3Backend)
    return found


class LocalS3Backend(UploadBackend):
    """This package's S3 backend."""

    # moto's S3 always takes its own URLs. This finds those beside this module, as for every other service.
    _url_module = BaseBackend._url_module

    def page(self, bucket: StoredBucket, prefix: str, delimiter: str, after: str, limit: int) -> Page:
        """A page of objects and common prefixes."""
        with self.lock:
            return page(bucket.keys, prefix, delimiter, after, limit)

    def list_objects_v2(  # type: ignore[override]
        self,
        bucket: StoredBucket,
        prefix: str | None,
        delimiter: str | None,
        continuation_token: str | None,
        start_after: str | None,
        max_keys: int,
    ) -> tuple[list[FakeKey | str], bool, str | None]:
        """A page: objects and common prefixes in order, whether there are more, and the next page's token."""
        if isinstance(bucket, FakeTableStorageBucket):
            raise MethodNotAllowed()
        after = decode_token(continuation_token) if continuation_token else start_after or ""
        with self.lock:
            found = page(bucket.keys, prefix or "", delimiter or "", after, max_keys)
        return found.items, found.last is not None, encode_token(found.last) if found.last is not None else None

    def versions_page(
        self,
        bucket_name: str,
        prefix: str,
        delimiter: str,
        key_marker: str | None,
        version_id_marker: str | None,
        max_keys: int | None,
    ) -> VersionsPage:
        """A page of the versions, common prefixes and delete markers that come after the two markers."""
        bucket = self.get_bucket(bucket_name)
        after = (key_marker, version_id_marker) if key_marker else None
        with self.lock:
            return versions_page(bucket.keys, prefix, delimiter, after, 1000 if max_keys is None else max_keys)
