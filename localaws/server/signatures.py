"""Verify that a request was signed with the secret of the key that it names, and in time. botocore computes signatures.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html; what is refused, and how:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
import urllib.parse
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from botocore.auth import HmacV1Auth, S3SigV4Auth, SigV4Auth
from botocore.compat import HTTPHeaders

from localaws.iam.refusals import Refused, bad_signature, signature_expired
from localaws.server.claims import Claim
from localaws.server.envelope import Envelope, decoded

UNSIGNED = "UNSIGNED-PAYLOAD"
LONGEST = timedelta(days=7)  # of a presigned URL
_FORMAT = "%Y%m%dT%H%M%SZ"
_SKEW = timedelta(minutes=5)
_SKEW_S3 = timedelta(minutes=15)
# SDKs add these after they have signed.
_NEED_NOT_BE_SIGNED = frozenset({"x-amz-user-agent"})


def verify(claim: Claim, secret: str, envelope: Envelope, payload: str) -> None:
    """Check that `claim` (of a header or the query) was made with `secret`, for this request and this time.

    Args:
        claim: what the request says about its signature.
        secret: the secret access key of the claim's key.
        envelope: the request.
        payload: the SHA-256 of the body in hex, or what stands for it: UNSIGNED-PAYLOAD, STREAMING-….

    Raises:
        Refused: it was not.
    """
    if claim.way.endswith("-2"):
        _verify_2(claim, secret, envelope)
        return
    moment = _moment(claim)
    if moment is None or f"{moment:%Y%m%d}" != claim.date:
        raise bad_signature(
            claim.service, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"
        )
    if claim.way == "query":
        _check_expiry(claim, moment)
    else:
        _check_skew(claim, moment)
    _check_headers(claim, envelope)
    query = "&".join(part for part in envelope.query_string.split("&") if not part.startswith("X-Amz-Signature="))
    sent = (envelope.path, query)
    for path, text in (sent, _canonical(*sent)):
        if same(_signature(claim, secret, envelope, path, text, payload, moment), claim.signature):
            return
    raise bad_signature(claim.service)


def signature_of(text: str, claim: Claim, secret: str) -> str:
    """Return the signature, in hex, of a text (a policy, a chunk's string to sign) by the key of the claim's scope."""
    return hmac.new(
        _signing_key(secret, claim.date, claim.region, claim.service), text.encode(), hashlib.sha256
    ).hexdigest()


def signature_2_of(text: str, secret: str) -> str:
    """Return the signature (version 2) of a text, in Base64."""
    return str(HmacV1Auth(SimpleNamespace(secret_key=secret)).sign_string(text))


def same(computed: str, given: str) -> bool:
    """Whether both are equal, compared in constant time. `given` may be any text."""
    return hmac.compare_digest(computed.encode(), given.encode())


class _Recomputed(S3SigV4Auth):  # type: ignore[misc]
    """botocore's signature, recomputed for a request that was received, over the headers that its client has signed."""

    def headers_to_sign(self, request: Any) -> Any:
        return request.headers

    def payload(self, request: Any) -> Any:
        return request.context["payload"]

    def _normalize_url_path(self, path: str) -> str:
        # S3's paths are signed as they are sent.
        return (
            path if self._service_name in ("s3", "s3-object-lambda") else str(SigV4Auth._normalize_url_path(self, path))
        )

    def signature(self, string_to_sign: str, request: Any) -> str:
        key = _signing_key(
            self.credentials.secret_key, request.context["timestamp"][:8], self._region_name, self._service_name
        )
        return hmac.new(key, string_to_sign.encode(), hashlib.sha256).hexdigest()


def _signature(
    claim: Claim, secret: str, envelope: Envelope, path: str, query: str, payload: str, moment: datetime
) -> str:
    headers = HTTPHeaders()
    for name in claim.signed_headers:
        headers[name] = _utf8(envelope.headers.get(name, ""))
    request = SimpleNamespace(
        method=envelope.method,
        url=f"http://localhost{path}" + (f"?{query}" if query else ""),
        params=None,
        headers=headers,
        context={"timestamp": f"{moment:{_FORMAT}}", "payload": payload},
    )
    signer = _Recomputed(
        SimpleNamespace(access_key=claim.access_key_id, secret_key=secret), claim.service, claim.region
    )
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))


