"""The HTTP side of an object's settings: its ACL, its tags and its lock."""

from __future__ import annotations

from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.s3.exceptions import LockNotEnabled, MalformedXML, MethodNotAllowed, MissingKey, MissingVersion
from moto.s3.models import FakeDeleteMarker

from localaws.iam.refusals import Refused
from localaws.s3 import locks
from localaws.s3.deletion_responses import DeletionResponse
from localaws.s3.objects import StoredKey
from localaws.s3.versions import NULL


class ObjectSettingsResponse(DeletionResponse):
    """Reads and changes the settings of a given version, or of the latest one."""

    def _version(self) -> StoredKey:
        """Return the requested version. Raise S3ClientError if it doesn't exist, or is a delete marker."""
        name, version_id = self.parse_key_name(), self._get_param("versionId")
        found: Any = self.backend.get_object(self.bucket_name, name, version_id, return_delete_marker=True)
        if isinstance(found, FakeDeleteMarker) and version_id is not None:
            raise MethodNotAllowed(self.request.method, "DeleteMarker")
        if not isinstance(found, StoredKey):
            raise MissingKey(key=name) if version_id is None else MissingVersion(key=name, version_id=version_id)
        return found

    def _of_version(self, key: StoredKey, result: dict[str, Any] | None = None, status: int = 200) -> TYPE_RESPONSE:
        """Return an answer about a version, with the version's id if the bucket has versions."""
        about = {"x-amz-version-id": str(key.version_id)} if self._names_versions(key) else {}
        if result is None:
            return status, about, ""
        _, headers, body = self.serialized(ActionResult(result))
        return status, {**headers, **about}, body

    def _names_versions(self, key: StoredKey) -> bool:
        return key.version_id != NULL or self.backend.get_bucket(self.bucket_name).is_versioned

    def get_object_acl(self) -> TYPE_RESPONSE:
        """Answer with the ACL."""
        key = self._version()
        self.data["Action"] = "GetObjectAcl"
        return self._of_version(key, self._acl_to_dict(key.acl))

    def put_object_acl(self) -> TYPE_RESPONSE:
        """Set the ACL, and announce the event."""
        key = self._version()
        key.set_acl(self._acl_from_headers(self.headers))
        self.backend.announce("s3:ObjectAcl:Put", key)
        return self._of_version(key)

    def get_object_tagging(self) -> TYPE_RESPONSE:
        """Answer with the tags."""
        key = self._version()
        self.data["Action"] = "GetObjectTagging"
        return self._of_version(key, {"TagSet": self.backend.get_object_tagging(key)["Tags"]})

    def put_object_tagging(self) -> TYPE_RESPONSE:
        """Set the tags, and announce the event (tags that come with a PUT have no event)."""
        key = self._version()
        self.backend.put_object_tagging(key, self._tagging_from_xml())
        self.backend.announce("s3:ObjectTagging:Put", key)
        return self._of_version(key)

    def delete_object_tagging(self) -> TYPE_RESPONSE:
        """Remove the tags, and announce the event."""
        key = self._version()
        self.backend.put_object_tagging(key, {})
        self.backend.announce("s3:ObjectTagging:Delete", key)
        return self._of_version(key, status=204)

    def _lockable(self) -> StoredKey:
        if not self.backend.get_bucket(self.bucket_name).object_lock_enabled:
            raise LockNotEnabled()
        return self._version()

    def get_object_legal_hold(self) -> TYPE_RESPONSE:
        """Answer whether there is a legal hold. Raise Refused if it was never set."""
        key = self._lockable()
        if not key.lock_legal_status:
            raise _no_lock()
        self.data["Action"] = "GetObjectLegalHold"
        return self._of_version(key, {"LegalHold": {"Status": key.lock_legal_status}})

    def put_object_legal_hold(self) -> TYPE_RESPONSE:
        """Set the legal hold. Raise MalformedXML if the document has no status."""
        key = self._lockable()
        if "Status" not in self.document:
            raise MalformedXML()
        key.lock_legal_status = self.document["Status"]
        return self._of_version(key)

    def get_object_retention(self) -> TYPE_RESPONSE:
        """Answer with the retention. Raise Refused if there is none."""
        key = self._lockable()
        if not key.lock_mode:
            raise _no_lock()
        self.data["Action"] = "GetObjectRetention"
        return self._of_version(key, {"Retention": {"Mode": key.lock_mode, "RetainUntilDate": key.lock_until}})

    def put_object_retention(self) -> TYPE_RESPONSE:
        """Set the retention."""
        key = self._lockable()
        bypass = self.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
        key.lock_mode, key.lock_until = locks.check_retention(self.document, key, bypass=bypass)
        return self._of_version(key)

    def _key_response_get(self, query: dict[str, Any], key_name: str) -> TYPE_RESPONSE:
        if "retention" in query:
            return self.get_object_retention()
        return super()._key_response_get(query, key_name)


def _no_lock() -> Refused:
    text = "The specified object does not have a ObjectLock configuration"
    return Refused(404, "NoSuchObjectLockConfiguration", text)
