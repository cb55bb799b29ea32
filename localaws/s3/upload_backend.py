"""Multipart uploads, from their start to the finished object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.s3.exceptions import (
    NoSuchUpload,
)
from moto.s3.models import (
    FakeAcl,
    FakeKey,
)

from localaws.s3.files import Body
from localaws.s3.object_backend import ObjectBackend
from localaws.s3.objects import ENCRYPTION, Assembled, StoredKey, StoredUpload


class UploadBackend(ObjectBackend):
    """The part of the backend for multipart uploads."""

    def create_multipart_upload(
        self,
        bucket_name: str,
        key_name: str,
        metadata: Any,
        storage_type: str,
        tags: dict[str, str],
        acl: FakeAcl | None,
        sse_encryption: str,
        kms_key_id: str,
    ) -> StoredUpload:
        """Start a multipart upload."""
        bucket = self.get_bucket(bucket_name)
        upload = StoredUpload(
            self.store,
            key_name,
            metadata,
            account_id=self.account_id,
            region_name=self.region_name,
            storage=storage_type,
            tags=tags,
            acl=acl,
            sse_encryption=sse_encryption or ENCRYPTION,
            kms_key_id=kms_key_id,
        )
        bucket.multiparts[upload.id] = upload
        self.touched.uploads.add((bucket_name, upload.id))
        return upload

    def upload_part(self, bucket_name: str, multipart_id: str, part_id: int, value: bytes | Body) -> StoredKey:
        """Store a part. `value` may be a body that is stored already.

        Raises:
            NoSuchUpload: there is no such upload.
        """
        upload = self.upload(bucket_name, multipart_id)
        part = self.touched.stored = upload.set_part(part_id, value)
        self.touched.uploads.add((bucket_name, multipart_id))
        return part

    def upload_part_copy(
        self,
        dest_bucket_name: str,
        multipart_id: str,
        part_id: int,
        src_bucket_name: str,
        src_key_name: str,
        src_version_id: str | None,
        start_byte: int,
        end_byte: int,
    ) -> FakeKey:
        """Store a part from (a range of) another object.

        Raises:
            NoSuchUpload: there is no such upload.
        """
        self.upload(dest_bucket_name, multipart_id)
        self.touched.uploads.add((dest_bucket_name, multipart_id))
        return super().upload_part_copy(
            dest_bucket_name,
            multipart_id,
            part_id,
            src_bucket_name,
            src_key_name,
            src_version_id,
            start_byte,
            end_byte,
        )

    def abort_multipart_upload(self, bucket_name: str, multipart_id: str) -> None:
        """Forget an upload and its parts."""
        super().abort_multipart_upload(bucket_name, multipart_id)
        self.touched.uploads.add((bucket_name, multipart_id))

    def complete_upload(
        self,
        bucket_name: str,
        upload_id: str,
        wanted: list[tuple[int, str]],
        check: Callable[[Assembled, str | None], None],
    ) -> StoredKey:
        """Make an object from an upload's parts.

        Args:
            bucket_name: the upload's bucket.
            upload_id: the upload.
            wanted: number and ETag of each part.
            check: called with the joined parts and the checksum's algorithm; raises if they don't match the request.

        Raises:
            NoSuchUpload, InvalidPart, EntityTooSmall, MalformedXML: as on AWS.
        """
        bucket = self.get_bucket(bucket_name)
        upload = self.upload(bucket_name, upload_id)
        made = upload.assemble(wanted)
        try:
            check(made, upload.metadata.get("x-amz-checksum-algorithm"))
        except BaseException:
            self.store.discard(made.body)
            raise
        with self.lock:
            lost = bucket.multiparts.pop(upload_id, None) is not upload
        if lost:  # another call has completed or aborted it meanwhile
            self.store.discard(made.body)
            raise NoSuchUpload(upload_id=upload_id)
        try:
            key = self.put_object(
                bucket_name,
                upload.key_name,
                made.body,
                storage=upload.storage,
                etag=made.etag,
                multipart=upload,
                encryption=upload.sse_encryption,
                kms_key_id=upload.kms_key_id,
                disable_notification=True,
            )
        except BaseException:  # its condition is not met: the client may complete the upload with another condition
            bucket.multiparts[upload_id] = upload
            raise
        key.set_metadata(upload.metadata)
        key.set_acl(upload.acl or bucket.acl)
        key.part_sizes, key.part_checksums = made.sizes, made.checksums
        if made.checksum is not None:
            key.checksum_algorithm = upload.metadata.get("x-amz-checksum-algorithm")
            key.checksum_type, key.checksum_value, key.checksum_parts = made.checksum
        self.put_object_tagging(key, upload.tags)
        upload.dispose()  # removes the parts' files, and keeps their sizes and ETags
        self.touched.uploads.add((bucket_name, upload_id))
        self.announce("s3:ObjectCreated:CompleteMultipartUpload", key)
        return key

    def upload(self, bucket_name: str, upload_id: str) -> StoredUpload:
        """Return an upload in progress. Raise NoSuchUpload if there is none."""
        upload = self.get_bucket(bucket_name).multiparts.get(upload_id)
        if upload is None:
            raise NoSuchUpload(upload_id=upload_id)
        assert isinstance(upload, StoredUpload)
        return upload
