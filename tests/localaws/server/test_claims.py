"""The claimed signer of a request: at most one signature, which has to be complete; without a server."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from localaws.iam.refusals import Refused
from localaws.server.claims import Claim, claim_of, scope_of
from tests.localaws.server.raw import envelope

SCOPE = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
HEADER = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature=fe5f80"
QUERY = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": SCOPE, "X-Amz-Date": "20130524T000000Z",
    "X-Amz-Expires": "86400", "X-Amz-SignedHeaders": "host", "X-Amz-Signature": "aeeed9",
}  # fmt: skip
QUERY_2 = {"AWSAccessKeyId": "AKIA2", "Signature": "vjb/=", "Expires": "1175139620"}


def claimed(query: dict[str, str] | None = None, **headers: str) -> Claim | None:
    """What a request of this query and these headers claims."""
    text = "&".join(f"{name}={quote(value, safe='')}" for name, value in (query or {}).items())
    return claim_of(envelope("GET", f"/b/k?{text}", {name.replace("_", "-"): value for name, value in headers.items()}))


def refused(query: dict[str, str] | None = None, **headers: str) -> Refused:
    with pytest.raises(Refused) as caught:
        claimed(query, **headers)
    return caught.value


def without(given: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in given.items() if name not in names}


def test_a_signature_can_be_in_the_Authorization_header() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html"""
    expected = Claim(
        "header", "AKIAIOSFODNN7EXAMPLE", "fe5f80", None, "20130524", "us-east-1", "s3", ("host", "x-amz-date"),
        "20130524T000000Z",
    )  # fmt: skip
    assert claimed(Authorization=HEADER, X_Amz_Date="20130524T000000Z") == expected
    assert claimed(Authorization=HEADER.replace(", ", ","), X_Amz_Date="20130524T000000Z") == expected
    assert claimed(Authorization=HEADER, Date="20130524T000000Z") == expected
    # Where there are both, x-amz-date is what was signed.
    assert claimed(Authorization=HEADER, Date="now", X_Amz_Date="20130524T000000Z") == expected
    assert expected.scope == "20130524/us-east-1/s3/aws4_request"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (", Signature=fe5f80", ""),
        ("Credential=", "Credentials="),
        (", Signature", ", Signature=1, Signature"),
        (", Signature", ", Region=x, Signature"),
        ("host;x-amz-date", "x-amz-date;host"),
        ("host;x-amz-date", "host;host"),
        ("host;x-amz-date", "Host;x-amz-date"),
        ("/20130524", "/2013-05-24"),
        ("/20130524", ""),
        ("aws4_request", "aws_request"),
        ("us-east-1", "US-EAST-1"),
        ("AKIAIOSFODNN7EXAMPLE", ""),
        ("HMAC-SHA256", "ECDSA-P256-SHA256"),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256"),
    ],
)
def test_a_malformed_Authorization_header_is_refused(before: str, after: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: AuthorizationHeaderMalformed"""
    assert before in HEADER
    error = refused(Authorization=HEADER.replace(before, after), X_Amz_Date="20130524T000000Z")
    assert (error.status, error.code) == (400, "AuthorizationHeaderMalformed")


def test_a_version_2_signature_can_be_in_the_Authorization_header() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html"""
    expected = Claim("header-2", "AKIA2", "bWq2s1WEIj=", None, timestamp="Tue, 27 Mar 2007 19:36:42 +0000")
    assert claimed(Authorization="AWS AKIA2:bWq2s1WEIj=", Date="Tue, 27 Mar 2007 19:36:42 +0000") == expected
    for header in ("AWS AKIA2", "AWS :x", "AWS AKIA2:", "AWS AKIA2:x:y", "AWS AKIA2:é"):
        assert refused(Authorization=header).code == "AuthorizationHeaderMalformed"


def test_a_signature_can_be_in_a_presigned_url() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""
    expected = Claim(
        "query", "AKIAIOSFODNN7EXAMPLE", "aeeed9", None, "20130524", "us-east-1", "s3", ("host",), "20130524T000000Z",
        "86400",
    )  # fmt: skip
    assert claimed(QUERY) == expected
    # Only S3 asks how long it lasts; whether it must, is looked at with the signature.
    lasting = claimed(without(QUERY, "X-Amz-Expires"))
    assert lasting is not None
    assert lasting.expires == ""


@pytest.mark.parametrize("name", [name for name in QUERY if name != "X-Amz-Expires"])
def test_a_presigned_url_with_an_incomplete_signature_is_refused(name: str) -> None:
    error = refused(without(QUERY, name))
    assert (error.code, error.message.endswith(f"the parameter {name}.")) == ("AuthorizationHeaderMalformed", True)
    assert refused(without(QUERY, name, "X-Amz-Expires")).code == "AuthorizationHeaderMalformed"
    only_the_first = refused(without(QUERY, "X-Amz-Algorithm", name)).message
    assert only_the_first.endswith("the parameter X-Amz-Algorithm.")


def test_a_presigned_url_of_another_algorithm_is_refused() -> None:
    assert "only supports" in refused({**QUERY, "X-Amz-Algorithm": "AWS4-HMAC-SHA512"}).message


@pytest.mark.parametrize("name", [*QUERY, *QUERY_2, "X-Amz-Security-Token"])
def test_a_signature_parameter_in_another_letter_case_is_refused(name: str) -> None:
    """In another case, one reader takes it for a part of the signature, and another for a parameter of the call."""
    given = QUERY if name.startswith("X-Amz") else QUERY_2
    written = {**without(given, name), name.swapcase(): given.get(name, "token")}
    assert f"Write the parameter {name.swapcase()} as {name}" in refused(written).message


def test_a_presigned_url_of_version_2_needs_all_three_parameters() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth"""
    assert claimed(QUERY_2) == Claim("query-2", "AKIA2", "vjb/=", expires="1175139620")
    for names in (["Expires"], ["Signature"], ["AWSAccessKeyId"], ["Signature", "Expires"]):
        error = refused(without(QUERY_2, *names))
        assert (error.status, error.code) == (403, "AccessDenied")
    # An expiry alone is not a signature.
    assert claimed({"Expires": "1"}) is None


def test_a_request_with_several_signatures_is_refused() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    for error in (
        refused(QUERY, Authorization=HEADER),
        refused(QUERY_2, Authorization=HEADER),
        refused({**QUERY, **QUERY_2}),
        refused({**QUERY, **QUERY_2}, Authorization=HEADER),
        # A part of another signature is enough to be another one.
        *(refused({name: QUERY[name]}, Authorization=HEADER)
          for name in ("X-Amz-Signature", "X-Amz-Credential", "X-Amz-Algorithm")),
        *(refused({name: QUERY_2[name]}, Authorization=HEADER) for name in ("AWSAccessKeyId", "Signature")),
    ):  # fmt: skip
        assert (error.status, error.code) == (400, "InvalidArgument")
        assert "Only one auth mechanism allowed" in error.message


def test_an_unsigned_request_has_no_claim() -> None:
    assert claimed() is None
    assert claimed({"prefix": "x"}, X_Amz_Date="20130524T000000Z") is None


@pytest.mark.parametrize("name", ["X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Security-Token"])
def test_signature_parameters_without_a_signature_are_refused(name: str) -> None:
    assert "parts of a signature" in refused({name: QUERY.get(name, "token")}).message


def test_a_security_token_appears_once_and_in_the_same_place_as_the_signature() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html#temporary-security-credentials"""
    token, lower = {"X-Amz-Security-Token": "t"}, {"x-amz-security-token": "t"}
    for found in (
        claimed(Authorization=HEADER, X_Amz_Security_Token="t"),
        claimed({**QUERY, **token}),
        claimed({**QUERY_2, **token}),
        claimed({**QUERY_2, **lower}),  # as boto3 makes them
    ):
        assert found is not None
        assert found.token == "t"
    for error in (
        refused({**QUERY, **token}, X_Amz_Security_Token="t"),
        refused({**QUERY_2, **token, **lower}),
        refused({**QUERY, **lower}),
        refused(lower, Authorization=HEADER),
        refused(X_Amz_Security_Token="t"),
    ):
        assert error.code == "AuthorizationHeaderMalformed"


def test_a_credential_consists_of_a_key_and_its_scope() -> None:
    scope = scope_of("ASIA+=.@-_/20260101/eu-west-1/redshift-data/aws4_request")
    assert scope.groupdict() == {
        "key": "ASIA+=.@-_", "date": "20260101", "region": "eu-west-1", "service": "redshift-data",
    }  # fmt: skip
    for credential in ("", SCOPE.replace("/s3", ""), f"{SCOPE}/", f"x/{SCOPE}", f"{'A' * 129}{SCOPE[20:]}"):
        with pytest.raises(Refused, match="mal-formed"):
            scope_of(credential)
