"""Signatures: requests that AWS's own clients sign are accepted; another secret, body or time is refused."""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.parse
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import requests
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import localaws
from localaws.server.chunks import Signer
from localaws.server.claims import Claim
from tests.localaws.opening import opened
from tests.localaws.server.signed_requests import ask_at, headers_of, put_chunked, sign
from tests.localaws.server.wire import Wire

Aws = Callable[..., Any]
SERVICES = [
    ("s3", "list_buckets", {}, "SignatureDoesNotMatch"),
    ("ec2", "describe_vpcs", {}, "AuthFailure"),
    ("iam", "list_roles", {}, "SignatureDoesNotMatch"),
    ("sts", "get_caller_identity", {}, "SignatureDoesNotMatch"),
    ("redshift", "describe_clusters", {}, "SignatureDoesNotMatch"),
    ("sqs", "list_queues", {}, "SignatureDoesNotMatch"),
    ("glue", "get_databases", {}, "InvalidSignatureException"),
    ("logs", "describe_log_groups", {}, "InvalidSignatureException"),
    ("lambda", "list_functions", {}, "InvalidSignatureException"),
    ("secretsmanager", "list_secrets", {}, "InvalidSignatureException"),
    ("redshift-data", "list_statements", {}, "InvalidSignatureException"),
]


@pytest.fixture(scope="module")
def bucket(aws: Aws) -> str:
    aws("s3").create_bucket(Bucket="signed-by-whom")
    return "signed-by-whom"