@lru_cache(maxsize=256)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _canonical(path: str, query: str) -> tuple[str, str]:
    """Return path and query in canonical form. Some clients sign that form, but send another one."""
    parts = [part.partition("=") for part in query.split("&") if part]
    text = "&".join(
        f"{_quoted(decoded(name, plus=True))}={_quoted(decoded(value, plus=True))}" for name, _, value in parts
    )
    return urllib.parse.quote(urllib.parse.unquote_to_bytes(path.encode("latin-1")), safe="/-_.~"), text


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="-_.~")


def _moment(claim: Claim) -> datetime | None:
    try:
        return datetime.strptime(claim.timestamp, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return _http_date(claim.timestamp)


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _check_skew(claim: Claim, moment: datetime) -> None:
    now, allowed = datetime.now(UTC), _SKEW_S3 if claim.service == "s3" else _SKEW
    if abs(now - moment) > allowed:
        raise signature_expired(claim.service, moment, now, allowed)


def _check_expiry(claim: Claim, moment: datetime) -> None:
    seconds = claim.expires or ("" if claim.service == "s3" else "900")
    if not re.fullmatch(r"\d{1,9}", seconds):
        raise Refused(400, "AuthorizationQueryParametersError", "X-Amz-Expires should be a number")
    if not 1 <= int(seconds) <= LONGEST.total_seconds():
        raise Refused(
            400,
            "AuthorizationQueryParametersError",
            "X-Amz-Expires must be less than a week (in seconds) that is 604800",
        )
    now = datetime.now(UTC)
    if now > moment + timedelta(seconds=int(seconds)):
        raise Refused(403, "AccessDenied", "Request has expired")
    if moment > now + _SKEW_S3:
        raise Refused(403, "AccessDenied", "Request is not valid yet")


def _check_headers(claim: Claim, envelope: Envelope) -> None:
    """Check that everything that must be signed is signed."""
    signed = set(claim.signed_headers)
    if "host" not in signed:
        raise bad_signature(claim.service, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    unsigned = [
        name
        for name in envelope.headers
        if name.startswith("x-amz-") and name not in signed and name not in _NEED_NOT_BE_SIGNED
    ]
    # The maker of a presigned URL can't know the hash of the body, so this header alone need not be signed.
    if claim.way == "query" and unsigned == ["x-amz-content-sha256"]:
        return
    if unsigned:
        raise Refused(
            403,
            "AccessDenied",
            f"There were headers present in the request which were not signed: {', '.join(sorted(unsigned))}",
        )


def _verify_2(claim: Claim, secret: str, envelope: Envelope) -> None:
    """Verify a signature of version 2: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html"""
    now = datetime.now(UTC)
    if claim.way == "query-2":
        if not re.fullmatch(r"\d{1,12}", claim.expires):
            raise Refused(403, "AccessDenied", f"Invalid date (should be seconds since epoch): {claim.expires}")
        if int(claim.expires) < now.timestamp():
            raise Refused(403, "AccessDenied", "Request has expired")
        date = claim.expires
    else:
        date = "" if "x-amz-date" in envelope.headers else envelope.headers.get("date", "")
        moment = _http_date(envelope.headers.get("x-amz-date") or date)
        if moment is None:
            raise Refused(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
        if abs(now - moment) > _SKEW_S3:
            raise signature_expired("s3", moment, now, _SKEW_S3)
    path = f"/{envelope.bucket}{envelope.path}" if envelope.bucket else envelope.path
    given = HTTPHeaders()
    # boto3 moves the headers that it has signed into the query.
    named = ("content-md5", "content-type")
    moved = {name: value for name, value in envelope.query.items() if name.startswith("x-amz-") or name in named}
    if claim.token is not None:
        moved["x-amz-security-token"] = claim.token
    for name, value in {**moved, **envelope.headers}.items():
        if name.startswith("x-amz-") or name in named:
            given[name] = _utf8(value)
    text = _text_2(envelope.method, path, envelope.query_string, given, date)
    if not same(signature_2_of(text, secret), claim.signature):
        raise bad_signature("s3")


def _text_2(method: str, path: str, query: str, headers: Any, date: str) -> str:
    signer = HmacV1Auth(SimpleNamespace(secret_key="", token=None))
    standard = "\n".join([headers.get("content-md5", ""), headers.get("content-type", ""), date])
    custom = signer.canonical_custom_headers(headers)
    resource = signer.canonical_resource(SimpleNamespace(path=path, query=query))
    return f"{method}\n{standard}\n{custom}\n{resource}" if custom else f"{method}\n{standard}\n{resource}"


def _utf8(value: str) -> str:
    """Return a header's value decoded as UTF-8, the encoding that the client signed."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
