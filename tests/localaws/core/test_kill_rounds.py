"""`kill -9` in the middle of a stream of calls, at seeded moments: exactly the acknowledged changes are kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import localaws
from tests.processes import kill_all

ROUNDS = pytest.mark.parametrize("rounds", [pytest.param(2, id="few"), pytest.param(30, marks=pytest.mark.nightly)])
ABSENT = object()


@dataclass
class Stream:
    """One caller of one service: what it was told, and what it asked for last and was not told about.

    Both are by name; a name that is not there is ABSENT.
    """

    client: Any
    random: Random
    told: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    calls: int = 0

    def run(self, ended: threading.Event) -> None:
        """Call until the server is gone."""
        while not ended.is_set():
            name, value, call = self.next()
            self.asked = {name: value}
            try:
                call()
            except (BotoCoreError, ClientError):
                if not ended.wait(10):
                    raise  # nobody has killed the server
                return
            self.asked = {}
            self.told[name] = value
            self.calls += 1

    def next(self) -> tuple[str, Any, Callable[[], Any]]:
        """A name, the value that it is to have, and the call that gives it."""
        raise NotImplementedError

    def read(self) -> dict[str, Any]:
        """All names that have a value."""
        raise NotImplementedError

    def compare(self) -> None:
        """What is found is what was told, save for what was asked for last, which may have happened or not."""
        found = self.read()
        for name in {*found, *self.told, *self.asked}:
            allowed = [self.told.get(name, ABSENT), *([self.asked[name]] if name in self.asked else [])]
            assert found.get(name, ABSENT) in allowed, f"{type(self).__name__}: {name}"
        self.told, self.asked = found, {}


class Objects(Stream):
    def next(self) -> tuple[str, Any, Callable[[], Any]]:
        name, value = f"k{self.random.randrange(20)}", self.random.randbytes(self.random.randrange(3000))
        if self.random.random() < 0.2:
            return name, ABSENT, lambda: self.client.delete_object(Bucket="bucket", Key=name)
        if self.random.random() < 0.1:
            return name, value, lambda: self._in_parts(name, value)
        return name, value, lambda: self.client.put_object(Bucket="bucket", Key=name, Body=value)

    def _in_parts(self, name: str, value: bytes) -> None:
        upload = self.client.create_multipart_upload(Bucket="bucket", Key=name)["UploadId"]
        etag = self.client.upload_part(Bucket="bucket", Key=name, UploadId=upload, PartNumber=1, Body=value)["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        self.client.complete_multipart_upload(Bucket="bucket", Key=name, UploadId=upload, MultipartUpload=parts)

    def read(self) -> dict[str, Any]:
        entries = self.client.list_objects_v2(Bucket="bucket").get("Contents", [])
        return {
            entry["Key"]: self.client.get_object(Bucket="bucket", Key=entry["Key"])["Body"].read() for entry in entries
        }


class Catalog(Stream):
    def next(self) -> tuple[str, Any, Callable[[], Any]]:
        name, value = f"t{self.random.randrange(5)}", str(self.random.randrange(10**6))
        wanted = {"DatabaseName": "d", "TableInput": {"Name": name, "Description": value}}
        if self.told.get(name, ABSENT) is ABSENT:
            return name, value, lambda: self.client.create_table(**wanted)
        if self.random.random() < 0.2:
            return name, ABSENT, lambda: self.client.delete_table(DatabaseName="d", Name=name)
        return name, value, lambda: self.client.update_table(**wanted)

    def read(self) -> dict[str, Any]:
        return {table["Name"]: table["Description"] for table in self.client.get_tables(DatabaseName="d")["TableList"]}


class Messages(Stream):
    url = ""

    def next(self) -> tuple[str, Any, Callable[[], Any]]:
        name = str(self.random.randrange(10**9))
        return name, "sent", lambda: self.client.send_message(QueueUrl=self.url, MessageBody=name)

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while messages := self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                found[message["Body"]] = "sent"
                self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def compare(self) -> None:
        super().compare()
        self.told = {}  # all were read, and deleted


class Lines(Stream):
    def next(self) -> tuple[str, Any, Callable[[], Any]]:
        name, stamp = f"line {self.random.randrange(10**9)}", int(time.time() * 1000)
        events = [{"timestamp": stamp, "message": name}]
        return (
            name,
            stamp,
            lambda: self.client.put_log_events(logGroupName="g", logStreamName="s", logEvents=events),
        )

    def read(self) -> dict[str, Any]:
        pages = self.client.get_paginator("filter_log_events").paginate(logGroupName="g")
        return {event["message"]: event["timestamp"] for page in pages for event in page["events"]}


class Secrets(Stream):
    def next(self) -> tuple[str, Any, Callable[[], Any]]:
        value = str(self.random.randrange(10**9))
        return "s", value, lambda: self.client.put_secret_value(SecretId="s", SecretString=value)

    def read(self) -> dict[str, Any]:
        return {"s": self.client.get_secret_value(SecretId="s")["SecretString"]}


SERVICES: dict[type[Stream], str] = {
    Objects: "s3",
    Catalog: "glue",
    Messages: "sqs",
    Lines: "logs",
    Secrets: "secretsmanager",
}


def client(status: localaws.Status, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=status.endpoint_url,
        aws_access_key_id=status.access_key_id,
        aws_secret_access_key=status.secret_access_key,
        region_name=status.region,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lab"
    localaws.stop(tmp_path / "lab")


@pytest.mark.as_on_aws("State")
@ROUNDS
def test_acknowledged_changes_survive_a_kill_at_any_moment(home: Path, rounds: int) -> None:
    """S3's promise (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel), kept for
    objects, the catalog, queues, log events and secrets."""
    random = Random(rounds)
    status = localaws.start(home)
    client(status, "s3").create_bucket(Bucket="bucket")
    client(status, "glue").create_database(DatabaseInput={"Name": "d"})
    Messages.url = client(status, "sqs").create_queue(QueueName="q")["QueueUrl"]
    client(status, "logs").create_log_group(logGroupName="g")
    client(status, "logs").create_log_stream(logGroupName="g", logStreamName="s")
    client(status, "secretsmanager").create_secret(Name="s", SecretString="0")
    streams = [kind(None, Random(random.random()), {"s": "0"} if kind is Secrets else {}) for kind in SERVICES]
    for _ in range(rounds):
        for stream in streams:
            stream.client = client(status, SERVICES[type(stream)])
        ended = threading.Event()
        threads = [threading.Thread(target=stream.run, args=[ended]) for stream in streams]
        for thread in threads:
            thread.start()
        ended.wait(random.uniform(0.1, 0.6))
        kill_all(status.pid)
        ended.set()
        for thread in threads:
            thread.join()
        status = localaws.start(home)
        for stream in streams:
            stream.client = client(status, SERVICES[type(stream)])
            stream.compare()
    assert all(stream.calls >= rounds for stream in streams), [stream.calls for stream in streams]
