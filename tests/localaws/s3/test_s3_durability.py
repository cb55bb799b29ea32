"""Acknowledged changes survive `kill -9`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any, cast

import boto3
import pytest
from botocore.config import Config

import localaws
from localaws.s3.objects import StoredKey


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lab"
    localaws.stop(tmp_path / "lab")


def _client(status: localaws.Status, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=status.endpoint_url,
        aws_access_key_id=status.access_key_id,
        aws_secret_access_key=status.secret_access_key,
        region_name=status.region,
        config=Config(retries={"max_attempts": 0}),
    )


def _kill(status: localaws.Status) -> None:
    assert status.pid is not None
    os.kill(status.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(status.pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{status.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.01)
    raise AssertionError("the server lives on")


def test_objects_settings_and_uploads_survive_a_killed_server(home: Path) -> None:
    status = localaws.start(home)
    s3 = _client(status, "s3")
    s3.create_bucket(Bucket="landing")
    s3.put_bucket_tagging(Bucket="landing", Tagging={"TagSet": [{"Key": "lab", "Value": "toll"}]})
    s3.put_object(Bucket="landing", Key="a b.json", Body=b"1", Metadata={"m": "1"}, Tagging="t=1")
    s3.put_object(Bucket="landing", Key="gone", Body=b"2")
    s3.delete_object(Bucket="landing", Key="gone")
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="versions", Key="k", Body=b"old")["VersionId"]
    s3.delete_object(Bucket="versions", Key="k")
    upload = s3.create_multipart_upload(Bucket="landing", Key="big")["UploadId"]
    part = s3.upload_part(Bucket="landing", Key="big", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    s3.create_bucket(Bucket="empty")
    s3.delete_bucket(Bucket="empty")
    stray = home / "objects" / "00" / ("0" * 32)
    stray.write_bytes(b"half a PUT")
    _kill(status)

    status = localaws.start(home)
    s3 = _client(status, "s3")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["landing", "versions"]
    assert s3.get_bucket_tagging(Bucket="landing")["TagSet"] == [{"Key": "lab", "Value": "toll"}]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="landing")["Contents"]] == ["a b.json"]
    found = s3.get_object(Bucket="landing", Key="a b.json")
    assert (found["Body"].read(), found["Metadata"]) == (b"1", {"m": "1"})
    assert s3.get_object_tagging(Bucket="landing", Key="a b.json")["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert s3.get_object(Bucket="versions", Key="k", VersionId=old)["Body"].read() == b"old"
    assert len(s3.list_object_versions(Bucket="versions")["DeleteMarkers"]) == 1
    s3.complete_multipart_upload(
        Bucket="landing",
        Key="big",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]},
    )
    assert s3.get_object(Bucket="landing", Key="big")["Body"].read() == b"part"
    assert not stray.exists()


def test_an_event_that_was_not_delivered_is_delivered_after_the_restart(home: Path) -> None:
    status = localaws.start(home)
    s3, sqs = _client(status, "s3"), _client(status, "sqs")
    let_in = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [let_in]})
    url = sqs.create_queue(QueueName="events", Attributes={"Policy": policy})["QueueUrl"]
    s3.create_bucket(Bucket="landing")
    s3.put_bucket_notification_configuration(
        Bucket="landing",
        NotificationConfiguration={
            "QueueConfigurations": [
                {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:events", "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )
    for number in range(30):
        s3.put_object(Bucket="landing", Key=str(number), Body=b"")
    _kill(status)

    sqs = _client(localaws.start(home), "sqs")
    seen: set[str] = set()
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and len(seen) < 30:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            records = json.loads(message["Body"]).get("Records", [])
            seen.update(record["s3"]["object"]["key"] for record in records)
    assert seen == {str(number) for number in range(30)}


def test_after_concurrent_calls_the_state_on_disk_equals_the_state_in_memory(home: Path) -> None:
    status = localaws.start(home)
    s3 = _client(status, "s3")
    s3.create_bucket(Bucket="landing")

    def work(seed: int) -> None:
        random = Random(seed)
        own = _client(status, "s3")
        for _ in range(30):
            key = f"k{random.randrange(5)}"
            action = random.randrange(4)
            if action < 2:
                own.put_object(Bucket="landing", Key=key, Body=random.randbytes(random.randrange(3000)))
            elif action == 2:
                own.delete_object(Bucket="landing", Key=key)
            else:
                with contextlib.suppress(own.exceptions.NoSuchKey):
                    own.get_object(Bucket="landing", Key=key)["Body"].read()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    before = _contents(s3)
    _kill(status)
    assert _contents(_client(localaws.start(home), "s3")) == before
    assert sum(file.is_file() for file in (home / "objects").glob("??/*")) == len(before)


def _contents(s3: Any) -> dict[str, bytes]:
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="landing").get("Contents", [])]
    return {key: s3.get_object(Bucket="landing", Key=key)["Body"].read() for key in keys}


@pytest.mark.nightly
def test_ten_thousand_objects_load_quickly_and_do_not_slow_down_a_put(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from localaws.core import context
    from localaws.core.events import Bus
    from localaws.core.home import Home
    from localaws.s3.models import LocalS3Backend

    opened, nobody = Home.at(home), cast(Any, None)  # children and state are not asked
    monkeypatch.setattr(context, "_current", context.Context(opened, Bus(), nobody, nobody))
    backend = LocalS3Backend("aws", "123456789012")
    backend.open_store(opened)
    backend.create_bucket("full-of-objects", "us-east-1")
    monkeypatch.setattr("localaws.s3.files.os.fsync", lambda _: None)

    def put(numbers: range) -> float:
        started = time.process_time()
        for number in numbers:
            backend.put_object("full-of-objects", f"{number:06d}.json", b"{}")
            if len(numbers) < 1000:
                backend.save()
        return time.process_time() - started

    few = put(range(200))
    put(range(1000, 10_000))
    backend.save()
    assert put(range(200, 400)) < 3 * few
    started = time.process_time()
    again = LocalS3Backend("aws", "123456789012")
    again.open_store(opened)
    assert time.process_time() - started < 3
    found = again.get_object("full-of-objects", "009999.json")
    assert found is not None
    assert found.value == b"{}"
    from moto.s3.models import s3_backends

    s3_backends.bucket_accounts.pop("full-of-objects")


def test_an_object_from_an_index_of_an_earlier_version_has_its_encryption() -> None:
    key = StoredKey.__new__(StoredKey)
    key.__setstate__({"name": "k", "encryption": None})
    assert key.encryption == "AES256"
