"""A page of the multipart uploads in progress.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from moto.s3.models import OWNER

from localaws.s3.objects import StoredUpload

PAGE_LIMIT = 1000


@dataclass(frozen=True)
class Asked:
    """Which uploads are requested: those after the two markers."""

    prefix: str = ""
    delimiter: str = ""
    key_marker: str = ""
    upload_id_marker: str = ""
    limit: int = PAGE_LIMIT

    def is_after_markers(self, upload: StoredUpload, marked: StoredUpload | None) -> bool:
        """Whether an upload comes after the end of the page before. `marked` is the upload that the id marker names."""
        key = upload.key_name
        if not self.key_marker:
            return True
        if self.delimiter and self.key_marker.endswith(self.delimiter) and key.startswith(self.key_marker):
            return False  # the marker is a common prefix, which stands for this upload too
        if key != self.key_marker or not self.upload_id_marker:
            return key > self.key_marker
        return _order(upload) > _order(marked) if marked is not None else upload.id > self.upload_id_marker

    def folder(self, key: str) -> str | None:
        """Return the common prefix that stands for `key`; None if `key` itself is listed."""
        cut = key.find(self.delimiter, len(self.prefix)) if self.delimiter else -1
        return None if cut < 0 else key[: cut + len(self.delimiter)]


@dataclass
class UploadsPage:
    """Uploads and common prefixes, and where the next page starts, if there is one."""

    uploads: list[StoredUpload] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last_key: str = ""
    last_id: str = ""
    more: bool = False


def uploads_page(uploads: Iterable[StoredUpload], asked: Asked) -> UploadsPage:
    """Return the first `asked.limit` uploads and common prefixes, ordered by key and then by start time."""
    page = UploadsPage()
    all_of_them = sorted(uploads, key=_order)
    marked = next((each for each in all_of_them if each.id == asked.upload_id_marker), None)
    for upload in all_of_them:
        if not upload.key_name.startswith(asked.prefix) or not asked.is_after_markers(upload, marked):
            continue
        folder = asked.folder(upload.key_name)
        if folder is not None and page.prefixes and page.prefixes[-1] == folder:
            continue
        if len(page.uploads) + len(page.prefixes) >= asked.limit:
            page.more = asked.limit > 0
            return page
        if folder is None:
            page.uploads.append(upload)
            page.last_key, page.last_id = upload.key_name, upload.id
        else:
            page.prefixes.append(folder)
            page.last_key, page.last_id = folder, ""
    return page


def _order(upload: StoredUpload) -> tuple[str, float, str]:
    return upload.key_name, upload.initiated, upload.id


def to_result(bucket: str, page: UploadsPage, asked: Asked, encoding: str | None) -> dict[str, Any]:
    """The members of the response."""

    def name(key: str) -> str | None:
        return (quote(key) if encoding == "url" else key) or None

    return {
        "Bucket": bucket,
        "KeyMarker": name(asked.key_marker) or "",
        "UploadIdMarker": asked.upload_id_marker,
        "NextKeyMarker": name(page.last_key) if page.more else None,
        "NextUploadIdMarker": page.last_id if page.more else None,
        "Prefix": name(asked.prefix),
        "Delimiter": name(asked.delimiter),
        "EncodingType": encoding,
        "MaxUploads": asked.limit,
        "IsTruncated": page.more,
        "Uploads": [
            {
                "Key": name(upload.key_name),
                "UploadId": upload.id,
                "Initiator": {"ID": OWNER, "DisplayName": "webfile"},
                "Owner": {"ID": OWNER, "DisplayName": "webfile"},
                "StorageClass": upload.storage or "STANDARD",
                "Initiated": datetime.fromtimestamp(upload.initiated, UTC),
                "ChecksumAlgorithm": upload.metadata.get("x-amz-checksum-algorithm"),
                "ChecksumType": upload.metadata.get("x-amz-checksum-type"),
            }
            for upload in page.uploads
        ],
        "CommonPrefixes": [{"Prefix": name(prefix)} for prefix in page.prefixes],
    }
