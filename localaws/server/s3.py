"""S3: bucket, key and operation of a request, by AWS's model. A request whose parts don't go together is refused.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import re
import urllib.parse
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from localaws.core.call import S3Object
from localaws.core.errors import UnsupportedOperation
from localaws.iam.refusals import Refused
from localaws.s3 import documents
from localaws.server.claims import AUTHENTICATION
from localaws.server.envelope import Envelope, decoded
from localaws.server.models import models_of, rest_operations

POST_OBJECT, PREFLIGHT = "PostObject", "PreflightObject"
_COPIES = frozenset({"CopyObject", "UploadPartCopy"})
_SOURCE = "x-amz-copy-source"
_WITH_RANGE = frozenset({"GetObject", "HeadObject"})
_RANGE = re.compile(r"bytes=([0-9]+-[0-9]*|-[0-9]+)")
"""S3 ignores any other value, and more than one range."""
_OLD = frozenset({"GetBucketLifecycle", "PutBucketLifecycle", "GetBucketNotification", "PutBucketNotification"})
_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"})
_XML = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True)
class _Operation:
    name: str
    literals: Mapping[str, str]
    """What the query must have, from the path in the model: `acl`, `list-type=2`."""
    required: frozenset[str]
    members: frozenset[str]
    """All other parameters that the query may have."""


@dataclass
class S3Reading:
    """A parsed request to S3."""

    operation: str
    bucket: str
    key: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    source: S3Object | None = None
    deleted: tuple[S3Object, ...] = ()
    body: bytes | None = None
    """None: the body as it came."""

    @property
    def path(self) -> str:
        """The percent-encoded path, with the bucket first."""
        bucket, key = urllib.parse.quote(self.bucket, safe=""), urllib.parse.quote(self.key, safe="/")
        return f"/{bucket}/{key}" if self.key else f"/{bucket}"


def read(envelope: Envelope) -> S3Reading:
    """Read a request to S3.

    Raises:
        Refused: there is no such operation, or the request is ambiguous or malformed.
        UnsupportedOperation: it is a call of S3 Control, copies from an access point, or deletes on a condition.
    """
    if envelope.method not in _METHODS:
        raise _not_allowed()
    _refuse_s3_control(envelope)
    bucket, key = _address(envelope)
    headers = dict(envelope.headers)
    query = {}
    for name, value in envelope.query.items():
        if name in AUTHENTICATION or name == "x-id":
            continue
        if name.lower().startswith("x-amz-"):  # of a presigned URL: it stands for the header
            if name.lower() in headers and headers[name.lower()] != value:
                raise Refused(
                    400, "InvalidArgument", f"{name.lower()} is a header and a parameter, with different values."
                )
            headers[name.lower()] = value
        else:
            query[name] = value
    if envelope.method == "OPTIONS":
        if "origin" not in headers or "access-control-request-method" not in headers:
            raise Refused(400, "BadRequest", "Insufficient information. Origin request header needed.")
        return S3Reading(PREFLIGHT, bucket, key, {}, headers)
    if envelope.method == "POST" and bucket and not key and envelope.kind() == "multipart/form-data" and not query:
        return S3Reading(POST_OBJECT, bucket, "", {}, headers)
    name, kept = _operation(envelope.method, _kind(bucket, key), query, _SOURCE in headers)
    found = S3Reading(name, bucket, key, kept, headers)
    if name in _COPIES:
        found.source = _source(headers[_SOURCE])
        version = f"?versionId={urllib.parse.quote(found.source.version, safe='')}" if found.source.version else ""
        headers[_SOURCE] = urllib.parse.quote(f"{found.source.bucket}/{found.source.key}", safe="/") + version
    elif name == "DeleteObjects":
        found.deleted, found.body = _deleted(bucket, envelope.body())
    if name not in _WITH_RANGE or not _RANGE.fullmatch(headers.get("range", "")):
        headers.pop("range", None)
    return found


def _refuse_s3_control(envelope: Envelope) -> None:
    """Refuse a call of S3 Control, whose paths would here be taken for those of objects.

    On AWS it has its own hosts, but S3's name in signatures.
    """
    if "x-amz-account-id" not in envelope.headers:
        return
    path = envelope.path.rstrip("/")
    for operation in rest_operations("s3control"):
        if operation.method == envelope.method and operation.pattern.fullmatch(path):
            raise UnsupportedOperation(operation.name)


def _address(envelope: Envelope) -> tuple[str, str]:
    path = envelope.path
    if envelope.bucket:
        return decoded(envelope.bucket), decoded(path[1:])
    if path.startswith("//"):
        raise Refused(400, "InvalidURI", "Couldn't parse the specified URI.")
    bucket, _, key = path[1:].partition("/")
    if "/" in decoded(bucket):
        raise Refused(400, "InvalidURI", "Couldn't parse the specified URI.")
    return decoded(bucket), decoded(key)


def _kind(bucket: str, key: str) -> str:
    return "object" if key else "bucket" if bucket else "service"


def _operation(method: str, kind: str, query: Mapping[str, str], copies: bool) -> tuple[str, dict[str, str]]:
    """Return the operation, and its parameters in the query. S3 ignores names that it doesn't know."""
    candidates = [
        operation
        for operation in _operations()[method, kind]
        if all(query.get(name) == value or (not value and name in query) for name, value in operation.literals.items())
        and operation.required <= set(query)
        and (operation.name not in _COPIES or copies)
    ]
    if not candidates:
        raise _not_allowed()
    best = max(candidates, key=lambda each: (len(each.literals) + len(each.required), each.name in _COPIES))
    left = [name for name in query if name not in best.literals and name not in best.members]
    known = [name for name in left if name in _known_names()]
    if known:
        raise _together(method, kind, known[0], best.name)
    if copies and best.name not in _COPIES:
        raise Refused(400, "InvalidRequest", f"{best.name} copies nothing: leave {_SOURCE} out.")
    return best.name, {name: value for name, value in query.items() if name not in left}


