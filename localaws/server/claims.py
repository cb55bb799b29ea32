"""The signature that a request claims to have: in a header, in the query or in an upload form, and only in one of them.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from localaws.iam.refusals import Refused
from localaws.server.envelope import Envelope

ALGORITHM = "AWS4-HMAC-SHA256"
_SCOPE = re.compile(
    r"(?P<key>[\w+=.@-]{1,128})/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request"
)
_HEADER = re.compile(rf"{ALGORITHM}\s+(?P<fields>\S.*)")
_V2 = re.compile(r"AWS (?P<key>[\w+=.@-]{1,128}):(?P<signature>[A-Za-z0-9+/=]+)")
_QUERY_4 = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)
_QUERY_2 = ("AWSAccessKeyId", "Signature", "Expires")
_TOKEN = "X-Amz-Security-Token"
AUTHENTICATION = frozenset({*_QUERY_4, *_QUERY_2, _TOKEN, _TOKEN.lower()})
"""The parameters of a query that belong to a signature."""
_LOWER = {name.lower(): name for name in (*_QUERY_4, *_QUERY_2, _TOKEN)}


@dataclass(frozen=True)
class Claim:
    """What a request says about its signature."""

    way: str
    """"header", "query" or "form"; with version 2 of the signature "header-2", "query-2" or "form-2"."""
    access_key_id: str
    signature: str
    token: str | None = None
    date: str = ""
    """The day of the scope, yyyymmdd."""
    region: str = ""
    service: str = "s3"
    signed_headers: tuple[str, ...] = ()
    timestamp: str = ""
    """yyyymmddThhmmssZ, or the value of the Date header."""
    expires: str = ""

    @property
    def scope(self) -> str:
        """What the signing key is limited to, as the string to sign has it."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def claim_of(envelope: Envelope) -> Claim | None:
    """Return the signature of a request, unless it is in an upload form; None if there is none.

    Raises:
        Refused: there are several signatures, or AWS has no such kind.
    """
    for name in envelope.query:
        if name.lower() in _LOWER and name not in (_LOWER[name.lower()], _TOKEN.lower()):
            raise _malformed(f"Write the parameter {name} as {_LOWER[name.lower()]}.")
    header = envelope.headers.get("authorization")
    version_4 = [name for name in _QUERY_4 if name in envelope.query]
    version_2 = [name for name in _QUERY_2 if name in envelope.query]
    signed_query = bool({"X-Amz-Signature", "X-Amz-Credential", "X-Amz-Algorithm"} & set(version_4))
    signed_query_2 = bool({"AWSAccessKeyId", "Signature"} & set(version_2))
    if (header is not None) + signed_query + signed_query_2 > 1:
        raise Refused(
            400,
            "InvalidArgument",
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
            "parameter or the Authorization header should be specified",
        )
    # Version 2 of the signature has its token in the query under a lower-case name, as if it were a signed header.
    places = (envelope.headers.get(_TOKEN.lower()), envelope.query.get(_TOKEN), envelope.query.get(_TOKEN.lower()))
    tokens = [token for token in places if token is not None]
    if len(tokens) > 1 or (_TOKEN.lower() in envelope.query and not signed_query_2):
        raise _malformed("The request has more than one security token, or has it in a wrong place.")
    token = tokens[0] if tokens else None
    if header is not None:
        return _in_header(header, token, envelope.headers)
    if signed_query:
        return _in_query(envelope.query, token)
    if signed_query_2:
        if len(version_2) < len(_QUERY_2):
            raise Refused(
                403,
                "AccessDenied",
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
            )
        query = envelope.query
        return Claim("query-2", query["AWSAccessKeyId"], query["Signature"], token, expires=query["Expires"])
    if token is not None or version_4:
        raise _malformed("The request has parts of a signature, but not a whole one.")
    return None


def scope_of(credential: str) -> re.Match[str]:
    """Return key, date, region and service of a credential.

    Raises:
        Refused: it is malformed.
    """
    match = _SCOPE.fullmatch(credential)
    if match is None:
        raise _malformed('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".')
    return match


def _in_header(header: str, token: str | None, headers: Mapping[str, str]) -> Claim:
    if match := _V2.fullmatch(header.strip()):
        return Claim("header-2", match["key"], match["signature"], token, timestamp=headers.get("date", ""))
    match = _HEADER.fullmatch(header.strip())
    if match is None:
        raise _malformed(f"Authorization must be a signature of version 4: {ALGORITHM} Credential=…")
    fields: dict[str, str] = {}
    for part in match["fields"].split(","):
        name, _, value = part.strip().partition("=")
        if name in fields or name not in ("Credential", "SignedHeaders", "Signature"):
            raise _malformed("Authorization must have Credential, SignedHeaders and Signature, each once.")
        fields[name] = value
    if len(fields) < 3:
        raise _malformed("Authorization must have Credential, SignedHeaders and Signature, each once.")
    scope = scope_of(fields["Credential"])
    return Claim(
        "header",
        scope["key"],
        fields["Signature"],
        token,
        scope["date"],
        scope["region"],
        scope["service"],
        _names(fields["SignedHeaders"]),
        headers.get("x-amz-date") or headers.get("date", ""),
    )


def _in_query(query: Mapping[str, str], token: str | None) -> Claim:
    missing = [name for name in _QUERY_4 if name not in query]
    if missing and missing != ["X-Amz-Expires"]:  # which only S3 requires
        raise _malformed(f"Query-string authentication requires the parameter {missing[0]}.")
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise _malformed(f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    scope = scope_of(query["X-Amz-Credential"])
    return Claim(
        "query",
        scope["key"],
        query["X-Amz-Signature"],
        token,
        scope["date"],
        scope["region"],
        scope["service"],
        _names(query["X-Amz-SignedHeaders"]),
        query["X-Amz-Date"],
        query.get("X-Amz-Expires", ""),
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(";"))
    if list(names) != sorted(set(names)) or text != text.lower():
        raise _malformed("SignedHeaders must be names in lower case, sorted, each once.")
    return names


def _malformed(message: str) -> Refused:
    return Refused(400, "AuthorizationHeaderMalformed", f"The authorization header is malformed; {message}")
