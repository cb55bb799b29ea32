"""glue/exactly_once_job.py without Spark: which rows it loads, rejects and refuses from the files that it reads.

Spark's frames are lists here. tests/localaws/jobs/test_exactly_once_job.py runs the whole job.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from job_fakes import ARGS, Landing, Ledger, Version, landing_of


class Column:
    """F.col("source_file"), and the one condition that the job makes of it."""

    def __init__(self, name: str) -> None:
        assert name == "source_file"

    def isin(self, uris: list[str]) -> Column:
        self._uris = uris
        return self

    def __invert__(self) -> Callable[[dict[str, Any]], bool]:
        return lambda row: row["source_file"] not in self._uris


class Rows(list[dict[str, Any]]):
    """A frame of judged rows."""

    def localCheckpoint(self, eager: bool) -> Rows:
        assert not eager, "reading begins when the rows are counted"
        return self

    def where(self, condition: Any) -> Rows:
        if condition == "reason is not null":
            return Rows(row for row in self if row["reason"])
        return Rows(filter(condition, self))

    def collect(self) -> Rows:
        return self


@dataclass
class Part:
    """What `load` did with a part."""

    overwritten: list[str]
    written: list[tuple[list[tuple[str, str]], dict[Version, tuple[int, int]]]]
    kept: list[tuple[list[str], dict[str, int], str]]


@pytest.fixture
def load(job: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Part]:
    """`load(landing, a="gb")` loads the object a, which has a good row and a bad one."""

    def run(landing: Landing, meanwhile: Callable[[], None] = lambda: None, share: str = "0.5", **files: str) -> Part:
        part = [landing.versions[key] for key in files]
        rows = Rows(
            {"source_file": f"s3://landing-bucket/{key}", "row": f"{key}{at}", "reason": "no" if kind == "b" else None}
            for key, kinds in files.items()
            for at, kind in enumerate(kinds)
        )
        done = Part([], [], [])

        def read_lines(glue_context: Any, uris: list[str]) -> Rows:
            assert uris == [item.uri for item in part]
            meanwhile()
            return rows

        def count(found: Rows) -> dict[str, tuple[int, int]]:
            assert found is rows
            return {
                f"s3://landing-bucket/{key}": (kinds.count("g"), kinds.count("b"))
                for key, kinds in files.items()
                if kinds
            }

        def keep(rejected: Rows, objects: dict[str, Version], refused: dict[str, int], directory: str) -> None:
            assert objects == {item.uri: item for item in part}
            done.kept.append(([row["row"] for row in rejected], refused, directory))

        def write(glue_context: Any, args: Any, found: Rows, preactions: Any) -> None:
            done.written.append(([(row["row"], row["reason"]) for row in found], preactions))

        for name, fake in {
            "read_lines": read_lines,
            "judge": lambda lines: lines,
            "count": count,
            "write": write,
        }.items():
            monkeypatch.setattr(job, name, fake)
        monkeypatch.setattr(job, "rejects", SimpleNamespace(keep=keep))
        monkeypatch.setattr(job, "F", SimpleNamespace(col=Column))
        done.overwritten = job.load(None, {**ARGS, "MAX_REJECTED_SHARE": share}, landing, Ledger(), part)
        return done

    return run


def test_the_ledger_entry_has_the_row_counts_of_every_object_including_empty_ones(
    load: Callable[..., Part], capsys: pytest.CaptureFixture[str]
) -> None:
    done = load(landing_of("a", "b", "empty"), a="ggb", b="g", empty="")
    ((rows, entered),) = done.written
    assert rows == [("a0", None), ("a1", None), ("a2", "no"), ("b0", None)], "write leaves out what has a reason"
    assert entered == {Version("a"): (2, 1), Version("b"): (1, 0), Version("empty"): (0, 0)}
    assert done.kept == [(["a2"], {}, "s3://staging-bucket/rejects/")]
    assert done.overwritten == []
    assert "rows read: 4, to load: 3, rejected: 1\n" in capsys.readouterr().out


def test_without_rejected_rows_no_rejects_file_is_written(
    load: Callable[..., Part], capsys: pytest.CaptureFixture[str]
) -> None:
    assert load(landing_of("a"), a="gg").kept == []
    assert capsys.readouterr().out == "rows read: 2, to load: 2, rejected: 0\n"


def test_files_without_rows_are_entered_in_the_ledger_and_not_read_again(
    load: Callable[..., Part], capsys: pytest.CaptureFixture[str]
) -> None:
    assert load(landing_of("a"), a="").written == [([], {Version("a"): (0, 0)})]
    assert capsys.readouterr().out == "rows read: 0, to load: 0, rejected: 0\n"


@pytest.mark.parametrize(
    ("share", "kinds", "is_refused"),
    [
        ("0.5", "gb", False),
        ("0.5", "gbb", True),
        ("0.9", "g" + 9 * "b", False),
        ("0", "g", False),
        ("0", "g" * 1000 + "b", True),
        ("1", "bbb", False),
    ],
)
def test_a_file_is_refused_when_a_larger_share_of_its_rows_is_rejected_than_allowed(
    load: Callable[..., Part], share: str, kinds: str, is_refused: bool
) -> None:
    landing = landing_of("a")
    done = load(landing, share=share, a=kinds)
    assert bool(landing.refused) is is_refused
    assert bool(done.written) is not is_refused


def test_a_refused_file_is_kept_out_of_the_table_and_the_ledger_and_the_others_are_loaded(
    load: Callable[..., Part],
) -> None:
    landing = landing_of("bad", "good")
    landing.refused = [Version("of an earlier part")]
    done = load(landing, bad="gbb", good="gg")
    assert done.written == [([("good0", None), ("good1", None)], {Version("good"): (2, 0)})]
    assert done.kept == [(["bad1", "bad2"], {"s3://landing-bucket/bad": 1}, "s3://staging-bucket/rejects/")]
    assert landing.refused == [Version("of an earlier part"), Version("bad")]
    assert done.overwritten == []


def test_an_object_that_is_overwritten_while_it_is_read_is_not_loaded(load: Callable[..., Part]) -> None:
    """It is not known whether the old or the new version was read."""
    landing = landing_of("a", "b")
    done = load(landing, lambda: landing.overwrite("a"), a="gg", b="g")
    assert done.overwritten == ["a"]
    assert done.written == [([("b0", None)], {Version("b"): (1, 0)})]


def test_an_object_that_is_deleted_while_it_is_read_counts_as_overwritten(load: Callable[..., Part]) -> None:
    landing = landing_of("a")
    done = load(landing, lambda: landing.versions.clear(), a="g")
    assert (done.overwritten, done.written) == (["a"], [])


def test_a_file_that_is_refused_and_overwritten_does_not_fail_the_run(load: Callable[..., Part]) -> None:
    """The new version may be a good one, and is checked when it is read."""
    landing = landing_of("a")
    done = load(landing, lambda: landing.overwrite("a"), a="bb")
    assert (done.overwritten, landing.refused, done.written) == (["a"], [], [])
