"""Checksums: those that a client sends are verified and kept, part by part; the others are computed."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.s3 import checksums

CONTENT = b"123456789"
# Of https://reveng.sourceforge.io/crc-catalogue/all.htm, for these nine digits.
KNOWN = {
    "CRC32": bytes.fromhex("cbf43926"),
    "CRC32C": bytes.fromhex("e3069283"),
    "CRC64NVME": bytes.fromhex("ae8b14860a799888"),
    "SHA1": hashlib.sha1(CONTENT).digest(),
    "SHA256": hashlib.sha256(CONTENT).digest(),
}
MIB = 1 << 20


@pytest.fixture
def bucket(s3: Any, unique: Callable[[str], str]) -> str:
    name = unique("checksums")
    s3.create_bucket(Bucket=name)
    return name


def refused(call: Callable[..., Any], **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize("algorithm", KNOWN)
def test_a_checksum_does_not_depend_on_how_the_content_is_split(algorithm: str) -> None:
    assert checksums.digest(algorithm, [CONTENT]) == KNOWN[algorithm]
    long = CONTENT * 1000
    whole = checksums.digest(algorithm, [long])
    for cut in (1, 7, 8, 9, 4096):
        pieces = [long[start : start + cut] for start in range(0, len(long), cut)]
        assert checksums.digest(algorithm, pieces) == whole


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize("algorithm", KNOWN)
def test_the_checksum_of_a_PutObject_is_verified_and_kept(s3: Any, bucket: str, algorithm: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html"""
    name, value = f"Checksum{algorithm}", base64.b64encode(KNOWN[algorithm]).decode()
    where = {"Bucket": bucket, "Key": "k"}
    assert s3.put_object(**where, Body=CONTENT, **{name: value})[name] == value
    for call in (s3.get_object, s3.head_object):
        assert call(**where, ChecksumMode="ENABLED")[name] == value
    attributes = s3.get_object_attributes(**where, ObjectAttributes=["Checksum", "ObjectSize", "ObjectParts"])
    assert (attributes["Checksum"][name], attributes["ObjectSize"]) == (value, len(CONTENT))
    assert "ObjectParts" not in attributes
    wrong = base64.b64encode(bytes(len(KNOWN[algorithm]))).decode()
    assert refused(s3.put_object, **where, Body=b"other", **{name: wrong}) == "BadDigest"
    assert refused(s3.put_object, **where, Body=b"other", **{name: "eA=="}) == "InvalidRequest"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = {"Bucket": bucket, "Key": "parts", "UploadId": upload, "PartNumber": 1, "Body": b"other"}
    assert refused(s3.upload_part, **part, **{name: wrong}) == "BadDigest"
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="parts", UploadId=upload)
    assert s3.get_object(**where)["Body"].read() == CONTENT


@pytest.mark.as_on_aws("S3")
def test_the_md5_of_a_PutObject_is_verified(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"""
    where = {"Bucket": bucket, "Key": "k"}
    right = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
    s3.put_object(**where, Body=CONTENT, ContentMD5=right)
    assert refused(s3.put_object, **where, Body=b"other", ContentMD5=right) == "BadDigest"
    assert refused(s3.put_object, **where, Body=b"other", ContentMD5="x") == "InvalidDigest"
    large = b"x" * 5 * MIB
    assert refused(s3.put_object, **where, Body=large, ContentMD5=right) == "BadDigest"
    assert s3.get_object(**where)["Body"].read() == CONTENT


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA256"])
def test_a_multipart_upload_has_a_composite_checksum_of_the_checksums_of_its_parts(
    s3: Any, bucket: str, algorithm: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html"""
    where, name = {"Bucket": bucket, "Key": "parts"}, f"Checksum{algorithm}"
    contents = [b"a" * 5 * MIB, b"end"]
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm=algorithm)["UploadId"]
    parts = []
    for number, content in enumerate(contents, start=1):
        made = s3.upload_part(
            **where, UploadId=upload, PartNumber=number, Body=content,
            **{name: base64.b64encode(checksums.digest(algorithm, [content])).decode()},
        )  # fmt: skip
        parts.append({"PartNumber": number, "ETag": made["ETag"], name: made[name]})
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    each = [checksums.digest(algorithm, [content]) for content in contents]
    whole = base64.b64encode(checksums.digest(algorithm, each)).decode()
    found = s3.get_object(**where, ChecksumMode="ENABLED")
    assert (found[name], found["ChecksumType"]) == (f"{whole}-2", "COMPOSITE")
    attributes = s3.get_object_attributes(**where, ObjectAttributes=["Checksum", "ObjectParts"])
    assert attributes["Checksum"] == {name: whole, "ChecksumType": "COMPOSITE"}
    assert attributes["ObjectParts"]["TotalPartsCount"] == 2
    expected = [base64.b64encode(value).decode() for value in each]
    assert [part[name] for part in attributes["ObjectParts"]["Parts"]] == expected
    page = s3.get_object_attributes(**where, ObjectAttributes=["ObjectParts"], MaxParts=1)["ObjectParts"]
    assert (len(page["Parts"]), page["IsTruncated"], page["NextPartNumberMarker"]) == (1, True, 1)


@pytest.mark.as_on_aws("S3")
def test_a_multipart_upload_may_have_a_checksum_of_the_full_object(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html"""
    where = {"Bucket": bucket, "Key": "whole"}
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")["UploadId"]
    contents = [b"a" * 5 * MIB, b"end"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(contents, start=1)
    ]
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    found = s3.head_object(**where, ChecksumMode="ENABLED")
    whole = base64.b64encode(zlib.crc32(b"".join(contents)).to_bytes(4, "big")).decode()
    assert (found["ChecksumCRC32"], found["ChecksumType"]) == (whole, "FULL_OBJECT")


@pytest.mark.as_on_aws("S3")
def test_completing_an_upload_with_checksums_needs_the_checksum_of_each_part(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html"""
    where = {"Bucket": bucket, "Key": "composite"}
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
    with pytest.raises(ClientError, match="Checksum Type mismatch"):
        s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32")
    part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA256")
    named = {"PartNumber": 1, "ETag": part["ETag"]}
    (listed,) = s3.list_parts(**where, UploadId=upload)["Parts"]
    assert (
        listed["ChecksumSHA256"] == part["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    )
    with pytest.raises(ClientError, match="It was missing for part 1"):
        s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": [named]})
    parts = [{**named, "ChecksumSHA256": part["ChecksumSHA256"]}]
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    with pytest.raises(ClientError, match="does not support ChecksumSHA512"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ChecksumAlgorithm="SHA512", ChecksumSHA512="x")
