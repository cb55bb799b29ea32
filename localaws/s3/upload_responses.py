"""The HTTP side of uploads in parts: their parts, copies into them, and their completion.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qs, unquote

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.s3.exceptions import InvalidObjectState, InvalidPartOrder, MalformedXML, MissingKey
from moto.s3.models import OWNER
from moto.s3.utils import ARCHIVE_STORAGE_CLASSES

from localaws.iam.refusals import Refused
from localaws.s3 import checksums, preconditions
from localaws.s3.objects import Assembled, StoredKey
from localaws.s3.settings_responses import SettingsResponse

PAGE_LIMIT = 1000
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]+)")
_SIZE = "x-amz-mp-object-size"
_SDK = "x-amz-sdk-checksum-algorithm"  # the algorithm of the request's document, not of the object


class UploadResponse(SettingsResponse):
    """Answers requests about one upload."""

    def list_parts(self) -> TYPE_RESPONSE:
        """Answer with a page of an upload's parts."""
        upload = self.backend.upload(self.bucket_name, self._get_param("uploadId"))
        marker = int(self.querystring.get("part-number-marker", [0])[0])
        limit = min(int(self.querystring.get("max-parts", [PAGE_LIMIT])[0]), PAGE_LIMIT)
        start = bisect_right(upload.partlist, marker)
        shown = upload.partlist[start : start + limit]
        more = bool(shown) and shown[-1] < upload.partlist[-1]
        algorithm = upload.metadata.get("x-amz-checksum-algorithm")
        owner = {"ID": OWNER, "DisplayName": "webfile"}
        result = {
            "Bucket": self.bucket_name, "Key": upload.key_name, "UploadId": upload.id, "Initiator": owner,
            "Owner": owner, "StorageClass": upload.storage or "STANDARD", "PartNumberMarker": marker,
            "NextPartNumberMarker": shown[-1] if shown else marker, "MaxParts": limit, "IsTruncated": more,
            "ChecksumAlgorithm": algorithm,
            "ChecksumType": upload.metadata.get("x-amz-checksum-type"),
            "Parts": [_part(number, upload.parts[number], algorithm) for number in shown],
        }  # fmt: skip
        self.data["Action"] = "ListParts"
        return self.serialized(ActionResult(result))

    def _complete_upload(self, upload_id: str) -> TYPE_RESPONSE:
        """Make an object from the parts. If that was done before, repeat the answer."""
        existing = self.backend.get_object(self.bucket_name, self.parse_key_name())
        if existing is not None and existing.multipart and existing.multipart.id == upload_id:
            key = cast("StoredKey", existing)
        else:
            key = self.backend.complete_upload(self.bucket_name, upload_id, self._wanted_parts(), self._check_made)
        about = {"x-amz-version-id": key.version_id, "x-amz-server-side-encryption": key.encryption}
        location = f"http://{self.bucket_name}.s3.amazonaws.com/{key.name}"
        result: dict[str, Any] = {"Location": location, "Bucket": self.bucket_name, "Key": key.name, "ETag": key.etag}
        if key.checksum_value:
            result |= {f"Checksum{key.checksum_algorithm}": _shown(key), "ChecksumType": key.checksum_type}
        self.data["Action"] = "CompleteMultipartUpload"
        status, headers, body = self.serialized(ActionResult(result))
        return status, {**headers, **{name: value for name, value in about.items() if value}}, body

    def _wanted_parts(self) -> list[tuple[int, str]]:
        """Return number and ETag of each part that the request names. Raise MalformedXML or InvalidPartOrder."""
        given = self.document.get("Parts", [])
        if not given or any("PartNumber" not in part or "ETag" not in part for part in given):
            raise MalformedXML()
        numbers = [part["PartNumber"] for part in given]
        if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
            raise InvalidPartOrder()
        return [(part["PartNumber"], part["ETag"].strip()) for part in given]

    def _check_made(self, made: Assembled, algorithm: str | None) -> None:
        """Compare the object with the size and the checksums that the client sent. Raise Refused if they differ."""
        size = self.headers.get(_SIZE)
        if size is not None and size != str(sum(made.sizes)):
            text = f"The provided '{_SIZE}' header value {size} does not match what was computed: {sum(made.sizes)}"
            raise Refused(400, "InvalidRequest", text)
        each: tuple[str | None, ...] = made.checksums or (None,) * len(made.sizes)
        kind, value = made.checksum[:2] if made.checksum is not None else ("", "")
        for part, computed in zip(self.document["Parts"], each, strict=True):
            _check_part(part, algorithm, computed)
            if kind == "COMPOSITE" and f"Checksum{algorithm}" not in part:
                text = (
                    f"The upload was created using a {str(algorithm).lower()} checksum. The complete request must "
                    f"include the checksum for each part. It was missing for part {part['PartNumber']} in the request."
                )
                raise Refused(400, "InvalidRequest", text)
        wanted = self.headers.get("x-amz-checksum-type")
        if wanted is not None and wanted != kind:
            raise Refused(400, "InvalidRequest", f"The upload was created with the checksum type {kind or 'null'}.")
        about_it = {name: value for name, value in self.headers.items() if name.lower() != _SDK}
        given, said = checksums.announced(about_it)
        if said is None:
            return
        if given != algorithm:
            raise Refused(400, "InvalidRequest", f"The upload was created with the checksum algorithm {algorithm}.")
        checksums.check(given, said.partition("-")[0], value)

    def upload_part_copy(self) -> TYPE_RESPONSE:
        """Store a part from another object, or a range of it."""
        source = self._source()
        if source is None:
            raise MissingKey(key=self.headers["x-amz-copy-source"])
        if source.storage_class in ARCHIVE_STORAGE_CLASSES:
            raise InvalidObjectState(storage_class=source.storage_class)
        self._check_range(source.size)
        return super().upload_part_copy()

    def _source(self) -> Any:
        """Return the source of a copy; None if it doesn't exist."""
        path, _, query = str(self.headers["x-amz-copy-source"]).partition("?")
        bucket, _, name = unquote(path).lstrip("/").partition("/")
        version_id = parse_qs(query).get("versionId", [None])[0]
        source = self.backend.get_object(bucket, name, version_id)
        if source is not None:  # otherwise the copy itself reports it
            preconditions.check_source(self.headers, source)
        return source

    def _check_range(self, size: int) -> None:
        given = self.headers.get("x-amz-copy-source-range")
        if given is None:
            return
        found = _RANGE.fullmatch(given)
        about = {"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": given}
        if found is None or int(found[1]) > int(found[2]):
            text = (
                "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
                "zero-based offsets of the first and last bytes to copy"
            )
            raise Refused(400, "InvalidArgument", text, about)
        if int(found[2]) >= size:
            text = f"Range specified is not valid for source object of size: {size}"
            raise Refused(400, "InvalidArgument", text, about)


def _part(number: int, part: StoredKey, algorithm: str | None) -> dict[str, Any]:
    about = {"PartNumber": number, "LastModified": part.last_modified_ISO8601, "ETag": part.etag, "Size": part.size}
    if algorithm is None:
        return about
    return {**about, f"Checksum{algorithm}": checksums.written(checksums.digest(algorithm, part.chunks()))}


def _shown(key: StoredKey) -> str:
    return f"{key.checksum_value}-{key.checksum_parts}" if key.checksum_type == "COMPOSITE" else str(key.checksum_value)


def _check_part(given: Mapping[str, Any], algorithm: str | None, computed: str | None) -> None:
    for name, value in given.items():
        if name.startswith("Checksum") and (name != f"Checksum{algorithm}" or value.strip() != computed):
            text = (
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
                "specified entity tag may not match the part's entity tag."
            )
            raise Refused(400, "InvalidPart", text, {"PartNumber": given["PartNumber"], "ETag": given["ETag"]})
