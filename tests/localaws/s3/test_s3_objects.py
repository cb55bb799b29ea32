"""Objects, ranges, copies, versions and uploads in parts."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

import localaws

MIB = 1 << 20


def _files(stack: localaws.Status) -> set[Path]:
    return {file for file in (stack.home / "objects").glob("??/*") if file.is_file()}


def test_an_object_comes_back_with_its_metadata_and_tags(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="a key/with spaces + é",
        Body=b"toll",
        ContentType="application/json",
        Metadata={"booth": "golf_rd"},
        Tagging="lab=toll",
    )
    found = s3.get_object(Bucket=bucket, Key="a key/with spaces + é")
    assert found["Body"].read() == b"toll"
    assert found["ContentType"] == "application/json"
    assert found["Metadata"] == {"booth": "golf_rd"}
    assert found["ETag"] == f'"{hashlib.md5(b"toll").hexdigest()}"'
    assert s3.head_object(Bucket=bucket, Key="a key/with spaces + é")["ContentLength"] == 4
    tags = s3.get_object_tagging(Bucket=bucket, Key="a key/with spaces + é")["TagSet"]
    assert tags == [{"Key": "lab", "Value": "toll"}]


def test_an_empty_object_can_be_stored_and_read(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert s3.get_object(Bucket=bucket, Key="empty")["Body"].read() == b""


@pytest.mark.parametrize("size", [1000, 3 * MIB + 17])
def test_a_range_request_returns_exactly_the_bytes_of_the_range(s3: Any, bucket: str, size: int) -> None:
    body = os.urandom(size)
    s3.put_object(Bucket=bucket, Key="k", Body=body)

    def ranged(wanted: str) -> bytes:
        return bytes(s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={wanted}")["Body"].read())

    assert ranged("0-0") == body[:1]
    assert ranged("10-99") == body[10:100]
    assert ranged(f"{size - 5}-{size + 100}") == body[-5:]
    assert ranged("-7") == body[-7:]
    assert ranged("5-") == body[5:]
    answer = s3.get_object(Bucket=bucket, Key="k", Range="bytes=10-99")
    assert answer["ContentRange"] == f"bytes 10-99/{size}"
    assert answer["ContentLength"] == 90
    assert answer["Body"].read() == body[10:100]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body
    with pytest.raises(ClientError) as refused:
        ranged(f"{size}-")
    assert refused.value.response["Error"]["Code"] == "InvalidRange"


def test_an_object_s_body_is_one_file_that_is_deleted_with_the_object(
    s3: Any, bucket: str, stack: localaws.Status
) -> None:
    before = _files(stack)
    s3.put_object(Bucket=bucket, Key="k", Body=b"first")
    (first,) = _files(stack) - before
    assert first.read_bytes() == b"first"
    s3.put_object(Bucket=bucket, Key="k", Body=b"second")
    (second,) = _files(stack) - before
    assert second.read_bytes() == b"second"
    s3.delete_object(Bucket=bucket, Key="k")
    assert _files(stack) == before


def test_a_copy_remains_after_its_source_is_deleted(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="from", Body=b"body", Metadata={"m": "1"}, Tagging="t=1")
    s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from"})
    s3.delete_object(Bucket=bucket, Key="from")
    copied = s3.get_object(Bucket=bucket, Key="to")
    assert copied["Body"].read() == b"body"
    assert copied["Metadata"] == {"m": "1"}
    assert s3.get_object_tagging(Bucket=bucket, Key="to")["TagSet"] == [{"Key": "t", "Value": "1"}]


def test_a_version_s_file_is_deleted_with_the_version(s3: Any, bucket: str, stack: localaws.Status) -> None:
    before = _files(stack)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in (b"old", b"new")]
    assert len(_files(stack) - before) == 2
    for version in versions:
        s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    assert _files(stack) == before


def test_completing_an_upload_makes_one_object_of_its_parts(s3: Any, bucket: str, stack: localaws.Status) -> None:
    before = _files(stack)
    pieces = [os.urandom(5 * MIB), os.urandom(5 * MIB), b"the end"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big", Metadata={"m": "1"})["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=number, Body=piece)["ETag"],
        }
        for number, piece in enumerate(pieces, start=1)
    ]
    done = s3.complete_multipart_upload(Bucket=bucket, Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    digests = b"".join(hashlib.md5(piece).digest() for piece in pieces)
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"'
    found = s3.get_object(Bucket=bucket, Key="big")
    assert found["Body"].read() == b"".join(pieces)
    assert found["Metadata"] == {"m": "1"}
    assert len(_files(stack) - before) == 1


def test_boto3_can_upload_and_download_a_large_file(s3: Any, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "up").write_bytes(os.urandom(20 * MIB + 3))
    s3.upload_file(str(tmp_path / "up"), bucket, "big")
    s3.download_file(bucket, "big", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == (tmp_path / "up").read_bytes()


def test_an_aborted_upload_leaves_nothing(s3: Any, bucket: str, stack: localaws.Status) -> None:
    before = _files(stack)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=1, Body=b"part")
    s3.abort_multipart_upload(Bucket=bucket, Key="big", UploadId=upload)
    assert _files(stack) == before
    with pytest.raises(ClientError) as refused:
        s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=1, Body=b"part")
    assert refused.value.response["Error"]["Code"] == "NoSuchUpload"


def test_of_concurrent_conditional_writes_to_a_new_key_only_one_succeeds(s3: Any, bucket: str) -> None:
    refusals: list[str] = []

    def put(number: int) -> bool:
        try:
            s3.put_object(Bucket=bucket, Key="lock", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            refusals.append(error.response["Error"]["Code"])
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(put, range(8)))
    assert won.count(True) == 1
    assert set(refusals) == {"PreconditionFailed"}
    assert s3.get_object(Bucket=bucket, Key="lock")["Body"].read() == str(won.index(True)).encode()


def test_a_presigned_url_works_without_credentials(s3: Any, bucket: str) -> None:
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    request = urllib.request.Request(put, data=b"presigned", headers={"Content-Type": ""}, method="PUT")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"presigned"


def test_an_object_overwritten_while_it_is_read_is_read_to_its_end(s3: Any, bucket: str) -> None:
    body = os.urandom(8 * MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    reading = s3.get_object(Bucket=bucket, Key="k")["Body"]
    start = reading.read(10)
    s3.put_object(Bucket=bucket, Key="k", Body=b"other")
    assert start + reading.read() == body


@pytest.mark.as_on_aws("S3")
def test_an_object_can_be_copied_to_itself_only_if_the_copy_changes_something(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
    where = {"Bucket": bucket, "Key": "k"}
    assert s3.put_object(**where, Body=b"x")["ServerSideEncryption"] == "AES256"
    with pytest.raises(ClientError, match="illegal because it is trying to copy an object to itself"):
        s3.copy_object(**where, CopySource=where)
    s3.copy_object(**where, CopySource=where, MetadataDirective="REPLACE", Metadata={"m": "1"})
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    assert s3.copy_object(**where, CopySource=where)["ServerSideEncryption"] == "AES256"
    s3.delete_bucket_encryption(Bucket=bucket)
    with pytest.raises(ClientError, match="illegal because it is trying to copy an object to itself"):
        s3.copy_object(**where, CopySource=where)
