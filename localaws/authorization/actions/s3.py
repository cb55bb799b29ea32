"""S3: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html's permissions, by the shape of a request.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

import urllib.parse
from typing import Any
from xml.etree import ElementTree

from localaws.authorization.decision import Access
from localaws.authorization.requests import Environ, body, form_fields, path

_S3 = "arn:aws:s3:::"
_BUCKET_GET = {
    "accelerate": "GetAccelerateConfiguration", "acl": "GetBucketAcl", "analytics": "GetAnalyticsConfiguration",
    "cors": "GetBucketCORS", "encryption": "GetEncryptionConfiguration", "inventory": "GetInventoryConfiguration",
    "intelligent-tiering": "GetIntelligentTieringConfiguration", "lifecycle": "GetLifecycleConfiguration",
    "location": "GetBucketLocation", "logging": "GetBucketLogging", "metrics": "GetMetricsConfiguration",
    "notification": "GetBucketNotification", "object-lock": "GetBucketObjectLockConfiguration",
    "ownershipControls": "GetBucketOwnershipControls", "policy": "GetBucketPolicy",
    "policyStatus": "GetBucketPolicyStatus", "publicAccessBlock": "GetBucketPublicAccessBlock",
    "replication": "GetReplicationConfiguration", "requestPayment": "GetBucketRequestPayment",
    "tagging": "GetBucketTagging", "uploads": "ListBucketMultipartUploads", "versioning": "GetBucketVersioning",
    "versions": "ListBucketVersions", "website": "GetBucketWebsite",
}  # fmt: skip
_BUCKET_DELETE = {"policy": "DeleteBucketPolicy", "website": "DeleteBucketWebsite"}
# The object's sub-resource → what its actions' names end in; a version's begin with Get/Put/DeleteObjectVersion.
_OBJECT = {
    "acl": "Acl", "tagging": "Tagging", "legal-hold": "LegalHold", "retention": "Retention",
    "attributes": "Attributes", "torrent": "Torrent",
}  # fmt: skip
_WITHOUT_VERSION = ("LegalHold", "Retention")
_VERBS = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete", "POST": "Put"}
_LISTINGS = frozenset({"ListBucket", "ListBucketVersions", "ListBucketMultipartUploads"})


def accesses(environ: Environ) -> list[Access]:
    """What a request to S3 needs."""
    bucket, _, key = path(environ).lstrip("/").partition("/") if path(environ) != "/" else ("", "", "")
    query = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    method = environ["REQUEST_METHOD"]
    if not bucket:
        return [Access("s3:ListAllMyBuckets")]
    if method == "POST" and not key:
        return _posted(environ, bucket, query)
    if not key:
        return [_of_bucket(method, bucket, query)]
    return _of_object(environ, method, bucket, key, query)


def missing_object(environ: Environ) -> str | None:
    """The bucket's ARN where a GET or HEAD asks for an object that isn't there: who may not list, may not know that.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    from localaws.context import ACCOUNT_ID
    from localaws.services.s3.models import backend

    bucket_name, _, key = path(environ).lstrip("/").partition("/")
    if not key or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return None
    bucket: Any = backend(ACCOUNT_ID).buckets.get(bucket_name)
    return _S3 + bucket_name if bucket is not None and bucket.keys.get(key) is None else None


def is_public(environ: Environ) -> bool:
    """Whether the ACL of the object, or of the bucket that is listed, lets everybody read it."""
    from localaws.context import ACCOUNT_ID
    from localaws.services.s3.models import backend

    bucket_name, _, key = path(environ).lstrip("/").partition("/")
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return False
    bucket: Any = backend(ACCOUNT_ID).buckets.get(bucket_name)
    found = bucket if not key or bucket is None else bucket.keys.get(key)
    acl = getattr(found, "acl", None)
    return acl is not None and bool(acl.public_read)


