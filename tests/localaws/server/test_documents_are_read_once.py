"""Documents, forms and copies of S3 are read only as the request says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.server.conftest import Victim
from tests.localaws.server.wire import FORM, JSON, Answer, Wire

Aws = Callable[..., Any]
Someone = Callable[..., Wire]
OWN_BUCKET = "arn:aws:s3:::own-of-requests"


def allow(action: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def refused(answer: Answer, victim: Victim | None = None) -> Answer:
    """It, if it is a refusal that shows nothing."""
    assert 400 <= answer.status < 500 or "does not support" in answer.text, answer
    if victim is not None:
        assert victim.password not in answer.text
        assert victim.content.decode() not in answer.text
    return answer


@pytest.fixture
def own_bucket(aws: Aws) -> str:
    """A bucket of somebody's own."""
    name = OWN_BUCKET.rpartition(":")[2]
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key="mine", Body=b"mine")
    return name


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_object_with_the_content_type_of_a_form_is_not_read_as_another_call(
    someone: Someone, aws: Aws, own_bucket: str, method: str
) -> None:
    """curl and urllib send this content type with every body by default."""
    rights = [allow(f"s3:{action}Object", f"{OWN_BUCKET}/form") for action in ("Get", "Put", "Delete")]
    aws("s3").put_object(Bucket=own_bucket, Key="form", Body=b"old")
    answer = someone(*rights).send(method, f"/{own_bucket}/form", headers={"Content-Type": FORM}, body=b"new")
    assert answer.status in (200, 204), answer
    found = [each["Key"] for each in aws("s3").list_objects_v2(Bucket=own_bucket, Prefix="form").get("Contents", [])]
    assert found == ([] if method == "DELETE" else ["form"])
    if found:
        content = aws("s3").get_object(Bucket=own_bucket, Key="form")["Body"].read()
        assert content == (b"new" if method == "PUT" else b"old")


@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=x"])
def test_an_xml_document_with_the_content_type_of_a_form_is_still_read_as_xml(
    root: Wire, aws: Aws, own_bucket: str, kind: str
) -> None:
    aws("s3").put_object(Bucket=own_bucket, Key="deleted", Body=b"x")
    body = b"<Delete><Object><Key>deleted</Key></Object></Delete>"
    answer = root.send("POST", f"/{own_bucket}?delete", headers={"Content-Type": kind}, body=body)
    assert (answer.status, "<Key>deleted</Key>" in answer.text) == (200, True), answer
    assert "Contents" not in aws("s3").list_objects_v2(Bucket=own_bucket, Prefix="deleted")


def test_a_missing_required_parameter_is_refused(root: Wire, own_bucket: str) -> None:
    answers = [
        root.json("glue", "AWSGlue.DeleteDatabase", {}),
        root.json("glue", "AWSGlue.CreateDatabase", {"DatabaseInput": {}}),
        root.form("iam", {"Action": "CreateUser", "Version": "2010-05-08"}),
        root.form("sqs", {"Action": "ReceiveMessage", "Version": "2012-11-05"}),
        root.send("POST", "/2015-03-31/functions", service="lambda", headers={"Content-Type": JSON}, body=b"{}"),
    ]
    assert [answer.status for answer in answers] == [400] * 5
    assert all("must not be null" in answer.text or "MissingParameter" in answer.text for answer in answers)


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"policy=x", "MalformedXML"), (b"<Tagging/>", "MalformedXML"), (b"<Other/>", "MalformedXML"),
     (b"<!DOCTYPE a><Tagging><TagSet/></Tagging>", "MalformedXML"), (b"", "MissingRequestBodyError")],
)  # fmt: skip
def test_an_xml_document_that_s3_does_not_expect_is_refused(
    root: Wire, own_bucket: str, body: bytes, code: str
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
    answer = root.send("PUT", f"/{own_bucket}?tagging", body=body)
    assert (answer.status, f"<Code>{code}</Code>" in answer.text) == (400, True), answer


def test_a_part_can_be_copied_only_to_an_existing_upload(root: Wire, own_bucket: str) -> None:
    headers = {"x-amz-copy-source": f"{own_bucket}/mine"}
    answer = root.send("PUT", f"/{own_bucket}/copied?partNumber=1&uploadId=x", headers=headers)
    assert (answer.status, "NoSuchUpload" in answer.text) == (404, True), answer


def test_DeleteObjects_checks_and_deletes_the_same_keys(someone: Someone, aws: Aws, own_bucket: str) -> None:
    cleaner = someone(allow("s3:DeleteObject", f"{OWN_BUCKET}/mine"))
    head = {"Content-Type": "application/xml"}
    aws("s3").put_object(Bucket=own_bucket, Key="other", Body=b"x")
    for document in (
        "<Delete><Object><Key>mine</Key><Key>other</Key></Object></Delete>",
        "<Delete><Object><Key>mine</Key></Object><Extra><Object><Key>other</Key></Object></Extra></Delete>",
        '<!DOCTYPE d [<!ENTITY k "other">]><Delete><Object><Key>&k;</Key></Object></Delete>',
        "<Delete><Object><Key>mine<b>other</b></Key></Object></Delete>",
        '<d:Delete xmlns:d="x"><d:Object><d:Key>other</d:Key></d:Object></d:Delete>',
        "<Delete/>",
        "no XML",
    ):
        refused(cleaner.send("POST", f"/{own_bucket}?delete", headers=head, body=document.encode()))
    found = {item["Key"] for item in aws("s3").list_objects_v2(Bucket=own_bucket)["Contents"]}
    assert {"mine", "other"} <= found
