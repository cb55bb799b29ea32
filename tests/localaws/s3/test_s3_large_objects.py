"""Bodies of many megabytes are written to disk while they arrive."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

import localaws
from localaws.s3.responses import LARGE

MIB = 1 << 20
SIZE = 96 * MIB


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[localaws.Status]:
    """A server of its own, whose memory nobody else uses."""
    yield localaws.start(tmp_path / "lab")
    localaws.stop(tmp_path / "lab")


def _files(stack: localaws.Status) -> set[Path]:
    return {file for file in (stack.home / "objects").glob("*/*") if file.is_file()}


def test_a_large_body_is_never_held_in_memory_as_a_whole(new_server: localaws.Status) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=new_server.endpoint_url,
        aws_access_key_id=new_server.access_key_id,
        aws_secret_access_key=new_server.secret_access_key,
        region_name=new_server.region,
    )
    s3.create_bucket(Bucket="landing")
    s3.put_object(Bucket="landing", Key="small", Body=bytes(LARGE))
    server = psutil.Process(new_server.pid)
    before = _most_memory(server)
    content = os.urandom(MIB) * (SIZE // MIB)
    s3.put_object(Bucket="landing", Key="large", Body=content)
    assert _most_memory(server) - before < SIZE / 3
    found = s3.get_object(Bucket="landing", Key="large")
    digest = hashlib.md5()
    for chunk in found["Body"].iter_chunks(MIB):
        digest.update(chunk)
    assert found["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'
    assert digest.hexdigest() == hashlib.md5(content).hexdigest()
    assert _most_memory(server) - before < SIZE / 3


def _most_memory(process: psutil.Process) -> int:
    """The most that it has had, in bytes."""
    if psutil.LINUX:
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10
    return int(process.memory_info().rss)


def test_metadata_tags_and_checksum_come_with_a_large_body(s3: Any, bucket: str) -> None:
    content = os.urandom(LARGE + 1)
    s3.put_object(
        Bucket=bucket, Key="large", Body=content, Metadata={"m": "1"}, Tagging="lab=toll", ChecksumAlgorithm="SHA256"
    )
    found = s3.head_object(Bucket=bucket, Key="large", ChecksumMode="ENABLED")
    assert found["ContentLength"] == len(content)
    assert found["Metadata"] == {"m": "1"}
    assert base64.b64decode(found["ChecksumSHA256"]) == hashlib.sha256(content).digest()
    assert s3.get_object_tagging(Bucket=bucket, Key="large")["TagSet"] == [{"Key": "lab", "Value": "toll"}]


def test_a_refused_large_body_leaves_nothing(s3: Any, bucket: str, stack: localaws.Status) -> None:
    s3.put_object(Bucket=bucket, Key="there", Body=b"1")
    before = _files(stack)
    for refused, code in (
        ({"Bucket": bucket, "Key": "there", "IfNoneMatch": "*"}, "PreconditionFailed"),
        ({"Bucket": bucket, "Key": "there", "StorageClass": "STANDARD", "IfMatch": "other"}, "PreconditionFailed"),
        ({"Bucket": f"{bucket}-not", "Key": "k"}, "NoSuchBucket"),
    ):
        with pytest.raises(ClientError) as error:
            s3.put_object(**refused, Body=bytes(LARGE + 1))
        assert error.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError) as error:
        s3.upload_part(Bucket=bucket, Key="k", UploadId="none", PartNumber=1, Body=bytes(LARGE + 1))
    assert error.value.response["Error"]["Code"] == "NoSuchUpload"
    assert _files(stack) == before
    assert s3.get_object(Bucket=bucket, Key="there")["Body"].read() == b"1"


def test_a_large_body_that_breaks_off_leaves_nothing(s3: Any, bucket: str, stack: localaws.Status) -> None:
    before = _files(stack)
    address = urllib.parse.urlsplit(f"{stack.endpoint_url}/{bucket}/large")
    request = AWSRequest("PUT", address.geturl(), headers={"Content-Length": str(LARGE * 2)})
    S3SigV4Auth(s3._request_signer._credentials, "s3", stack.region).add_auth(request)
    connection = http.client.HTTPConnection(address.netloc)
    connection.putrequest("PUT", address.path)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.endheaders(bytes(LARGE))
    _wait_for(lambda: _files(stack) != before)
    connection.close()
    _wait_for(lambda: _files(stack) == before)
    with pytest.raises(ClientError):
        s3.head_object(Bucket=bucket, Key="large")


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_large_object_can_be_sent_in_every_way_that_clients_have(s3: Any, bucket: str, tmp_path: Path) -> None:
    content = os.urandom(LARGE + 1)
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "presigned"})
    with urllib.request.urlopen(
        urllib.request.Request(put, data=content, headers={"Content-Type": ""}, method="PUT")
    ) as answer:
        assert answer.status == 200
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as stream:
        s3.put_object(Bucket=bucket, Key="stream", Body=stream)
    s3.upload_file(str(tmp_path / "file"), bucket, "transfer")
    for key in ("presigned", "stream", "transfer"):
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == content, key
