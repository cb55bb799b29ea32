"""Buckets without versioning, with versioning, and with suspended versioning, compared with a model."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

NULL = "null"
OTHER = "the source of copies"


@dataclass
class Model:
    """The versions of a key as AWS has them: version id and content (None of a marker), the newest last."""

    status: str | None = None
    versions: list[tuple[str, bytes | None]] = field(default_factory=list)

    def store(self, version_id: str | None, content: bytes | None) -> None:
        """A PUT, or a delete marker, which was answered with this version id."""
        if self.status == "Enabled":
            assert version_id not in (None, NULL)
            self.versions.append((str(version_id), content))
            return
        assert version_id in (None, NULL)
        self.versions = [each for each in self.versions if each[0] != NULL]
        self.versions.append((NULL, content))

    def delete(self, answer: dict[str, Any]) -> None:
        """A DELETE without a version."""
        if self.status is None:
            assert "DeleteMarker" not in answer
            self.versions = []
            return
        assert answer["DeleteMarker"] is True
        self.store(answer["VersionId"], None)

    def delete_version(self, version_id: str, answer: dict[str, Any]) -> None:
        """A DELETE of a version."""
        was_marker = (version_id, None) in self.versions
        assert (answer.get("DeleteMarker", False), answer["VersionId"]) == (was_marker, version_id)
        self.versions = [each for each in self.versions if each[0] != version_id]


def listed(s3: Any, bucket: str, key: str) -> list[tuple[str, bool, bool]]:
    """(version id, whether it is a marker, whether it is the latest), the newest last."""
    answer = s3.list_object_versions(Bucket=bucket, Prefix=key)
    markers = [(each, True) for each in answer.get("DeleteMarkers", [])]
    found = [*((each, False) for each in answer.get("Versions", [])), *markers]
    found.sort(key=lambda pair: (pair[0]["IsLatest"], pair[0]["LastModified"]))
    return [(each["VersionId"], marker, each["IsLatest"]) for each, marker in found]


def compare(s3: Any, bucket: str, key: str, model: Model) -> None:
    """What is listed and read is what the model has."""
    expected = [
        (version_id, content is None, number == len(model.versions))
        for number, (version_id, content) in enumerate(model.versions, start=1)
    ]
    assert sorted(listed(s3, bucket, key)) == sorted(expected)
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])]
    is_there = bool(model.versions) and model.versions[-1][1] is not None
    assert keys == ([key] if is_there else [])
    for version_id, content in model.versions:
        if content is None:
            for call in (s3.get_object, s3.head_object):
                with pytest.raises(ClientError) as refused:
                    call(Bucket=bucket, Key=key, VersionId=version_id)
                answer = refused.value.response["ResponseMetadata"]
                assert answer["HTTPStatusCode"] == 405
                assert answer["HTTPHeaders"]["x-amz-delete-marker"] == "true"
        else:
            found = s3.get_object(Bucket=bucket, Key=key, VersionId=version_id)
            assert found["Body"].read() == content
            assert found.get("VersionId") == (version_id if model.status else None)
            head = s3.head_object(Bucket=bucket, Key=key, VersionId=version_id)
            assert head.get("VersionId") == (version_id if model.status else None)
    if is_there:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == model.versions[-1][1]
        return
    with pytest.raises(ClientError) as missing:
        s3.get_object(Bucket=bucket, Key=key)
    assert missing.value.response["Error"]["Code"] == "NoSuchKey"
    headers = missing.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers.get("x-amz-delete-marker") == ("true" if model.versions else None)


class Steps:
    """What can happen to a key, done to the bucket and to the model."""

    def __init__(self, s3: Any, bucket: str, key: str, dice: random.Random) -> None:
        self._s3, self._bucket, self._key, self._dice = s3, bucket, key, dice
        self.model = Model()
        self._number = 0

    def put(self) -> None:
        content = self._content()
        answer = self._s3.put_object(Bucket=self._bucket, Key=self._key, Body=content)
        self.model.store(answer.get("VersionId"), content)

    def copy(self) -> None:
        content = self._content()
        self._s3.put_object(Bucket=self._bucket, Key=OTHER, Body=content)
        source = {"Bucket": self._bucket, "Key": OTHER}
        answer = self._s3.copy_object(Bucket=self._bucket, Key=self._key, CopySource=source)
        self.model.store(answer.get("VersionId"), content)

    def upload(self) -> None:
        content, where = self._content(), {"Bucket": self._bucket, "Key": self._key}
        upload = self._s3.create_multipart_upload(**where)["UploadId"]
        part = self._s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=content)["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
        answer = self._s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
        self.model.store(answer.get("VersionId"), content)

    def delete(self) -> None:
        self.model.delete(self._s3.delete_object(Bucket=self._bucket, Key=self._key))

    def delete_version(self) -> None:
        version_id = self._dice.choice([NULL, *(each[0] for each in self.model.versions)])
        answer = self._s3.delete_object(Bucket=self._bucket, Key=self._key, VersionId=version_id)
        self.model.delete_version(version_id, answer)

    def change(self) -> None:
        self.set_status(self._dice.choice(["Enabled", "Suspended"]))

    def set_status(self, status: str) -> None:
        self._s3.put_bucket_versioning(Bucket=self._bucket, VersioningConfiguration={"Status": status})
        self.model.status = status

    def _content(self) -> bytes:
        self._number += 1
        return f"content {self._number}".encode()


CHANGES = [
    (None, "Enabled"), (None, "Suspended"), ("Enabled", "Suspended"), ("Suspended", "Enabled"),
    ("Enabled", "Enabled"), ("Suspended", "Suspended"),
]  # fmt: skip
WAYS: list[Callable[[Steps], None]] = [Steps.put, Steps.copy, Steps.upload, Steps.delete, Steps.delete_version]


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_versions_remain_when_a_bucket_s_versioning_is_enabled_or_suspended(
    s3: Any, unique: Callable[[str], str], before: str | None, after: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html"""
    bucket = unique("states")
    s3.create_bucket(Bucket=bucket)
    dice = random.Random(f"{before} {after}")
    for first in WAYS:
        for second in WAYS:
            steps = Steps(s3, bucket, f"{first.__name__}-{second.__name__}-", dice)
            steps.model.status = s3.get_bucket_versioning(Bucket=bucket).get("Status")
            if before is not None:
                steps.set_status(before)
            elif steps.model.status is not None:
                bucket = unique("states")
                s3.create_bucket(Bucket=bucket)
                steps = Steps(s3, bucket, "key", dice)
            steps.put()
            first(steps)
            compare(s3, bucket, steps._key, steps.model)
            steps.set_status(after)
            compare(s3, bucket, steps._key, steps.model)
            second(steps)
            compare(s3, bucket, steps._key, steps.model)


