"""The picture at the top of each notebook, and the check of its exercise."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from labkit.errors import UsageError
from labkit.show.exercise import judge
from labkit.show.picture import EXACTLY_ONCE, PARTS, STORY, Stage, picture


@pytest.mark.parametrize("step", STORY)
def test_a_picture_highlights_the_current_part_and_dashes_the_later_parts(step: str) -> None:
    drawn = picture(step)
    drawing = ElementTree.fromstring(drawn._repr_svg_())
    titles = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    for part in PARTS:
        shown = EXACTLY_ONCE.get(part.title, part.title) if step == "reliability" else part.title
        assert shown in titles
        expected = Stage.TO_COME
        if step != "cleanup":
            order = STORY.index(part.step) - STORY.index(step)
            today = order == 0 or shown != part.title
            expected = Stage.TODAY if today else Stage.DONE if order < 0 else Stage.TO_COME
        assert drawn.stage(part.step, shown) is expected
    assert drawn.today.startswith("Today: ")


def test_every_notebook_except_the_last_highlights_a_part() -> None:
    assert ["nothing" in picture(step).today for step in STORY] == [False] * 10 + [True]


def test_the_text_form_of_a_picture_puts_the_highlighted_part_in_brackets() -> None:
    assert "landing bucket → [s3Events] → start_workflow_function" in repr(picture("notification"))


def test_an_unknown_picture_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Pictures: start, network, redshift"):
        picture("nowhere")


def test_an_answer_is_right_wrong_or_not_given_yet() -> None:
    assert judge(3, lambda given: given == 3, hint="Count.")
    assert repr(judge(4, lambda given: given == 3, hint="Count.")) == "✗ Not yet. Count."
    assert not judge(None, lambda given: True, hint="Count.")


def test_an_answer_of_a_wrong_type_is_wrong_and_not_an_error() -> None:
    assert repr(judge("three", lambda given: float(given) == 3, hint="Count.")) == "✗ Not yet. Count."


def test_a_verdict_in_a_notebook_is_escaped_as_html() -> None:
    assert "&lt;3" in judge(1, lambda given: given == 2, hint="<3")._repr_html_()
