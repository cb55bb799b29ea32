"""Which parameters a request to S3 may have: one that would have no effect here is refused by name.

The parameters come from AWS's own model of S3. So one that a later version adds is refused until it is looked at.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from moto.core.utils import get_service_model
from moto.s3.exceptions import S3ClientError
from moto.s3.utils import STORAGE_CLASS

from localaws.core.call import S3Call
from localaws.core.context import ACCOUNT_ID
from localaws.core.errors import UnsupportedOperation
from localaws.iam.principals import ANONYMOUS
from localaws.iam.refusals import Refused
from localaws.s3 import access_lists, checksums, locks, numbers

_EVERYWHERE = frozenset({
    "x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner", "x-amz-request-payer", "content-md5",
    "x-amz-sdk-checksum-algorithm", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "range",
    "x-amz-copy-source", "x-amz-copy-source-range", "x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-modified-since", "x-amz-copy-source-if-unmodified-since", "x-amz-metadata-directive",
    "x-amz-tagging-directive", "x-amz-tagging", "x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-acl",
    "x-amz-bypass-governance-retention", "x-amz-bucket-object-lock-enabled", "x-amz-object-ownership",
    "x-amz-bucket-namespace", "x-amz-object-attributes", "x-amz-max-parts", "x-amz-part-number-marker",
    "x-amz-optional-object-attributes", "x-amz-skip-destination-validation", "x-amz-checksum-mode",
    "x-amz-confirm-remove-self-bucket-access", "cache-control", "expires", "content-disposition", "content-encoding",
    "content-language", "content-length", "content-type",
})  # fmt: skip
"""Headers that have an effect in every operation that accepts them."""
_CHECKSUMS = "PutObject UploadPart CompleteMultipartUpload"
_IN_SOME = {
    "x-amz-checksum-crc32": _CHECKSUMS,
    "x-amz-checksum-crc32c": _CHECKSUMS,
    "x-amz-checksum-crc64nvme": _CHECKSUMS,
    "x-amz-checksum-sha1": _CHECKSUMS,
    "x-amz-checksum-sha256": _CHECKSUMS,
    "x-amz-checksum-algorithm": "CreateMultipartUpload",
    "x-amz-checksum-type": "CreateMultipartUpload CompleteMultipartUpload",
    "x-amz-mp-object-size": "CompleteMultipartUpload",
    "x-amz-website-redirect-location": "PutObject CopyObject",
    "x-amz-object-lock-mode": "PutObject CopyObject",
    "x-amz-object-lock-retain-until-date": "PutObject CopyObject",
    "x-amz-object-lock-legal-hold": "PutObject CopyObject",
}
"""Headers that have an effect only in these operations."""
_STORAGE_CLASSES = frozenset(STORAGE_CLASS) - {"EXPRESS_ONEZONE"}
_KMS = frozenset({"aws:kms", "aws:kms:dsse", "aws:fsx"})
_META = "x-amz-meta-"
_MOST_METADATA = 2048  # bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
_DIRECTIVES = {"x-amz-metadata-directive": "metadata", "x-amz-tagging-directive": "tagging"}


def check(call: S3Call, asker: str) -> None:
    """Check that every parameter of a request has an effect.

    Args:
        call: the request.
        asker: the caller's ARN.

    Raises:
        Refused: AWS refuses the request too.
        UnsupportedOperation: a parameter would have no effect.
    """
    from localaws.s3.models import backend

    bucket: Any = backend(ACCOUNT_ID).buckets.get(call.bucket)
    numbers.check(call)
    _check_query(call.parameters)
    if asker == ANONYMOUS.arn and any(name.startswith("response-") for name in call.parameters):
        text = "Request specific response headers cannot be used for anonymous GET requests."
        raise Refused(400, "InvalidRequest", text)
    access_lists.check(call, bucket, asker)
    for header, member in _headers(call.operation).items():
        if header in call.headers and not _has_effect(call.operation, header):
            raise UnsupportedOperation(f"{member} of {call.operation}")
    if bucket is not None:
        _check_owners(call.headers)
    _check_values(call)
    _check_metadata(call.headers)
    locks.check_headers(call.headers)


def check_body(call: S3Call, body: bytes) -> None:
    """Check a document against its checksums. Raise Refused if one does not match."""
    given = call.headers
    if call.operation in ("CompleteMultipartUpload", "CreateMultipartUpload", "CopyObject", "UploadPartCopy"):
        given = {name: value for name, value in given.items() if not name.startswith(checksums.HEADER)}
    try:
        algorithm, value = checksums.announced(given)
        checksums.check_md5(given, hashlib.md5(body, usedforsecurity=False).hexdigest())
        if value is not None:
            checksums.check(algorithm, value, checksums.written(checksums.digest(algorithm, [body])))
    except S3ClientError as error:
        raise Refused(400, error.code, error.message) from None


def _check_query(query: Mapping[str, Any]) -> None:
    if query.get("encoding-type", "url") != "url":
        about = {"ArgumentName": "encoding-type", "ArgumentValue": query["encoding-type"]}
        raise Refused(400, "InvalidArgument", "Invalid Encoding Method specified in Request", about)
    if query.get("versionId") == "":
        about = {"ArgumentName": "versionId", "ArgumentValue": ""}
        raise Refused(400, "InvalidArgument", "Version id cannot be the empty string", about)
    if "version-id-marker" in query and not query.get("key-marker"):
        about = {"ArgumentName": "version-id-marker", "ArgumentValue": query["version-id-marker"]}
        text = "A version-id marker cannot be specified without a key marker."
        raise Refused(400, "InvalidArgument", text, about)


def _has_effect(operation: str, header: str) -> bool:
    if operation == "PostObject":
        return not header.startswith("x-amz-object-lock-") and _has_effect("PutObject", header)
    return header in _EVERYWHERE or operation in _IN_SOME.get(header, "").split()


def _check_owners(headers: Mapping[str, str]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html"""
    for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
        owner = headers.get(name)
        if owner is None or owner == ACCOUNT_ID:
            continue
        if not re.fullmatch(r"[0-9]{12}", owner):
            text = f"The value of the expected bucket owner parameter must be an AWS Account ID... [{owner}]"
            raise Refused(400, "InvalidBucketOwnerAWSAccountID", text)
        raise Refused(403, "AccessDenied", "Access Denied")


