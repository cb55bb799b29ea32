"""State that a disk or a person damaged is refused with its file's name, and never half-read."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import localaws
from localaws.core.database import check_databases
from localaws.core.errors import LocalAwsError, StateDamaged, StateRefused
from localaws.core.home import Home, remove_torn_writes, write_durably
from localaws.core.state import State, read_saved, sealed
from localaws.s3.index import Changes, Index


def damaged(content: bytes, rounds: int) -> Iterator[bytes]:
    """`content`, cut short or with one bit turned, at seeded places."""
    random = Random(20231113)
    for _ in range(rounds):
        place = random.randrange(len(content))
        if random.random() < 0.4:
            yield content[:place]
        else:
            yield content[:place] + bytes([content[place] ^ 1 << random.randrange(8)]) + content[place + 1 :]


@pytest.mark.refused("State")
def test_a_state_file_that_is_truncated_or_has_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "glue.pickle"
    content = sealed(Random(1).randbytes(5000))
    file.write_bytes(content)
    assert read_saved(file) == Random(1).randbytes(5000)
    for wrong in damaged(content, 300):
        file.write_bytes(wrong)
        with pytest.raises(LocalAwsError, match=r"glue\.pickle"):
            read_saved(file)


def test_a_damaged_state_file_stops_all_others_from_being_loaded(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    write_durably(home.state / "aaa.pickle", sealed(b"what would fail if it were unpickled"))
    write_durably(home.state / "sqs.pickle", sealed(b"x")[:-1])
    state = State(home)
    try:
        with pytest.raises(StateDamaged, match=r"sqs\.pickle can't be read.*labkit down --wipe"):
            state.load()
    finally:
        state.close()


def test_the_remains_of_a_killed_write_are_removed_and_the_old_content_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "glue.pickle"
    write_durably(file, b"old")
    (tmp_path / f".{file.name}.4711.1.torn").write_bytes(b"ne")
    remove_torn_writes(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [file.name]
    assert file.read_bytes() == b"old"


def contents(file: Path) -> list[list[Any]]:
    index = Index(file)
    try:
        return [list(rows) for rows in (index.buckets(), index.objects(), index.uploads(), index.events())]
    finally:
        index.close()


@pytest.mark.refused("State")
def test_an_object_index_that_is_truncated_or_has_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "s3.sqlite"
    random = Random(2)
    index = Index(file)
    objects: dict[tuple[str, str], bytes | None] = {("b", f"k{n}"): random.randbytes(300) for n in range(100)}
    index.commit(Changes(buckets={"b": b"bucket"}, objects=objects, events=[b"event"]))
    index.close()
    content, right = file.read_bytes(), contents(file)
    refused = 0
    for wrong in damaged(content, 150):
        for leftover in tmp_path.iterdir():
            leftover.unlink()
        file.write_bytes(wrong)
        try:
            found = contents(file)
        except LocalAwsError:
            refused += 1
        else:
            assert found == right or not wrong  # a bit that nothing reads is no damage; an empty file is a new one
    assert refused > 100


def test_an_index_of_another_version_is_refused_and_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "s3.sqlite"
    Index(file).close()
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("update version set version = '0/moto-1'")
    content = file.read_bytes()
    with pytest.raises(StateRefused, match="holds state of version 0/moto-1"):
        Index(file)
    assert file.read_bytes() == content


@pytest.mark.refused("State")
@pytest.mark.parametrize("name", ["s3.sqlite", "logs.sqlite", "sqs.sqlite", "function-events.sqlite"])
def test_a_truncated_database_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    with sqlite3.connect(file) as database:
        database.execute("create table t (x)")
        database.executemany("insert into t values (?)", [(Random(3).randbytes(500),)] * 100)
    database.close()
    check_databases(tmp_path)
    file.write_bytes(file.read_bytes()[:20_000])
    with pytest.raises(StateDamaged, match=name):
        check_databases(tmp_path)


@pytest.mark.refused("State")
@pytest.mark.parametrize("content", ["", "{", "[]", '{"http": "x"}', '{"http": 0}'])
def test_saved_ports_and_credentials_that_cannot_be_read_are_refused(tmp_path: Path, content: str) -> None:
    home = Home.at(tmp_path)
    for name, read in (("ports.json", lambda: home.port("http")), ("credentials.json", home.credentials)):
        (tmp_path / name).write_text(content)
        with pytest.raises(StateDamaged, match=name):
            read()


def test_a_truncated_server_file_counts_as_no_running_server(tmp_path: Path) -> None:
    (Home.at(tmp_path).server_file).write_text('{"pid": 4')
    assert not localaws.status(tmp_path).running
    assert not localaws.stop(tmp_path)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Any]]:
    """Start, or start again, one lab; its S3 client."""
    home = tmp_path_factory.mktemp("damaged")

    def start() -> Any:
        localaws.stop(home)
        status = localaws.start(home)
        return boto3.client(
            "s3",
            endpoint_url=status.endpoint_url,
            aws_access_key_id=status.access_key_id,
            aws_secret_access_key=status.secret_access_key,
            region_name=status.region,
            config=Config(retries={"max_attempts": 1, "mode": "standard"}),
        )

    start.home = home  # type: ignore[attr-defined]
    yield start
    localaws.stop(home)


@pytest.mark.refused("State")
def test_reading_an_object_whose_file_is_missing_truncated_or_changed_is_refused(lab: Any) -> None:
    s3 = lab()
    s3.create_bucket(Bucket="bodies")
    files: dict[str, Path] = {}
    for key in ("sound", "missing", "short", "turned"):
        before = set((lab.home / "objects").glob("??/*"))
        s3.put_object(Bucket="bodies", Key=key, Body=key.encode() * 1000)
        (files[key],) = set((lab.home / "objects").glob("??/*")) - before
    s3.copy_object(Bucket="bodies", Key="copy", CopySource={"Bucket": "bodies", "Key": "sound"})
    localaws.stop(lab.home)
    files["missing"].unlink()
    files["short"].write_bytes(b"short" * 999)
    files["turned"].write_bytes(b"u" + files["turned"].read_bytes()[1:])

    s3 = lab()
    for key in ("sound", "copy"):
        assert s3.get_object(Bucket="bodies", Key=key)["Body"].read() == b"sound" * 1000
    for key in ("missing", "short", "turned"):
        with pytest.raises(ClientError, match=files[key].name) as refused:
            s3.get_object(Bucket="bodies", Key=key, Range="bytes=0-3")
        assert refused.value.response["Error"]["Code"] == "InternalError"
        assert s3.head_object(Bucket="bodies", Key=key)["ContentLength"] == len(key) * 1000
        s3.put_object(Bucket="bodies", Key=key, Body=b"new")
        assert s3.get_object(Bucket="bodies", Key=key)["Body"].read() == b"new"


@pytest.mark.refused("State")
def test_a_start_with_an_emptied_index_is_refused_and_removes_no_objects(lab: Any) -> None:
    s3 = lab()
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=b"kept")
    localaws.stop(lab.home)
    file = lab.home / "state" / "s3.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    content = file.read_bytes()
    file.write_bytes(b"")  # which is how a new one begins
    bodies = set((lab.home / "objects").glob("??/*"))
    with pytest.raises(localaws.StartFailed, match=r"s3\.sqlite can't be read"):
        localaws.start(lab.home)
    assert set((lab.home / "objects").glob("??/*")) == bodies
    file.write_bytes(content)
    assert lab().get_object(Bucket="kept", Key="k")["Body"].read() == b"kept"
