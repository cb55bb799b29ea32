"""The HTTP side of S3: moto's parsing, plus bodies sent from files and saving before the answer."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator
from typing import Any
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.s3.exceptions import MalformedXML, NoSuchUpload
from werkzeug.datastructures import ImmutableMultiDict

from localaws.core.context import ACCOUNT_ID
from localaws.core.operations import vouching
from localaws.core.operations.vouching import Effect
from localaws.iam import regions
from localaws.iam.refusals import unknown_key
from localaws.s3 import names, notifications
from localaws.s3.files import CHUNK, BodyDamaged, BodyReader
from localaws.s3.operations import BUCKET, OBJECT, refuse_unsupported
from localaws.s3.post_responses import PostResponse

log = logging.getLogger(__name__)

LARGE = 4 * CHUNK


class LocalS3Response(PostResponse):
    """Answers S3's requests."""

    def setup_class(  # type: ignore[override]
        self, request: Any, full_url: str | None = None, headers: Any = None
    ) -> None:
        """Read a request. Only the body of a POST Object is a form, whatever its type (curl says form by default)."""
        self._large = _is_large(request)
        if not _is_upload_form(request):
            if self._large:
                request.__dict__["data"] = b""  # moto would read it all
            else:
                request.get_data(cache=True, parse_form_data=False)
            request.__dict__.update(form=ImmutableMultiDict(), files=ImmutableMultiDict())
        super().setup_class(request, full_url, headers)
        self._is_ours = False
        regions.check("s3", self.region)
        if self.current_account != ACCOUNT_ID:
            raise unknown_key("s3")
        self._is_ours = True

    def bucket_response(self, request: Any, full_url: str, headers: Any) -> TYPE_RESPONSE:
        """Answer a request about a bucket."""
        refuse_unsupported(BUCKET, request.method, request.args)
        with _Saved(self, request) as request_ids:
            try:
                status, response_headers, body = super().bucket_response(request, full_url, headers)
            except ExpatError:  # from moto, for a body that it parses as XML
                status, response_headers, body = self.serialized(ActionResult(MalformedXML()))
        return status, {**response_headers, **request_ids}, body

    def key_response(self, request: Any, full_url: str, headers: dict[str, Any]) -> TYPE_RESPONSE:
        """Answer a request about an object."""
        refuse_unsupported(OBJECT, request.method, request.args)
        with _Saved(self, request) as request_ids:
            try:
                status, response_headers, content = super().key_response(request, full_url, headers)
            except BodyDamaged as error:
                log.error("%s", error)
                return 500, {"content-type": "application/xml", **request_ids}, _internal_error(error, request_ids)
            except ExpatError:
                status, response_headers, content = self.serialized(ActionResult(MalformedXML()))
        response_headers = {**response_headers, **request_ids}
        body: Any = content
        if isinstance(body, BodyReader):
            response_headers["content-length"] = str(len(body))
            if len(body) <= CHUNK:
                content = b"".join(body)
                body.close()
                return status, response_headers, content
        return status, response_headers, body

    def serialized(self, action_result: ActionResult) -> TYPE_RESPONSE:
        """Return an answer in XML, with carriage returns escaped: a parser would read them as line feeds."""
        status, headers, body = super().serialized(action_result)
        return status, headers, body.replace("\r", "&#13;") if isinstance(body, str) else body

    def _key_response(self, request: Any, full_url: str) -> TYPE_RESPONSE:
        key_name = self.parse_key_name()
        names.check_key(key_name)
        if upload_id := request.args.get("uploadId"):
            self._require_upload_of(key_name, upload_id)
        if source := request.headers.get("x-amz-copy-source"):
            names.check_copy_source(source)
        for name, value in request.args.items():
            if name.startswith("response-"):
                names.check_header(value)
        return super()._key_response(request, full_url)

    def _require_upload_of(self, key_name: str, upload_id: str) -> None:
        """Raise NoSuchUpload if the upload was started for another key: knowing its id is not enough."""
        upload = self.backend.get_bucket(self.bucket_name).multiparts.get(upload_id)
        if upload is None and self.request.method == "POST":
            return  # it may be complete already: then moto repeats its first answer
        if upload is None or upload.key_name != key_name:
            raise NoSuchUpload(upload_id=upload_id)

    def put_object(self) -> TYPE_RESPONSE:
        """Store an object."""
        with self._large_body_stored():
            return super().put_object()

    def upload_part(self) -> TYPE_RESPONSE:
        """Store a part of an upload."""
        with self._large_body_stored():
            return super().upload_part()

    @contextlib.contextmanager
    def _large_body_stored(self) -> Iterator[None]:
        """Write a large body to the store as it arrives, a megabyte at a time. `self.body` is then a `Body`."""
        if not self._large:
            yield
            return
        store = self.backend.store
        stream = self.request.stream
        self.body = body = store.write(iter(lambda: stream.read(CHUNK), b""))
        try:
            yield
        except BaseException:
            stored = self.backend.touched.stored
            if stored is None or stored.body is not body:  # refused before it belonged to an object or a part
                store.discard(body)
            raise


def _is_upload_form(request: Any) -> bool:
    """Whether the request is a POST Object."""
    is_form = request.method == "POST" and request.mimetype == "multipart/form-data"
    return is_form and set(request.args) <= {"x-id"}


def _is_large(request: Any) -> bool:
    """Whether the request stores a body that is too large for memory, and that arrives in the form that is stored."""
    if request.method != "PUT" or (request.content_length or 0) <= LARGE:
        return False
    headers = request.headers
    if headers.get("x-amz-content-sha256", "").startswith("STREAMING-") or "x-amz-copy-source" in headers:
        return False
    algorithm = headers.get("x-amz-sdk-checksum-algorithm")
    if algorithm and f"x-amz-checksum-{algorithm}" not in headers:
        return False
    # All other parameters (x-amz-…) belong to a presigned URL.
    return {name for name in request.args if not name.lower().startswith("x-amz-")} <= {
        "x-id",
        "uploadId",
        "partNumber",
    }


def _internal_error(error: Exception, request_ids: dict[str, str]) -> str:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>InternalError</Code><Message>{escape(str(error))}</Message>"
        f"<RequestId>{request_ids['x-amz-request-id']}</RequestId></Error>"
    )


class _Saved:
    """Wraps one request: records who sent it, and saves what it changed, even if it failed half-way."""

    def __init__(self, response: LocalS3Response, request: Any) -> None:
        self._response = response
        self._request = request

    def __enter__(self) -> dict[str, str]:
        """Return the request's ids, as headers. They are in the response and in the events that the request causes."""
        address = getattr(self._request, "remote_addr", None) or "127.0.0.1"
        key = re.search(r"Credential=([^/]+)/", self._request.headers.get("Authorization", ""))
        principal = f"AWS:{key.group(1)}" if key else "Anonymous"
        cause = notifications.Requester(principal_id=principal, source_ip=address)
        self._token = notifications.requester.set(cause)
        return {
            "x-amzn-requestid": cause.request_id,
            "x-amz-request-id": cause.request_id,
            "x-amz-id-2": cause.host_id,
        }

    def __exit__(self, *_: object) -> None:
        notifications.requester.reset(self._token)
        if not getattr(self._response, "_is_ours", False):  # it was refused before anything was done
            return
        backend = self._response.backend
        # The request was written anew for moto, with the operation's name in it (server/reading.py).
        if vouching.table("s3").effect(self._request.args["x-id"]) is Effect.READS:
            backend.forget_touched()
        else:
            backend.save()
