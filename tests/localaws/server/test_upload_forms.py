"""S3's upload forms: their fields, their signer, and the policy that limits them, without a server."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, tzinfo
from typing import Any

import boto3
import pytest

from localaws.iam.refusals import Refused
from localaws.server import forms
from localaws.server.claims import Claim
from localaws.server.forms import Form, form_of
from tests.localaws.server.raw import envelope

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
Fields = list[tuple[str, str]]


def body_of(fields: Fields, file: bytes | None = b"content", name: str = "a.txt", after: str = "") -> bytes:
    parts = [f'Content-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n' for field, value in fields]
    text = "".join(f"--x\r\n{part}" for part in parts).encode()
    if file is not None:
        head = (
            f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
        )
        text += head.encode() + file + b"\r\n"
    return text + after.encode() + b"--x--\r\n"


def read(body: bytes, kind: str = "multipart/form-data; boundary=x") -> Form:
    return form_of(envelope("POST", "/b", {"Content-Type": kind}, body))


def code(call: Any, *arguments: Any) -> str:
    """The code and message of what a call is refused with."""
    with pytest.raises(Refused) as refused:
        call(*arguments)
    assert refused.value.status in (400, 403), refused.value
    return f"{refused.value.code}: {refused.value.message}"


def policy(*conditions: Any, expiration: Any = "2099-01-01T00:00:00Z", **changed: Any) -> str:
    document = {"expiration": expiration, "conditions": list(conditions), **changed}
    return base64.b64encode(json.dumps({k: v for k, v in document.items() if v is not ...}).encode()).decode()


def checked(*conditions: Any, file: bytes = b"content", fields: dict[str, str] | None = None, **more: Any) -> str:
    """What a form with this policy is refused with; empty where it keeps to it."""
    form = Form({"key": "in/a", "policy": policy(*conditions, **more), **(fields or {})}, file)
    try:
        form.check_policy("b")
    except Refused as error:
        return f"{error.code}: {error.message}"
    return ""


def test_a_form_has_fields_and_a_file() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html"""
    form = read(body_of([("Key", "in/ä"), ("x-amz-meta-A", "1")]))
    assert form.fields == {"key": "in/ä", "x-amz-meta-a": "1"}
    assert (form.file, form.file_name, form.key) == (b"content", "a.txt", "in/ä")
    assert ("Content-Type", "text/csv") in form.file_headers


