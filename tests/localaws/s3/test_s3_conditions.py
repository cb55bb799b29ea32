"""Conditional reads, copies and writes, and objects that are read part by part."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

MIB = 1 << 20
PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def bucket(s3: Any, unique: Callable[[str], str]) -> str:
    name = unique("conditions")
    s3.create_bucket(Bucket=name)
    return name


def failed(call: Callable[..., Any], **given: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    with pytest.raises(ClientError) as refused:
        call(**given)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


@pytest.mark.as_on_aws("S3")
def test_if_a_read_has_an_etag_condition_and_a_time_condition_the_etag_decides(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"content")["ETag"]
    for call, body in ((s3.get_object, True), (s3.head_object, False)):
        where = {"Bucket": bucket, "Key": "k"}
        for passing in (
            {"IfMatch": etag}, {"IfMatch": etag.strip('"')}, {"IfMatch": "*"}, {"IfMatch": f'"x", {etag}'},
            {"IfNoneMatch": '"x"'}, {"IfModifiedSince": PAST}, {"IfUnmodifiedSince": datetime.now(UTC)},
            {"IfMatch": etag, "IfUnmodifiedSince": PAST}, {"IfNoneMatch": '"x"', "IfModifiedSince": datetime.now(UTC)},
            {"IfModifiedSince": FUTURE},
        ):  # fmt: skip
            assert call(**where, **passing)["ETag"] == etag, passing
        for changed in ({"IfMatch": '"x"'}, {"IfUnmodifiedSince": PAST}, {"IfMatch": '"x"', "IfNoneMatch": '"x"'}):
            assert failed(call, **where, **changed) == (412, "PreconditionFailed" if body else "412"), changed
        for same in (
            {"IfNoneMatch": etag}, {"IfNoneMatch": "*"}, {"IfNoneMatch": etag, "IfModifiedSince": PAST},
            {"IfMatch": etag, "IfNoneMatch": etag}, {"IfModifiedSince": datetime.now(UTC)},
        ):  # fmt: skip
            assert failed(call, **where, **same) == (304, "304"), same


@pytest.mark.as_on_aws("S3")
def test_a_copy_can_have_conditions_on_its_source_and_on_the_object_that_it_replaces(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
    etag = s3.put_object(Bucket=bucket, Key="source", Body=b"content")["ETag"]
    copy = {"Bucket": bucket, "CopySource": {"Bucket": bucket, "Key": "source"}}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = {"Key": "parts", "UploadId": upload, "PartNumber": 1}
    for call, target in ((s3.copy_object, {"Key": "target"}), (s3.upload_part_copy, part)):
        for changed in (
            {"CopySourceIfMatch": '"x"'}, {"CopySourceIfNoneMatch": etag}, {"CopySourceIfUnmodifiedSince": PAST},
            {"CopySourceIfModifiedSince": datetime.now(UTC)},
            {"CopySourceIfNoneMatch": etag, "CopySourceIfModifiedSince": PAST},
        ):  # fmt: skip
            assert failed(call, **copy, **target, **changed) == (412, "PreconditionFailed"), changed
        call(**copy, **target, CopySourceIfMatch=etag, CopySourceIfUnmodifiedSince=PAST)
    assert failed(s3.copy_object, **copy, Key="target", IfNoneMatch="*") == (412, "PreconditionFailed")
    assert failed(s3.copy_object, **copy, Key="target", IfMatch='"x"') == (412, "PreconditionFailed")
    assert failed(s3.copy_object, **copy, Key="new", IfMatch=etag) == (404, "NoSuchKey")
    s3.copy_object(**copy, Key="target", IfMatch=etag)
    s3.copy_object(**copy, Key="new", IfNoneMatch="*")


@pytest.mark.as_on_aws("S3")
def test_a_write_can_have_a_condition_on_the_object_that_it_replaces(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]

    def complete(**condition: str) -> Any:
        where = {"Bucket": bucket, "Key": "k"}
        upload = s3.create_multipart_upload(**where)["UploadId"]
        tag = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"2")["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
        return s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts, **condition)

    def put(**condition: str) -> Any:
        return s3.put_object(Bucket=bucket, Key="k", Body=b"3", **condition)

    for write in (put, complete):
        assert failed(write, IfNoneMatch="*") == (412, "PreconditionFailed")
        assert failed(write, IfMatch='"x"') == (412, "PreconditionFailed")
        assert failed(write, IfNoneMatch=etag) == (501, "NotImplemented")
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() in (b"1", b"3")
        write(IfMatch=s3.head_object(Bucket=bucket, Key="k")["ETag"])
    s3.delete_object(Bucket=bucket, Key="k")
    assert failed(put, IfMatch=etag) == (404, "NoSuchKey")
    complete(IfNoneMatch="*")


@pytest.mark.as_on_aws("S3")
def test_a_deletion_can_have_a_condition_on_the_object_that_it_deletes(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html"""
    where = {"Bucket": bucket, "Key": "k"}
    etag = s3.put_object(**where, Body=b"x")["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.delete_object(**where, IfMatch="other")
    s3.delete_object(**where, IfMatch=etag)
    s3.put_object(**where, Body=b"x")
    s3.delete_object(**where, IfMatch="*")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


@pytest.mark.as_on_aws("S3")
def test_an_object_can_be_read_part_by_part(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
    where = {"Bucket": bucket, "Key": "parts"}
    contents = [b"a" * 5 * MIB, b"b" * 5 * MIB, b"end"]
    upload = s3.create_multipart_upload(**where)["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in zip((1, 4, 9), contents, strict=True)
    ]
    out_of_order = {"Parts": [parts[1], parts[0], parts[2]]}
    assert failed(s3.complete_multipart_upload, **where, UploadId=upload, MultipartUpload=out_of_order) == (
        400, "InvalidPartOrder"
    )  # fmt: skip
    etag = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})["ETag"]
    start = 0
    for number, content in enumerate(contents, start=1):
        for call in (s3.get_object, s3.head_object):
            found = call(**where, PartNumber=number)
            assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
            assert (found["ContentLength"], found["PartsCount"], found["ETag"]) == (len(content), 3, etag)
            total = sum(map(len, contents))
            assert found["ContentRange"] == f"bytes {start}-{start + len(content) - 1}/{total}"
        assert s3.get_object(**where, PartNumber=number)["Body"].read() == content
        start += len(content)
    assert failed(s3.get_object, **where, PartNumber=4) == (416, "InvalidPartNumber")
    assert failed(s3.get_object, **where, PartNumber=1, Range="bytes=0-1") == (400, "InvalidRequest")
    s3.copy_object(Bucket=bucket, Key="whole", CopySource=where)
    whole = s3.get_object(Bucket=bucket, Key="whole", PartNumber=1)
    assert ("PartsCount" in whole, whole["Body"].read()) == (False, b"".join(contents))
    assert failed(s3.get_object, Bucket=bucket, Key="whole", PartNumber=2) == (416, "InvalidPartNumber")
