"""Paths of the files that store objects: only callers who could GET the object get its path."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from iam_actors import Actor, allow

from localaws.s3.local_files import PATH


def _ask(actor: Actor, body: bytes) -> Any:
    key = actor.credentials
    signed = AWSRequest("POST", actor.endpoint_url + PATH, data=body, headers={"Content-Type": "application/json"})
    credentials = Credentials(key["aws_access_key_id"], key["aws_secret_access_key"], key.get("aws_session_token"))
    S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(signed)
    request = urllib.request.Request(actor.endpoint_url + PATH, data=body, headers=dict(signed.headers.items()))
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def test_file_paths_are_returned_only_for_objects_that_the_caller_may_read(
    make_role: Callable[..., Actor], make_user: Callable[..., Actor], bucket: str, aws: Callable[..., Any]
) -> None:
    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="in/é b.txt", Body=b"new")
    s3.put_object(Bucket=bucket, Key="in/archived.txt", Body=b"x", StorageClass="GLACIER")
    s3.put_object(Bucket=bucket, Key="in/gone.txt", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="in/gone.txt")
    names = ["in/a.txt", "other.txt", "in/é b.txt", "in/archived.txt", "in/gone.txt", "in/never.txt"]
    asked = json.dumps([*([bucket, name] for name in names), ["no-such-bucket", "x"]]).encode()
    for make in (make_role, make_user):
        entries = _ask(make(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/in/*")), asked)
        contents = [entry and Path(entry["file"]).read_bytes() for entry in entries]
        assert contents == [b"in/a.txt", None, b"new", None, None, None, None]
        head = s3.head_object(Bucket=bucket, Key="in/a.txt")
        about = (entries[0]["size"], entries[0]["etag"], entries[0]["changed"])
        assert about == (head["ContentLength"], head["ETag"], int(head["LastModified"].timestamp()))
    assert _ask(make_role(), asked) == [None] * 7


def test_an_unknown_key_gets_no_file_paths(make_user: Callable[..., Actor], bucket: str) -> None:
    stranger = make_user()
    stranger.credentials = {"aws_access_key_id": "AKIANOBODYSKEY000000", "aws_secret_access_key": "none"}
    assert _ask(stranger, json.dumps([[bucket, "in/a.txt"]]).encode()) == [None]


@pytest.mark.parametrize("body", [b"", b"{}x", b"[1]", b'["ab"]x'])
def test_a_malformed_list_of_objects_is_refused(make_user: Callable[..., Actor], body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        _ask(make_user(), body)
