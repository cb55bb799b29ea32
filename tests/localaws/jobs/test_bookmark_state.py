"""Which objects a run with a bookmark reads: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html

Without Spark: the state that runs leave, and what the next run makes of it. test_job_bookmarks.py has whole runs.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localaws.glue.jobs.runs import Bookmark, JobRun

pytestmark = pytest.mark.usefixtures("awsglue")

ENABLE, DISABLE, PAUSE = "job-bookmark-enable", "job-bookmark-disable", "job-bookmark-pause"
PATH = "s3://landing/rows/"


def at(minutes: float) -> datetime:
    """A moment, counted in minutes."""
    return datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(minutes=minutes)


@dataclass
class BookmarkedJob:
    """A job whose runs read the objects of a folder: {key: (minute of the last change, ETag)}."""

    bookmark: Bookmark = field(default_factory=Bookmark)
    runs: list[JobRun] = field(default_factory=list)
    folder: dict[str, tuple[float, str]] = field(default_factory=dict)
    saved: list[dict[str, Any]] = field(default_factory=list)

    def put(self, key: str, minute: float, etag: str = "1") -> None:
        self.folder[key] = (minute, etag)

    def run(
        self,
        minute: float,
        option: str = ENABLE,
        *,
        context: str = "source",
        between: tuple[str, str] | None = None,
        commits: bool = True,
    ) -> list[str]:
        """A run that lists the folder at `minute`: the keys that it reads."""
        bookmarks = self.begin(option, between)
        read = self.read(bookmarks, minute, context)
        if commits:
            bookmarks.commit()
        return read

    def read(self, bookmarks: Any, minute: float, context: str = "source", path: str = PATH) -> list[str]:
        """What a source reads, and notes as read."""
        item = importlib.import_module("awsglue._s3").S3Object
        listed = [item("landing", key, 1, at(changed), etag) for key, (changed, etag) in self.folder.items()]
        if not bookmarks.applies_to(context):
            return [one.key for one in listed]
        unread = [one for one in listed if bookmarks.is_unread(context, path, one)]
        bookmarks.remember(context, path, at(minute), unread)
        return [one.key for one in unread]

    def begin(self, option: str = ENABLE, between: tuple[str, str] | None = None) -> Any:
        """The bookmark of a new run; `between` are the runs of --job-bookmark-from and -to."""
        module, state = importlib.import_module("awsglue._run"), importlib.import_module("awsglue._bookmarks")
        run = JobRun("job", f"jr_{len(self.runs)}", {}, {})
        self.runs.append(run)
        known, limit = self.bookmark.range(*between, self.runs) if between else (self.bookmark.state, None)

        def save(left: dict[str, Any]) -> None:
            # It goes to the service as JSON.
            self.saved.append(json.loads(json.dumps(left)))
            self.bookmark.commit(run, self.saved[-1])

        module.current = module.Run("job", run.job_run_id, {}, known, limit, save)
        bookmarks = state.Bookmarks()
        bookmarks.begin(state.BookmarkOption(option))
        return bookmarks


@pytest.fixture
def job() -> BookmarkedJob:
    return BookmarkedJob()


def test_an_object_that_a_committed_run_read_is_not_read_again(job: BookmarkedJob) -> None:
    job.put("a", 0)
    assert job.run(1) == ["a"]
    assert job.run(2) == []
    assert job.run(600) == []


def test_an_overwritten_object_is_read_again(job: BookmarkedJob) -> None:
    """It is recognised by its last-modified time."""
    job.put("a", 0)
    job.run(1)
    job.put("a", 30)
    assert job.run(31) == ["a"]


def test_an_object_overwritten_within_its_second_is_read_again(job: BookmarkedJob) -> None:
    """Last-modified times are whole seconds; the ETag tells the two apart."""
    job.put("a", 0, "1")
    job.run(1)
    job.put("a", 0, "2")
    assert job.run(2) == ["a"]


def test_a_new_object_with_the_same_modification_time_as_an_earlier_one_is_read(job: BookmarkedJob) -> None:
    job.put("a", 0)
    job.run(1)
    job.put("b", 0)
    assert job.run(2) == ["b"]
    assert job.run(3) == []


def test_an_object_that_appears_late_is_read_if_it_is_younger_than_fifteen_minutes(job: BookmarkedJob) -> None:
    """A run looks back 900 seconds for objects that no listing had shown before."""
    job.put("a", 0)
    job.run(20)
    job.put("on-the-edge", 5)
    job.put("late", 6)
    job.put("too-late", 4.9)
    assert job.run(21) == ["on-the-edge", "late"]


@pytest.mark.parametrize("minute", [0, 14, 15, 16, 100])
def test_an_object_is_read_once_however_long_after_its_put_the_run_starts(job: BookmarkedJob, minute: float) -> None:
    job.put("a", 0)
    assert job.run(minute) == ["a"]
    for later in (0, 1, 14, 15, 16, 100):
        assert job.run(minute + later) == []


def test_an_object_modified_exactly_fifteen_minutes_before_the_listing_is_read_once(job: BookmarkedJob) -> None:
    job.put("a", 0)
    assert job.run(15) == ["a"]
    assert job.run(15) == []
    assert job.run(15.5) == []


def test_objects_stay_read_after_a_run_that_found_nothing_new(job: BookmarkedJob) -> None:
    job.put("a", 0)
    job.run(1)
    job.run(2)
    assert job.run(3) == []


def test_setting_the_clock_back_does_not_make_objects_unread(job: BookmarkedJob) -> None:
    job.put("a", 0)
    job.run(60)
    assert job.run(-60) == []
    assert job.run(61) == []


def test_the_state_does_not_grow_with_the_number_of_objects(job: BookmarkedJob) -> None:
    """Only the objects of the last fifteen minutes are stored one by one."""
    for minute in range(0, 100, 10):
        job.put(f"{minute}", minute)
        job.run(minute + 1)
    (state,) = job.bookmark.state["source"].values()
    assert sorted(state["objects"]) == ["s3://landing/80", "s3://landing/90"]


def test_a_disabled_bookmark_reads_everything_and_stays_unchanged(job: BookmarkedJob) -> None:
    """The page: "you are responsible for managing the output from previous job runs"."""
    job.put("a", 0)
    job.run(1)
    job.put("b", 2)
    assert job.run(3, DISABLE) == ["a", "b"]
    assert (job.run(4), len(job.saved)) == (["b"], 2)


def test_a_paused_bookmark_reads_new_objects_and_stays_unchanged(job: BookmarkedJob) -> None:
    """The page: "process incremental data since the last successful run … without updating the state"."""
    job.put("a", 0)
    job.run(1)
    job.put("b", 2)
    assert job.run(3, PAUSE) == ["b"]
    assert job.run(4, PAUSE) == ["b"]
    assert len(job.saved) == 1


def test_a_paused_range_reads_what_the_runs_after_the_first_up_to_the_second_read(job: BookmarkedJob) -> None:
    """The page: "any input later than this input is also excluded for processing"."""
    for number, key in enumerate("abc"):
        job.put(key, number)
        job.run(number)
    job.put("d", 3)
    for between, expected in [
        (("jr_0", "jr_1"), ["b"]),
        (("jr_0", "jr_2"), ["b", "c"]),
        (("jr_1", "jr_2"), ["c"]),
        (("jr_1", "jr_1"), []),
        (("jr_2", "jr_0"), []),
    ]:
        assert job.run(4, PAUSE, between=between) == expected
    assert job.run(5) == ["d"]


def test_a_paused_range_separates_objects_older_than_the_window_by_their_times(
    job: BookmarkedJob,
) -> None:
    for number, key in enumerate("abc"):
        job.put(key, number * 60)
        job.run(number * 60 + 30)
    job.put("d", 200)
    assert job.run(210, PAUSE, between=("jr_0", "jr_1")) == ["b"]


def test_a_paused_range_reads_nothing_from_a_source_that_its_runs_never_read(job: BookmarkedJob) -> None:
    job.put("a", 0)
    job.run(1)
    job.run(2)
    assert job.run(3, PAUSE, context="other", between=("jr_0", "jr_1")) == []


def test_a_bookmark_range_ends_with_the_last_committed_run_up_to_the_one_that_is_named(job: BookmarkedJob) -> None:
    """The page: "processed until the last successful run before and including the specified run ID"."""
    job.put("a", 0)
    job.run(1)
    job.put("b", 2)
    job.run(3, commits=False)
    assert job.run(4, PAUSE, between=("jr_1", "jr_1")) == []
    assert job.run(5) == ["b"]
    assert job.run(6, PAUSE, between=("jr_1", "jr_3")) == ["b"]


def test_after_a_rewind_the_objects_of_later_runs_are_read_again(job: BookmarkedJob) -> None:
    """ResetJobBookmark with a RunId."""
    for number, key in enumerate("abc"):
        job.put(key, number)
        job.run(number)
    job.bookmark.reset("jr_0")
    assert job.run(4) == ["b", "c"]
    assert job.run(5) == []


def test_after_a_reset_everything_is_read_again(job: BookmarkedJob) -> None:
    """ResetJobBookmark without a RunId."""
    job.put("a", 0)
    job.put("b", 50)
    job.run(60)
    job.bookmark.reset(None)
    assert job.run(120) == ["a", "b"]


def test_a_run_without_a_commit_leaves_the_bookmark_unchanged(job: BookmarkedJob) -> None:
    job.put("a", 0)
    assert job.run(1, commits=False) == ["a"]
    assert job.run(2) == ["a"]


def test_each_transformation_ctx_has_a_bookmark_of_its_own(job: BookmarkedJob) -> None:
    job.put("a", 0)
    assert job.run(1, context="one") == ["a"]
    assert job.run(2, context="two") == ["a"]
    assert job.run(3, context="one") == []


def test_a_source_without_a_transformation_ctx_reads_everything(job: BookmarkedJob) -> None:
    job.put("a", 0)
    assert [job.run(minute, context="") for minute in (1, 2)] == [["a"], ["a"]]


def test_each_path_of_a_source_has_its_own_state(job: BookmarkedJob) -> None:
    """A second commit adds to the state that the first one saved for the same transformation_ctx."""
    job.put("a", 0)
    for path in ("s3://landing/one/", "s3://landing/two/"):
        bookmarks = job.begin()
        assert job.read(bookmarks, 1, path=path) == ["a"]
        bookmarks.commit()
    bookmarks = job.begin()
    assert [job.read(bookmarks, 1, path=f"s3://landing/{name}/") for name in ("one", "two", "three")] == [[], [], ["a"]]


def test_two_reads_of_a_source_within_a_run_return_the_same_objects(job: BookmarkedJob) -> None:
    """Objects count as read only after the commit."""
    job.put("a", 0)
    bookmarks = job.begin()
    assert [job.read(bookmarks, 1), job.read(bookmarks, 1)] == [["a"], ["a"]]


def test_a_script_that_commits_twice_continues_from_its_first_commit(job: BookmarkedJob) -> None:
    job.put("a", 0)
    bookmarks = job.begin()
    job.read(bookmarks, 1, "one")
    bookmarks.commit()
    assert job.read(bookmarks, 2, "one") == []
    job.read(bookmarks, 2, "two")
    bookmarks.commit()
    assert [job.run(3, context="one"), job.run(3, context="two")] == [[], []]


def test_a_run_discards_what_the_previous_run_in_the_process_read_without_a_commit(job: BookmarkedJob) -> None:
    job.put("a", 0)
    bookmarks = job.begin()
    job.read(bookmarks, 1)
    bookmarks.begin(bookmarks.option)
    bookmarks.commit()
    assert job.run(2) == ["a"]


def test_without_job_init_a_run_has_no_bookmark() -> None:
    """A bookmark needs job.init: https://docs.aws.amazon.com/glue/latest/dg/programming-etl-connect-bookmarks.html"""
    assert not importlib.import_module("awsglue._bookmarks").Bookmarks().applies_to("source")


@pytest.mark.parametrize("option", [ENABLE, PAUSE, DISABLE])
def test_a_bookmark_applies_to_a_source_with_a_transformation_ctx_unless_it_is_disabled(
    job: BookmarkedJob, option: str
) -> None:
    bookmarks = job.begin(option)
    assert [bookmarks.applies_to(context) for context in ("source", "")] == [option != DISABLE, False]


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ({}, DISABLE),
        ({"--job-bookmark-option": ENABLE}, ENABLE),
        ({"--job-bookmark-option": PAUSE}, PAUSE),
    ],
)
def test_job_init_uses_the_bookmark_option_of_the_run(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, str], option: str
) -> None:
    """Bookmarks are off by default: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html"""
    module, bookmarks = importlib.import_module("awsglue._run"), importlib.import_module("awsglue._bookmarks")
    monkeypatch.setattr(module, "current", module.Run(arguments=arguments))
    job = importlib.import_module("awsglue.job").Job(None)
    job.init("job", {"JOB_NAME": "job"})
    assert bookmarks.current.option == option
    job.commit()