def _check_values(call: S3Call) -> None:
    encryption = call.headers.get("x-amz-server-side-encryption", "AES256")
    if encryption in _KMS:
        raise UnsupportedOperation(f"x-amz-server-side-encryption: {encryption} of {call.operation}")
    if encryption != "AES256":
        about = {"ArgumentName": "x-amz-server-side-encryption", "ArgumentValue": encryption}
        raise Refused(400, "InvalidArgument", "The encryption method specified is not supported", about)
    storage = call.headers.get("x-amz-storage-class", "STANDARD")
    if storage not in _STORAGE_CLASSES:
        about = {"StorageClassRequested": storage}
        raise Refused(400, "InvalidStorageClass", "The storage class you specified is not valid", about)
    for header, what in _DIRECTIVES.items():
        directive = call.headers.get(header, "COPY")
        if directive not in ("COPY", "REPLACE"):
            about = {"ArgumentName": header, "ArgumentValue": directive}
            raise Refused(400, "InvalidArgument", f"Unknown {what} directive.", about)
    _check_checksum_type(call.headers)
    redirect = call.headers.get("x-amz-website-redirect-location", "/")
    if not redirect.startswith(("/", "http://", "https://")):
        text = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."
        raise Refused(400, "InvalidRedirectLocation", text)


def _check_checksum_type(headers: Mapping[str, str]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html"""
    algorithm, kind = headers.get("x-amz-checksum-algorithm"), headers.get("x-amz-checksum-type")
    if algorithm is not None:
        try:
            checksums.require_known(algorithm)
        except S3ClientError as error:
            raise Refused(400, error.code, error.message) from None
    if kind not in (None, "COMPOSITE", "FULL_OBJECT"):
        raise Refused(400, "InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
    whole = kind == "FULL_OBJECT"
    if algorithm and kind and (algorithm.startswith("SHA") if whole else algorithm in checksums.WHOLE_ONLY):
        text = f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        raise Refused(400, "InvalidRequest", text)


def _check_metadata(headers: Mapping[str, str]) -> None:
    given = {name.removeprefix(_META): value for name, value in headers.items() if name.startswith(_META)}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in given.items())
    if size > _MOST_METADATA:
        about = {"MaxSizeAllowed": _MOST_METADATA, "Size": size}
        text = "Your metadata headers exceed the maximum allowed metadata size"
        raise Refused(400, "MetadataTooLarge", text, about)
    for name in given:
        if not re.fullmatch(r"[a-z0-9._-]+", name):
            raise UnsupportedOperation(f"the name of the metadata {_META}{name}")


@cache
def _headers(operation: str) -> Mapping[str, str]:
    """Map the headers in an operation's model, except metadata, to the names of their members."""
    model = get_service_model("s3")
    name = "PutObject" if operation == "PostObject" else operation
    shape = model.operation_model(name).input_shape if name in model.operation_names else None
    members = shape.members.items() if shape is not None else ()
    return {
        str(member.serialization.get("name", name)).lower(): name
        for name, member in members
        if member.serialization.get("location") == "header"
    }
