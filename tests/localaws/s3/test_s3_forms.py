"""Upload forms: their policies, their fields, and the responses to them.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from botocore.auth import HmacV1PostAuth, S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import localaws

SOON = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
Post = Callable[..., requests.Response]


def element(answer: requests.Response, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", answer.text)
    return found[1] if found else ""


@pytest.fixture
def post(stack: localaws.Status, bucket: str) -> Post:
    """Sends a form with these fields, whose policy has these conditions, signed by the root user."""

    def send(
        fields: dict[str, str], conditions: Any = None, *, content: bytes = b"content", policy: Any = None
    ) -> requests.Response:
        fields = {"key": "k", **fields}
        exact = [{name: value} for name, value in fields.items()]
        given = policy or {"expiration": SOON, "conditions": [{"bucket": bucket}, *(conditions or exact)]}
        request = AWSRequest("POST", f"{stack.endpoint_url}/{bucket}")
        signed = dict(fields)
        request.context |= {"s3-presign-post-fields": signed, "s3-presign-post-policy": given}
        S3SigV4PostAuth(Credentials(stack.access_key_id, stack.secret_access_key), "s3", "us-east-1").add_auth(request)
        url = f"{stack.endpoint_url}/{bucket}"
        return requests.post(url, data=signed, files={"file": ("a name.txt", content)}, allow_redirects=False)

    return send


@pytest.mark.as_on_aws("S3")
def test_an_object_has_the_metadata_tags_and_headers_from_its_upload_form(s3: Any, bucket: str, post: Post) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html"""
    tagging = "<Tagging><TagSet><Tag><Key>lab</Key><Value>toll</Value></Tag></TagSet></Tagging>"
    asked = {"x-amz-meta-a": "b", "Content-Type": "text/csv", "tagging": tagging, "x-amz-storage-class": "STANDARD_IA",
             "key": "in/${filename}", "Cache-Control": "no-cache"}  # fmt: skip
    answer = post(asked)
    found = s3.get_object(Bucket=bucket, Key="in/a name.txt")
    assert (answer.status_code, answer.headers["ETag"]) == (204, found["ETag"])
    assert answer.headers["Location"].endswith(f"/{bucket}/in/a%20name.txt")
    assert found["Body"].read() == b"content"
    assert (found["Metadata"], found["ContentType"], found["CacheControl"]) == ({"a": "b"}, "text/csv", "no-cache")
    assert found["StorageClass"] == "STANDARD_IA"
    assert s3.get_object_tagging(Bucket=bucket, Key="in/a name.txt")["TagSet"] == [{"Key": "lab", "Value": "toll"}]


@pytest.mark.as_on_aws("S3")
def test_an_upload_form_chooses_its_response_status_or_a_redirect(bucket: str, post: Post) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html"""
    for status, answered in (("200", 200), ("201", 201), ("204", 204), ("404", 204), ("abc", 204), ("", 204)):
        answer = post({"success_action_status": status})
        assert (answer.status_code, element(answer, "Key")) == (answered, "k" if answered == 201 else "")
    answer = post({"success_action_redirect": "http://example.com/done?x=1"})
    parts = urllib.parse.urlsplit(answer.headers["Location"])
    told = urllib.parse.parse_qs(parts.query)
    assert (answer.status_code, parts.netloc) == (303, "example.com")
    assert (told["bucket"], told["key"], told["x"]) == ([bucket], ["k"], ["1"])
    assert post({"success_action_redirect": "nowhere"}).status_code == 204


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(
    ("fields", "conditions", "code", "said"),
    [
        ({}, [["starts-with", "$key", "in/"]], "AccessDenied",
         'Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "in/"]'),
        ({}, [["eq", "$key", "other"]], "AccessDenied",
         'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "other"]'),
        ({"x-amz-meta-a": "b"}, [{"key": "k"}], "AccessDenied",
         "Invalid according to Policy: Extra input fields: x-amz-meta-a"),
        ({}, [["starts-with", "$key", ""], ["starts-with", "$x-amz-meta-a", "x"]], "AccessDenied",
         'Invalid according to Policy: Policy Condition failed: ["starts-with", "$x-amz-meta-a", "x"]'),
        ({}, [{"key": "k"}, ["content-length-range", 8, 9]], "EntityTooSmall",
         "Your proposed upload is smaller than the minimum allowed size"),
        ({}, [{"key": "k"}, ["content-length-range", 1, 6]], "EntityTooLarge",
         "Your proposed upload exceeds the maximum allowed size"),
    ],
)  # fmt: skip
def test_an_upload_that_the_form_policy_does_not_allow_is_refused(
    s3: Any, bucket: str, post: Post, fields: dict[str, str], conditions: Any, code: str, said: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html"""
    answer = post(fields, conditions)
    message = element(answer, "Message").replace("&quot;", '"')
    assert (element(answer, "Code"), message) == (code, said)
    if code.startswith("Entity"):
        assert element(answer, "ProposedSize") == "7"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


