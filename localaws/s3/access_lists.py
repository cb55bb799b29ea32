"""Access control lists: which ACLs a bucket accepts, and what they allow everybody to do.

There is one account, and its users and roles need policies. So only an ACL's grants to everybody have an effect.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from __future__ import annotations

from typing import Any

from localaws.core.call import S3Call
from localaws.core.errors import UnsupportedOperation
from localaws.iam.refusals import Refused
from localaws.s3 import public_access

ENFORCED = "BucketOwnerEnforced"
_OWNERSHIPS = frozenset({ENFORCED, "BucketOwnerPreferred", "ObjectWriter"})
_HEADER, _GRANTS = "x-amz-acl", "x-amz-grant-"
_PRIVATE = frozenset({"private", "bucket-owner-read", "bucket-owner-full-control"})
_PUBLIC = frozenset({"public-read", "public-read-write", "authenticated-read"})
_UNSUPPORTED = frozenset({"public-read-write", "authenticated-read", "aws-exec-read", "log-delivery-write"})
_SETS_ONE = frozenset({"PutBucketAcl", "PutObjectAcl"})


def count(bucket: Any) -> bool:
    """Whether ACLs of the bucket and its objects have an effect."""
    return bool(bucket.ownership_rule != ENFORCED)


def lets_everybody_read(holder: Any) -> bool:
    """Whether the ACL of a bucket or an object lets everybody read it."""
    acl = getattr(holder, "acl", None)
    return acl is not None and bool(acl.public_read)


def check(call: S3Call, bucket: Any, asker: str) -> None:
    """Check that the bucket accepts the request's ACL, if the request has one.

    Args:
        call: the request.
        bucket: the bucket; None if it doesn't exist.
        asker: the caller's ARN.

    Raises:
        Refused: the bucket does not accept the ACL.
        UnsupportedOperation: the ACL grants something that the embedded AWS cannot grant.
    """
    canned = call.headers.get(_HEADER)
    grants = [name for name in call.headers if name.startswith(_GRANTS)]
    if call.operation == "CreateBucket":
        _check_new(call, canned, grants)
        return
    if bucket is None or (canned is None and not grants and call.operation not in _SETS_ONE):
        return
    if not count(bucket) and (grants or not _is_the_owners(canned, call.operation)):
        raise Refused(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
    _check_form(call, canned, grants)
    if canned in _PUBLIC and public_access.blocks_acls(bucket):
        raise blocked(asker, call)


def _is_the_owners(canned: str | None, operation: str) -> bool:
    """Whether an ACL gives full control to the bucket's owner and nothing to others. Buckets without ACLs accept it.

    `private` on a new object is such an ACL if the bucket's owner writes it. Clients such as Airflow's send it with
    each copy (https://github.com/thephpleague/flysystem/issues/1904 tried it on AWS). PutBucketAcl and PutObjectAcl
    refuse `private` all the same.
    """
    if operation in _SETS_ONE:
        return operation == "PutObjectAcl" and canned == "bucket-owner-full-control"
    return canned in ("bucket-owner-full-control", "private")


def blocked(asker: str, call: S3Call) -> Refused:
    """Return the error for a public ACL on a bucket that blocks public ACLs."""
    resource = f"arn:aws:s3:::{call.bucket}" + (f"/{call.key}" if call.key else "")
    action = "PutObject" if call.operation in ("PostObject", "CopyObject", "CreateMultipartUpload") else call.operation
    text = f'User: {asker} is not authorized to perform: s3:{action} on resource: "{resource}"'
    return Refused(403, "AccessDenied", f"{text} because {public_access.BLOCKED_ACL}.")


def check_ownership(bucket: Any, ownership: str) -> None:
    """Check that the bucket can change to `ownership`. Raise Refused if its ACL lets everybody in."""
    if ownership == ENFORCED and lets_everybody_read(bucket):
        raise _with_ownership()


def _check_new(call: S3Call, canned: str | None, grants: list[str]) -> None:
    ownership = call.headers.get("x-amz-object-ownership", ENFORCED)
    if ownership not in _OWNERSHIPS:
        raise Refused(400, "InvalidArgument", f"Invalid x-amz-object-ownership header: {ownership}")
    if canned in (None, "private") and not grants:
        return
    if ownership == ENFORCED:
        raise _with_ownership()
    _check_form(call, canned, grants)
    if canned in _PUBLIC:
        code = "InvalidBucketAclWithBlockPublicAccessError"
        raise Refused(400, code, "Bucket cannot have public ACLs set with BlockPublicAccess enabled")


def _check_form(call: S3Call, canned: str | None, grants: list[str]) -> None:
    if grants:
        if canned is not None:
            text = "Specifying both Canned ACLs and Header Grants is not allowed"
            raise Refused(400, "InvalidRequest", text)
        raise UnsupportedOperation(f"{grants[0]} of {call.operation}")
    if canned is None:
        raise UnsupportedOperation(f"AccessControlPolicy of {call.operation}")
    if canned in _UNSUPPORTED:
        raise UnsupportedOperation(f"{_HEADER}: {canned} of {call.operation}")
    if canned not in _PRIVATE | _PUBLIC:
        raise Refused(400, "InvalidArgument", "", {"ArgumentName": _HEADER, "ArgumentValue": canned})


def _with_ownership() -> Refused:
    text = f"Bucket cannot have ACLs set with ObjectOwnership's {ENFORCED} setting"
    return Refused(400, "InvalidBucketAclWithObjectOwnership", text)