def _together(method: str, kind: str, name: str, operation: str) -> Exception:
    """Return the error for a sub-resource that doesn't go with the others, or with the method."""
    others = {
        each.name
        for (_, of_kind), all_ in _operations().items()
        if of_kind == kind
        for each in all_
        if name in each.literals
    }
    if others and operation in _plain_operations():
        allowed = {
            m
            for (m, of_kind), all_ in _operations().items()
            if of_kind == kind
            for each in all_
            if name in each.literals
        }
        if method not in allowed:
            return _not_allowed()
    return Refused(400, "InvalidRequest", f"The parameter {name} does not go with {operation}.")


@cache
def _plain_operations() -> frozenset[str]:
    return frozenset(
        each.name for all_ in _operations().values() for each in all_ if not each.literals and not each.required
    )


@cache
def _known_names() -> frozenset[str]:
    """Return all names that the query of any operation of S3 may have."""
    return frozenset(
        name for all_ in _operations().values() for each in all_ for name in (*each.literals, *each.members)
    )


@cache
def _operations() -> Mapping[tuple[str, str], list[_Operation]]:
    (model,) = models_of("s3")[:1]
    found: dict[tuple[str, str], list[_Operation]] = defaultdict(list)
    for name in model.operation_names:
        if name in _OLD or name == "WriteGetObjectResponse":
            continue
        operation = model.operation_model(name)
        path, _, text = operation.http["requestUri"].partition("?")
        kind = "object" if "{Key" in path else "bucket" if "{Bucket" in path else "service"
        parts = (part.partition("=") for part in text.split("&") if part)
        literals = {part: value for part, _, value in parts}
        shape = operation.input_shape
        members = (
            {n: m for n, m in shape.members.items() if m.serialization.get("location") == "querystring"}
            if shape
            else {}
        )
        names = {n: str(m.serialization.get("name", n)) for n, m in members.items()}
        required = {names[n] for n in (shape.required_members if shape else ()) if n in names}
        if name in ("ListParts", "AbortMultipartUpload", "CompleteMultipartUpload", "UploadPart", "UploadPartCopy"):
            required.add("uploadId")
        method = operation.http["method"]
        found[method, kind].append(_Operation(name, literals, frozenset(required), frozenset(names.values())))
    return found


def _source(text: str) -> S3Object:
    """Return the object that a copy reads. The header's value is percent-encoded, so a `?` can only begin a version.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """
    path, mark, query = text.partition("?")
    name, _, version = query.partition("=")
    bucket, slash, key = decoded(path).removeprefix("/").partition("/")
    if not slash or not bucket or not key or (mark and (name != "versionId" or not version or "&" in version)):
        raise Refused(400, "InvalidArgument", "Invalid copy source object key")
    if bucket.startswith("arn:"):
        raise UnsupportedOperation("CopyObject from an access point")
    return S3Object(bucket, key, decoded(version) or None)


def _deleted(bucket: str, body: bytes) -> tuple[tuple[S3Object, ...], bytes]:
    """Return the objects that DeleteObjects names, and a document with just these."""
    document = documents.parsed(body)
    found, quiet = [], False
    for item in document:
        tag = item.tag.removeprefix(_XML)
        if tag == "Quiet":
            quiet = (item.text or "").strip().lower() == "true"
        elif tag == "Object":
            found.append(_object(bucket, item))
        else:
            raise documents.malformed()
    if document.tag.removeprefix(_XML) != "Delete" or not 0 < len(found) <= 1000:
        raise documents.malformed()
    parts = ["<Delete>", *(_written(one) for one in found), f"<Quiet>{'true' if quiet else 'false'}</Quiet></Delete>"]
    return tuple(found), "".join(parts).encode()


def _object(bucket: str, item: Any) -> S3Object:
    given: dict[str, str] = {}
    for part in item:
        tag = part.tag.removeprefix(_XML)
        if tag in given or len(part):
            raise documents.malformed()
        given[tag] = part.text or ""
    unknown = set(given) - {"Key", "VersionId"}
    if unknown & {"ETag", "LastModifiedTime", "Size"}:
        raise UnsupportedOperation(f"{min(unknown)} of DeleteObjects")
    if unknown or not given.get("Key"):
        raise documents.malformed()
    return S3Object(bucket, given["Key"], given.get("VersionId") or None)


def _written(one: S3Object) -> str:
    version = f"<VersionId>{escape(one.version)}</VersionId>" if one.version else ""
    # An XML parser turns a carriage return into a line feed if it is not escaped.
    key = escape(one.key, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})
    return f"<Object><Key>{key}</Key>{version}</Object>"


def _not_allowed() -> Refused:
    return Refused(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
