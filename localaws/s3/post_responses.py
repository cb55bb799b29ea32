"""The HTTP side of POST Object, an upload form. server/forms.py has parsed it and checked it against its policy.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
"""

from __future__ import annotations

import urllib.parse
from hashlib import md5
from typing import Any
from xml.sax.saxutils import escape

from moto.core.common_types import TYPE_RESPONSE
from moto.s3.models import get_canned_acl
from moto.s3.utils import metadata_from_headers

from localaws.s3 import checksums, documents, names, tags
from localaws.s3.object_responses import ObjectResponse
from localaws.s3.objects import StoredKey

_SENT_BACK = ("x-amz-", "content-", "cache-control", "expires")
_STATUSES = ("200", "201", "204")


class PostResponse(ObjectResponse):
    """Stores an object that was uploaded with a form."""

    def _bucket_response_post(self, request: Any, bucket_name: str) -> TYPE_RESPONSE:
        if not request.files:
            return super()._bucket_response_post(request, bucket_name)
        fields = {name.lower(): value for name, value in request.form.items()}
        for name, value in fields.items():
            if name.startswith(_SENT_BACK):
                names.check_header(value)
        return self._answer(self._stored(fields, self.body or b""), fields)

    def _stored(self, fields: dict[str, str], content: bytes) -> StoredKey:
        algorithm, value = checksums.announced(fields)
        computed = checksums.written(checksums.digest(algorithm, [content])) if algorithm else None
        if value is not None and computed is not None:
            checksums.check(algorithm, value, computed)
        tagging = tags.of_object(tags.of_document(_tagging(fields["tagging"]))) if "tagging" in fields else {}
        checksums.check_md5(fields, md5(content, usedforsecurity=False).hexdigest())
        key = self.backend.put_object(
            self.bucket_name,
            fields["key"],
            content,
            storage=fields.get("x-amz-storage-class"),
            encryption=fields.get("x-amz-server-side-encryption"),
            checksum_value=computed,
            request_method="POST",
        )
        if algorithm:
            key.checksum_algorithm = algorithm
        key.set_metadata(metadata_from_headers(fields))
        key.set_acl(get_canned_acl(fields.get("acl", "private")))
        key.website_redirect_location = fields.get("x-amz-website-redirect-location")
        self.backend.put_object_tagging(key, tagging)
        return key

    def _answer(self, key: StoredKey, fields: dict[str, str]) -> TYPE_RESPONSE:
        location = f"{self.request.host_url}{self.bucket_name}/{urllib.parse.quote(key.name)}"
        headers = {"ETag": key.etag, "Location": location}
        if key.version_id != "null":
            headers["x-amz-version-id"] = str(key.version_id)
        wanted = fields.get("success_action_redirect") or fields.get("redirect", "")
        if redirect := _redirect(wanted, {"bucket": self.bucket_name, "key": key.name, "etag": key.etag}):
            return 303, {**headers, "Location": redirect}, ""
        status = fields.get("success_action_status", "")
        if status != "201":
            return int(status) if status in _STATUSES else 204, headers, ""
        told = {"Location": location, "Bucket": self.bucket_name, "Key": key.name, "ETag": key.etag}
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told.items())
        return 201, headers, f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{inner}</PostResponse>'


def _redirect(url: str, told: dict[str, str]) -> str | None:
    """The URL that the browser is redirected to; None if `url` is not an address."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    query = [*urllib.parse.parse_qsl(parts.query, keep_blank_values=True), *told.items()]
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


def _tagging(text: str) -> Any:
    return documents.read("PutObjectTagging", text.encode()).members
