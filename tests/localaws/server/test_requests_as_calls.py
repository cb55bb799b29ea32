"""How a request is parsed: its operation, its parameters, and its claimed signer."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from localaws.core.call import S3Call, S3Object
from localaws.core.errors import UnsupportedOperation
from localaws.iam.refusals import Refused
from localaws.server.reading import Reading, read

FORM = "application/x-www-form-urlencoded"


def reading(
    method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"", service: str = ""
) -> Reading:
    """What a request is read as."""
    given = {"Host": "localhost", **(headers or {})}
    if service:
        scope = f"AKIA/20260101/eu-west-1/{service}/aws4_request"
        given["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "RAW_URI": target,
        "localaws.headers": list(given.items()), "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)),
    }  # fmt: skip
    return read(environ)


FUNCTIONS = "/2015-03-31/functions"
REST = [
    ("POST", f"{FUNCTIONS}/f/invocations", "Invoke", {"FunctionName": "f"}),
    ("POST", f"{FUNCTIONS}/f/invocations?Qualifier=1", "Invoke", {"FunctionName": "f", "Qualifier": "1"}),
    ("GET", f"{FUNCTIONS}/", "ListFunctions", {}),
    ("GET", f"{FUNCTIONS}/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af", "GetFunction",
     {"FunctionName": "arn:aws:lambda:us-east-1:1:function:f"}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target", "operation", "given"), REST)
def test_a_lambda_call_is_recognised_by_its_method_and_path(
    method: str, target: str, operation: str, given: dict[str, Any]
) -> None:
    call = reading(method, target, service="lambda").call
    assert (call.operation, call.parameters, call.region) == (operation, given, "eu-west-1")


def test_a_path_without_an_operation_is_named_in_the_error() -> None:
    with pytest.raises(UnsupportedOperation, match="PUT /nowhere"):
        reading("PUT", "/nowhere", service="lambda")


def test_moto_is_given_only_what_was_parsed() -> None:
    body = json.dumps({"Name": "a&Action=DeleteDatabase", "CatalogId": None}).encode()
    headers = {"X-Amz-Target": "AWSGlue.GetDatabase", "Content-Type": "application/x-amz-json-1.1", "Action": "x",
               "User-Agent": "aws-cli region/us-gov-west-1"}  # fmt: skip
    made = reading("POST", "/", headers, body, "glue").environ()
    text = made["wsgi.input"].read()
    assert b"&" not in text
    assert json.loads(text) == {"Name": "a&Action=DeleteDatabase"}
    assert made["QUERY_STRING"] == "x-id=GetDatabase"
    assert "/eu-west-1/glue/" in made["HTTP_AUTHORIZATION"]
    assert "region/" not in made["HTTP_USER_AGENT"]


EC2 = [
    ({"Filter.1.Name": "vpc-id", "Filter.1.Value.1": "x"}, True),
    ({"Filter.01.Name": "vpc-id"}, False),
    ({"Filters.1.Name": "vpc-id"}, False),
    ({"Filter.1.Names": "vpc-id"}, False),
    ({"Filter.member.1.Name": "vpc-id"}, False),
    ({"MaxResults": "5", "DryRun": "true"}, True),
    ({"GroupName": "x"}, False),
]


@pytest.mark.parametrize(("given", "known"), EC2)
def test_a_query_parameter_has_to_be_in_the_notation_of_its_model(given: dict[str, str], known: bool) -> None:
    body = "&".join(
        f"{name}={value}" for name, value in {"Action": "DescribeVpcs", "Version": "2016-11-15", **given}.items()
    )
    if known:
        assert reading("POST", "/", {"Content-Type": FORM}, body.encode(), "ec2").call.operation == "DescribeVpcs"
        return
    with pytest.raises(Refused, match="is not recognized"):
        reading("POST", "/", {"Content-Type": FORM}, body.encode(), "ec2")


S3 = [
    ("GET", "/b/k?uploadId=u", "ListParts", "k"),
    ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart", "k"),
    ("GET", "/b?list-type=2&prefix=x", "ListObjectsV2", ""),
    ("GET", "/b?prefix=x", "ListObjects", ""),
    ("GET", "/", "ListBuckets", ""),
    ("GET", "/b/a%2Fb%3Bc%3F%23", "GetObject", "a/b;c?#"),
    ("GET", "/b//k", "GetObject", "/k"),
    ("GET", "/b/k?unknown=1&x-id=GetObject", "GetObject", "k"),
    ("HEAD", "/b/k", "HeadObject", "k"),
    ("POST", "/b/k?uploads", "CreateMultipartUpload", "k"),
    ("GET", "/b?metrics&id=x", "GetBucketMetricsConfiguration", ""),
    ("GET", "/b?metrics", "ListBucketMetricsConfigurations", ""),
]


@pytest.mark.parametrize(("method", "target", "operation", "key"), S3)
def test_an_s3_request_is_recognised_by_its_method_path_and_query(
    method: str, target: str, operation: str, key: str
) -> None:
    call = reading(method, target, service="s3").call
    assert isinstance(call, S3Call)
    assert (call.operation, call.key) == (operation, key)
    assert "unknown" not in call.parameters


def test_a_copy_request_has_its_parsed_source() -> None:
    source = {"x-amz-copy-source": "/b/a%3Fb?versionId=v"}
    found = reading("PUT", "/b/k", source, service="s3")
    assert isinstance(found.call, S3Call)
    assert (found.call.operation, found.call.source) == ("CopyObject", S3Object("b", "a?b", "v"))
    assert found.environ()["HTTP_X_AMZ_COPY_SOURCE"] == "b/a%3Fb?versionId=v"


def test_the_signer_is_found_in_headers_presigned_urls_and_forms() -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--x\r\n'
        b'Content-Disposition: form-data; name="policy"\r\n\r\ne30=\r\n--x\r\n'
        b'Content-Disposition: form-data; name="signature"\r\n\r\ns\r\n--x\r\n'
        b'Content-Disposition: form-data; name="AWSAccessKeyId"\r\n\r\nAKIAFORM\r\n--x\r\n'
        b'Content-Disposition: form-data; name="file"\r\n\r\ncontent\r\n--x--\r\n'
    )
    scope = "AKIAURL4%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
    version_4 = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={scope}&X-Amz-Date=x&X-Amz-Expires=1&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=x"
    )
    found = [
        reading("GET", "/b/k", service="s3"),
        reading("GET", "/b/k", {"Authorization": "AWS AKIA2:signature"}),
        reading("GET", f"/b/k?{version_4}"),
        reading("GET", "/b/k?AWSAccessKeyId=AKIAURL2&Signature=x&Expires=1"),
        reading("POST", "/b", {"Content-Type": "multipart/form-data; boundary=x"}, form),
        reading("GET", "/b/k"),
    ]
    keys = [each.claim.access_key_id if each.claim else "" for each in found]
    assert keys == ["AKIA", "AKIA2", "AKIAURL4", "AKIAURL2", "AKIAFORM", ""]
    assert found[4].call.operation == "PostObject"
    twice = {"Content-Type": "multipart/form-data; boundary=x", "Authorization": "AWS AKIA2:signature"}
    with pytest.raises(Refused) as refused:
        reading("POST", "/b", twice, form)
    assert (refused.value.status, refused.value.code) == (400, "InvalidArgument")
