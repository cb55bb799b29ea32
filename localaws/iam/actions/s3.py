"""The permissions that a request to S3 needs, by the shape of the request.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

from collections.abc import Mapping

from localaws.core import context
from localaws.core.call import S3Call, S3Object
from localaws.core.ports import Buckets
from localaws.iam.decision import Access

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
# The object's sub-resource → the end of its actions' names. A version's begin with Get/Put/DeleteObjectVersion.
_OBJECT = {
    "acl": "Acl", "tagging": "Tagging", "legal-hold": "LegalHold", "retention": "Retention",
    "attributes": "Attributes", "torrent": "Torrent",
}  # fmt: skip
_WITHOUT_VERSION = ("LegalHold", "Retention")
_VERBS = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete", "POST": "Put"}
_LISTINGS = frozenset({"ListBucket", "ListBucketVersions", "ListBucketMultipartUploads"})


def accesses(call: S3Call) -> list[Access]:
    """Return what a request to S3 needs."""
    query = {str(name): str(value) for name, value in call.parameters.items()}
    if not call.bucket:
        return [Access("s3:ListAllMyBuckets")]
    if call.operation == "PostObject":
        arn = f"{_S3}{call.bucket}/{call.key}"
        return [Access("s3:PutObject", arn), *_with_headers(call, arn)]
    if call.operation == "DeleteObjects":
        return [access for one in call.deleted for access in deleted(call, one)]
    if not call.key:
        of_bucket = _of_bucket(call.method, call.bucket, query)
        return (
            [of_bucket, *_with_headers(call, of_bucket.resource)]
            if of_bucket.action == "s3:CreateBucket"
            else [of_bucket]
        )
    return _of_object(call, query)


def missing_object(call: S3Call) -> str | None:
    """Return the bucket's ARN if a GET or HEAD asks for an object that doesn't exist, else None.

    A caller who may not list the bucket may not learn that the object doesn't exist.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    if not call.key or call.method not in ("GET", "HEAD"):
        return None
    return _S3 + call.bucket if _buckets().lacks(call.bucket, call.key) else None


def is_public(call: S3Call, action: str) -> bool:
    """Whether the ACL of the object, or of the listed bucket, lets everybody do `action`.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions
    """
    if call.source is not None:
        return False
    return _buckets().is_public(call.bucket, action, call.key, call.parameters.get("versionId"))


def bucket_of(resource: str) -> str:
    """Return the name of the bucket in the ARN of a bucket or an object."""
    return resource.rpartition(":::")[2].partition("/")[0]


def is_restricted(bucket_name: str) -> bool:
    """Whether RestrictPublicBuckets keeps out callers that only the bucket's policy lets in."""
    return _buckets().is_restricted(bucket_name)


def _buckets() -> Buckets:
    return context.current().ports.buckets


def _of_bucket(method: str, bucket: str, query: Mapping[str, str]) -> Access:
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


def _of_object(call: S3Call, query: Mapping[str, str]) -> list[Access]:
    method = call.method
    arn, version = f"{_S3}{call.bucket}/{call.key}", query.get("versionId")
    keys: dict[str, str | list[str] | None] = {"s3:versionid": version}
    if "uploadId" in query or "uploads" in query:
        if method == "GET":
            return [Access("s3:ListMultipartUploadParts", arn)]
        if method == "DELETE":
            return [Access("s3:AbortMultipartUpload", arn)]
        return [*_copied(call), Access("s3:PutObject", arn), *_with_headers(call, arn)]
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
        return [plain, own] if sub == "Attributes" else [own, *_bypassed(call, call.key, version)]
    if method == "PUT":
        return [*_copied(call), plain, *_with_headers(call, arn)]
    return [plain, *_bypassed(call, call.key, version)] if version else [plain]


def _bypassed(call: S3Call, key: str, version: str | None) -> list[Access]:
    """Return what is also needed to delete a version by bypassing its lock, or to weaken the lock."""
    if call.headers.get("x-amz-bypass-governance-retention", "").lower() != "true":
        return []
    if not _buckets().is_governed(call.bucket, key, version):
        return []
    return [Access("s3:BypassGovernanceRetention", f"{_S3}{call.bucket}/{key}")]


def _copied(call: S3Call) -> list[Access]:
    """Return what reading the source of a copy needs."""
    if (source := call.source) is None:
        return []
    action = "s3:GetObjectVersion" if source.version else "s3:GetObject"
    return [Access(action, f"{_S3}{source.bucket}/{source.key}", {"s3:versionid": source.version})]


def _with_headers(call: S3Call, arn: str) -> list[Access]:
    """Return what is also needed for the request's headers: an ACL, tags, a lock."""
    kind = "Object" if call.key else "Bucket"
    more = []
    if any(name == "x-amz-acl" or name.startswith("x-amz-grant-") for name in call.headers):
        more.append(f"Put{kind}Acl")
    if call.headers.get("x-amz-tagging"):
        more.append("PutObjectTagging")
    if call.headers.get("x-amz-object-lock-legal-hold"):
        more.append("PutObjectLegalHold")
    if call.headers.get("x-amz-object-lock-mode"):
        more.append("PutObjectRetention")
    if call.headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true":
        more += ["PutBucketObjectLockConfiguration", "PutBucketVersioning"]
    return [Access(f"s3:{action}", arn) for action in more]


def deleted(call: S3Call, one: S3Object) -> list[Access]:
    """Return what DeleteObjects needs for an object that it names."""
    action = "s3:DeleteObjectVersion" if one.version else "s3:DeleteObject"
    plain = Access(action, f"{_S3}{one.bucket}/{one.key}", {"s3:versionid": one.version})
    return [plain, *_bypassed(call, one.key, one.version)] if one.version else [plain]
