"""Every argument of an S3 request takes effect or is refused: numbers, headers, documents, tags, metadata, ranges."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.utils import get_service_model

import localaws
from localaws.core.operations import vouching
from localaws.s3 import requests
from tests.localaws.opening import opened
from tests.localaws.server.wire import Answer, Wire

Refusal = tuple[str, str]


@pytest.fixture
def root(stack: localaws.Status) -> Wire:
    key = {"aws_access_key_id": stack.access_key_id, "aws_secret_access_key": stack.secret_access_key}
    return Wire(stack.endpoint_url, key)


def error(call: Callable[..., Any], **given: Any) -> Refusal:
    with pytest.raises(ClientError) as refused:
        call(**given)
    found = refused.value.response["Error"]
    return found["Code"], found["Message"]


def element(answer: Answer, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", answer.text)
    return found[1] if found else ""


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize("value", ["abc", "", "1.5", "-1", "99999999999", "2147483648"])
@pytest.mark.parametrize(
    "query", ["max-keys", "list-type=2&max-keys", "versions&max-keys", "uploads&max-uploads", "parts&max-parts",
              "parts&part-number-marker"],
)  # fmt: skip
def test_a_malformed_number_in_a_query_parameter_is_refused(
    root: Wire, s3: Any, bucket: str, query: str, value: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html"""
    path = f"/{bucket}"
    if query.startswith("parts"):
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        path, query = f"/{bucket}/k", query.replace("parts", f"uploadId={upload}", 1)
    answer = root.send("GET", f"{path}?{query}={value}")
    assert (answer.status, element(answer, "Code")) == (400, "InvalidArgument"), answer.text
    assert element(answer, "ArgumentValue") == value
    assert element(answer, "ArgumentName").lower().replace("-", "") == query.rpartition("&")[2].replace("-", "")
    wanted = "must be an integer between 0 and" if value == "-1" else "not an integer or within integer range"
    assert wanted in element(answer, "Message")


