"""The cache of inferred schemas, in memory and on disk, without a server."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from localaws.core.ports import ObjectEntry
from localaws.glue.crawlers import inference_cache
from localaws.glue.crawlers.formats import Look
from localaws.glue.crawlers.inference_cache import VERSION, InferenceCache
from localaws.glue.crawlers.schema import Primitive

JSON = Look("json", schema=(("id", Primitive.INT),), records=3)
CSV = Look("csv", schema=(("id", Primitive.BIGINT),), records=3, delimiter=",")


def item(key: str, bucket: str = "bucket", etag: str = "etag") -> ObjectEntry:
    return ObjectEntry(bucket, key, 10, etag, datetime(2023, 8, 13, tzinfo=UTC))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "looks.sqlite"


def saved(file: Path, known: dict[ObjectEntry, Look]) -> InferenceCache:
    made = InferenceCache(file)
    for one, look in known.items():
        made.put(one, look)
    made.save()
    return made


def test_an_inferred_schema_is_cached_until_the_object_changes(file: Path) -> None:
    made = InferenceCache(file)
    assert made.get(item("a")) is None
    made.put(item("a"), JSON)
    assert made.get(item("a")) == JSON
    assert made.get(item("a", etag="other")) is None
    assert made.get(item("a", bucket="other")) is None
    made.put(item("a", etag="other"), CSV)
    assert (made.get(item("a")), made.get(item("a", etag="other"))) == (None, CSV)


def test_equal_inference_results_share_one_copy_in_memory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = InferenceCache(file)
    first = made.put(item("a"), replace(JSON))
    assert made.put(item("b"), replace(JSON)) is first
    assert made.get(item("b")) is first
    again = InferenceCache(saved(file, {item("a"): JSON, item("b"): JSON})._file)
    assert again.get(item("a")) is again.get(item("b"))
    monkeypatch.setattr(inference_cache, "_INTERNED", 2)
    made = InferenceCache(file)
    first = made.put(item("a"), replace(JSON))
    made.put(item("b"), CSV)
    assert made.put(item("c"), replace(JSON)) is not first  # too many were kept: they were let go


def test_the_cached_results_are_the_same_after_a_restart(file: Path) -> None:
    known = {
        item("a"): JSON,
        item("b"): CSV,
        item("c"): replace(JSON, records=7),
        item("d"): replace(JSON, unreadable=2),
        item("a", bucket="second"): CSV,
        item("e", etag="other"): replace(CSV, header=True),
    }
    saved(file, known)
    again = InferenceCache(file)
    assert {one: again.get(one) for one in known} == known
    assert again.get(item("b", bucket="second")) is None


def test_changes_after_the_first_save_are_saved_too(file: Path) -> None:
    made = saved(file, {item("a"): JSON, item("b"): JSON, item("c"): JSON})
    made.put(item("b", etag="new"), CSV)
    made.forget("bucket", ["a", "never-seen"])
    made.save()
    again = InferenceCache(file)
    assert [again.get(one) for one in (item("a"), item("b"), item("b", etag="new"), item("c"))] == [
        None,
        None,
        CSV,
        JSON,
    ]


def test_nothing_is_written_if_nothing_has_changed(file: Path) -> None:
    InferenceCache(file).save()
    assert not file.exists()
    made = saved(file, {item("a"): JSON})
    made.forget("bucket", ["never-seen"])
    file.unlink()
    made.save()
    assert not file.exists()


def test_one_copy_of_a_schema_is_stored_for_all_files_that_share_it(file: Path) -> None:
    saved(file, {item("a"): JSON, item("b"): replace(JSON, records=9), item("c"): CSV})
    saved(file, {item("d"): JSON})
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("select count(*) from shapes").fetchone() == (2,)
        assert database.execute("select count(*) from looks").fetchone() == (4,)


def test_the_oldest_object_of_a_bucket_is_evicted_if_there_are_too_many(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference_cache, "_REMEMBERED", 2)
    made = saved(file, {item("a"): JSON, item("b"): JSON, item("c"): JSON, item("x", bucket="second"): JSON})
    for asked in (made, InferenceCache(file)):
        assert [asked.get(item(key)) is not None for key in "abc"] == [False, True, True]
        assert asked.get(item("x", bucket="second")) == JSON


def test_a_cache_from_another_version_is_discarded(file: Path) -> None:
    saved(file, {item("a"): JSON})
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("pragma user_version").fetchone() == (VERSION,)
        database.execute(f"pragma user_version = {VERSION - 1}")
    again = InferenceCache(file)
    assert again.get(item("a")) is None
    again.put(item("b"), CSV)
    again.save()
    assert [InferenceCache(file).get(item(key)) for key in "ab"] == [None, CSV]


def test_a_damaged_cache_file_is_removed_and_objects_are_read_again(file: Path) -> None:
    for damage in ("update shapes set look = x'00'", "delete from shapes", "drop table looks"):
        saved(file, {item("a"): JSON})
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(damage)
        assert InferenceCache(file).get(item("a")) is None
        assert not file.exists()


def test_results_that_cannot_be_saved_are_still_cached_in_memory(file: Path) -> None:
    made = saved(file, {item("a"): JSON})
    file.write_bytes(b"garbage" * 1000)
    made.put(item("b"), CSV)
    made.save()
    assert [made.get(item(key)) for key in "ab"] == [JSON, CSV]
    assert not file.exists()


def test_only_the_owner_can_access_the_cache_directory(file: Path) -> None:
    saved(file, {item("a"): JSON})
    assert file.parent.stat().st_mode & 0o777 == 0o700
