"""The HTTP side of DeleteObjects: an answer for each object, as AWS gives it.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
"""

from __future__ import annotations

from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.s3.exceptions import AccessDeniedByLock

from localaws.core.call import DENIED, S3Object
from localaws.s3.listing_responses import ListingResponse


class DeletionResponse(ListingResponse):
    """Deletes many objects with one request."""

    def _bucket_response_delete_keys(self, bucket_name: str, authenticated: bool = True) -> TYPE_RESPONSE:
        self.backend.get_bucket(bucket_name)
        objects = self.document["Objects"]
        bypass = self.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
        denied = self.request.environ[DENIED]
        deleted: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for one in objects:
            named: dict[str, Any] = {"Key": one["Key"], "VersionId": one.get("VersionId")}
            if reason := denied.get(S3Object(bucket_name, one["Key"], one.get("VersionId"))):
                errors.append({**named, "Code": "AccessDenied", "Message": reason})
                continue
            try:
                _, headers = self.backend.delete_object(bucket_name, one["Key"], one.get("VersionId"), bypass)
            except AccessDeniedByLock:
                text = "Access Denied because object protected by object lock."
                errors.append({**named, "Code": "AccessDenied", "Message": text})
                continue
            if "delete-marker" in headers:
                named |= {"DeleteMarker": True, "DeleteMarkerVersionId": headers["version-id"]}
            deleted.append(named)
        self.data["Action"] = "DeleteObjects"
        quiet = self.document.get("Quiet")
        return self.serialized(ActionResult({"Deleted": [] if quiet else deleted, "Errors": errors}))
