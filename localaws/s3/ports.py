"""What other parts of the embedded AWS ask of S3: `Objects`, `Buckets` and `PolicyOf` of core/ports.py."""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path
from typing import Any

from moto.s3.models import FakeDeleteMarker
from moto.s3.utils import ARCHIVE_STORAGE_CLASSES

from localaws.core.context import ACCOUNT_ID
from localaws.core.ports import NoSuchBucket, ObjectArchived, ObjectEntry, ObjectGone, Role
from localaws.s3 import access_lists, locks, public_access
from localaws.s3.models import backend

_LISTINGS = frozenset({"ListBucket", "ListBucketVersions", "ListBucketMultipartUploads"})


class StoredObjects:
    """Gives other parts the files of objects. Permissions of the role are checked as in a request over HTTP."""

    def current(self, role: Role, bucket: str, prefix: str) -> list[Any]:
        """See `Objects`."""
        store = backend(role.account_id)
        stored: Any = store.buckets.get(bucket)
        if stored is None:
            raise NoSuchBucket(bucket)
        asked: dict[str, str | list[str] | None] = {"s3:prefix": prefix, "s3:delimiter": None, "s3:max-keys": None}
        role.require("s3:ListBucket", f"arn:aws:s3:::{bucket}", asked)
        keys = stored.keys
        with store.lock:
            start = bisect_left(keys.names, prefix)
            end = bisect_left(keys.names, prefix[:-1] + chr(ord(prefix[-1]) + 1)) if prefix else len(keys.names)
            # keys[name] is the newest version too, but dict.get is ten times faster.
            found = [versions[-1] for name in keys.names[start:end] if (versions := dict.get(keys, name))]
        return [key for key in found if not isinstance(key, FakeDeleteMarker)]

    def entry(self, listed: Any) -> ObjectEntry:
        """See `Objects`."""
        return _entry(listed)

    def file(self, role: Role, bucket: str, key: str) -> tuple[ObjectEntry, Path]:
        """See `Objects`."""
        role.require("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", {"s3:versionid": None})
        return opened(bucket, key)


def opened(bucket: str, key: str) -> tuple[ObjectEntry, Path]:
    """Return an object and its file, for a caller who may GET it. It gives out what a plain GET gives out.

    Raises:
        ObjectGone: there is no such object.
        ObjectArchived: its storage class is an archive, and it was not restored.
        BodyDamaged: the file is not what was stored.
    """
    stored = _bucket(bucket)
    found: Any = stored.keys.get(key) if stored is not None else None
    if not hasattr(found, "chunks"):  # deleted, or covered by a delete marker
        raise ObjectGone
    is_restored = 'ongoing-request="false"' in found.response_dict.get("x-amz-restore", "")
    if found.storage_class in ARCHIVE_STORAGE_CLASSES and not is_restored:
        raise ObjectArchived("The operation is not valid for the object's storage class")
    try:
        return _entry(found), found.file()
    except FileNotFoundError:
        raise ObjectGone from None


def _entry(stored: Any) -> ObjectEntry:
    return ObjectEntry(stored.bucket_name, stored.name, stored.size, stored.etag, stored.last_modified)


class BucketFacts:
    """What IAM must know about buckets and objects to decide."""

    def lacks(self, bucket: str, key: str) -> bool:
        """See `Buckets`."""
        found = _bucket(bucket)
        return found is not None and found.keys.get(key) is None

    def is_public(self, bucket: str, action: str, key: str, version: str | None) -> bool:
        """See `Buckets`. https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions"""
        found, name = _bucket(bucket), action.removeprefix("s3:")
        if found is None or not access_lists.count(found) or public_access.ignores_acls(found):
            return False
        if name in _LISTINGS:
            return access_lists.lets_everybody_read(found)
        if name not in ("GetObject", "GetObjectVersion"):
            return False
        versions = [each for each in found.keys.getlist(key, []) if version in (None, each.version_id)]
        return bool(versions) and access_lists.lets_everybody_read(versions[-1])

    def is_restricted(self, bucket: str) -> bool:
        """See `Buckets`."""
        found = _bucket(bucket)
        return found is not None and public_access.restricts(found)

    def is_governed(self, bucket: str, key: str, version: str | None) -> bool:
        """See `Buckets`."""
        found = _bucket(bucket)
        versions = found.keys.getlist(key, []) if found is not None else []
        chosen = versions[-1:] if version is None else [each for each in versions if each.version_id == version]
        return any(locks.is_governed(each) for each in chosen if hasattr(each, "lock_mode"))


def policy_of(account_id: str, _region: str, resource: str) -> str:
    """Return a bucket's policy. An anonymous caller has no account: then the bucket is found by its name alone."""
    bucket: Any = backend(account_id or ACCOUNT_ID).buckets.get(resource.partition("/")[0])
    policy = bucket.policy if bucket is not None else None
    return policy.decode() if isinstance(policy, bytes) else policy or ""


def _bucket(name: str) -> Any:
    return backend(ACCOUNT_ID).buckets.get(name)
