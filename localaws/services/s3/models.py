"""moto's S3, with bodies in files, everything saved before it is answered, and events delivered after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from moto.iam.models import iam_backends
from moto.s3.exceptions import (
    BucketAlreadyExists,
    InvalidBucketState,
    InvalidLocationConstraintException,
    InvalidStorageClass,
    MethodNotAllowed,
    NoSuchBucketPolicy,
    NoSuchUpload,
    S3ClientError,
)
from moto.s3.models import (
    FakeAcl,
    FakeKey,
    FakeTableStorageBucket,
    NotificationConfiguration,
    s3_backends,
)
from moto.s3.utils import STORAGE_CLASS

from localaws.authorization.grammar import BadPolicy, check_bucket_policy
from localaws.authorization.refusals import Refused
from localaws.context import ACCOUNT_ID
from localaws.home import Home
from localaws.services import regions
from localaws.services.iam.models import LocalIAMBackend
from localaws.services.s3 import access_lists, checksums, locks, names, notifications, public_access, versions
from localaws.services.s3.files import Body
from localaws.services.s3.listing import Page, VersionsPage, decode_token, encode_token, page, versions_page
from localaws.services.s3.objects import Assembled, Linked, StoredBucket, StoredKey, StoredUpload
from localaws.services.s3.saving import SavedBackend

_EUROPE = "EU"  # a location constraint that is older than regions are


def open_store(home: Home) -> None:
    """Load the S3 of `home`; called once, when its server starts.

    Raises:
        StateRefused: the index is of another version, or damaged.
    """
    backend(ACCOUNT_ID).open_store(home)


def deliver_waiting() -> None:
    """Deliver the events that an earlier server accepted and could not hand over."""
    backend(ACCOUNT_ID).deliver_waiting()


def backend(account_id: str) -> LocalS3Backend:
    """The S3 of `account_id`."""
    found = s3_backends[account_id]["aws"]
    assert isinstance(found, LocalS3Backend)
    return found


class LocalS3Backend(SavedBackend):
    """S3 as this package has it."""

    @property
    def _url_module(self) -> Any:
        # moto's looks up its own, whatever the class.
        from localaws.services.s3 import urls

        return urls

    def get_bucket(self, bucket_name: str) -> StoredBucket:
        """The bucket, noted as touched: callers change what they get."""
        bucket = super().get_bucket(bucket_name)
        self.touched.buckets.add(bucket_name)
        return bucket  # type: ignore[return-value]

    def create_bucket(self, bucket_name: str, region_name: str, bucket_namespace: str | None = None) -> StoredBucket:
        """Make a bucket.

        Raises:
            BucketAlreadyExists, InvalidBucketName: as on AWS.
            InvalidLocationConstraintException: the account has no such region.
        """
        names.check_bucket(bucket_name)
        if region_name not in regions.known() and region_name != _EUROPE:
            raise InvalidLocationConstraintException()
        with self.lock:
            if bucket_name in s3_backends.bucket_accounts:
                raise BucketAlreadyExists(bucket=bucket_name)
            bucket = StoredBucket(bucket_name, self.account_id, region_name, bucket_namespace)  # type: ignore[abstract]
            self.buckets[bucket_name] = bucket
            self.touched.buckets.add(bucket_name)
            return bucket

    def delete_bucket(self, bucket_name: str) -> StoredBucket | None:
        """Delete an empty bucket; None where it holds objects."""
        with self.lock:
            bucket = self.get_bucket(bucket_name)
            if bucket.keys:
                return None
            for upload_id in list(bucket.multiparts):
                self.touched.uploads.add((bucket_name, upload_id))
                del bucket.multiparts[upload_id]
            self.tagger.delete_all_tags_for_resource(bucket.arn)
            return super().delete_bucket(bucket_name)  # type: ignore[return-value]

    # Objects

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
            InvalidStorageClass, MissingBucket: as moto has them.
            KeyTooLong: as on AWS.
        """
        names.check_key(key_name)
        if storage is not None and storage not in STORAGE_CLASS:
            raise InvalidStorageClass(storage=storage)
        bucket = self.get_bucket(bucket_name)
        if bucket.encryption:
            rule = bucket.encryption["Rule"]
            default = rule["ApplyServerSideEncryptionByDefault"]
            bucket_key_enabled = bucket_key_enabled or rule.get("BucketKeyEnabled", False)
            kms_key_id = kms_key_id or default.get("KMSMasterKeyID")
            encryption = encryption or default["SSEAlgorithm"]
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
            encryption=encryption,
            kms_key_id=kms_key_id,
            bucket_key_enabled=bucket_key_enabled,
            lock_mode=lock_mode,
            lock_legal_status=lock_legal_status,
            lock_until=locks.written(lock_until) if lock_until else None,
            checksum_value=checksum_value,
        )
        with self.lock:
            bucket.keys.setlist(key_name, [*versions.kept(bucket, key_name), key])
            key.sequence = notifications.sequencer.next()  # in the order in which one overwrote the other
        self.touched.objects.add((bucket_name, key_name))
        self.touched.stored = key
        if not disable_notification:
            self.announce("s3:ObjectCreated:Post" if request_method == "POST" else "s3:ObjectCreated:Put", key)
        return key

    def copy_object(self, src_key: StoredKey, dest_bucket_name: str, dest_key_name: str, **details: Any) -> None:  # type: ignore[override]
        """Copy an object without reading it."""
        # moto hands `src_key.value` on to put_object: there, a stored body is as good, and costs nothing.
        super().copy_object(Linked(src_key), dest_bucket_name, dest_key_name, **details)  # type: ignore[arg-type]
        assert self.touched.stored is not None
        made = self.touched.stored
        made.multipart = None  # what was uploaded in parts is copied as one
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
        """The object, noted as touched: callers change what they get."""
        found = super().get_object(bucket_name, key_name, version_id, part_number, return_delete_marker)
        if found is not None:
            self.touched.objects.add((bucket_name, key_name))
        return found

    def delete_object(
        self, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
    ) -> tuple[bool, dict[str, Any]]:
        """Delete an object, or one of its versions: see `versions.delete`."""
        bucket = self.get_bucket(bucket_name)
        with self.lock:
            done = versions.delete(bucket, key_name, version_id, bypass=bypass)
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

    def put_bucket_versioning(self, bucket_name: str, status: str) -> None:
        """Enable or suspend versioning.

        Raises:
            InvalidBucketState: the bucket has a configuration that needs it enabled.
        """
        bucket = self.get_bucket(bucket_name)
        if status != "Enabled":
            if bucket.object_lock_enabled:
                raise InvalidBucketState(
                    "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
                )
            if self.get_bucket_replication(bucket_name):
                raise InvalidBucketState(
                    "A replication configuration is present on this bucket, so you cannot change the versioning state. "
                    "To change the versioning state, first delete the replication configuration."
                )
        bucket.versioning_status = status

    def put_object_lock_configuration(self, bucket_name: str, *details: Any, **more: Any) -> None:
        """Set what locks the bucket's new objects. Raises InvalidBucketState."""
        versions.check_enabled(self.get_bucket(bucket_name), "Object Lock")
        super().put_object_lock_configuration(bucket_name, *details, **more)

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

    # Multipart uploads

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
        """Begin an upload in parts."""
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
            sse_encryption=sse_encryption,
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
        """Make an object of an upload's parts, which are `wanted` by number and ETag.

        Args:
            bucket_name: the upload's bucket.
            upload_id: the upload.
            wanted: the parts.
            check: refuses what was made of them, if it isn't what the client says; takes the checksum's algorithm too.

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
        key.set_metadata(upload.metadata)
        key.set_acl(upload.acl or bucket.acl)
        key.part_sizes, key.part_checksums = made.sizes, made.checksums
        if made.checksum is not None:
            key.checksum_algorithm = upload.metadata.get("x-amz-checksum-algorithm")
            key.checksum_type, key.checksum_value, key.checksum_parts = made.checksum
        self.put_object_tagging(key, upload.tags)
        del bucket.multiparts[upload_id]  # its parts' files go with it, their sizes and ETags stay
        self.touched.uploads.add((bucket_name, upload_id))
        self.announce("s3:ObjectCreated:CompleteMultipartUpload", key)
        return key

    def upload(self, bucket_name: str, upload_id: str) -> StoredUpload:
        """An upload that is under way. Raises NoSuchUpload."""
        upload = self.get_bucket(bucket_name).multiparts.get(upload_id)
        if upload is None:
            raise NoSuchUpload(upload_id=upload_id)
        assert isinstance(upload, StoredUpload)
        return upload

    # Listing

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
        """A page of versions, common prefixes and delete markers, from after the two markers on."""
        bucket = self.get_bucket(bucket_name)
        after = (key_marker, version_id_marker) if key_marker else None
        with self.lock:
            return versions_page(bucket.keys, prefix, delimiter, after, 1000 if max_keys is None else max_keys)

    # Notifications

    def put_bucket_policy(self, bucket_name: str, policy: bytes, asker: str = "anonymous") -> None:
        """Set the bucket's policy, as `asker` (an ARN) asks for it.

        Raises:
            S3ClientError: MalformedPolicy; it breaks the grammar, or is about another bucket.
            Refused: it is public, and the bucket takes no public policies.
        """
        bucket = self.get_bucket(bucket_name)
        known = cast(LocalIAMBackend, iam_backends[self.account_id][self.partition]).is_known
        try:
            check_bucket_policy(policy.decode(errors="replace"), f"arn:{self.partition}:s3:::{bucket_name}", known)
        except BadPolicy as error:
            raise S3ClientError("MalformedPolicy", str(error)) from None
        if public_access.blocks_policies(bucket) and public_access.is_public(policy):
            text = f'User: {asker} is not authorized to perform: s3:PutBucketPolicy on resource: "{bucket.arn}"'
            raise Refused(403, "AccessDenied", f"{text} because {public_access.BLOCKED_POLICY}.")
        bucket.policy = policy

    def has_public_policy(self, bucket_name: str) -> bool:
        """Whether the bucket's policy lets everybody in. Raises NoSuchBucketPolicy: it has none."""
        bucket = self.get_bucket(bucket_name)
        if not bucket.policy:
            raise NoSuchBucketPolicy(bucket_name=bucket_name)
        return public_access.is_public(bucket.policy)

    def put_object_tagging(self, key: FakeKey, tags: dict[str, str] | None) -> FakeKey:
        """Set an object's tags, which were checked (tags.py)."""
        self.tagger.delete_all_tags_for_resource(key.arn)
        self.tagger.tag_resource(key.arn, [{"Key": name, "Value": value} for name, value in (tags or {}).items()])
        return key

    def put_bucket_ownership_controls(self, bucket_name: str, ownership: Any) -> None:
        """Set whose the bucket's objects are, and whether ACLs count. Raises Refused."""
        bucket = self.get_bucket(bucket_name)
        access_lists.check_ownership(bucket, ownership)
        bucket.ownership_rule = ownership

    def put_bucket_notification_configuration(
        self, bucket_name: str, notification_config: dict[str, Any] | None, validate: bool = True
    ) -> None:
        """Set what the bucket notifies; see `notifications.configure`."""
        bucket = self.get_bucket(bucket_name)
        self.touched.deliveries.extend(notifications.configure(bucket, notification_config, validate=validate))

    def get_bucket_notification_configuration(self, bucket_name: str) -> NotificationConfiguration | None:
        """What the bucket notifies."""
        return self.get_bucket(bucket_name).notifications
