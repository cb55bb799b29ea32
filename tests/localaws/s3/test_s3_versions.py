"""Versioned buckets: reading by version id, and emptying such a bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def bucket(s3: Any, unique: Callable[[str], str]) -> str:
    name = unique("versions")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.mark.as_on_aws("S3")
def test_each_version_is_read_by_its_version_id_and_the_latest_without_one(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/RetrievingObjectVersions.html"""
    bodies = [b"one", b"two!", b"three"]
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=body, Metadata={"n": str(len(body))}) for body in bodies]
    versions = [answer["VersionId"] for answer in ids]
    assert len(set(versions)) == 3
    for version, body in zip(versions, bodies, strict=True):
        found = s3.get_object(Bucket=bucket, Key="k", VersionId=version)
        assert (found["Body"].read(), found["VersionId"]) == (body, version)
        told = s3.head_object(Bucket=bucket, Key="k", VersionId=version)
        assert (told["ContentLength"], told["Metadata"]) == (len(body), {"n": str(len(body))})
    latest = s3.get_object(Bucket=bucket, Key="k")
    assert (latest["Body"].read(), latest["VersionId"]) == (b"three", versions[-1])
    with pytest.raises(ClientError) as unknown:
        s3.get_object(Bucket=bucket, Key="k", VersionId="3HL4kqtJvjVBH40Nrjfkd")
    assert unknown.value.response["Error"]["Code"] == "NoSuchVersion"


@pytest.mark.as_on_aws("S3")
def test_a_delete_marker_hides_the_object_and_deleting_the_marker_brings_it_back(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html"""
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="k")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() == b"1"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == version


@pytest.mark.as_on_aws("S3")
def test_the_versions_of_a_key_are_listed_from_the_newest_to_the_oldest(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/list-obj-version-enabled-bucket.html"""
    made = [s3.put_object(Bucket=bucket, Key="k", Body=b"")["VersionId"] for _ in range(3)]
    made.append(s3.delete_object(Bucket=bucket, Key="k")["VersionId"])
    listed = s3.list_object_versions(Bucket=bucket)
    assert [version["VersionId"] for version in listed["Versions"]] == made[2::-1]
    assert not any(version["IsLatest"] for version in listed["Versions"])
    (marker,) = listed["DeleteMarkers"]
    assert (marker["VersionId"], marker["IsLatest"]) == (made[3], True)


@pytest.mark.as_on_aws("S3")
def test_a_versioned_bucket_can_be_deleted_only_after_all_its_versions_and_delete_markers(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html"""
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"k{number % 2}", Body=b"")
    s3.delete_object(Bucket=bucket, Key="k0")
    s3.delete_object(Bucket=bucket, Key="k1")
    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            s3.delete_bucket(Bucket=bucket)
        assert refused.value.response["Error"]["Code"] == "BucketNotEmpty"
        versions = s3.list_object_versions(Bucket=bucket).get("Versions", [])
        for version in versions:
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    markers = s3.list_object_versions(Bucket=bucket)["DeleteMarkers"]
    wanted = [{"Key": marker["Key"], "VersionId": marker["VersionId"]} for marker in markers]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert len(answer["Deleted"]) == len(wanted) == 2
    s3.delete_bucket(Bucket=bucket)
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]