def _of_bucket(method: str, bucket: str, query: dict[str, str]) -> Access:
    sub = next((name for name in query if name in _BUCKET_GET), None)
    get = _BUCKET_GET.get(sub or "", "ListBucket")
    if method in ("GET", "HEAD"):
        keys: dict[str, str | list[str] | None] = {}
        if get in _LISTINGS:
            keys = {f"s3:{name}": query.get(name) for name in ("prefix", "delimiter", "max-keys")}
        return Access(f"s3:{get}", _S3 + bucket, keys)
    if sub is None:
        action = {"PUT": "CreateBucket", "DELETE": "DeleteBucket"}.get(method, f"{method.title()}Bucket")
    elif method == "DELETE" and sub in _BUCKET_DELETE:
        action = _BUCKET_DELETE[sub]
    else:  # DeleteBucketCors, for one, needs s3:PutBucketCORS
        action = get.replace("Get", "Put", 1)
    return Access(f"s3:{action}", _S3 + bucket)


def _of_object(environ: Environ, method: str, bucket: str, key: str, query: dict[str, str]) -> list[Access]:
    arn, version = f"{_S3}{bucket}/{key}", query.get("versionId")
    keys: dict[str, str | list[str] | None] = {"s3:versionid": version}
    if "uploadId" in query or "uploads" in query:
        if method == "GET":
            return [Access("s3:ListMultipartUploadParts", arn)]
        if method == "DELETE":
            return [Access("s3:AbortMultipartUpload", arn)]
        return [*_copied(environ), Access("s3:PutObject", arn)]
    if "restore" in query:
        return [Access("s3:RestoreObject", arn)]
    if "select" in query:
        return [Access("s3:GetObject", arn)]
    verb, of_version = _VERBS[method], "Version" if version and method != "PUT" else ""
    sub = next((_OBJECT[name] for name in query if name in _OBJECT), "")
    plain = Access(f"s3:{verb}Object{of_version}", arn, keys)
    if sub:
        of_version = "" if sub in _WITHOUT_VERSION else "Version" if version else ""
        own = Access(f"s3:{verb}Object{of_version}{sub}", arn, keys)
        return [plain, own] if sub == "Attributes" else [own]
    if method == "PUT":
        return [*_copied(environ), plain, *_with_headers(environ, arn)]
    return [plain]


def _copied(environ: Environ) -> list[Access]:
    """What reading the source of a copy needs."""
    source = environ.get("HTTP_X_AMZ_COPY_SOURCE")
    if not source:
        return []
    name, _, version = source.partition("?versionId=")
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    return [Access(action, _S3 + urllib.parse.unquote(name).lstrip("/"), {"s3:versionid": version or None})]


def _with_headers(environ: Environ, arn: str) -> list[Access]:
    """What headers of a PUT ask for besides: an ACL, tags."""
    more = []
    if any(name == "HTTP_X_AMZ_ACL" or name.startswith("HTTP_X_AMZ_GRANT_") for name in environ):
        more.append(Access("s3:PutObjectAcl", arn))
    if environ.get("HTTP_X_AMZ_TAGGING"):
        more.append(Access("s3:PutObjectTagging", arn))
    return more


def _posted(environ: Environ, bucket: str, query: dict[str, str]) -> list[Access]:
    """DeleteObjects, and the upload of a form."""
    if "delete" not in query:
        key = form_fields(environ).get("key", "*")
        return [Access("s3:PutObject", f"{_S3}{bucket}/{key}")]
    found = []
    try:
        document = ElementTree.fromstring(body(environ))
    except ElementTree.ParseError:
        return [Access("s3:DeleteObject", f"{_S3}{bucket}/*")]
    for item in document.iterfind("{*}Object"):
        version = item.findtext("{*}VersionId")
        action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
        found.append(Access(action, f"{_S3}{bucket}/{item.findtext('{*}Key')}", {"s3:versionid": version}))
    return found or [Access("s3:DeleteObject", f"{_S3}{bucket}/*")]
