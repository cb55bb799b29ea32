"""Block Public Access, ownership and ACLs: a new bucket is private, and an opened one gives access as configured."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

import localaws
from tests.localaws.opening import opened

PRIVATE = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}


def error(call: Callable[..., Any], **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**given)
    found = refused.value.response["Error"]
    return found["Code"], found["Message"]


def policy(bucket: str, **changed: Any) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **changed}]})


@pytest.fixture
def read(stack: localaws.Status, bucket: str) -> Callable[..., int]:
    """The status that everybody gets who asks for a path of the bucket."""

    def ask(path: str) -> int:
        try:
            with urllib.request.urlopen(f"{stack.endpoint_url}/{bucket}/{path}") as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            refused.close()
            return refused.code

    return ask


@pytest.mark.as_on_aws("S3")
def test_a_new_bucket_accepts_no_public_policy_and_no_acl(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == PRIVATE
    (rule,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rule == {"ObjectOwnership": "BucketOwnerEnforced"}
    code, message = error(s3.put_bucket_policy, Bucket=bucket, Policy=policy(bucket))
    assert (code, "BlockPublicPolicy" in message, f"arn:aws:s3:::{bucket}" in message) == ("AccessDenied", True, True)
    assert error(s3.get_bucket_policy, Bucket=bucket)[0] == "NoSuchBucketPolicy"
    s3.put_object(Bucket=bucket, Key="k", ACL="private")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k", ACL="private")
    assert error(s3.put_object_acl, Bucket=bucket, Key="k", ACL="private")[0] == "AccessControlListNotSupported"
    for acl in ("public-read", "private", "authenticated-read"):
        if acl != "private":
            code, _ = error(s3.put_object, Bucket=bucket, Key="k", ACL=acl)
            assert code == "AccessControlListNotSupported"
        assert error(s3.put_bucket_acl, Bucket=bucket, ACL=acl)[0] == "AccessControlListNotSupported"
    s3.put_object(Bucket=bucket, Key="k", ACL="bucket-owner-full-control")
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="bucket-owner-full-control")
    assert len(s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]) == 1


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(
    ("changed", "public"),
    [
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": "123456789012"}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-91237329"}}}, False),
        ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-91237329", "aws:UserAgent": "x"}}}, False),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-91237329"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-91237329"}}}, True),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/1"]}}}, True),
    ],
)
def test_a_policy_is_public_if_it_allows_access_to_everybody(
    s3: Any, bucket: str, changed: dict[str, Any], public: bool
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""
    given = {"Bucket": bucket, "Policy": policy(bucket, **changed)}
    if public:
        assert error(s3.put_bucket_policy, **given)[0] == "AccessDenied"
    else:
        s3.put_bucket_policy(**given)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    s3.put_bucket_policy(**given)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] == public


@pytest.mark.as_on_aws("S3")
def test_a_public_policy_gives_everybody_access_unless_the_bucket_is_restricted(
    s3: Any, bucket: str, read: Callable[..., int]
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""
    opened(s3, bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket))
    assert read("k") == 200
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert read("k") == 403
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    assert read("k") == 200
    s3.delete_bucket_policy(Bucket=bucket)
    assert read("k") == 403


@pytest.mark.as_on_aws("S3")
def test_a_public_acl_takes_effect_only_if_the_bucket_s_settings_allow_it(
    s3: Any, bucket: str, read: Callable[..., int]
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html"""
    opened(s3, bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="other", Body=b"x")
    assert [read(path) for path in ("k", "k?tagging", "k?acl", "other", "")] == [200, 403, 403, 403, 403]
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    s3.put_object(Bucket=bucket, Key="not-its-buckets", Body=b"x")
    assert [read(path) for path in ("", "?versions", "?acl", "not-its-buckets")] == [200, 200, 403, 403]
    deny = policy(bucket, Effect="Deny", Action="s3:GetObject")
    s3.put_bucket_policy(Bucket=bucket, Policy=deny)
    assert read("k") == 403
    s3.delete_bucket_policy(Bucket=bucket)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    code, message = error(s3.put_object_acl, Bucket=bucket, Key="other", ACL="public-read")
    assert (code, "BlockPublicAcls" in message) == ("AccessDenied", True)
    assert read("k") == 200
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert [read(path) for path in ("k", "")] == [403, 403]
    s3.delete_public_access_block(Bucket=bucket)
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    code, _ = error(s3.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=enforced)
    assert code == "InvalidBucketAclWithObjectOwnership"
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=enforced)
    assert read("k") == 403
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    assert read("k") == 200


@pytest.mark.as_on_aws("S3")
def test_a_bucket_cannot_be_created_with_a_public_acl(s3: Any, unique: Callable[[str], str]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html"""
    name = unique("public-")
    code, _ = error(s3.create_bucket, Bucket=name, ACL="public-read")
    assert code == "InvalidBucketAclWithObjectOwnership"
    code, _ = error(s3.create_bucket, Bucket=name, ACL="public-read", ObjectOwnership="ObjectWriter")
    assert code == "InvalidBucketAclWithBlockPublicAccessError"
    assert error(s3.get_bucket_location, Bucket=name)[0] == "NoSuchBucket"


@pytest.mark.parametrize("given", [{"ACL": "authenticated-read"}, {"ACL": "public-read-write"}, {"GrantRead": "id=x"}])
def test_unsupported_acls_and_grants_are_refused(s3: Any, bucket: str, given: Any) -> None:
    opened(s3, bucket)
    assert error(s3.put_object, Bucket=bucket, Key="k", **given)[0] == "NotImplemented"
    assert error(s3.put_bucket_acl, Bucket=bucket, **given)[0] == "NotImplemented"
    assert error(s3.head_object, Bucket=bucket, Key="k")[0] == "404"


@pytest.mark.as_on_aws("S3")
def test_an_object_s_name_does_not_affect_who_may_read_it(s3: Any, bucket: str, read: Callable[..., int]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html"""
    opened(s3, bucket)
    s3.put_object(Bucket=bucket, Key="an explicit deny.txt", Body=b"x", ACL="public-read")
    assert read("an%20explicit%20deny.txt") == 200