@pytest.mark.parametrize("seed", range(4))
def test_after_random_operations_in_any_order_the_versions_equal_those_of_the_model(
    s3: Any, unique: Callable[[str], str], seed: int
) -> None:
    bucket = unique("states")
    s3.create_bucket(Bucket=bucket)
    dice = random.Random(seed)
    steps = Steps(s3, bucket, "key", dice)
    for _ in range(30):
        dice.choice([*WAYS, Steps.change])(steps)
        compare(s3, bucket, "key", steps.model)


@pytest.mark.as_on_aws("S3")
def test_versioning_cannot_be_suspended_on_a_bucket_with_object_lock(s3: Any, unique: Callable[[str], str]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html"""
    bucket = unique("locked")
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    with pytest.raises(ClientError, match="InvalidBucketState"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


@pytest.mark.as_on_aws("S3")
def test_DeleteObjects_reports_each_result_or_only_the_errors_if_quiet_is_set(
    s3: Any, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""
    bucket = unique("many")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="a")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="a")["VersionId"]
    named = [{"Key": "a", "VersionId": version}, {"Key": "a", "VersionId": marker}, {"Key": "b"}]
    first, second, third = s3.delete_objects(Bucket=bucket, Delete={"Objects": named})["Deleted"]
    assert first == {"Key": "a", "VersionId": version}
    assert second == {"Key": "a", "VersionId": marker, "DeleteMarker": True, "DeleteMarkerVersionId": marker}
    assert (third["Key"], third["DeleteMarker"], "VersionId" in third) == ("b", True, False)
    assert listed(s3, bucket, "b") == [(third["DeleteMarkerVersionId"], True, True)]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    assert "Deleted" not in quiet
    many = [{"Key": str(number)} for number in range(1001)]
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": many})