@pytest.mark.as_on_aws("S3")
def test_a_listing_returns_at_most_1000_entries_whatever_is_asked_for(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""
    for call in (s3.list_objects, s3.list_objects_v2, s3.list_object_versions):
        assert call(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
    assert s3.list_multipart_uploads(Bucket=bucket, MaxUploads=5000)["MaxUploads"] == 1000


@pytest.mark.as_on_aws("S3")
def test_a_part_number_is_between_1_and_10000(root: Wire, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
    root.send("PUT", f"/{bucket}/k", body=b"x")
    for number in ("0", "10001", "x", ""):
        answer = root.send("GET", f"/{bucket}/k?partNumber={number}")
        assert (answer.status, element(answer, "ArgumentName")) == (400, "partNumber"), answer.text


@pytest.mark.as_on_aws("S3")
def test_buckets_are_listed_by_pages_prefix_and_region(s3: Any, unique: Callable[[str], str]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html"""
    prefix = unique("paged-")
    names = [f"{prefix}-{letter}" for letter in "cab"]
    for name in names:
        s3.create_bucket(Bucket=name)
    pages = [
        [bucket["Name"] for bucket in page["Buckets"]]
        for page in s3.get_paginator("list_buckets").paginate(Prefix=prefix, PaginationConfig={"PageSize": 2})
    ]
    assert pages == [sorted(names)[:2], sorted(names)[2:]]
    assert s3.list_buckets(Prefix=prefix, BucketRegion="eu-west-1")["Buckets"] == []
    assert error(s3.list_buckets, MaxBuckets=10_001)[0] == "InvalidArgument"
    assert error(s3.list_buckets, ContinuationToken="%%")[0] == "InvalidArgument"


@pytest.mark.as_on_aws("S3")
def test_the_parts_of_an_upload_are_listed_in_pages(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html"""
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = s3.create_multipart_upload(**upload, StorageClass="STANDARD_IA")["UploadId"]
    for number in (10, 2, 7):
        s3.upload_part(**upload, PartNumber=number, Body=b"x")
    pages = list(s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 2}))
    assert [[part["PartNumber"] for part in page["Parts"]] for page in pages] == [[2, 7], [10]]
    assert (pages[0]["NextPartNumberMarker"], pages[0]["StorageClass"]) == (7, "STANDARD_IA")


@pytest.mark.as_on_aws("S3")
def test_ListObjects_with_encoding_type_url_encodes_every_key_and_marker(root: Wire, s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html"""
    for key in ("a b/1", "a b/2", "a b&c", "d"):
        s3.put_object(Bucket=bucket, Key=key)
    answer = root.send("GET", f"/{bucket}?encoding-type=url&prefix=a%20b&delimiter=/&max-keys=1")
    assert element(answer, "Prefix") == "a%20b"
    assert element(answer, "NextMarker") == "a%20b%26c"
    page = s3.list_objects(Bucket=bucket, Delimiter="/", Marker="a b&c", MaxKeys=1)
    assert (page["CommonPrefixes"], page["NextMarker"], page["Marker"]) == ([{"Prefix": "a b/"}], "a b/", "a b&c")
    page = s3.list_objects(Bucket=bucket, Delimiter="/", Marker="a b/")
    assert ([item["Key"] for item in page["Contents"]], page["IsTruncated"]) == (["d"], False)
    assert error(s3.list_objects, Bucket=bucket, EncodingType="x")[0] == "InvalidArgument"


def test_each_header_of_a_supported_operation_has_an_effect_or_is_refused() -> None:
    refused = {}
    table = vouching.table("s3")
    for operation in {*table.works, *table.state_only} & set(get_service_model("s3").operation_names):
        refused[operation] = {
            member
            for header, member in requests._headers(operation).items()
            if not requests._has_effect(operation, header)
        }
    assert {"SSECustomerKey", "SSEKMSKeyId", "GrantRead", "WriteOffsetBytes"} <= refused["PutObject"]
    assert {"ObjectLockMode", "WebsiteRedirectLocation"} <= refused["CreateMultipartUpload"]
    assert refused["GetObject"] == {"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"}
    assert refused["DeleteObject"] == {"MFA", "IfMatchLastModifiedTime", "IfMatchSize"}
    for operation in ("ListObjectsV2", "GetObjectTagging", "DeleteBucket", "PutBucketTagging", "HeadBucket"):
        assert not {name for name in refused[operation] if not name.startswith("Checksum")}, operation


@pytest.mark.parametrize(
    "given",
    [
        {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "x" * 32},
        {"ServerSideEncryption": "aws:kms"},
        {"ServerSideEncryption": "AES256", "SSEKMSKeyId": "k"},
    ],
)
def test_encryption_with_customer_provided_or_kms_keys_is_refused(s3: Any, bucket: str, given: dict[str, Any]) -> None:
    assert error(s3.put_object, Bucket=bucket, Key="k", **given)[0] == "NotImplemented"
    assert error(s3.create_multipart_upload, Bucket=bucket, Key="k", **given)[0] == "NotImplemented"
    assert error(s3.head_object, Bucket=bucket, Key="k")[0] == "404"


@pytest.mark.as_on_aws("S3")
def test_every_bucket_encrypts_with_AES256_and_a_kms_key_is_refused(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html"""
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    kms = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
    given = {"Bucket": bucket, "ServerSideEncryptionConfiguration": kms}
    assert error(s3.put_bucket_encryption, **given)[0] == "NotImplemented"
    given["ServerSideEncryptionConfiguration"] = {"Rules": [rule]}
    s3.put_bucket_encryption(**given)
    s3.delete_bucket_encryption(Bucket=bucket)


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"StorageClass": "SNOW"}, "InvalidStorageClass"),
        ({"ServerSideEncryption": "x"}, "InvalidArgument"),
        ({"Metadata": {"a": "x" * 2048}}, "MetadataTooLarge"),
        ({"WebsiteRedirectLocation": "index.html"}, "InvalidRedirectLocation"),
        ({"Tagging": "a=1&a=2"}, "InvalidArgument"),
        ({"Tagging": "&".join(f"a{n}=1" for n in range(11))}, "BadRequest"),
        ({"Tagging": f"{'x' * 129}=1"}, "InvalidTag"),
        ({"Tagging": f"x={'y' * 257}"}, "InvalidTag"),
        ({"Tagging": "aws:x=1"}, "InvalidTag"),
        ({"ExpectedBucketOwner": "111111111111"}, "AccessDenied"),
        ({"ExpectedBucketOwner": "x"}, "InvalidBucketOwnerAWSAccountID"),
    ],
)
def test_an_invalid_PutObject_is_refused_with_the_error_code_of_aws(
    s3: Any, bucket: str, given: Any, code: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    assert error(s3.put_object, Bucket=bucket, Key="k", **given)[0] == code
    assert error(s3.head_object, Bucket=bucket, Key="k")[0] == "404"


@pytest.mark.as_on_aws("S3")
def test_tags_are_kept_exactly_as_they_were_given(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html"""
    where = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**where, Tagging="awsome= 1 &b=", Body=b"x")
    tags = [{"Key": "awsome", "Value": " 1 "}, {"Key": "b", "Value": ""}]
    assert s3.get_object_tagging(**where)["TagSet"] == tags
    for put, get, given in (
        (s3.put_object_tagging, s3.get_object_tagging, where),
        (s3.put_bucket_tagging, s3.get_bucket_tagging, {"Bucket": bucket}),
    ):
        put(**given, Tagging={"TagSet": tags})
        assert get(**given)["TagSet"] == tags
        twice = {"TagSet": [tags[0], tags[0]]}
        assert error(put, **given, Tagging=twice)[0] == "InvalidTag"
        assert error(put, **given, Tagging={"TagSet": [{"Key": "aws:x", "Value": ""}]})[0] == "InvalidTag"
    s3.delete_object_tagging(**where)
    s3.delete_bucket_tagging(Bucket=bucket)
    assert s3.get_object_tagging(**where)["TagSet"] == []
    assert error(s3.get_bucket_tagging, Bucket=bucket)[0] == "NoSuchTagSet"
    assert error(s3.delete_object_tagging, Bucket=bucket, Key="none")[0] == "NoSuchKey"


@pytest.mark.as_on_aws("S3")
def test_an_archived_object_cannot_be_read_but_its_tags_can(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 10, StorageClass="GLACIER", Tagging="a=b")
    assert error(s3.get_object, Bucket=bucket, Key="k")[0] == "InvalidObjectState"
    copy = {"Bucket": bucket, "CopySource": f"{bucket}/k"}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="other")["UploadId"]
    code, _ = error(s3.upload_part_copy, **copy, Key="other", UploadId=upload, PartNumber=1)
    assert code == "InvalidObjectState"
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert s3.head_object(Bucket=bucket, Key="k")["StorageClass"] == "GLACIER"


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(
    ("given", "status"),
    [("bytes=0-3", 206), ("bytes=-2", 206), ("bytes=99-", 416), ("items=0-3", 200), ("bytes=0-1,3-4", 200),
     ("bytes=3-1", 200), ("x", 200), ("bytes", 200)],
)  # fmt: skip
def test_a_range_header_that_is_not_one_range_of_bytes_is_ignored(
    root: Wire, bucket: str, given: str, status: int
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
    root.send("PUT", f"/{bucket}/k", body=b"content")
    for method in ("GET", "HEAD"):
        assert root.send(method, f"/{bucket}/k", headers={"Range": given}).status == status
    assert root.send("GET", f"/{bucket}/k?tagging", headers={"Range": given}).status == 200


@pytest.mark.as_on_aws("S3")
def test_a_request_can_override_the_response_headers(s3: Any, bucket: str, stack: localaws.Status) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html"""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/csv")
    for call in (s3.head_object, s3.get_object):
        answer = call(Bucket=bucket, Key="k", ResponseContentType="text/x", ResponseCacheControl="no-store")
        assert (answer["ContentType"], answer["CacheControl"]) == ("text/x", "no-store")
    opened(s3, bucket)
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="public-read")
    answer = Wire(stack.endpoint_url).raw("GET", f"/{bucket}/k?response-expires=x", {"Host": "localhost"})
    assert (answer.status, element(answer, "Code")) == (400, "InvalidRequest")


@pytest.mark.as_on_aws("S3")
def test_a_copied_range_has_to_lie_within_its_source(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html"""
    s3.put_object(Bucket=bucket, Key="source", Body=b"content")
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    copy = {**upload, "PartNumber": 1, "CopySource": f"{bucket}/source"}
    for wrong in ("bytes=0-7", "bytes=2-1", "bytes=0-", "0-3", "x"):
        assert error(s3.upload_part_copy, **copy, CopySourceRange=wrong)[0] == "InvalidArgument"
    etag = s3.upload_part_copy(**copy, CopySourceRange="bytes=3-6")["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"tent"


@pytest.mark.as_on_aws("S3")
def test_completing_an_upload_checks_the_parts_checksum_size_and_type_that_the_client_gives(
    s3: Any, bucket: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html"""
    upload = {"Bucket": bucket, "Key": "k"}
    created = s3.create_multipart_upload(**upload, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    upload["UploadId"] = created["UploadId"]
    part = s3.upload_part(**upload, PartNumber=1, Body=b"content", ChecksumAlgorithm="CRC32")
    named = {"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
    wrong = "AAAAAA=="
    for given, code in (
        ({"MultipartUpload": {"Parts": [{**named, "ChecksumCRC32": wrong}]}}, "InvalidPart"),
        ({"MultipartUpload": {"Parts": [{"PartNumber": 1}]}}, "MalformedXML"),
        ({"MultipartUpload": {"Parts": [named]}, "ChecksumCRC32": wrong}, "BadDigest"),
        ({"MultipartUpload": {"Parts": [named]}, "MpuObjectSize": 8}, "InvalidRequest"),
        ({"MultipartUpload": {"Parts": [named]}, "ChecksumType": "COMPOSITE"}, "InvalidRequest"),
    ):
        assert error(s3.complete_multipart_upload, **upload, **given)[0] == code
    right = {"ChecksumCRC32": part["ChecksumCRC32"], "MpuObjectSize": 7, "ChecksumType": "FULL_OBJECT"}
    made = s3.complete_multipart_upload(**upload, **right, MultipartUpload={"Parts": [named]})
    assert made["ChecksumCRC32"] == part["ChecksumCRC32"]
    assert error(s3.create_multipart_upload, Bucket=bucket, Key="k", ChecksumAlgorithm="crc32")[0] == "InvalidRequest"


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(
    "body",
    ["", "<Tagging", "<Tagging/>", "<Other/>", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
     "<Tagging><TagSet/><TagSet/></Tagging>", "<Tagging><TagSet><Tga/></TagSet></Tagging>", "\xff",
     "<Tagging><TagSet><Tag><Key><b/></Key><Value>x</Value></Tag></TagSet></Tagging>"],
)  # fmt: skip
def test_a_malformed_xml_body_is_refused(root: Wire, bucket: str, body: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    root.send("PUT", f"/{bucket}/k", body=b"content")
    for path in (f"/{bucket}?tagging", f"/{bucket}/k?tagging"):
        answer = root.send("PUT", path, body=body.encode("latin-1"))
        assert element(answer, "Code") == ("MalformedXML" if body else "MissingRequestBodyError")


def test_an_xml_body_may_use_any_namespace_prefix(root: Wire, s3: Any, bucket: str) -> None:
    body = (
        '<n:Tagging xmlns:n="http://s3.amazonaws.com/doc/2006-03-01/"><!-- x --><n:TagSet><n:Tag><n:Key>a</n:Key>'
        "<n:Value><![CDATA[b]]></n:Value></n:Tag></n:TagSet></n:Tagging>"
    )
    assert root.send("PUT", f"/{bucket}?tagging", body=body.encode()).status < 300
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.as_on_aws("S3")
def test_an_xml_body_is_checked_against_its_MD5(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html"""
    tagging = {"TagSet": [{"Key": "a", "Value": "b"}]}
    wrong = "AAAAAAAAAAAAAAAAAAAAAA=="
    assert error(s3.put_bucket_tagging, Bucket=bucket, Tagging=tagging, ContentMD5=wrong)[0] == "BadDigest"
    assert error(s3.put_bucket_tagging, Bucket=bucket, Tagging=tagging, ContentMD5="x")[0] == "InvalidDigest"


def test_a_cors_preflight_request_is_refused(stack: localaws.Status, bucket: str) -> None:
    wire = Wire(stack.endpoint_url)
    asks = {"Host": "localhost", "Origin": "http://example.com", "Access-Control-Request-Method": "GET"}
    answer = wire.raw("OPTIONS", f"/{bucket}/k", asks)
    assert (answer.status, element(answer, "Code")) == (403, "AccessForbidden")


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([{"Name": "prefix", "Value": ""}], "filter value cannot be empty"),
        ([{"Name": "prefix", "Value": "a"}, {"Name": "Prefix", "Value": "b"}], "more than one prefix rule"),
    ],
)
def test_an_invalid_notification_filter_is_refused(
    aws: Callable[..., Any], s3: Any, bucket: str, unique: Callable[[str], str], rules: Any, said: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html"""
    arn = f"arn:aws:sqs:us-east-1:123456789012:{unique('queue')}"
    wanted = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}
    given = {"Bucket": bucket, "NotificationConfiguration": {"QueueConfigurations": [wanted]}}
    code, message = error(s3.put_bucket_notification_configuration, **given)
    assert (code, said in message) == ("InvalidArgument", True)


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("put_object_lock_configuration", {"ObjectLockConfiguration": {}}, "MalformedXML"),
        ("put_object_lock_configuration", {}, "MissingRequestBodyError"),
        ("put_object_legal_hold", {"Key": "k", "LegalHold": {}}, "MalformedXML"),
        ("put_bucket_versioning", {"VersioningConfiguration": {}}, "IllegalVersioningConfigurationException"),
        ("put_bucket_tagging", {"Tagging": {}}, "MalformedXML"),
    ],
)
def test_an_empty_configuration_is_refused(
    aws: Callable[..., Any], unique: Callable[[str], str], operation: str, arguments: dict[str, Any], code: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    s3, bucket = aws("s3", config=Config(parameter_validation=False)), unique("silent")
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    s3.put_object(Bucket=bucket, Key="k")
    with pytest.raises(ClientError) as refused:
        getattr(s3, operation)(Bucket=bucket, **arguments)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.as_on_aws("S3")
def test_a_bucket_can_be_created_without_a_LocationConstraint_only_in_us_east_1(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html"""
    s3 = aws("s3", config=Config(parameter_validation=False))
    for nothing in (None, {}, {"LocationConstraint": None}):
        name = unique("here")
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=nothing)
        assert s3.head_bucket(Bucket=name)["BucketRegion"] == "us-east-1"
        with pytest.raises(ClientError, match="IllegalLocationConstraintException"):
            aws("s3", region="eu-west-1", config=Config(parameter_validation=False)).create_bucket(
                Bucket=name, CreateBucketConfiguration=nothing
            )
