"""Storing, copying, reading, tagging and deleting objects, and the events of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.s3.exceptions import (
    InvalidStorageClass,
)
from moto.s3.models import (
    FakeKey,
)
from moto.s3.utils import STORAGE_CLASS

from localaws.s3 import checksums, locks, names, notifications, versions
from localaws.s3.bucket_backend import BucketBackend
from localaws.s3.files import Body
from localaws.s3.objects import ENCRYPTION, Linked, StoredBucket, StoredKey, StoredUpload


class ObjectBackend(BucketBackend):
    """The part of the backend for objects."""

    def put_object(  # type: ignore[override]
        self,
        bucket_name: str,
        key_name: str,
        value: bytes | str | Body,
        storage: str | None = None,
        etag: str | None = None,
        multipart: StoredUpload | None = None,
        encryption: str | None = None,
        kms_key_id: str | None = None,
        bucket_key_enabled: Any = None,
        lock_mode: str | None = None,
        lock_legal_status: str | None = None,
        lock_until: str | None = None,
        checksum_value: str | None = None,
        request_method: str | None = "PUT",
        disable_notification: bool | None = False,
    ) -> StoredKey:
        """Store an object. `value` may be a body that is stored already.

        Raises:
            InvalidStorageClass, MissingBucket: as in moto.
            KeyTooLong: as on AWS.
            PreconditionFailed, MissingKey: the call's condition is not met (see `on_condition`).
        """
        names.check_key(key_name)
        if storage is not None and storage not in STORAGE_CLASS:
            raise InvalidStorageClass(storage=storage)
        bucket = self.get_bucket(bucket_name)
        if bucket.has_default_lock and not lock_mode and not lock_until:
            lock_mode, lock_until = bucket.default_lock_mode, bucket.default_retention()
        if isinstance(value, str):
            value = value.encode()
        key = StoredKey(
            store=self.store,
            body=value if isinstance(value, Body) else self.store.write([value]),
            etag=etag,
            name=key_name,
            bucket_name=bucket_name,
            account_id=self.account_id,
            region_name=self.region_name,
            storage=storage,
            is_versioned=bucket.versioning_status == "Enabled",
            version_id=versions.new_id(bucket),
            multipart=multipart,
            encryption=encryption or ENCRYPTION,
            kms_key_id=kms_key_id,
            bucket_key_enabled=bucket_key_enabled,
            lock_mode=lock_mode,
            lock_legal_status=lock_legal_status,
            lock_until=locks.written(lock_until) if lock_until else None,
            checksum_value=checksum_value,
        )
        with self.lock:
            try:
                self._check_condition(bucket_name, key_name)
            except BaseException:
                key.dispose()
                raise
            bucket.keys.setlist(key_name, [*versions.kept(bucket, key_name), key])
            key.sequence = notifications.sequencer.next()  # under the lock, so in the order of the overwrites
        self.touched.objects.add((bucket_name, key_name))
        self.touched.stored = key
        if not disable_notification:
            self.announce("s3:ObjectCreated:Post" if request_method == "POST" else "s3:ObjectCreated:Put", key)
        return key

    @contextmanager
    def on_condition(self, check: Callable[[FakeKey | None], None]) -> Iterator[None]:
        """Write only if `check` accepts the current object (None if there is none).

        `check` runs under the same lock as the replacement or deletion, so no other write comes between.
        """
        self.touched.condition = check
        try:
            yield
        finally:
            self.touched.condition = None

    def _check_condition(self, bucket_name: str, key_name: str) -> None:
        if self.touched.condition is not None:
            self.touched.condition(self.get_object(bucket_name, key_name))

    def copy_object(self, src_key: StoredKey, dest_bucket_name: str, dest_key_name: str, **details: Any) -> None:  # type: ignore[override]
        """Copy an object without reading it."""
        # moto passes `src_key.value` to put_object, which also accepts a stored body: that costs nothing.
        super().copy_object(Linked(src_key), dest_bucket_name, dest_key_name, **details)  # type: ignore[arg-type]
        assert self.touched.stored is not None
        made = self.touched.stored
        made.multipart = None  # the copy of an object with parts is one piece
        if src_key.checksum_type == "COMPOSITE" and src_key.checksum_algorithm:
            made.checksum_value = checksums.written(checksums.digest(src_key.checksum_algorithm, src_key.chunks()))
        made.checksum_type = "FULL_OBJECT" if made.checksum_value else None
        self.announce("s3:ObjectCreated:Copy", self.touched.stored)

    def get_object(
        self,
        bucket_name: str,
        key_name: str,
        version_id: str | None = None,
        part_number: str | None = None,
        return_delete_marker: bool = False,
    ) -> FakeKey | None:
        """Return the object, and note it as touched, because callers change it."""
        found = super().get_object(bucket_name, key_name, version_id, part_number, return_delete_marker)
        if found is not None:
            self.touched.objects.add((bucket_name, key_name))
        return found

    def delete_object(
        self, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool | str | None = False
    ) -> tuple[bool, dict[str, Any]]:
        """Delete an object, or one of its versions: see `versions.delete`. `bypass` may be a header's value."""
        bucket = self.get_bucket(bucket_name)
        with self.lock:
            self._check_condition(bucket_name, key_name)
            done = versions.delete(bucket, key_name, version_id, bypass=str(bypass).lower() == "true")
            if done.after:
                bucket.keys.setlist(key_name, done.after)
            elif key_name in bucket.keys:
                bucket.keys.pop(key_name)
            sequence = notifications.sequencer.next()
        self.touched.objects.add((bucket_name, key_name))
        if isinstance(done.gone, FakeKey):
            self.tagger.delete_all_tags_for_resource(done.gone.arn)
        if done.made is not None:
            event, version_id = "s3:ObjectRemoved:DeleteMarkerCreated", done.made.version_id
        elif done.gone is not None:
            event = "s3:ObjectRemoved:Delete"
        else:
            return False, done.headers
        self._announce(bucket, event, key_name, version_id=version_id, sequence=sequence)
        return True, done.headers

    def put_object_tagging(self, key: FakeKey, tags: dict[str, str] | None) -> FakeKey:
        """Set an object's tags, which were checked before (tags.py)."""
        self.tagger.delete_all_tags_for_resource(key.arn)
        self.tagger.tag_resource(key.arn, [{"Key": name, "Value": value} for name, value in (tags or {}).items()])
        return key

    def announce(self, event: str, key: FakeKey) -> None:
        """Note an event of `key`, to be saved with this call's changes and delivered after its answer."""
        assert key.bucket_name is not None
        version_id = key.version_id if key.version_id != "null" else None
        bucket = self.buckets[key.bucket_name]
        sequence = key.sequence if event.startswith("s3:ObjectCreated:") and isinstance(key, StoredKey) else None
        self._announce(
            bucket, event, key.name, size=key.size, etag=key.etag.strip('"'), version_id=version_id, sequence=sequence
        )

    def _announce(self, bucket: StoredBucket, event: str, key_name: str, **details: Any) -> None:
        self.touched.deliveries.extend(notifications.deliveries(bucket, event, key_name, **details))
