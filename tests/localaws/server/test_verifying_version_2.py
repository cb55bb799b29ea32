"""Signatures of version 2, with AWS's own examples, without a server.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.localaws.server.signing import KEY, NOW, SECRET, code, refusal, stop_the_clock


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """`at(moment)` is the time at which signatures are looked at."""
    stop_the_clock(monkeypatch)
    return lambda moment: stop_the_clock(monkeypatch, moment)


def signature_2(text: str) -> str:
    return base64.b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).digest()).decode()


def in_header_2(text: str, key: str = KEY) -> dict[str, str]:
    return {"Authorization": f"AWS {key}:{signature_2(text)}"}


def test_the_examples_in_the_version_2_documentation_verify(at: Any) -> None:
    at(datetime(2007, 3, 27, 19, 36, 42, tzinfo=UTC))
    key = "AKIAIOSFODNN7EXAMPLE"
    date = {"Host": "johnsmith.localhost", "Date": "Tue, 27 Mar 2007 19:36:42 +0000"}
    get = {**date, "Authorization": f"AWS {key}:bWq2s1WEIj+Ydj0vQ697zp+IXMU="}
    assert code("GET", "/photos/puppy.jpg", get) == ""
    at(datetime(2007, 3, 27, 21, 15, 45, tzinfo=UTC))
    put = {
        "Host": "johnsmith.localhost", "Content-Type": "image/jpeg", "Content-Length": "94328",
        "Date": "Tue, 27 Mar 2007 21:15:45 +0000", "Authorization": f"AWS {key}:MyyxeRY7whkBe+bq8fHCL/2kKUg=",
    }  # fmt: skip
    assert code("PUT", "/photos/puppy.jpg", put) == ""
    assert code("PUT", "/photos/kitty.jpg", put) == "SignatureDoesNotMatch"
    at(datetime(2007, 3, 27, 19, 42, 41, tzinfo=UTC))
    listed = {
        "Host": "johnsmith.localhost", "Date": "Tue, 27 Mar 2007 19:42:41 +0000",
        "Authorization": f"AWS {key}:htDYFYduRNen8P9ZfE/s9SuKy0U=",
    }  # fmt: skip
    assert code("GET", "/?prefix=photos&max-keys=50&marker=puppy", listed) == ""


DATE = format_datetime(NOW, usegmt=True)


def test_a_version_2_signature_covers_the_x_amz_headers() -> None:
    text = f"PUT\n\ntext/plain\n{DATE}\nx-amz-acl:private\nx-amz-meta-a:1,2\n/b/k?acl"
    headers = {
        **in_header_2(text), "Date": DATE, "Content-Type": "text/plain", "x-amz-meta-a": "1,2", "X-Amz-Acl": "private",
    }  # fmt: skip
    assert code("PUT", "/b/k?acl&other=1", headers) == ""
    assert code("PUT", "/b/k?other=1", headers) == "SignatureDoesNotMatch"
    for name in ("Content-Type", "x-amz-meta-a", "X-Amz-Acl"):
        assert code("PUT", "/b/k?acl", {**headers, name: "changed"}) == "SignatureDoesNotMatch"
    assert code("PUT", "/b/k?acl", {**headers, "Content-MD5": "x"}) == "SignatureDoesNotMatch"


def test_a_version_2_request_may_have_its_date_in_the_x_amz_date_header() -> None:
    headers = {**in_header_2(f"GET\n\n\n\nx-amz-date:{DATE}\n/b/k"), "x-amz-date": DATE}
    assert code("GET", "/b/k", headers) == ""
    assert code("GET", "/b/k", {**headers, "Date": "Tue, 27 Mar 2007 19:36:42 +0000"}) == ""


def test_a_version_2_request_with_a_wrong_date_is_refused() -> None:
    for sign in (-1, 1):
        for off, expected in ((timedelta(minutes=15), ""), (timedelta(minutes=15, seconds=1), "RequestTimeTooSkewed")):
            date = format_datetime(NOW + sign * off, usegmt=True)
            assert code("GET", "/b/k", {**in_header_2(f"GET\n\n\n{date}\n/b/k"), "Date": date}) == expected
    for headers in ({}, {"Date": "yesterday"}):
        found = refusal("GET", "/b/k", {**in_header_2("GET\n\n\n\n/b/k"), **headers})
        assert found is not None
        assert (found.code, "requires a valid Date" in found.message) == ("AccessDenied", True)


def url_2(expires: str, resource: str = "/b/k", custom: str = "", **more: str) -> str:
    text = f"GET\n\n\n{expires}\n{custom}{resource}"
    query = {"AWSAccessKeyId": KEY, "Expires": expires, "Signature": signature_2(text), **more}
    return "&".join(f"{name}={value.replace('+', '%2B').replace('/', '%2F')}" for name, value in query.items())


def test_a_version_2_presigned_url_expires_at_the_given_second() -> None:
    now = int(NOW.timestamp())
    for seconds, expected in ((now + 1, ""), (now, ""), (now - 1, "AccessDenied")):
        assert code("GET", f"/b/k?{url_2(str(seconds))}", {}) == expected
    for expires in ("", "soon", "-1", "1" * 13):
        found = refusal("GET", f"/b/k?{url_2(expires)}", {})
        assert found is not None
        assert found.message == f"Invalid date (should be seconds since epoch): {expires}"
    assert code("GET", f"/b/other?{url_2(str(now))}", {}) == "SignatureDoesNotMatch"


def test_a_version_2_presigned_url_may_have_headers_in_its_query() -> None:
    """As boto3 makes them."""
    expires = str(int(NOW.timestamp()) + 60)
    token = url_2(expires, custom="x-amz-security-token:t\n", **{"x-amz-security-token": "t"})
    assert code("GET", f"/b/k?{token}", {}) == ""
    acl = url_2(expires, custom="x-amz-acl:private\n", **{"x-amz-acl": "private"})
    assert code("GET", f"/b/k?{acl}", {}) == ""
    assert code("GET", f"/b/k?{acl.replace('private', 'public-read')}", {}) == "SignatureDoesNotMatch"
    text = f"GET\nm\ntext/plain\n{expires}\n/b/k"
    signature = signature_2(text).replace("+", "%2B").replace("/", "%2F")
    query = f"AWSAccessKeyId={KEY}&Expires={expires}&Signature={signature}"
    assert code("GET", f"/b/k?{query}&content-type=text/plain&content-md5=m", {}) == ""
