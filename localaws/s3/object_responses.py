"""The HTTP side of one object: its versions and parts, and conditional reads and writes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from hashlib import md5
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.s3.exceptions import MethodNotAllowed, MissingKey, S3ClientError
from moto.s3.models import FakeDeleteMarker, FakeKey
from moto.s3.responses import ALLOWED_HEADER_OVERRIDES
from werkzeug.datastructures import Headers
from werkzeug.http import http_date

from localaws.iam.refusals import Refused
from localaws.s3 import checksums, preconditions
from localaws.s3.files import Body
from localaws.s3.object_settings_responses import ObjectSettingsResponse
from localaws.s3.objects import Opened, StoredKey
from localaws.s3.versions import NULL

_MOST_PARTS = 10_000
_PAGE = 1000
_ALGORITHM = "x-amz-checksum-algorithm"
_CONDITIONS = frozenset(preconditions.READING)


class ObjectResponse(ObjectSettingsResponse):
    """Reads and writes an object."""

    _checksum: tuple[str, str | None] = ("", None)
    """Algorithm and value of the body's checksum."""
    _sends_body = False
    """Whether the object's body is the answer to this request, which is all that this response is made for."""

    def get_object(self) -> TYPE_RESPONSE:
        """Answer with the opened body, so that a range is sent without reading the rest."""
        if (marker := self._marker()) is not None:
            return self._of_marker(marker)
        self._sends_body = True
        return self._read(lambda: self._while_overwritten(super(ObjectResponse, self).get_object))

    def _get_key(self, validate_storage_class: bool = True) -> tuple[Any, bool]:
        # moto's get_object answers with the value of what it finds here.
        key, not_modified = super()._get_key(validate_storage_class)
        return (Opened(key) if self._sends_body and isinstance(key, StoredKey) else key), not_modified

    def head_object(
        self, bucket_name: str, query: dict[str, Any], key_name: str, headers: dict[str, Any]
    ) -> TYPE_RESPONSE:
        """Answer as a GET would, without the body."""
        left = {"partNumber"} if self.backend.get_bucket(bucket_name).is_versioned else {"partNumber", "versionId"}
        if query.get("versionId") not in (None, [NULL]):
            left.discard("versionId")
        rest = {name: value for name, value in query.items() if name not in left}
        ask: Any = super().head_object
        status, found, body = self._read(lambda: ask(bucket_name, rest, key_name, self._without_conditions()))
        return status, self._overridden(found) if status in (200, 206) else found, body

    def _overridden(self, headers: Any) -> dict[str, Any]:
        """Return the headers of an answer to HEAD, with the overrides in the query."""
        asked = {header: self._get_param(name) for name, header in ALLOWED_HEADER_OVERRIDES.items()}
        wanted = {header: value for header, value in asked.items() if value is not None}
        replaced = {header.lower() for header in wanted}
        return {name: value for name, value in headers.items() if name.lower() not in replaced} | wanted

    def _read(self, answer: Callable[[], TYPE_RESPONSE]) -> TYPE_RESPONSE:
        """Check the conditions, then return `answer()`, or the part of it that the request asks for."""
        key = self._current(self._get_param("versionId"))
        number = self.querystring.pop("partNumber", [None])[0]
        if key is not None:
            try:
                preconditions.check_reading(self.headers, key)
            except preconditions.NotModified:
                about = {"etag": key.etag, "last-modified": http_date(key.last_modified)}
                return self._with_version((304, about, "Not Modified"))
            self.headers = self._without_conditions()
        if number is not None and isinstance(key, StoredKey):
            return self._with_version(self._part(int(number), key, answer))
        return self._with_version(answer())

    def _part(self, number: int, key: StoredKey, answer: Callable[[], TYPE_RESPONSE]) -> TYPE_RESPONSE:
        """Return part `number`, counted from 1, of the parts that the object was made from.

        Raises:
            Refused, S3ClientError: there is no such part.
        """
        if "range" in self.headers:
            text = "Cannot specify both Range header and partNumber query parameter"
            raise S3ClientError("InvalidRequest", text)
        if not 1 <= number <= _MOST_PARTS:
            text = f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive"
            raise S3ClientError("InvalidArgument", text)
        sizes = key.part_sizes or (key.size,)
        if number > len(sizes):
            raise Refused(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
        status, headers, body = answer()
        if status != 200:
            return status, headers, body
        start, size = sum(sizes[: number - 1]), sizes[number - 1]
        headers = {name: value for name, value in headers.items() if not name.startswith("x-amz-checksum-")}
        headers["content-length"] = str(size)
        if size:
            headers["content-range"] = f"bytes {start}-{start + size - 1}/{key.size}"
        if key.part_sizes:
            headers["x-amz-mp-parts-count"] = str(len(sizes))
        return 206, headers, body[start : start + size] if body else body

    def _without_conditions(self) -> Headers:
        return Headers([(name, value) for name, value in self.headers.items() if name.lower() not in _CONDITIONS])

    def _marker(self) -> FakeDeleteMarker | None:
        """Return the requested version if it is a delete marker, else None."""
        found: Any = self.backend.get_object(
            self.bucket_name, self.parse_key_name(), self._get_param("versionId"), return_delete_marker=True
        )
        return found if isinstance(found, FakeDeleteMarker) else None

    def _of_marker(self, marker: FakeDeleteMarker) -> TYPE_RESPONSE:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
        by_version = self._get_param("versionId") is not None
        refusal = MethodNotAllowed("GET", "DeleteMarker") if by_version else MissingKey(key=marker.name)
        status, headers, body = self.serialized(ActionResult(refusal))
        about = {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version_id}
        if by_version:
            about |= {"allow": "DELETE", "last-modified": http_date(marker.last_modified)}
        return status, {**headers, **about}, body

    def _with_version(self, answer: TYPE_RESPONSE) -> TYPE_RESPONSE:
        """Add the version id "null", which moto leaves out and AWS sends if versioning was ever enabled."""
        status, headers, body = answer
        if status < 400 and self.backend.get_bucket(self.bucket_name).is_versioned:
            headers.setdefault("x-amz-version-id", NULL)
        return status, headers, body

    def copy_object(self) -> TYPE_RESPONSE:
        """Copy an object."""
        self._source()
        with self._writing():
            return self._while_overwritten(super().copy_object)

    def _key_response_post(
        self, request: Any, body: bytes, bucket_name: str, query: dict[str, Any], key_name: str
    ) -> Any:
        if (upload_id := query.get("uploadId")) is None:
            return super()._key_response_post(request, body, bucket_name, query, key_name)
        existing = self._current(None)
        again = existing is not None and existing.multipart and existing.multipart.id == upload_id[0]
        with contextlib.nullcontext() if again else self._writing():
            return self._complete_upload(upload_id[0])

    def put_object(self) -> TYPE_RESPONSE:
        """Store an object."""
        self._checksum = self._verified()
        with self._writing():
            return super().put_object()

    def delete_object(self) -> TYPE_RESPONSE:
        """Delete an object or a version."""
        with self._writing():
            self.headers = self._without_conditions()
            return super().delete_object()

    def upload_part(self) -> TYPE_RESPONSE:
        """Store a part of an upload."""
        self._checksum = self._verified()
        algorithm, _ = self._checksum
        wanted = self.backend.upload(self.bucket_name, self._get_param("uploadId")).metadata.get(_ALGORITHM)
        if algorithm and wanted and algorithm != wanted:
            text = (
                f"Checksum Type mismatch occurred, expected checksum Type: {wanted.lower()}, "
                f"actual checksum Type: {algorithm.lower()}"
            )
            raise Refused(400, "InvalidRequest", text)
        return super().upload_part()

    def _verified(self) -> tuple[str, str | None]:
        """Return the algorithm and the checksum of the body; "" and None if the request asks for none.

        Raises:
            S3ClientError: the body does not match what the client sent.
        """
        algorithm, value = checksums.announced(self.headers)
        body = self.body
        if "content-md5" in self.headers:
            actual = body.md5 if isinstance(body, Body) else md5(body or b"", usedforsecurity=False).hexdigest()
            checksums.check_md5(self.headers, actual)
        if not algorithm:
            return "", None
        store = self.backend.store
        pieces = store.chunks(store.open(body)) if isinstance(body, Body) else [body or b""]
        computed = checksums.written(checksums.digest(algorithm, pieces))
        if value is not None:
            checksums.check(algorithm, value, computed)
        return algorithm, computed

    def _get_checksum(self, response_headers: dict[str, Any]) -> tuple[str, str | None]:
        algorithm, value = self._checksum
        if algorithm:
            response_headers[f"{checksums.HEADER}{algorithm.lower()}"] = value
        return algorithm, value

    def get_object_attributes(self) -> TYPE_RESPONSE:
        """Answer with the requested attributes of an object."""
        key = self._version()
        asked = {each.strip() for each in self.headers.get("x-amz-object-attributes", "").split(",")}
        found = {
            "ETag": key.etag.strip('"'),
            "Checksum": {f"Checksum{key.checksum_algorithm}": key.checksum_value, "ChecksumType": key.checksum_type}
            if key.checksum_value
            else None,
            "ObjectParts": self._parts_of(key) if key.part_sizes else None,
            "ObjectSize": key.size,
            "StorageClass": key.storage_class,
        }
        if not asked or not asked <= found.keys():
            raise S3ClientError("InvalidArgument", "Invalid attribute name specified.")
        self.data["Action"] = "GetObjectAttributes"
        result = {name: value for name, value in found.items() if name in asked and value is not None}
        return self._of_version(key, {**result, "LastModified": key.last_modified})

    def _parts_of(self, key: StoredKey) -> dict[str, Any]:
        """Return a page of an object's parts. Details of the parts are known only if they have checksums."""
        total = len(key.part_sizes)
        if not key.part_checksums:
            return {"TotalPartsCount": total}
        after = int(self.headers.get("x-amz-part-number-marker") or 0)
        most = min(int(self.headers.get("x-amz-max-parts") or _PAGE), _PAGE)
        shown = range(after + 1, min(after + most, total) + 1)
        parts = [
            {
                "PartNumber": number,
                "Size": key.part_sizes[number - 1],
                f"Checksum{key.checksum_algorithm}": key.part_checksums[number - 1],
            }
            for number in shown
        ]
        return {
            "TotalPartsCount": total, "PartNumberMarker": after, "NextPartNumberMarker": shown[-1] if shown else after,
            "MaxParts": most, "IsTruncated": bool(shown) and shown[-1] < total, "Parts": parts,
        }  # fmt: skip

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Wrap a write, so that the request's conditions hold when the object is replaced or deleted."""
        if "if-match" not in self.headers and "if-none-match" not in self.headers:
            yield
            return
        headers = self.headers
        preconditions.check_writing(headers, self._current(None))
        with self.backend.on_condition(lambda current: preconditions.check_writing(headers, current)):
            yield

    def _current(self, version_id: str | None) -> FakeKey | None:
        return self.backend.get_object(self.bucket_name, self.parse_key_name(), version_id)

    @staticmethod
    def _while_overwritten(answer: Callable[[], TYPE_RESPONSE]) -> TYPE_RESPONSE:
        """Return `answer()`. Retry if the object's file is gone, because another call has just overwritten it."""
        for _ in range(20):
            with contextlib.suppress(FileNotFoundError):
                return answer()
        return answer()
