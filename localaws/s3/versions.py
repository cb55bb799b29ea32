"""What a PUT and a DELETE do to an object's versions.

A bucket without versioning, or with versioning suspended, stores objects under the version id "null". An object has
at most one such version. Versions that were stored while versioning was enabled stay.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectsfromVersioningSuspendedBuckets.html
"""

from __future__ import annotations

from dataclasses import dataclass

from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.s3.exceptions import AccessDeniedByLock, InvalidBucketState
from moto.s3.models import FakeDeleteMarker, FakeKey

from localaws.core.untracked import Untracked
from localaws.s3.objects import StoredBucket

NULL = "null"


class DeleteMarker(Untracked, FakeDeleteMarker):
    """A delete marker. Unlike moto's it may stand where no object was."""

    def __init__(self, name: str, version_id: str) -> None:
        self.name = name
        self.last_modified = utcnow()
        self._version_id = version_id

    def dispose(self, garbage: bool = False) -> None:
        """Do nothing: a delete marker has no body."""


Version = FakeKey | FakeDeleteMarker


@dataclass(frozen=True)
class Deletion:
    """The result of a DELETE."""

    after: list[Version]
    """The key's versions after the DELETE, oldest first."""
    gone: Version | None = None
    made: DeleteMarker | None = None
    version_id: str | None = None
    """The version that was asked for."""

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers, under moto's names."""
        if self.made is not None:
            return {"version-id": self.made.version_id, "delete-marker": "true"}
        found = {"version-id": self.version_id} if self.version_id is not None else {}
        return {**found, "delete-marker": "true"} if isinstance(self.gone, FakeDeleteMarker) else found


def new_id(bucket: StoredBucket) -> str:
    """Return the version id for the next object or delete marker."""
    return str(mock_random.uuid4()) if _is_enabled(bucket) else NULL


def kept(bucket: StoredBucket, key_name: str) -> list[Version]:
    """The versions that stay when another one is stored."""
    versions: list[Version] = bucket.keys.getlist(key_name, [])
    return [version for version in versions if _is_enabled(bucket) or version.version_id != NULL]


def delete(bucket: StoredBucket, key_name: str, version_id: str | None, *, bypass: bool) -> Deletion:
    """Delete a version. Without `version_id`, delete the object: by a delete marker if versioning was ever enabled.

    Raises:
        AccessDeniedByLock: the version is locked.
    """
    before: list[Version] = bucket.keys.getlist(key_name, [])
    if version_id is None and bucket.versioning_status is not None:
        stay = kept(bucket, key_name)
        made = DeleteMarker(key_name, new_id(bucket))
        gone = next((version for version in before if version not in stay), None)
        return Deletion([*stay, made], gone, made)
    wanted = NULL if version_id is None else version_id
    gone = next((version for version in before if version.version_id == wanted), None)
    if isinstance(gone, FakeKey) and gone.is_locked(governance_bypass=bypass):
        raise AccessDeniedByLock
    return Deletion([version for version in before if version is not gone], gone, version_id=version_id)


def check_enabled(bucket: StoredBucket, what: str) -> None:
    """Check that versioning is enabled, as the configuration `what` requires.

    Raises:
        InvalidBucketState: versioning is not enabled.
    """
    if not _is_enabled(bucket):
        raise InvalidBucketState(f"Versioning must be 'Enabled' on the bucket to apply a {what} configuration")


def _is_enabled(bucket: StoredBucket) -> bool:
    return bucket.versioning_status == "Enabled"