@pytest.mark.as_on_aws("S3")
def test_an_upload_that_the_form_policy_allows_is_stored(post: Post) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html"""
    for fields, conditions in (
        ({"x-ignore-this": "x"}, [{"key": "k"}]),
        ({}, [{"key": "k"}, ["content-length-range", 7, 7]]),
        ({"Content-Type": "text/x"}, [{"key": "k"}, ["starts-with", "$Content-Type", ""]]),
        ({"x-amz-meta-a": "b"}, [{"key": "k", "x-amz-meta-a": "b"}]),
    ):
        assert post(fields, conditions).status_code == 204


@pytest.mark.as_on_aws("S3")
@pytest.mark.parametrize(
    "policy",
    [
        {"conditions": []},
        {"expiration": "tomorrow", "conditions": []},
        {"expiration": 5, "conditions": []},
        {"expiration": SOON},
        {"expiration": SOON, "conditions": {"key": "k"}},
        {"expiration": SOON, "conditions": [["eq", "$key"]]},
        {"expiration": SOON, "conditions": [["like", "$key", "k"]]},
        {"expiration": SOON, "conditions": [["content-length-range", 5]]},
        {"expiration": SOON, "conditions": [["content-length-range", 5, 1]]},
        {"expiration": SOON, "conditions": [["content-length-range", "a", "b"]]},
        {"expiration": SOON, "conditions": [[]]},
        {"expiration": SOON, "conditions": ["key"]},
        {"expiration": SOON, "conditions": [{"key": ["k"]}]},
    ],
)
def test_an_invalid_form_policy_is_refused(stack: localaws.Status, post: Post, bucket: str, policy: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html"""
    if isinstance(policy.get("conditions"), list):  # else botocore can't sign it
        answer = post({}, policy=policy)
    else:
        answer = _signed_by_hand(stack, bucket, policy)
    assert (answer.status_code, element(answer, "Code")) == (400, "InvalidPolicyDocument"), answer.text


@pytest.mark.as_on_aws("S3")
def test_an_expired_form_policy_is_refused(post: Post) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html"""
    answer = post({}, policy={"expiration": "2020-01-01T00:00:00.000Z", "conditions": [{"key": "k"}]})
    said = "Invalid according to Policy: Policy expired."
    assert (answer.status_code, element(answer, "Code"), element(answer, "Message")) == (403, "AccessDenied", said)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("x-amz-server-side-encryption", "aws:kms", "NotImplemented"),
        ("x-amz-server-side-encryption-customer-key", "x", "NotImplemented"),
        ("x-amz-object-lock-mode", "GOVERNANCE", "NotImplemented"),
        ("acl", "public-read", "AccessControlListNotSupported"),
        ("x-amz-storage-class", "SNOW", "InvalidStorageClass"),
        ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
        ("tagging", "<Tagging", "MalformedXML"),
        ("x-amz-meta-a", "x" * 2048, "MetadataTooLarge"),
    ],
)
def test_a_form_field_that_is_unsupported_or_invalid_is_refused(
    post: Post, s3: Any, bucket: str, name: str, value: str, code: str
) -> None:
    answer = post({name: value})
    assert element(answer, "Code") == code, answer.text
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def _signed_by_hand(stack: localaws.Status, bucket: str, policy: Any) -> requests.Response:
    request = AWSRequest("POST", f"{stack.endpoint_url}/{bucket}")
    fields: dict[str, str] = {"key": "k"}
    request.context |= {"s3-presign-post-fields": fields, "s3-presign-post-policy": {"conditions": []}}
    auth = HmacV1PostAuth(Credentials(stack.access_key_id, stack.secret_access_key))
    auth.add_auth(request)
    fields["policy"] = base64.b64encode(json.dumps(policy).encode()).decode()
    fields["signature"] = auth.sign_string(fields["policy"])
    return requests.post(f"{stack.endpoint_url}/{bucket}", data=fields, files={"file": ("a", b"content")})