@pytest.fixture
def root(stack: localaws.Status) -> Wire:
    key = {"aws_access_key_id": stack.access_key_id, "aws_secret_access_key": stack.secret_access_key}
    return Wire(stack.endpoint_url, key)


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize(("service", "operation", "given", "code"), SERVICES, ids=[name for name, *_ in SERVICES])
def test_a_request_that_is_signed_with_another_secret_is_refused(
    stack: localaws.Status, service: str, operation: str, given: dict[str, Any], code: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html"""
    client = boto3.client(
        service, endpoint_url=stack.endpoint_url, region_name="us-east-1", aws_access_key_id=stack.access_key_id,
        aws_secret_access_key="another", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**given)
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_malformed_signature_is_refused_as_a_wrong_signature(
    stack: localaws.Status, root: Wire, bucket: str, version: str
) -> None:
    s3 = boto3.client(
        "s3", endpoint_url=stack.endpoint_url, region_name="us-east-1", aws_access_key_id=stack.access_key_id,
        aws_secret_access_key=stack.secret_access_key, config=Config(signature_version=version),
    )  # fmt: skip
    url = s3.generate_presigned_url("list_objects", {"Bucket": bucket})
    strange = re.sub("Signature=[^&]+", "Signature=%C3%A9%E2%98%83", url)
    assert strange != url
    assert "SignatureDoesNotMatch" in requests.get(strange).text
    form = s3.generate_presigned_post(bucket, "key")
    name = next(name for name in form["fields"] if name.lower().endswith("signature"))
    answer = requests.post(form["url"], {**form["fields"], name: "é☃"}, files={"file": b"x"})
    assert "SignatureDoesNotMatch" in answer.text
    signed = sign(root, "GET", f"/{bucket}", b"")
    signed["Authorization"] = re.sub("Signature=.*", "Signature=\xe9", signed["Authorization"])
    assert "SignatureDoesNotMatch" in root.raw("GET", f"/{bucket}", signed).text


def test_a_session_needs_its_secret_and_its_token(stack: localaws.Status, aws: Aws) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = aws("iam").create_role(RoleName="signs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    given = aws("sts").assume_role(RoleArn=arn, RoleSessionName="xx")["Credentials"]
    good = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"]}  # fmt: skip
    for changed in ({}, {"aws_secret_access_key": "x"}, {"aws_session_token": "x"}, {"aws_session_token": None}):
        client = boto3.client("sts", endpoint_url=stack.endpoint_url, region_name="us-east-1", **{**good, **changed})
        if not changed:
            assert client.get_caller_identity()["Arn"].endswith("signs/xx")
            continue
        with pytest.raises(ClientError):
            client.get_caller_identity()
    own = {"aws_access_key_id": stack.access_key_id, "aws_secret_access_key": stack.secret_access_key}
    token = {"aws_session_token": good["aws_session_token"]}
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        boto3.client(
            "sts", endpoint_url=stack.endpoint_url, region_name="us-east-1", **own, **token
        ).get_caller_identity()
    aws("iam").delete_role(RoleName="signs")


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-Amz-Date", "20200101T000000Z"), ("Content-Type", "text/html"), ("x-amz-meta-a", "changed"),
     ("x-amz-acl", "public-read"), ("x-amz-copy-source", "/a/b"), ("x-amz-security-token", "x")],
)  # fmt: skip
def test_a_header_that_changes_after_signing_is_refused(root: Wire, bucket: str, name: str, value: str) -> None:
    headers = {"Content-Type": "text/plain", "x-amz-meta-a": "signed"}
    assert root.send("PUT", f"/{bucket}/k", headers=headers, body=b"x").status == 200
    answer = root.send("PUT", f"/{bucket}/k", headers=headers, body=b"x", after={name: value})
    assert answer.status in (400, 403), answer


def test_a_request_whose_method_path_query_or_body_changed_after_signing_is_refused(
    root: Wire, bucket: str, aws: Aws
) -> None:
    aws("s3").put_object(Bucket=bucket, Key="k", Body=b"as it was")
    host = {"Host": urllib.parse.urlsplit(root.endpoint).netloc}
    signed = sign(root, "PUT", f"/{bucket}/k?tagging=", b"x")
    for method, target, body in (
        ("DELETE", f"/{bucket}/k?tagging=", b"x"),
        ("PUT", f"/{bucket}/other?tagging=", b"x"),
        ("PUT", f"/{bucket}/k?acl=", b"x"),
        ("PUT", f"/{bucket}/k", b"x"),
    ):
        answer = root.raw(method, target, {**host, **signed}, body)
        assert (answer.status, "SignatureDoesNotMatch" in answer.text) == (403, True), (method, target)
    for size in (1, 1 << 20, 9 << 20):
        signed = sign(root, "PUT", f"/{bucket}/k", b"x" * size)
        answer = root.raw("PUT", f"/{bucket}/k", {**host, **signed}, b"y" * size)
        assert (answer.status, "XAmzContentSHA256Mismatch" in answer.text) == (400, True)
    assert aws("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"as it was"
    glue = sign(
        root,
        "POST",
        "/",
        b"{}",
        "glue",
        {"X-Amz-Target": "AWSGlue.GetDatabases", "Content-Type": "application/x-amz-json-1.1"},
    )
    assert "InvalidSignature" in root.raw("POST", "/", {**host, **glue}, b'{"MaxResults": 5}').text


@pytest.mark.as_on_aws("IAM")
@pytest.mark.parametrize(
    ("service", "minutes", "code"),
    [("s3", 16, "RequestTimeTooSkewed"), ("glue", 6, "InvalidSignatureException"), ("iam", 6, "SignatureDoesNotMatch")],
)
def test_a_request_from_a_client_with_a_wrong_clock_is_refused(
    root: Wire, bucket: str, service: str, minutes: int, code: str
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html"""
    for direction in (-1, 1):
        for off, accepted in ((minutes, False), (minutes - 2, True)):
            moment = datetime.now(UTC) + timedelta(minutes=direction * off)
            answer = ask_at(root, moment, service)
            assert (answer.status < 300) == accepted, answer
            assert accepted or code in answer.text
    assert "Signature expired" in ask_at(root, datetime.now(UTC) - timedelta(minutes=6), "glue").text


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_is_valid_only_for_its_own_request_and_until_it_expires(
    stack: localaws.Status, bucket: str, version: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html"""
    s3 = boto3.client(
        "s3", endpoint_url=stack.endpoint_url, region_name="us-east-1", aws_access_key_id=stack.access_key_id,
        aws_secret_access_key=stack.secret_access_key, config=Config(signature_version=version),
    )  # fmt: skip
    where = {"Bucket": bucket, "Key": "a b+ü/presigned.txt"}
    put = s3.generate_presigned_url("put_object", {**where, "ContentType": "text/csv"})
    assert requests.put(put, b"x", headers={"Content-Type": "text/plain"}).status_code == 403
    assert requests.put(put, b"by a URL", headers={"Content-Type": "text/csv"}).status_code == 200
    get = s3.generate_presigned_url("get_object", {**where, "ResponseContentType": "text/x"})
    answer = requests.get(get)
    assert (answer.content, answer.headers["Content-Type"]) == (b"by a URL", "text/x")
    assert requests.put(get, b"x").status_code in (400, 403)
    assert requests.get(get.replace("text%2Fx", "text%2Fy")).status_code == 403
    assert requests.get(get.replace("presigned.txt", "other")).status_code == 403
    soon = s3.generate_presigned_url("get_object", where, ExpiresIn=1)
    deadline = time.monotonic() + 20
    while (answer := requests.get(soon)).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)


def test_a_presigned_url_is_valid_for_at_most_seven_days(stack: localaws.Status, bucket: str) -> None:
    s3 = boto3.client(
        "s3", endpoint_url=stack.endpoint_url, region_name="us-east-1", aws_access_key_id=stack.access_key_id,
        aws_secret_access_key=stack.secret_access_key, config=Config(signature_version="s3v4"),
    )  # fmt: skip
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    week = 7 * 86400
    for seconds, status in ((week, 200), (week + 1, 400), (0, 400)):
        url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"}, ExpiresIn=seconds)
        assert requests.get(url).status_code == status


def test_a_presigned_query_protocol_call_is_accepted(stack: localaws.Status) -> None:
    """Clients prove their identity to other services this way: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    request = AWSRequest(
        "GET", f"{stack.endpoint_url}/", params={"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    )
    credentials = Credentials(stack.access_key_id, stack.secret_access_key)
    SigV4QueryAuth(credentials, "sts", "us-east-1", expires=60).add_auth(request)
    answer = requests.get(request.url)
    assert (answer.status_code, "GetCallerIdentityResult" in answer.text) == (200, True)
    assert requests.get(request.url.replace("GetCallerIdentity", "GetSessionToken")).status_code == 403


@pytest.mark.as_on_aws("S3")
def test_an_upload_form_has_to_match_its_policy(aws: Aws, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html"""
    opened(aws("s3"), bucket)
    conditions = [["starts-with", "$key", "in/"], {"acl": "private"}, ["content-length-range", 1, 10]]
    form = aws("s3").generate_presigned_post(bucket, "in/${filename}", {"acl": "private"}, conditions, 60)

    def post(content: bytes = b"form", **changed: Any) -> requests.Response:
        fields = {**form["fields"], **changed}
        return requests.post(form["url"], data=fields, files={"file": ("name.txt", content)})

    assert post().status_code in (200, 204)
    assert aws("s3").get_object(Bucket=bucket, Key="in/name.txt")["Body"].read() == b"form"
    assert "Policy Condition failed" in post(key="out/x").text
    assert "Extra input fields" in post(tagging="<Tagging/>").text
    assert "Policy Condition failed" in post(acl="public-read").text
    assert "EntityTooLarge" in post(b"x" * 11).text
    assert "EntityTooSmall" in post(b"").text
    other = base64.b64encode(json.dumps({"expiration": "2099-01-01T00:00:00Z", "conditions": []}).encode()).decode()
    assert "SignatureDoesNotMatch" in post(policy=other).text
    assert (
        "more than once"
        in requests.post(form["url"], data=[*form["fields"].items(), ("key", "in/other")], files={"file": b"x"}).text
    )
    late = aws("s3").generate_presigned_post(bucket, "in/x", ExpiresIn=-5)
    assert "Policy expired" in requests.post(late["url"], data=late["fields"], files={"file": b"x"}).text
    assert requests.post(form["url"], data={"key": "in/x"}, files={"file": b"x"}).status_code == 403


def test_chunk_signatures_match_the_example_in_the_aws_documentation() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html"""
    claim = Claim("header", "AKIAIOSFODNN7EXAMPLE", "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
                  date="20130524", region="us-east-1", timestamp="20130524T000000Z")  # fmt: skip
    signer = Signer(claim, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    first = signer.follow(claim.signature, b"a" * 65536)
    second = signer.follow(first, b"a" * 1024)
    assert [first, second, signer.follow(second, b"")] == [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ]


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize("trailer", [False, True])
def test_a_body_in_signed_chunks_is_stored_without_the_chunk_headers(
    root: Wire, aws: Aws, bucket: str, trailer: bool
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html"""
    content = b"abc" * 50_000
    answer = put_chunked(root, bucket, content, trailer=trailer)
    assert answer.status == 200, answer
    stored = aws("s3").get_object(Bucket=bucket, Key="chunked")
    assert (stored["Body"].read(), stored.get("ContentEncoding", "")) == (content, "")
    for broken in ("signature", "content", "size", "cut", "missing", "length"):
        answer = put_chunked(root, bucket, b"never stored", trailer=trailer, broken=broken)
        assert answer.status in (400, 403), (broken, answer)
    assert aws("s3").get_object(Bucket=bucket, Key="chunked")["Body"].read() == content


@pytest.mark.parametrize("broken", ["", "checksum", "unannounced", "cut"])
def test_trailing_checksums_of_an_unsigned_body_are_verified(root: Wire, aws: Aws, bucket: str, broken: str) -> None:
    content = b"unsigned, with a checksum"
    checksum = base64.b64encode(zlib.crc32(content if broken != "checksum" else b"x").to_bytes(4, "big")).decode()
    body = (
        f"{len(content):x}\r\n".encode() + content + b"\r\n0\r\n" + f"x-amz-checksum-crc32:{checksum}\r\n\r\n".encode()
    )
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(len(content)), "x-amz-sdk-checksum-algorithm": "CRC32",
    }  # fmt: skip
    if broken != "unannounced":
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
    body = body[:-20] if broken == "cut" else body
    answer = root.raw("PUT", f"/{bucket}/trailer", headers_of(root, "PUT", f"/{bucket}/trailer", headers), body)
    assert answer.status == (400 if broken else 200), answer
    if not broken:
        stored = aws("s3").get_object(Bucket=bucket, Key="trailer", ChecksumMode="ENABLED")
        assert (stored["Body"].read(), stored["ChecksumCRC32"]) == (content, checksum)


def test_signature_verification_can_be_turned_off_with_one_setting(stack: localaws.Status) -> None:
    wrong = boto3.client(
        "sts", endpoint_url=stack.endpoint_url, region_name="us-east-1", aws_access_key_id=stack.access_key_id,
        aws_secret_access_key="another",
    )  # fmt: skip
    try:
        assert not localaws.start(stack.home, verify_signatures=False).verify_signatures
        wrong.get_caller_identity()
    finally:
        assert localaws.start(stack.home, verify_signatures=True).verify_signatures
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        wrong.get_caller_identity()
