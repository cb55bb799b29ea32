"""Buckets and their settings: versioning, locks, the policy, ownership and notifications."""

from __future__ import annotations

from typing import Any, cast

from moto.iam.models import iam_backends
from moto.s3.exceptions import (
    BucketAlreadyExists,
    InvalidBucketState,
    InvalidLocationConstraintException,
    NoSuchBucketPolicy,
    S3ClientError,
)
from moto.s3.models import (
    NotificationConfiguration,
    s3_backends,
)

from localaws.iam import regions
from localaws.iam.grammar import BadPolicy, check_bucket_policy
from localaws.iam.models import LocalIAMBackend
from localaws.iam.refusals import Refused
from localaws.s3 import access_lists, names, notifications, public_access, versions
from localaws.s3.objects import StoredBucket
from localaws.s3.saving import SavedBackend

_EUROPE = "EU"  # an old location constraint that is not the name of a region


class BucketBackend(SavedBackend):
    """The part of the backend for buckets."""

    def get_bucket(self, bucket_name: str) -> StoredBucket:
        """Return the bucket, and note it as touched, because callers change it."""
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
        """Delete an empty bucket. Return None if it holds objects."""
        with self.lock:
            bucket = self.get_bucket(bucket_name)
            if bucket.keys:
                return None
            for upload_id in list(bucket.multiparts):
                self.touched.uploads.add((bucket_name, upload_id))
                del bucket.multiparts[upload_id]
            self.tagger.delete_all_tags_for_resource(bucket.arn)
            return super().delete_bucket(bucket_name)  # type: ignore[return-value]

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
        """Set the default lock of the bucket's new objects. Raise InvalidBucketState without versioning."""
        versions.check_enabled(self.get_bucket(bucket_name), "Object Lock")
        super().put_object_lock_configuration(bucket_name, *details, **more)

    def put_bucket_policy(self, bucket_name: str, policy: bytes, asker: str = "anonymous") -> None:
        """Set the bucket's policy. `asker` is the caller's ARN.

        Raises:
            S3ClientError: MalformedPolicy; the policy breaks the grammar, or is about another bucket.
            Refused: the policy is public, and the bucket refuses public policies.
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
        """Whether the bucket's policy lets everybody in. Raise NoSuchBucketPolicy if it has none."""
        bucket = self.get_bucket(bucket_name)
        if not bucket.policy:
            raise NoSuchBucketPolicy(bucket_name=bucket_name)
        return public_access.is_public(bucket.policy)

    def put_bucket_ownership_controls(self, bucket_name: str, ownership: Any) -> None:
        """Set who owns the bucket's objects, and whether ACLs have an effect. Raise Refused if the ACL forbids it."""
        bucket = self.get_bucket(bucket_name)
        access_lists.check_ownership(bucket, ownership)
        bucket.ownership_rule = ownership

    def put_bucket_notification_configuration(
        self, bucket_name: str, notification_config: dict[str, Any] | None, validate: bool = True
    ) -> None:
        """Set the bucket's notifications; see `notifications.configure`."""
        bucket = self.get_bucket(bucket_name)
        self.touched.deliveries.extend(notifications.configure(bucket, notification_config, validate=validate))

    def get_bucket_notification_configuration(self, bucket_name: str) -> NotificationConfiguration | None:
        """Return the bucket's notifications."""
        return self.get_bucket(bucket_name).notifications
