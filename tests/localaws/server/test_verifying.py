"""Whether a signature is valid and in time, with the signatures of botocore and of AWS's examples, without a server."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1Auth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localaws.server.claims import claim_of
from localaws.server.signatures import UNSIGNED, same, verify
from tests.localaws.server.raw import envelope
from tests.localaws.server.signing import EMPTY, KEY, NOW, SECRET, code, refusal, stop_the_clock


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """`at(moment)` is the time at which signatures are looked at."""
    stop_the_clock(monkeypatch)
    return lambda moment: stop_the_clock(monkeypatch, moment)


class InHeader(SigV4Auth):  # type: ignore[misc]
    """botocore's signer, at a time and over the headers that it is given."""

    def __init__(self, moment: datetime, service: str, secret: str = SECRET) -> None:
        super().__init__(Credentials(KEY, secret), service, "us-east-1")
        self._moment = moment

    def add_auth(self, request: Any) -> None:
        request.context["timestamp"] = f"{self._moment:%Y%m%dT%H%M%SZ}"
        if "date" not in {name.lower() for name in request.headers}:
            request.headers["X-Amz-Date"] = request.context["timestamp"]
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))

    def payload(self, request: Any) -> str:
        return EMPTY

    def _normalize_url_path(self, path: str) -> str:
        return path if self._service_name == "s3" else str(super()._normalize_url_path(path))


def signed(
    target: str = "/b/k", method: str = "GET", moment: datetime = NOW, service: str = "s3", **headers: str
) -> dict[str, str]:
    """The headers of a signed request."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(method, f"http://localhost{target}", headers={"Host": "localhost", **given})
    InHeader(moment, service).add_auth(request)
    return {"Host": "localhost", **dict(request.headers.items())}


def presigned(seconds: int = 60, moment: datetime = NOW, service: str = "s3", target: str = "/b/k") -> str:
    """Path and query of a presigned URL."""
    kind = S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth

    class InQuery(kind):  # type: ignore[misc,valid-type]
        def payload(self, request: Any) -> str:
            return UNSIGNED

        def add_auth(self, request: Any) -> None:
            request.context["timestamp"] = f"{moment:%Y%m%dT%H%M%SZ}"
            self._modify_request_before_signing(request)
            text = self.string_to_sign(request, self.canonical_request(request))
            self._inject_signature_to_request(request, self.signature(text, request))

    request = AWSRequest("GET", f"http://localhost{target}")
    InQuery(Credentials(KEY, SECRET), service, "us-east-1", expires=seconds).add_auth(request)
    parts = urlsplit(request.url)
    return f"{parts.path}?{parts.query}"


def test_the_examples_in_the_S3_documentation_verify(at: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html"""
    at(datetime(2013, 5, 24, tzinfo=UTC))
    scope = f"AWS4-HMAC-SHA256 Credential={KEY}/20130524/us-east-1/s3/aws4_request"
    signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    headers = {
        "Host": "examplebucket.s3.amazonaws.com", "Range": "bytes=0-9", "x-amz-content-sha256": EMPTY,
        "x-amz-date": "20130524T000000Z",
        "Authorization": f"{scope},SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature={signature}",
    }  # fmt: skip
    request = envelope("GET", "/test.txt", {**headers, "Host": "localhost"})
    claim = claim_of(request)
    assert claim is not None
    request.headers["host"] = headers["Host"]
    verify(claim, SECRET, request, EMPTY)


