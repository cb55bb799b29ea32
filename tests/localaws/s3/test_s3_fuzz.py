"""No request to S3 causes an internal server error: the error says what is wrong with the request."""

from __future__ import annotations

from typing import Any

import pytest

import localaws
from localaws.core.operations import vouching
from tests.localaws.s3.fuzzing import Source
from tests.localaws.server.wire import Wire

TABLE = vouching.table("s3")
NOT_TRIED = {"CreateBucket", "DeleteBucket", "PostObject", "PreflightObject"}
OPERATIONS = sorted((set(TABLE.works) | TABLE.state_only) - NOT_TRIED)
EACH = 15


@pytest.fixture(scope="module")
def root(stack: localaws.Status) -> Wire:
    key = {"aws_access_key_id": stack.access_key_id, "aws_secret_access_key": stack.secret_access_key}
    return Wire(stack.endpoint_url, key)


@pytest.fixture
def source(s3: Any, bucket: str) -> Source:
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="k", UploadId=upload_id, PartNumber=1, Body=b"part")
    return Source(1, bucket, upload_id)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_request_makes_the_server_fail(root: Wire, source: Source, operation: str) -> None:
    answers = []
    for _ in range(EACH):
        odd = source.request(operation)
        answer = root.send(odd.draft.method, odd.draft.target(), headers=odd.headers, body=odd.draft.body())
        answers.append(answer.status)
        assert answer.status < 500 or answer.status == 501, f"{odd}\n{answer.text}"
        if answer.status >= 400 and odd.draft.method != "HEAD":
            assert "<Code>" in answer.text, f"{odd}\n{answer}"
