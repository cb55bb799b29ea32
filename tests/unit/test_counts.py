"""What the counts of the rows say about missing and doubled rows."""

from __future__ import annotations

import pytest

from labkit.data.counts import Counts, ExactlyOnceCounts


@pytest.mark.parametrize(
    ("counts", "missing", "doubled"),
    [(Counts(100, 100, 100), 0, 0), (Counts(100, 90, 90), 10, 0), (Counts(100, 150, 150), 0, 50)],
)
def test_rows_are_missing_or_doubled_if_landed_and_queried_differ(counts: Counts, missing: int, doubled: int) -> None:
    assert (counts.missing, counts.doubled) == (missing, doubled)
    assert counts.agree == (missing == doubled == 0)
    shown = dict(counts.shown())
    assert [name for name in ("missing", "doubled") if name in shown] == ["missing"] * bool(missing) + [
        "doubled"
    ] * bool(doubled)


def test_rows_that_were_missing_and_have_come_are_not_doubled() -> None:
    came = Counts(100, 100, 100) - Counts(100, 0, 0)
    assert came == Counts(landed=0, loaded=100, queried=100)
    assert (came.missing, came.doubled, came.agree) == (0, 0, True)
    assert str(came).split() == ["landed", "0", "loaded", "100", "queried", "100"]


def test_rows_that_were_there_and_have_come_again_are_doubled() -> None:
    came = Counts(100, 200, 200) - Counts(100, 100, 100)
    assert (came.missing, came.doubled, came.agree) == (0, 100, False)
    again = Counts(100, 230, 230) - Counts(100, 70, 70)  # the missing 30 came, and all 100, and 30 more
    assert again.doubled == 130


def test_what_landed_in_between_and_is_not_in_the_table_is_missing() -> None:
    came = Counts(4, 103, 103) - Counts(0, 100, 100)  # `before` counted no file, and all rows
    assert (came.missing, came.doubled) == (1, 0)


def test_the_json_of_a_difference_has_the_same_names_as_that_of_counts() -> None:
    assert (Counts(2, 2, 2) - Counts(1, 0, 0)).as_json().keys() == Counts(2, 2, 2).as_json().keys()


def test_the_exactly_once_delivery_s_counts_agree_if_each_record_was_loaded_once_or_rejected() -> None:
    assert (ExactlyOnceCounts(7, 4, 3, 4) - ExactlyOnceCounts(0, 0, 0, 0)).agree
    assert not ExactlyOnceCounts(7, 4, 2, 4).agree
    assert (ExactlyOnceCounts(7, 4, 3, 4) - ExactlyOnceCounts(7, 0, 0, 0)).agree, "what waited has come"
    assert not (ExactlyOnceCounts(7, 9, 3, 9) - ExactlyOnceCounts(7, 0, 0, 0)).agree, "two are doubled"
    assert not (ExactlyOnceCounts(7, 8, 6, 8) - ExactlyOnceCounts(7, 4, 3, 4)).agree


def test_rows_that_only_wait_are_told_from_doubled_ones() -> None:
    assert Counts(100, 0, 0).only_wait
    assert not Counts(100, 200, 200).only_wait
    assert ExactlyOnceCounts(7, 0, 0, 0).only_wait
    assert not ExactlyOnceCounts(7, 0, 0, 4).only_wait
    assert not ExactlyOnceCounts(7, 4, 3, 4).only_wait
    assert not ExactlyOnceCounts(7, 4, 3, 5).agree
