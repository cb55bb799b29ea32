"""Object Lock: a locked version can't be deleted, and changing its lock needs permission, as on AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import localaws

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
LATER = SOON + timedelta(hours=1)


def error(call: Callable[..., Any], **given: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**given)
    return str(refused.value.response["Error"]["Code"])


@pytest.fixture
def locked(s3: Any, unique: Callable[[str], str]) -> str:
    """A bucket with Object Lock."""
    name = unique("locked-")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_retention_protects_a_version_and_can_only_be_extended(s3: Any, locked: str, mode: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html"""
    version = s3.put_object(Bucket=locked, Key="k", Body=b"x")["VersionId"]
    where = {"Bucket": locked, "Key": "k", "VersionId": version}
    assert error(s3.get_object_retention, **where) == "NoSuchObjectLockConfiguration"
    s3.put_object_retention(**where, Retention={"Mode": mode, "RetainUntilDate": SOON})
    assert s3.get_object_retention(**where)["Retention"] == {"Mode": mode, "RetainUntilDate": SOON}
    assert error(s3.delete_object, **where) == "AccessDenied"
    assert error(s3.put_object_retention, **where, Retention={}) == "AccessDenied"
    past = datetime.now(UTC) - timedelta(hours=1)
    assert (
        error(s3.put_object_retention, **where, Retention={"Mode": mode, "RetainUntilDate": past}) == "InvalidArgument"
    )
    s3.put_object_retention(**where, Retention={"Mode": mode, "RetainUntilDate": LATER})
    shorter = {"Mode": mode, "RetainUntilDate": SOON}
    assert error(s3.put_object_retention, **where, Retention=shorter) == "AccessDenied"
    bypass = {**where, "BypassGovernanceRetention": True}
    if mode == "COMPLIANCE":
        assert error(s3.put_object_retention, **bypass, Retention=shorter) == "AccessDenied"
        assert error(s3.delete_object, **bypass) == "AccessDenied"
    else:
        assert error(s3.delete_object, **where, BypassGovernanceRetention=False) == "AccessDenied"
        s3.put_object_retention(**bypass, Retention=shorter)
        s3.delete_object(**bypass)


@pytest.mark.as_on_aws("S3")
def test_a_legal_hold_protects_a_version_until_it_is_removed(s3: Any, locked: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html"""
    version = s3.put_object(Bucket=locked, Key="k", Body=b"x")["VersionId"]
    where = {"Bucket": locked, "Key": "k", "VersionId": version}
    assert error(s3.get_object_legal_hold, **where) == "NoSuchObjectLockConfiguration"
    s3.put_object_legal_hold(**where, LegalHold={"Status": "ON"})
    assert error(s3.delete_object, **where, BypassGovernanceRetention=True) == "AccessDenied"
    s3.put_object_legal_hold(**where, LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(**where)["LegalHold"] == {"Status": "OFF"}
    s3.delete_object(**where)


@pytest.mark.as_on_aws("S3")
def test_a_bucket_s_default_retention_locks_new_objects(s3: Any, locked: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html"""
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    wanted = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=wanted)
    found = s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]
    assert found["Rule"]["DefaultRetention"]["Mode"] == "COMPLIANCE"
    version = s3.put_object(Bucket=locked, Key="k", Body=b"x")["VersionId"]
    assert error(s3.delete_object, Bucket=locked, Key="k", VersionId=version) == "AccessDenied"


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(
    "given",
    [
        {"ObjectLockMode": "GOVERNANCE"},
        {"ObjectLockMode": "x", "ObjectLockRetainUntilDate": SOON},
        {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": datetime(2020, 1, 1, tzinfo=UTC)},
        {"ObjectLockLegalHoldStatus": "x"},
    ],
)
def test_invalid_object_lock_settings_are_refused(s3: Any, locked: str, given: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"""
    assert error(s3.put_object, Bucket=locked, Key="k", Body=b"x", **given) == "InvalidArgument"


@pytest.mark.as_on_aws("S3")
def test_bypassing_a_governance_lock_needs_its_own_permission(
    aws: Callable[..., Any], stack: localaws.Status, s3: Any, locked: str, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html"""
    iam, name = aws("iam"), unique("user")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    mine = boto3.client(
        "s3", endpoint_url=stack.endpoint_url, region_name="us-east-1", aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )  # fmt: skip
    until = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": SOON}
    version = s3.put_object(Bucket=locked, Key="k", Body=b"x", **until)["VersionId"]
    where = {"Bucket": locked, "Key": "k", "VersionId": version, "BypassGovernanceRetention": True}
    actions = ["s3:DeleteObjectVersion", "s3:DeleteObject", "s3:PutObjectRetention"]
    several = {"Objects": [{"Key": "k", "VersionId": version}]}
    for allowed in (actions, [*actions, "s3:BypassGovernanceRetention"]):
        statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        if allowed == actions:
            assert error(mine.delete_object, **where) == "AccessDenied"
            answer = mine.delete_objects(Bucket=locked, Delete=several, BypassGovernanceRetention=True)
            assert "s3:BypassGovernanceRetention" in answer["Errors"][0]["Message"]
            assert error(mine.put_object_retention, **where, Retention={}) == "AccessDenied"
        else:
            mine.delete_object(**where)


@pytest.mark.as_on_aws("S3")
def test_a_bucket_s_default_retention_locks_an_object_from_a_multipart_upload(s3: Any, locked: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html"""
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket=locked, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    where = {"Bucket": locked, "Key": "parts"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    version = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)["VersionId"]
    assert s3.get_object_retention(**where, VersionId=version)["Retention"]["Mode"] == "COMPLIANCE"
    assert error(s3.delete_object, **where, VersionId=version) == "AccessDenied"
