"""A disk that is full or fails: a change that can't be saved is undone, and no client sees it."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import boto3
import moto.backends
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import localaws
import localaws.core.state
from localaws.core.home import Home
from localaws.core.state import ChangeLost, State
from localaws.s3.index import Index
from localaws.server.parts import Parts
from localaws.server.saving import NotSaved, Saving

Clients = Callable[[str], Any]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(place)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user can't mount a small disk")
    try:
        yield place
    finally:
        localaws.stop(place / "lab")
        subprocess.run(["umount", str(place)], check=True)


def fill(disk: Path) -> None:
    with (disk / "fill").open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    stream.write(bytes(size))


def clients(status: localaws.Status) -> Clients:
    session = boto3.Session(status.access_key_id, status.secret_access_key, region_name=status.region)
    config = Config(retries={"total_max_attempts": 1})
    made: dict[str, Any] = {}
    return lambda name: made.setdefault(name, session.client(name, endpoint_url=status.endpoint_url, config=config))


def seen(aws: Clients) -> dict[str, Any]:
    """All that the calls below would change."""
    url = aws("sqs").get_queue_url(QueueName="q")["QueueUrl"]
    attributes = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return {
        "secrets": [secret["Name"] for secret in aws("secretsmanager").list_secrets()["SecretList"]],
        "buckets": [bucket["Name"] for bucket in aws("s3").list_buckets()["Buckets"]],
        "objects": [(key["Key"], key["ETag"]) for key in aws("s3").list_objects_v2(Bucket="bucket")["Contents"]],
        "tags": aws("s3").get_object_tagging(Bucket="bucket", Key="k")["TagSet"],
        "uploads": len(aws("s3").list_multipart_uploads(Bucket="bucket").get("Uploads", [])),
        "versioning": aws("s3").get_bucket_versioning(Bucket="bucket").get("Status"),
        "queues": aws("sqs").list_queues()["QueueUrls"],
        "messages": attributes["Attributes"],
        "groups": [group["logGroupName"] for group in aws("logs").describe_log_groups()["logGroups"]],
        "events": [event["message"] for event in aws("logs").filter_log_events(logGroupName="g")["events"]],
        "streams": [s["logStreamName"] for s in aws("logs").describe_log_streams(logGroupName="g")["logStreams"]],
        "databases": [database["Name"] for database in aws("glue").get_databases()["DatabaseList"]],
    }


def make(aws: Clients, suffix: str = "") -> list[Callable[[], Any]]:
    """Calls that change something in each store."""
    s3, sqs, logs = aws("s3"), aws("sqs"), aws("logs")
    event = {"timestamp": 1795982131000, "message": "m" * 50_000}
    url = lambda: sqs.get_queue_url(QueueName="q")["QueueUrl"]  # noqa: E731
    return [
        lambda: aws("secretsmanager").create_secret(Name=f"s{suffix}", SecretString="x"),
        lambda: s3.create_bucket(Bucket=f"bucket{suffix}"),
        lambda: s3.put_object(Bucket="bucket", Key="k", Body=b"x" * 10_000 + suffix.encode()),
        lambda: s3.put_object(Bucket="bucket", Key=f"k{suffix}", Body=b"x"),
        lambda: s3.put_object_tagging(Bucket="bucket", Key="k", Tagging={"TagSet": [{"Key": "t", "Value": suffix}]}),
        lambda: s3.create_multipart_upload(Bucket="bucket", Key="k"),
        lambda: sqs.create_queue(QueueName=f"q{suffix}"),
        lambda: sqs.send_message(QueueUrl=url(), MessageBody="m" * 50_000),
        lambda: logs.create_log_group(logGroupName=f"g{suffix}"),
        lambda: logs.create_log_stream(logGroupName="g", logStreamName=f"s{suffix}"),
        lambda: logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[event]),
        lambda: aws("glue").create_database(DatabaseInput={"Name": f"d{suffix}"}),
    ]


def test_a_call_that_is_refused_because_the_disk_is_full_changes_nothing(disk: Path) -> None:
    status = localaws.start(disk / "lab")
    aws = clients(status)
    for call in make(aws):
        call()
    before = seen(aws)
    fill(disk)
    for call in make(aws, "2"):
        with pytest.raises(ClientError, match=r"(is full|could not be saved .* It was undone)"):
            call()
    assert seen(aws) == before
    (problem,) = localaws.start(disk / "lab").problems
    assert "the disk is full" in str(problem)

    (disk / "fill").unlink()
    assert localaws.start(disk / "lab").problems == ()
    assert seen(aws) == before
    for call in make(aws, "2"):
        call()
    after = seen(aws)
    assert all(after[name] != before[name] for name in before if name != "versioning")
    localaws.stop(disk / "lab")
    localaws.start(disk / "lab")
    assert in_order(seen(aws)) == in_order(after)


def in_order(found: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(map(str, value)) if isinstance(value, list) else value for name, value in found.items()}


def test_a_start_on_a_full_disk_fails_with_a_message(disk: Path) -> None:
    Home.at(disk / "lab")
    fill(disk)
    with pytest.raises(localaws.LocalAwsError, match=r"the disk is full\. Free some space there, then: labkit up"):
        localaws.start(disk / "lab")
    (disk / "fill").unlink()
    assert localaws.start(disk / "lab").problems == ()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = State(Home.at(tmp_path / "lab"))
    yield made
    made.close()


def secrets() -> Any:
    return moto.backends.get_backend("secretsmanager")["123456789012"]["us-east-1"]


def refuse(*_: object, **__: object) -> None:
    raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


def create(name: str) -> None:
    secrets().create_secret(name, "x", None, None, [], None, None, [], force_overwrite=False)


def test_a_change_that_cannot_be_saved_is_undone_and_a_concurrent_change_is_not_acknowledged(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving = Saving(Home.at(tmp_path / "lab"), state, cast(Parts, None))  # asked only of Glue and of functions
    secrets().reset()
    with saving.of_call("secretsmanager", "CreateSecret"):
        create("kept")
    others = saving.of_call("secretsmanager", "CreateSecret")
    others.__enter__()
    create("beside")
    with monkeypatch.context() as patched:
        patched.setattr(localaws.core.state, "write_durably", refuse)
        with (
            pytest.raises(NotSaved, match=r"could not be saved \(Disk quota exceeded\)\. It was undone"),
            saving.of_call("secretsmanager", "CreateSecret"),
        ):
            create("lost")
    assert list(secrets().secrets) == ["kept"]
    with pytest.raises(NotSaved, match="another call of secretsmanager could not be saved meanwhile"):
        others.__exit__(None, None, None)
    with pytest.raises(ChangeLost):
        state.save("secretsmanager", since=0)
    with saving.of_call("secretsmanager", "CreateSecret"):
        create("again")
    assert list(secrets().secrets) == ["kept", "again"]
    secrets().reset()


def test_an_index_accepts_a_commit_after_a_failed_commit(tmp_path: Path) -> None:
    from localaws.s3.index import Changes

    index = Index(tmp_path / "s3.sqlite")
    index._database.execute("pragma max_page_count = 20")
    with pytest.raises(Exception, match="full"):
        index.commit(Changes(objects={("b", "k"): bytes(200_000)}))
    index.commit(Changes(objects={("b", "k"): b"small"}))
    assert index.saved(set(), {("b", "k"), ("b", "other")}, set()).objects == {
        ("b", "k"): b"small",
        ("b", "other"): None,
    }
