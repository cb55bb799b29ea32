"""Which names of buckets, keys and regions S3 accepts; a key may contain any character."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.handlers import validate_bucket_name

from tests.localaws.conftest import MadeQueue

KEYS = ["line\nfeed", "carriage\r\nX-Injected: yes", "tab\t", " blank ", "a//b", "50%2B+1", "ünï😀"]
MISSHAPEN = [
    "ab",
    "a" * 64,
    "UPPER",
    "under_score",
    "a..b",
    "-abc",
    "abc-",
    ".abc",
    "abc.",
    "192.168.1.1",
    "a\nb",
    "a b",
]
RESERVED_PREFIXES = ["xn--abc", "sthree-abc", "amzn-s3-demo-abc"]
RESERVED_SUFFIXES = ["abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--table-s3"]


@pytest.fixture
def lenient(aws: Callable[..., Any]) -> Any:
    """A client that leaves it to S3 to refuse a bucket's name."""
    client = aws("s3")
    client.meta.events.unregister("before-parameter-build.s3", validate_bucket_name)
    return client


def _refused(code: str, call: Callable[..., Any], **arguments: Any) -> Any:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    assert refused.value.response["Error"]["Code"] == code
    return refused.value.response


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize("name", [*MISSHAPEN, *RESERVED_PREFIXES, *RESERVED_SUFFIXES])
def test_a_bucket_name_that_breaks_a_rule_or_is_reserved_is_refused(lenient: Any, name: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""
    _refused("InvalidBucketName", lenient.create_bucket, Bucket=name)


@pytest.mark.parametrize("name", ["a.b-c", "1.2.3", "0" * 63, "my-bucket-an"])
def test_a_bucket_name_within_the_rules_is_taken(lenient: Any, name: str) -> None:
    lenient.create_bucket(Bucket=name)
    lenient.delete_bucket(Bucket=name)


@pytest.mark.as_on_aws("S3")
def test_a_key_of_more_than_1024_bytes_is_refused(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
    longest, too_long = "é" * 512, "é" * 512 + "x"
    s3.put_object(Bucket=bucket, Key=longest, Body=b"1")
    for call in (s3.put_object, s3.get_object, s3.create_multipart_upload, s3.delete_object):
        _refused("KeyTooLongError", call, Bucket=bucket, Key=too_long)
    form = s3.generate_presigned_post(bucket, "x" * 1025)
    assert _post(form) == 400
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [longest]


def _post(form: dict[str, Any]) -> int:
    fields = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form["fields"].items()
    )
    file = '--edge\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nbody\r\n--edge--\r\n'
    request = urllib.request.Request(form["url"], (fields + file).encode())
    request.add_header("Content-Type", "multipart/form-data; boundary=edge")
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize("key", KEYS)
def test_a_key_may_hold_any_character(s3: Any, bucket: str, key: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
    s3.put_object(Bucket=bucket, Key=key, Body=b"body")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"body"
    assert "x-injected" not in s3.head_object(Bucket=bucket, Key=key)["ResponseMetadata"]["HTTPHeaders"]
    listings = [
        s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"],
        s3.list_objects(Bucket=bucket, Prefix=key)["Contents"],
        s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"],
    ]
    assert [[each["Key"] for each in listing] for listing in listings] == [[key]] * 3
    s3.copy_object(Bucket=bucket, Key=f"{key}-copy", CopySource={"Bucket": bucket, "Key": key})
    assert s3.get_object(Bucket=bucket, Key=f"{key}-copy")["Body"].read() == b"body"
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}, {"Key": f"{key}-copy"}]})
    assert [each["Key"] for each in deleted["Deleted"]] == [key, f"{key}-copy"]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("key", KEYS)
def test_a_multipart_upload_may_have_any_key(s3: Any, bucket: str, key: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)
    assert upload["Key"] == key
    assert [each["Key"] for each in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [key]
    part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=b"part")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    done = s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload["UploadId"], MultipartUpload=parts)
    assert done["Key"] == key
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"part"


