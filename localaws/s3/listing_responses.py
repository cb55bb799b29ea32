"""The requests that list what a bucket holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.s3.exceptions import InvalidContinuationToken
from moto.s3.models import OWNER

from localaws.s3.listing import PAGE_LIMIT, decode_token, encode_token
from localaws.s3.listing_xml import FirstListing, Listing, VersionsListing
from localaws.s3.notification_responses import NotificationResponse
from localaws.s3.objects import StoredUpload
from localaws.s3.upload_listing import Asked, to_result, uploads_page
from localaws.s3.upload_responses import UploadResponse

_MOST_BUCKETS = 10_000


class ListingResponse(NotificationResponse, UploadResponse):
    """Answers with pages of objects, of versions and of uploads."""

    def _limit(self, name: str) -> int:
        """Return how many items a page has at most. The number was checked before (numbers.py)."""
        return min(int(self.querystring.get(name, [PAGE_LIMIT])[0]), PAGE_LIMIT)

    def list_objects(self) -> TYPE_RESPONSE:
        """Answer ListObjects, the first version of the listing, with a page."""
        given = {name: values[0] for name, values in self._get_querystring(self.request, self.uri).items()}
        bucket = self.backend.get_bucket(self.bucket_name)
        prefix, delimiter, marker = (given.get(name, "") for name in ("prefix", "delimiter", "marker"))
        found = self.backend.page(bucket, prefix, delimiter, marker, self._limit("max-keys"))
        listing = FirstListing(
            bucket=self.bucket_name,
            items=found.items,
            prefix=prefix,
            delimiter=delimiter,
            max_keys=self._limit("max-keys"),
            next_token=found.last,
            token=None,
            start_after=marker,
            url_encoded=given.get("encoding-type") == "url",
            with_owner=True,
        )
        return 200, {"content-type": "application/xml"}, listing.to_xml()

    def all_buckets(self) -> TYPE_RESPONSE:
        """Answer with a page of the account's buckets, sorted by name."""
        given = {name: values[0] for name, values in self._get_querystring(self.request, self.uri).items()}
        prefix, region = given.get("prefix", ""), given.get("bucket-region", "")
        after = decode_token(given["continuation-token"]) if "continuation-token" in given else ""
        most = int(given.get("max-buckets", _MOST_BUCKETS))
        left = [
            bucket
            for name, bucket in sorted(self.backend.buckets.items())
            if name > after and name.startswith(prefix) and region in ("", bucket.region_name)
        ]
        paged = bool(given.keys() & {"prefix", "bucket-region", "continuation-token", "max-buckets"})
        buckets = [
            {"Name": each.name, "CreationDate": each.creation_date_ISO8601}
            | ({"BucketRegion": each.region_name} if paged else {})
            for each in left[:most]
        ]
        result = {
            "Owner": {"ID": OWNER, "DisplayName": "webfile"},
            "Buckets": buckets,
            "Prefix": prefix or None,
            "ContinuationToken": encode_token(left[most - 1].name) if len(left) > most else None,
        }
        self.data["Action"] = "ListBuckets"
        return self.serialized(ActionResult(result))

    def list_objects_v2(self) -> TYPE_RESPONSE:
        """Answer ListObjectsV2 with a page."""
        token = self.querystring.get("continuation-token", [None])[0]
        if token == "":
            raise InvalidContinuationToken()
        query = self._get_querystring(self.request, self.uri)
        prefix = query.get("prefix", [""])[0]
        delimiter = self.querystring.get("delimiter", [""])[0]
        start_after = self.querystring.get("start-after", [None])[0]
        max_keys = self._limit("max-keys")
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
        """Answer with a page of the uploads in progress."""
        given = {name: values[0] for name, values in self._get_querystring(self.request, self.uri).items()}
        asked = Asked(
            prefix=given.get("prefix", ""),
            delimiter=given.get("delimiter", ""),
            key_marker=given.get("key-marker", ""),
            upload_id_marker=given.get("upload-id-marker", ""),
            limit=self._limit("max-uploads"),
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
        max_keys = self._limit("max-keys")
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