def test_fields_after_the_file_are_ignored() -> None:
    after = '--x\r\nContent-Disposition: form-data; name="acl"\r\n\r\npublic-read\r\n'
    form = read(body_of([("key", "k")], after=after))
    assert (form.fields, form.file) == ({"key": "k"}, b"content")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.txt", "in/a.txt"), ("dir/a.txt", "in/a.txt"), ("C:\\dir\\a.txt", "in/a.txt"), ("", "in/")],
)
def test_the_key_may_contain_the_file_name(name: str, expected: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html: ${filename}, without the path."""
    assert Form({"key": "in/${filename}"}, b"", name).key == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (body_of([]), "field named 'key'"),
        (body_of([("key", "k")], None), "field named 'file'"),
        (body_of([("key", "k"), ("KEY", "l")]), "The field KEY is given more than once"),
        (body_of([("key", "k")]).replace(b"--x--\r\n", b""), "not well-formed"),
        (b"", "not well-formed"),
        (b"no form", "not well-formed"),
        (body_of([("key", "k")]).replace(b"k\r\n", b"\xff\r\n", 1), "not well-formed"),
        (body_of([("key", "k")]).replace(b'name="key"', b'name="key"; filename="k"'), "exactly one file"),
    ],
)
def test_a_malformed_form_is_refused(body: bytes, message: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    assert message in code(read, body)


def test_a_form_without_a_boundary_is_refused() -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary="):
        assert "MalformedPOSTRequest" in code(read, body_of([("key", "k")]), kind)


def test_the_fields_before_the_file_have_at_most_20_KB() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: MaxPostPreDataLengthExceededError"""
    assert read(body_of([("key", "k"), ("acl", "x" * 19_999)], b"y" * 30_000)).file == b"y" * 30_000
    assert "MaxPostPreDataLengthExceeded" in code(read, body_of([("key", "k"), ("acl", "x" * 20_000)]))


def test_form_fields_are_translated_to_the_headers_of_a_PUT() -> None:
    form = Form(
        {"key": "k", "acl": "private", "tagging": "<Tagging/>", "x-amz-meta-a": "1", "success_action_status": "2"}
    )
    assert form.asks() == {"x-amz-acl": "private", "x-amz-tagging": "<Tagging/>", "x-amz-meta-a": "1"}
    assert Form({"key": "k"}).asks() == {}


SIGNED = {
    "key": "k", "policy": "e30=", "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": "20151229T000000Z",
    "x-amz-credential": f"{KEY}/20151229/us-east-1/s3/aws4_request", "x-amz-signature": "8afdbf",
}  # fmt: skip
SIGNED_2 = {"key": "k", "policy": "e30=", "awsaccesskeyid": KEY, "signature": "8afdbf="}


def test_the_signature_of_a_form_covers_its_policy() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html"""
    expected = Claim("form", KEY, "8afdbf", "t", "20151229", "us-east-1", "s3", (), "20151229T000000Z")
    assert Form({**SIGNED, "x-amz-security-token": "t"}).claim() == expected
    assert Form({**SIGNED_2, "x-amz-security-token": "t"}).claim() == Claim("form-2", KEY, "8afdbf=", "t")
    assert Form({"key": "k", "x-amz-date": "now", "x-amz-security-token": "t"}).claim() is None


@pytest.mark.parametrize("name", ["policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date"])
def test_a_form_with_an_incomplete_signature_is_refused(name: str) -> None:
    given = {field: value for field, value in SIGNED.items() if field != name}
    assert code(Form(given).claim) == f"InvalidArgument: Bucket POST must contain a field named '{name}'."


@pytest.mark.parametrize(
    "name", ["policy", "x-amz-algorithm", "x-amz-credential", "x-amz-signature", "signature", "awsaccesskeyid"]
)
def test_a_single_signature_field_is_not_a_signature(name: str) -> None:
    assert code(Form({"key": "k", name: "x"}).claim).startswith("InvalidArgument: Bucket POST must contain a field")


def test_a_form_of_another_algorithm_is_refused() -> None:
    assert "'x-amz-algorithm'" in code(Form({**SIGNED, "x-amz-algorithm": "AWS4-HMAC-SHA512"}).claim)


@pytest.mark.parametrize(
    "given",
    [
        {**SIGNED, "signature": "x"},
        {**SIGNED, **SIGNED_2},
        {**SIGNED_2, "x-amz-credential": SIGNED["x-amz-credential"]},
        *({field: value for field, value in SIGNED_2.items() if field != name}
          for name in ("policy", "awsaccesskeyid", "signature")),
    ],
)  # fmt: skip
def test_a_form_with_mixed_or_incomplete_signatures_is_refused(given: dict[str, str]) -> None:
    assert code(Form(given).claim).endswith("'policy', and the fields of one signature.")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_form_that_boto3_signs_is_accepted(version: str) -> None:
    s3 = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        config=boto3.session.Config(signature_version=version),
    )  # fmt: skip
    given = s3.generate_presigned_post("b", "in/${filename}", {"acl": "private"}, [{"acl": "private"}], 60)["fields"]
    form = Form({name.lower(): value for name, value in given.items()}, b"x", "a")
    claim = form.claim()
    assert claim is not None
    form.verify(claim, SECRET)
    form.check_policy("b")
    assert code(form.check_policy, "other").startswith("AccessDenied: Invalid according to Policy: Policy Condition")
    assert code(form.verify, claim, "another").startswith("SignatureDoesNotMatch")
    form.fields["policy"] = policy()
    assert code(form.verify, claim, SECRET).startswith("SignatureDoesNotMatch")


# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
KEY_STARTS = ["starts-with", "$key", "in/"]
FAILED, EXTRA = "AccessDenied: Invalid according to Policy: Policy Condition failed", "Extra input fields"


@pytest.mark.parametrize(
    ("conditions", "fields", "expected"),
    [
        ([KEY_STARTS], {}, ""),
        ([["starts-with", "$key", ""]], {}, ""),
        ([["starts-with", "$key", "out/"]], {}, FAILED),
        ([["eq", "$key", "in/a"]], {}, ""),
        ([["EQ", "$Key", "in/a"]], {}, ""),
        ([["eq", "$key", "in/"]], {}, FAILED),
        ([{"key": "in/a"}], {}, ""),
        ([{"Key": "in/a", "bucket": "b"}], {}, ""),
        ([{"key": "in/a", "bucket": "other"}], {}, FAILED),
        ([KEY_STARTS, ["eq", "$bucket", "b"]], {}, ""),
        ([KEY_STARTS, {"acl": "private"}], {}, FAILED),
        ([KEY_STARTS, ["starts-with", "$acl", ""]], {}, ""),
        ([KEY_STARTS, {"acl": "private"}], {"acl": "private"}, ""),
        ([KEY_STARTS, {"acl": "private"}], {"acl": "public-read"}, FAILED),
        # Each field needs a condition, but for the signature's own and those to be ignored.
        ([], {}, EXTRA),
        ([KEY_STARTS], {"acl": "private"}, EXTRA),
        ([KEY_STARTS], {"x-ignore-this": "x", "x-amz-signature": "x", "signature": "x", "awsaccesskeyid": "x"}, ""),
        ([KEY_STARTS], {"x-amz-date": "x"}, EXTRA),
    ],
)
def test_a_form_has_to_match_its_policy(conditions: list[Any], fields: dict[str, str], expected: str) -> None:
    found = checked(*conditions, fields=fields)
    assert expected in found
    assert bool(expected) is bool(found)


@pytest.mark.parametrize(
    ("size", "expected"), [(1, "EntityTooSmall"), (2, ""), (4, ""), (5, "EntityTooLarge"), (0, "EntityTooSmall")]
)
def test_a_policy_may_limit_the_file_s_size(size: int, expected: str) -> None:
    found = checked(KEY_STARTS, ["content-length-range", 2, "4"], file=b"x" * size)
    assert found.partition(":")[0] == expected
    assert checked(KEY_STARTS, ["content-length-range", 0, 0], file=b"") == ""


@pytest.mark.parametrize(
    ("size", "details"),
    [(1, {"ProposedSize": 1, "MinSizeAllowed": 2}), (5, {"ProposedSize": 5, "MaxSizeAllowed": 4})],
)
def test_a_refused_size_is_reported_with_its_limit(size: int, details: dict[str, int]) -> None:
    form = Form({"key": "in/a", "policy": policy(KEY_STARTS, ["content-length-range", 2, 4])}, b"x" * size)
    with pytest.raises(Refused) as refused:
        form.check_policy("b")
    assert refused.value.details == details


@pytest.mark.parametrize(
    "condition",
    [{}, {"key": 1}, [], ["eq", "$key"], ["eq", "$key", "in/a", "x"], ["eq", "key", "in/a"], ["eq", "$key", 1],
     ["ends-with", "$key", "a"], "key", ["content-length-range", 2, 1], ["content-length-range", -1, 1],
     ["content-length-range", "x", 1], ["content-length-range", None, 1]],
)  # fmt: skip
def test_a_malformed_policy_condition_is_refused(condition: Any) -> None:
    assert checked(KEY_STARTS, condition).startswith("InvalidPolicyDocument: Invalid Policy: ")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"expiration": ...}, "Policy missing expiration."),
        ({"expiration": "soon"}, "Invalid 'expiration' value: 'soon'"),
        ({"expiration": 1}, "Invalid 'expiration' value: '1'"),
        ({"conditions": ...}, "Policy missing conditions."),
        ({"conditions": {}}, "Invalid 'conditions' value: must be a List."),
    ],
)
def test_a_policy_needs_an_expiration_and_conditions(changed: dict[str, Any], message: str) -> None:
    assert checked(**changed) == f"InvalidPolicyDocument: Invalid Policy: {message}"


@pytest.mark.parametrize("text", ["", "no Base64!", "e30", base64.b64encode(b"[]").decode(), "e30=\n"])
def test_a_policy_that_is_not_Base64_encoded_JSON_is_refused(text: str) -> None:
    assert code(Form({"key": "k", "policy": text}, b"").check_policy, "b").startswith("InvalidPolicyDocument")


@pytest.mark.parametrize(
    ("expiration", "over"),
    [
        ("2026-01-02T00:30:00Z", False),
        ("2026-01-02T00:30:00.000Z", False),
        ("2026-01-02T00:30:00", False),
        ("2026-01-02T01:30:00+01:00", False),
        ("2026-01-02T00:29:59Z", True),
        ("2026-01-02T00:29:59", True),
        ("2026-01-02T00:30:00+01:00", True),
    ],
)
def test_an_expired_policy_is_refused(monkeypatch: pytest.MonkeyPatch, expiration: str, over: bool) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 1, 2, 0, 30, tzinfo=UTC)

    monkeypatch.setattr(forms, "datetime", Stopped)
    found = checked(KEY_STARTS, expiration=expiration)
    assert found == ("AccessDenied: Invalid according to Policy: Policy expired." if over else "")


@pytest.mark.parametrize(("name", "value"), [("a.txt", "1"), ('q"uote\\', 'a"b'), ("", "line\r\nline")])
def test_a_rebuilt_form_equals_the_original(name: str, value: str) -> None:
    form = Form({"key": "in/${filename}", "x-amz-meta-a": value}, b"\r\n--x\r\n", name, [("content-type", "text/csv")])
    kind, body = form.rebuilt()
    found = read(body, kind)
    assert found.fields == {**form.fields, "key": form.key}
    assert (found.file, found.file_name) == (form.file, name or "file")
    assert ("Content-Type", "text/csv") in found.file_headers
    kind, body = Form({"key": "k"}, b"x").rebuilt()
    assert not any(header.lower() == "content-type" for header, _ in read(body, kind).file_headers)


@pytest.mark.parametrize("name", ["a\rb", "a\nb"])
def test_a_file_or_field_name_with_a_line_break_is_refused(name: str) -> None:
    assert "MalformedPOSTRequest" in code(Form({"key": "k"}, b"", name).rebuilt)
    assert "MalformedPOSTRequest" in code(Form({"key": "k", name: "x"}, b"").rebuilt)
