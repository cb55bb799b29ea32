"""The requests that list what a bucket holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.s3.exceptions import InvalidContinuationToken

from localaws.services.s3.listing import PAGE_LIMIT
from localaws.services.s3.listing_xml import Listing, VersionsListing
from localaws.services.s3.notification_responses import NotificationResponse
from localaws.services.s3.objects import StoredUpload
from localaws.services.s3.upload_listing import PAGE_LIMIT as UPLOADS_LIMIT
from localaws.services.s3.upload_listing import Asked, to_result, uploads_page


class ListingResponse(NotificationResponse):
    """Answers with pages of objects, of versions and of uploads."""

    def list_objects_v2(self) -> TYPE_RESPONSE:
        """Answer with a page of a listing."""
        token = self.querystring.get("continuation-token", [None])[0]
        if token == "":
            raise InvalidContinuationToken()
        query = self._get_querystring(self.request, self.uri)
        prefix = query.get("prefix", [""])[0]
        delimiter = self.querystring.get("delimiter", [""])[0]
        start_after = self.querystring.get("start-after", [None])[0]
        max_keys = int(self.querystring.get("max-keys", [PAGE_LIMIT])[0])
        items, _, next_token = self.backend.list_objects_v2(
            self.backend.get_bucket(self.bucket_name), prefix, delimiter, token, start_after, max_keys
        )
        listing = Listing(
            bucket=self.bucket_name,
            items=items,
            prefix=prefix,
            delimiter=delimiter,
            max_keys=max_keys,
            next_token=next_token,
            token=token,
            start_after=start_after,
            url_encoded=self.querystring.get("encoding-type", [None])[0] == "url",
            with_owner=self.querystring.get("fetch-owner", ["false"])[0] == "true",
        )
        return 200, {"content-type": "application/xml"}, listing.to_xml()

    def list_multipart_uploads(self) -> TYPE_RESPONSE:
        """Answer with a page of the uploads that are under way."""
        given = {name: values[0] for name, values in self._get_querystring(self.request, self.uri).items()}
        asked = Asked(
            prefix=given.get("prefix", ""),
            delimiter=given.get("delimiter", ""),
            key_marker=given.get("key-marker", ""),
            upload_id_marker=given.get("upload-id-marker", ""),
            limit=min(int(given.get("max-uploads", UPLOADS_LIMIT)), UPLOADS_LIMIT),
        )
        uploads = self.backend.list_multipart_uploads(self.bucket_name).values()
        page = uploads_page(cast("Iterable[StoredUpload]", uploads), asked)
        self.data["Action"] = "ListMultipartUploads"
        return self.serialized(ActionResult(to_result(self.bucket_name, page, asked, given.get("encoding-type"))))

    def list_object_versions(self) -> TYPE_RESPONSE:
        """Answer with a page of a bucket's versions and delete markers."""
        query = self._get_querystring(self.request, self.uri)
        prefix = query.get("prefix", [""])[0]
        delimiter = self.querystring.get("delimiter", [""])[0]
        key_marker = self.querystring.get("key-marker", [""])[0]
        version_id_marker = self.querystring.get("version-id-marker", [""])[0]
        max_keys = int(self.querystring.get("max-keys", [PAGE_LIMIT])[0])
        page = self.backend.versions_page(
            self.bucket_name, prefix, delimiter, key_marker, version_id_marker or None, max_keys
        )
        listing = VersionsListing(
            bucket=self.bucket_name,
            page=page,
            prefix=prefix,
            delimiter=delimiter,
            max_keys=max_keys,
            key_marker=key_marker,
            version_id_marker=version_id_marker,
            url_encoded=self.querystring.get("encoding-type", [None])[0] == "url",
        )
        return 200, {"content-type": "application/xml"}, listing.to_xml()
