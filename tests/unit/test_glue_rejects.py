"""glue/rejects.py: rejected rows are kept with their file, their line and their reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from buckets import Buckets
from glue_modules import loaded


@pytest.fixture(scope="module")
def modules() -> Iterator[list[ModuleType]]:
    with loaded("rejects", "landing") as found:
        yield found


@pytest.fixture
def kept(modules: list[ModuleType]) -> Callable[..., list[dict[str, Any]]]:
    """`kept(body, (row, reason), …)` is what is kept of these rejects of a file."""

    def keep(body: bytes, *rejects: tuple[str, str], versioned: bool = True, good: int | None = None) -> Any:
        code, landing = modules
        code.s3 = buckets = Buckets(*["landing-bucket"] * versioned)  # type: ignore[attr-defined]
        put = buckets.put_object("landing-bucket", "day/a b.json", body)
        if versioned:
            buckets.put_object("landing-bucket", "day/a b.json", b"overwritten since")
        item = landing.ObjectVersion("landing-bucket", "day/a b.json", put.get("VersionId", "etag@20261122T100000"))
        found = [{"source_file": item.uri, "row": row, "reason": reason} for row, reason in rejects]
        refused = {} if good is None else {item.uri: good}
        code.keep(found, {item.uri: item}, refused, "s3://staging-bucket/rejects/")
        (kept,) = buckets.bodies("staging-bucket").values()
        assert b"\\u" not in kept, "people read this file: its text is not escaped"
        return [json.loads(line) for line in kept.decode().split("\n")[:-1]]

    return keep


def lines(rejects: list[dict[str, Any]]) -> list[tuple[int | None, str, str]]:
    return [(reject["line"], reject["reason"], reject["row"]) for reject in rejects]


def test_a_rejected_row_has_its_file_version_line_reason_and_text(kept: Any) -> None:
    assert kept("{}\nüx\n".encode(), ("üx", "not a JSON object")) == [
        {
            "file": "s3://landing-bucket/day/a b.json",
            "version": "v1",
            "line": 2,
            "reason": "not a JSON object",
            "row": "üx",
            "rows": 1,
        }
    ]


@pytest.mark.parametrize(("versioned", "version"), [(True, "v1"), (False, "etag@20261122T100000")])
def test_with_versioning_the_line_is_looked_up_in_the_version_that_was_read(
    kept: Any, versioned: bool, version: str
) -> None:
    (reject,) = kept(b"\nx\n", ("x", "no"), versioned=versioned)
    assert (reject["version"], reject["line"]) == (version, 2)


def test_lines_end_at_carriage_returns_and_line_feeds_and_nothing_else(kept: Any) -> None:
    body = "a\rb\r\nc\n\n\u2028d\x85\x0ce\n".encode()
    rejects = [(row, "no") for row in ("a", "b", "c", "\u2028d\x85\x0ce")]
    assert [reject["line"] for reject in kept(body, *rejects)] == [1, 2, 3, 5]


def test_rejects_are_sorted_by_line(kept: Any) -> None:
    rejects = kept(b"a\nb\nc\n", ("c", "3"), ("a", "1"), ("b", "2"))
    assert lines(rejects) == [(1, "1", "a"), (2, "2", "b"), (3, "3", "c")]


def test_a_text_that_is_on_several_lines_gets_each_line_number_once(kept: Any) -> None:
    assert lines(kept(b"x\ny\nx\nx\n", *[("x", "no")] * 3)) == [(1, "no", "x"), (3, "no", "x"), (4, "no", "x")]


def test_the_rows_of_an_array_have_the_line_number_of_the_array(kept: Any) -> None:
    assert lines(kept(b"y\n[1,2]\n", ("[1,2]", "first"), ("[1,2]", "second"))) == [
        (2, "first", "[1,2]"),
        (2, "second", "[1,2]"),
    ]


def test_the_rows_of_identical_arrays_are_distributed_over_their_lines(kept: Any) -> None:
    rejects = [("[1,2,3]", "no")] * 6
    assert [reject["line"] for reject in kept(b"[1,2,3]\n\n[1,2,3]\n", *rejects)] == [1, 1, 1, 3, 3, 3]
    # One of the arrays has fewer rejects than the other: no number is made up.
    assert [reject["line"] for reject in kept(b"[1,2,3]\n\n[1,2,3]\n", *rejects[:5])] == [1, 1, 1, 3, 3]
    named = [("[1,2]", reason) for reason in ("a", "b", "c", "d")]
    found = [(reject["line"], reject["reason"]) for reject in kept(b"[1,2]\n[1,2]\n", *named)]
    assert found == [(1, "a"), (1, "b"), (2, "c"), (2, "d")]


def test_a_text_that_is_not_found_is_kept_first_and_without_a_line_number(kept: Any) -> None:
    assert lines(kept(b"a\n", ("a", "no"), ("gone", "no"))) == [(None, "no", "gone"), (1, "no", "a")]


def test_a_line_that_is_not_UTF_8_is_found_by_the_text_that_spark_reads(kept: Any) -> None:
    assert lines(kept(b"ok\n\xff\xfe\n", ("\ufffd\ufffd", "no"))) == [(2, "no", "\ufffd\ufffd")]


def test_the_good_rows_of_a_refused_file_are_summarised_in_one_reject(kept: Any) -> None:
    bad, together = kept(b"x\n{}\n{}\n", ("x", "not a JSON object"), good=2)
    assert bad["rows"] == 1
    assert (together["rows"], together["line"], together["row"]) == (2, None, None)
    assert together["reason"] == "the file is refused: 1 of its 3 rows can't be loaded"


def test_a_refused_file_without_good_rows_has_no_such_summary(kept: Any) -> None:
    assert [reject["rows"] for reject in kept(b"x\n", ("x", "no"), good=0)] == [1]


@pytest.mark.parametrize("directory", ["s3://staging-bucket/rejects/", "s3://staging-bucket/rejects"])
def test_each_object_version_has_its_own_rejects_file_that_a_second_attempt_overwrites(
    modules: list[ModuleType], directory: str
) -> None:
    code, landing = modules

    def keep(*which: tuple[str, str]) -> set[str]:
        code.s3 = buckets = Buckets()  # type: ignore[attr-defined]
        items = [landing.ObjectVersion("landing-bucket", key, f"{etag}@20261122T100000") for key, etag in which]
        for item in items:
            buckets.put_object(item.bucket, item.key, b"x\n")
        rejects = [{"source_file": item.uri, "row": "x", "reason": "no"} for item in items]
        code.keep(rejects, {item.uri: item for item in items}, {}, directory)
        return set(buckets.keys("staging-bucket"))

    (key,) = keep(("day/a.json", "one"))
    assert key.startswith("rejects/a.json-")
    assert key.endswith(".json")
    assert keep(("day/a.json", "one")) == {key}
    others = keep(("night/a.json", "one"), ("day/b.json", "one")) | keep(("day/a.json", "two"))
    assert len(others | {key}) == 4


def test_the_rejects_file_of_the_longest_key_has_a_valid_key(modules: list[ModuleType]) -> None:
    """1,024 bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
    code, landing = modules
    code.s3 = buckets = Buckets()  # type: ignore[attr-defined]
    for letter in ("k", "🚗"):
        key = letter * (1019 // len(letter.encode())) + ".json"
        buckets.put_object("landing-bucket", key, b"x\n")
        item = landing.ObjectVersion("landing-bucket", key, "etag@20261122T100000")
        reject = {"source_file": item.uri, "row": "x", "reason": "no"}
        code.keep([reject], {item.uri: item}, {}, f"s3://staging-bucket/{'p' * 500}/")
    assert [len(key) for key in buckets.keys("staging-bucket")] == [500 + 1 + 100 + 1 + 16 + 5] * 2
    assert all(len(key.encode()) <= 1024 for key in buckets.keys("staging-bucket"))