def test_a_line_feed_in_a_key_is_encoded_in_the_event(s3: Any, bucket: str, queue: Callable[..., MadeQueue]) -> None:
    made = queue()
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made.sqs.set_queue_attributes(QueueUrl=made.url, Attributes={"Policy": policy})
    wanted = {"QueueConfigurations": [{"QueueArn": made.arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    s3.put_object(Bucket=bucket, Key="line\nfeed\r", Body=b"")
    events = [json.loads(message["Body"]) for message in made.collect(2)]
    assert events[1]["Records"][0]["s3"]["object"]["key"] == "line%0Afeed%0D"


@pytest.mark.as_on_aws("S3")
def test_a_multipart_upload_cannot_be_continued_under_another_key(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html"""
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="one")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="one", UploadId=upload_id, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    other = {"Bucket": bucket, "Key": "two", "UploadId": upload_id}
    _refused("NoSuchUpload", s3.upload_part, **other, PartNumber=2, Body=b"y")
    _refused("NoSuchUpload", s3.upload_part_copy, **other, PartNumber=2, CopySource=f"{bucket}/one")
    _refused("NoSuchUpload", s3.list_parts, **other)
    _refused("NoSuchUpload", s3.complete_multipart_upload, **other, MultipartUpload=parts)
    _refused("NoSuchUpload", s3.abort_multipart_upload, **other)
    own = {**other, "Key": "one"}
    first = s3.complete_multipart_upload(**own, MultipartUpload=parts)
    assert s3.complete_multipart_upload(**own, MultipartUpload=parts)["ETag"] == first["ETag"]
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["one"]


@pytest.mark.as_on_aws("S3")
def test_the_source_of_a_copy_has_to_exist(s3: Any, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html"""
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = {"Bucket": bucket, "Key": "k", "UploadId": upload_id, "PartNumber": 1}
    _refused("NoSuchKey", s3.upload_part_copy, **part, CopySource=f"{bucket}/none")
    _refused("InvalidArgument", s3.upload_part_copy, **part, CopySource=bucket)
    _refused("InvalidArgument", s3.copy_object, Bucket=bucket, Key="k", CopySource=f"{bucket}/")


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"])
def test_regions_of_another_partition_do_not_know_the_account(
    aws: Callable[..., Any], s3: Any, bucket: str, unique: Callable[[str], str], region: str
) -> None:
    """https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html"""
    there, name = aws("s3", region), unique("elsewhere")
    constraint = {"LocationConstraint": region}
    _refused("InvalidAccessKeyId", there.create_bucket, Bucket=name, CreateBucketConfiguration=constraint)
    _refused("InvalidAccessKeyId", there.list_buckets)
    _refused("InvalidAccessKeyId", there.put_object, Bucket=bucket, Key="k", Body=b"")
    _refused("InvalidLocationConstraint", s3.create_bucket, Bucket=name, CreateBucketConfiguration=constraint)
    s3.create_bucket(Bucket=name)  # nobody has it


def test_an_unknown_region_is_refused(aws: Callable[..., Any], s3: Any, unique: Callable[[str], str]) -> None:
    constraint = {"LocationConstraint": "xx-nowhere-1"}
    _refused("AuthorizationHeaderMalformed", aws("s3", "xx-nowhere-1").list_buckets)
    _refused("InvalidLocationConstraint", s3.create_bucket, Bucket=unique("b"), CreateBucketConfiguration=constraint)


def test_a_body_that_is_not_valid_xml_is_refused_as_malformed(s3: Any, bucket: str) -> None:
    keys = {"Objects": [{"Key": "\x01"}]}
    _refused("MalformedXML", s3.delete_objects, Bucket=bucket, Delete=keys)


def test_a_line_break_in_a_response_header_is_refused(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"body")
    split = {"Bucket": bucket, "Key": "k", "ResponseContentDisposition": "inline\r\nX-Injected: yes"}
    url = s3.generate_presigned_url("get_object", split)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url)
    refused.value.close()
    assert refused.value.code == 400
    assert "X-Injected" not in refused.value.headers
    fields = {"x-amz-meta-note": "a\r\nX-Injected: yes"}
    assert _post(s3.generate_presigned_post(bucket, "k", Fields=fields, Conditions=[fields])) == 400
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"body"
