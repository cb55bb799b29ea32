"""What the service stores for a bookmark: its entry, its counters and versions, and the states for rewinding."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from localaws.glue.jobs.runs import Bookmark, JobRun


def runs(*ids: str) -> Sequence[JobRun]:
    return [JobRun("job", one, {}, {}) for one in ids]


@pytest.mark.parametrize("asked", [("jr_none", "jr_0"), ("jr_0", "jr_none"), ("jr_before", "jr_0")])
def test_a_range_with_an_unknown_run_or_a_run_without_a_bookmark_is_refused(asked: tuple[str, str]) -> None:
    bookmark = Bookmark()
    before, first = runs("jr_before", "jr_0")
    bookmark.commit(first, {"source": {}})
    with pytest.raises(KeyError):
        bookmark.range(*asked, [before, first])


@pytest.fixture
def committed() -> Callable[[int], Bookmark]:
    """`committed(3)`: the bookmark after three runs."""

    def make(count: int) -> Bookmark:
        bookmark = Bookmark()
        for run in runs(*(f"jr_{number}" for number in range(count))):
            bookmark.commit(run, {"after": run.job_run_id})
        return bookmark

    return make


def test_an_entry_has_the_run_the_previous_run_and_the_counters(committed: Callable[[int], Bookmark]) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_JobBookmarkEntry.html"""
    first, third = committed(1).as_entry("job"), committed(3).as_entry("job")
    assert (first["RunId"], first.get("PreviousRunId"), first["Version"], first["Run"]) == ("jr_0", None, 1, 1)
    assert (third["RunId"], third["PreviousRunId"], third["Version"], third["Run"]) == ("jr_2", "jr_1", 3, 3)
    assert (third["JobName"], json.loads(third["JobBookmark"])) == ("job", {"after": "jr_2"})


def test_a_bookmark_s_text_does_not_depend_on_the_order_in_which_sources_are_read() -> None:
    def told(*contexts: str) -> str:
        bookmark = Bookmark()
        bookmark.commit(JobRun("job", "jr_0", {}, {}), {context: {} for context in contexts})
        return str(bookmark.as_entry("job")["JobBookmark"])

    assert told("one", "two") == told("two", "one")


def test_before_the_first_commit_the_counters_of_a_bookmark_are_zero(committed: Callable[[int], Bookmark]) -> None:
    entry = committed(0).as_entry("job")
    assert (entry["Version"], entry["Run"], entry["Attempt"], entry["JobBookmark"]) == (0, 0, 0, "{}")


def test_the_commit_of_a_retry_has_its_attempt_number() -> None:
    bookmark = Bookmark()
    bookmark.commit(JobRun("job", "jr_0_attempt_2", {}, {}, attempt=2), {})
    assert bookmark.as_entry("job")["Attempt"] == 2


def test_a_reset_restarts_the_counters_and_creates_a_new_version(committed: Callable[[int], Bookmark]) -> None:
    """The new version lets an active run notice the reset."""
    bookmark = committed(2)
    bookmark.reset(None)
    entry = bookmark.as_entry("job")
    assert (entry["Version"], entry["Run"], entry["Attempt"], entry["JobBookmark"]) == (3, 0, 0, "{}")
    assert not {"RunId", "PreviousRunId"} & set(entry)
    with pytest.raises(KeyError):
        bookmark.reset("jr_1")


def test_a_rewind_keeps_the_run_and_the_counters_and_creates_a_new_version(
    committed: Callable[[int], Bookmark],
) -> None:
    bookmark = committed(3)
    bookmark.reset("jr_0")
    entry = bookmark.as_entry("job")
    assert (entry["Version"], entry["Run"], entry["RunId"]) == (4, 3, "jr_2")
    assert json.loads(entry["JobBookmark"]) == {"after": "jr_0"}


def test_the_last_20_states_are_kept_for_rewinding(committed: Callable[[int], Bookmark]) -> None:
    bookmark = committed(25)
    assert list(bookmark.history) == [f"jr_{number}" for number in range(5, 25)]
    bookmark.reset("jr_5")
    with pytest.raises(KeyError):
        bookmark.reset("jr_4")
