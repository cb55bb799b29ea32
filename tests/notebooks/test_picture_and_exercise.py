"""The check of a notebook's exercise."""

from __future__ import annotations

from labkit.show.exercise import judge


def test_an_answer_is_right_wrong_or_not_given_yet() -> None:
    assert judge(3, lambda given: given == 3, hint="Count.")
    assert repr(judge(4, lambda given: given == 3, hint="Count.")) == "✗ Not yet. Count."
    assert not judge(None, lambda given: True, hint="Count.")


def test_an_answer_of_a_wrong_type_is_wrong_and_not_an_error() -> None:
    assert repr(judge("three", lambda given: float(given) == 3, hint="Count.")) == "✗ Not yet. Count."


def test_a_verdict_in_a_notebook_is_escaped_as_html() -> None:
    assert "&lt;3" in judge(1, lambda given: given == 2, hint="<3")._repr_html_()