def test_a_request_that_is_signed_with_the_secret_is_accepted_and_with_another_secret_refused() -> None:
    for service, refused_with in (("s3", "SignatureDoesNotMatch"), ("glue", "InvalidSignatureException")):
        headers = signed(service=service)
        assert code("GET", "/b/k", headers) == ""
        assert code("GET", "/b/k", headers, secret="another") == refused_with
    assert code("GET", presigned(), {}, UNSIGNED) == ""
    assert code("GET", presigned(), {}, UNSIGNED, "another") == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("method", "target", "payload", "changed"),
    [
        ("DELETE", "/b/k?a=1", EMPTY, {}),
        ("GET", "/b/other?a=1", EMPTY, {}),
        ("GET", "/b/k?a=2", EMPTY, {}),
        ("GET", "/b/k?a=1&b=2", EMPTY, {}),
        ("GET", "/b/k", EMPTY, {}),
        ("GET", "/b/k?a=1", UNSIGNED, {}),
        ("GET", "/b/k?a=1", EMPTY, {"Content-Type": "text/html"}),
        ("GET", "/b/k?a=1", EMPTY, {"Host": "127.0.0.1"}),
    ],
)
def test_a_request_that_changed_after_signing_is_refused(
    method: str, target: str, payload: str, changed: dict[str, str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
    headers = signed("/b/k?a=1", Content_Type="text/plain")
    assert code("GET", "/b/k?a=1", headers) == ""
    assert code(method, target, {**headers, **changed}, payload) == "SignatureDoesNotMatch"


def test_an_x_amz_header_has_to_be_signed() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html: CanonicalHeaders"""
    headers = signed()
    assert code("GET", "/b/k", {**headers, "Accept": "a"}) == ""
    # SDKs for browsers add their name after they have signed.
    assert code("GET", "/b/k", {**headers, "X-Amz-User-Agent": "aws-sdk-js"}) == ""
    found = refusal("GET", "/b/k", {**headers, "X-Amz-Meta-B": "b", "X-Amz-Acl": "private"})
    assert found is not None
    assert (found.status, found.code) == (403, "AccessDenied")
    assert found.message.endswith("not signed: x-amz-acl, x-amz-meta-b")


def test_the_Host_header_has_to_be_signed() -> None:
    headers = signed()
    headers["Authorization"] = headers["Authorization"].replace("host;", "")
    found = refusal("GET", "/b/k", headers)
    assert found is not None
    assert "'Host' or ':authority' must be a 'SignedHeader'" in found.message


def test_a_presigned_url_may_be_sent_with_a_content_hash_but_no_other_x_amz_headers() -> None:
    sha = {"x-amz-content-sha256": EMPTY}
    assert code("GET", presigned(), sha, UNSIGNED) == ""
    assert code("GET", presigned(), {**sha, "x-amz-acl": "private"}, UNSIGNED) == "AccessDenied"
    assert code("GET", presigned(), {"x-amz-acl": "private"}, UNSIGNED) == "AccessDenied"
    headers = signed()
    assert code("GET", "/b/k", {**headers, **sha}) == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "minutes", "refused_with"),
    [("s3", 15, "RequestTimeTooSkewed"), ("glue", 5, "InvalidSignatureException"), ("iam", 5, "SignatureDoesNotMatch")],
)
def test_a_client_clock_may_be_off_by_some_minutes(service: str, minutes: int, refused_with: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html; for S3
    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    for sign in (-1, 1):
        edge = NOW + sign * timedelta(minutes=minutes)
        assert code("GET", "/b/k", signed(moment=edge, service=service)) == ""
        beyond = edge + sign * timedelta(seconds=1)
        assert code("GET", "/b/k", signed(moment=beyond, service=service)) == refused_with


def test_the_date_in_the_credential_scope_has_to_be_the_date_of_the_request() -> None:
    headers = signed()
    headers["Authorization"] = headers["Authorization"].replace("/20260102/", "/20260101/")
    found = refusal("GET", "/b/k", headers)
    assert found is not None
    assert found.message.startswith("Date in Credential scope does not match YYYYMMDD")
    for date in ("", "yesterday", "20260102"):
        found = refusal("GET", "/b/k", {**headers, "X-Amz-Date": date})
        assert found is not None
        assert found.message.startswith("Date in Credential scope does not match YYYYMMDD")


def test_the_http_Date_header_can_be_the_date_of_the_signature() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html: Date"""
    date = format_datetime(NOW, usegmt=True)
    assert code("GET", "/b/k", signed(Date=date)) == ""
    assert code("GET", "/b/k", signed(Date=date.replace("GMT", "-0000"))) == ""
    late = format_datetime(NOW - timedelta(minutes=16), usegmt=True)
    assert code("GET", "/b/k", signed(Date=late, moment=NOW - timedelta(minutes=16))) == "RequestTimeTooSkewed"


def test_a_presigned_url_is_valid_until_it_expires() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html: X-Amz-Expires"""
    minute, second, week = timedelta(minutes=1), timedelta(seconds=1), 7 * 24 * 3600
    assert code("GET", presigned(60, NOW - minute), {}, UNSIGNED) == ""
    over = refusal("GET", presigned(60, NOW - minute - second), {}, UNSIGNED)
    assert over is not None
    assert (over.status, over.code, over.message) == (403, "AccessDenied", "Request has expired")
    assert code("GET", presigned(week, NOW - timedelta(days=7)), {}, UNSIGNED) == ""
    assert code("GET", presigned(1), {}, UNSIGNED) == ""
    for seconds in (week + 1, 0):
        found = refusal("GET", presigned(seconds), {}, UNSIGNED)
        assert found is not None
        assert found.code == "AuthorizationQueryParametersError"
        assert "less than a week" in found.message
    assert code("GET", presigned(-1), {}, UNSIGNED) == "AuthorizationQueryParametersError"


def test_a_presigned_url_of_the_future_is_not_valid_yet() -> None:
    quarter, second = timedelta(minutes=15), timedelta(seconds=1)
    assert code("GET", presigned(60, NOW + quarter), {}, UNSIGNED) == ""
    early = refusal("GET", presigned(60, NOW + quarter + second), {}, UNSIGNED)
    assert early is not None
    assert (early.status, early.message) == (403, "Request is not valid yet")


def test_only_S3_requires_an_expiry_in_a_presigned_url() -> None:
    """For other services it is valid for 15 minutes, as in kubectl's tokens for EKS, which contain such URLs."""
    for service, expected in (("s3", "AuthorizationQueryParametersError"), ("sts", "")):
        target = presigned(60, service=service).replace("&X-Amz-Expires=60", "")
        request = envelope("GET", target)
        claim = claim_of(request)
        assert claim is not None
        unlimited = _without_expiry(target, service)
        assert code("GET", unlimited, {}, UNSIGNED) == expected
    for seconds, expected in ((900, ""), (901, "AccessDenied")):
        late = _without_expiry(presigned(60, NOW - timedelta(seconds=seconds), "sts"), "sts")
        assert code("GET", late, {}, UNSIGNED) == expected


def _without_expiry(target: str, service: str) -> str:
    """A presigned URL without X-Amz-Expires, signed like that."""
    path, _, query = target.partition("?")
    parts = [part for part in query.split("&") if not part.startswith(("X-Amz-Expires", "X-Amz-Signature"))]
    stamp = next(part.partition("=")[2] for part in parts if part.startswith("X-Amz-Date"))
    canonical = "\n".join(["GET", path, "&".join(sorted(parts)), "host:localhost", "", "host", UNSIGNED])
    scope = f"{stamp[:8]}/us-east-1/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for each in scope.split("/"):
        key = hmac.new(key, each.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"{path}?{'&'.join(sorted(parts))}&X-Amz-Signature={signature}"


@pytest.mark.parametrize(
    ("signed_as", "sent_as"),
    [
        ("/b/a%20b", "/b/a b"),
        ("/b/k?prefix=a%2Fb", "/b/k?prefix=a/b"),
        ("/b/k?prefix=a%20b", "/b/k?prefix=a+b"),
        ("/b/k?acl=", "/b/k?acl"),
        ("/b/%C3%A9~", "/b/%c3%a9%7E"),
    ],
)
def test_a_client_may_send_another_encoding_of_the_url_that_it_signs(signed_as: str, sent_as: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html: UriEncode"""
    assert code("GET", sent_as, signed(signed_as)) == ""


def test_header_values_are_signed_as_UTF_8() -> None:
    headers = signed(X_Amz_Meta_A="Ä")
    assert code("GET", "/b/k", {**headers, "X-Amz-Meta-A": "Ä".encode().decode("latin-1")}) == ""
    headers = signed(X_Amz_Meta_A="a")
    assert code("GET", "/b/k", {**headers, "X-Amz-Meta-A": "\xff"}) == "SignatureDoesNotMatch"


def test_an_S3_path_is_signed_unchanged_and_other_paths_are_normalised() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html: the canonical URI"""
    for service in ("s3", "lambda"):
        assert code("GET", "/a//b/../c", signed("/a//b/../c", service=service)) == ""
    lambda_ = signed("/a/c", service="lambda")
    assert code("GET", "/a//b/../c", lambda_) == ""
    assert code("GET", "/a//b/../c", signed("/a/c")) == "SignatureDoesNotMatch"


def test_texts_with_any_characters_can_be_compared_in_constant_time() -> None:
    assert same("a", "a")
    assert not same("a", "b")
    assert not same("a", "é☃")


@pytest.mark.parametrize("version", ["2", "4"])
def test_a_request_that_botocore_signs_is_accepted(at: Any, version: str) -> None:
    at(datetime.now(UTC))
    request = AWSRequest("PUT", "http://localhost/b/a%20b?acl", data=b"x", headers={"x-amz-meta-a": "a"})
    credentials = Credentials(KEY, SECRET, "token")
    (HmacV1Auth(credentials) if version == "2" else S3SigV4Auth(credentials, "s3", "us-east-1")).add_auth(request)
    headers = dict(request.headers.items())
    payload = headers.get("X-Amz-Content-SHA256", "")
    assert code("PUT", "/b/a%20b?acl", headers, payload) == ""
    assert code("PUT", "/b/a%20b?tagging", headers, payload) == "SignatureDoesNotMatch"
