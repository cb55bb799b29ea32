"""The pictures of the pipeline: the files that the notebooks show, their words, and whether they can be read."""

from __future__ import annotations

import functools
import itertools
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from story import NAMES

from labkit.errors import UsageError
from labkit.show.picture import EXACTLY_ONCE, MORE_PARTS, PARTS, STORY, WORDS, Stage, picture
from tests.contrast import LEGIBLE, contrast

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import make_pictures

SVG = "{http://www.w3.org/2000/svg}"
WIDEST = 760
SMALLEST_TEXT = 13
PADDING = 3
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]*pipeline-[^)]*)\)")
# Wider than the fonts that browsers take for system-ui, so what fits in it fits everywhere.
FONTS = {
    weight: FontProperties(fname=str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name))
    for weight, name in (("400", "DejaVuSans.ttf"), ("700", "DejaVuSans-Bold.ttf"))
}


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


@dataclass(frozen=True)
class Label:
    """A text of a picture."""

    text: str
    size: float
    fill: str
    box: Box


@dataclass(frozen=True)
class Drawn:
    """A picture's file, read back."""

    step: str
    root: Any
    labels: tuple[Label, ...]
    filled: tuple[tuple[str, Box], ...]
    """The filled rectangles, as (colour, box), the lowest first."""
    lines: tuple[Box, ...]
    """The pieces of all arrows."""


def read(step: str) -> Drawn:
    root = ElementTree.fromstring(picture(step)._repr_svg_())
    filled = [(one.get("fill", ""), rectangle(one)) for one in root.iter(f"{SVG}rect") if one.get("fill") != "none"]
    size = float(root.get("font-size", "0"))
    labels = [label(one, size) for one in root.iter(f"{SVG}text")]
    return Drawn(step, root, tuple(labels), tuple(filled), tuple(pieces(root)))


def rectangle(one: Any) -> Box:
    x, y = float(one.get("x")), float(one.get("y"))
    return Box(x, y, x + float(one.get("width")), y + float(one.get("height")))


def label(one: Any, usual: float) -> Label:
    size = float(one.get("font-size", usual))
    width = size * width_of(one.text, one.get("font-weight", "400"))
    x, y = float(one.get("x")), float(one.get("y"))
    left = x - {"middle": width / 2, "end": width}.get(one.get("text-anchor"), 0)
    return Label(one.text, size, one.get("fill"), Box(left, y - 0.75 * size, left + width, y + 0.2 * size))


@functools.cache
def width_of(text: str, weight: str) -> float:
    """The text's width in a font of size 1."""
    return float(TextPath((0, 0), text, size=1, prop=FONTS[weight]).get_extents().width)


def pieces(root: Any) -> Iterator[Box]:
    for line in root.iter(f"{SVG}polyline"):
        corners = [tuple(map(float, corner.split(","))) for corner in line.get("points").split()]
        for (x, y), (x2, y2) in itertools.pairwise(corners):
            yield Box(min(x, x2) - 1, min(y, y2) - 1, max(x, x2) + 1, max(y, y2) + 1)


@pytest.fixture(scope="module", params=STORY)
def drawn(request: pytest.FixtureRequest) -> Drawn:
    return read(request.param)


def test_a_picture_highlights_the_current_part_and_dashes_the_later_parts(drawn: Drawn) -> None:
    titles = [one.text for one in drawn.labels]
    for part in PARTS:
        shown = EXACTLY_ONCE.get(part.title, part.title) if drawn.step == "reliability" else part.title
        assert shown in titles
        expected = Stage.TO_COME
        if drawn.step != "cleanup":
            order = STORY.index(part.step) - STORY.index(drawn.step)
            today = order == 0 or shown != part.title
            expected = Stage.TODAY if today else Stage.DONE if order < 0 else Stage.TO_COME
        assert picture(drawn.step).stage(part.step, shown) is expected


def test_every_text_is_legible_on_what_it_stands_on(drawn: Drawn) -> None:
    for one in drawn.labels:
        under = [colour for colour, box in drawn.filled if box.meets(one.box)]
        assert contrast(one.fill, under[-1]) >= LEGIBLE, f"{one.text}: {one.fill} on {under[-1]}"


def test_no_label_is_wider_than_its_box_or_meets_another_label_or_an_arrow(drawn: Drawn) -> None:
    boxes = [box for _, box in drawn.filled]
    for number, one in enumerate(drawn.labels):
        inside = boxes[0]
        for box in boxes[1:]:
            if box.meets(one.box):
                inside = box
        padded = Box(one.box.left - PADDING, one.box.top, one.box.right + PADDING, one.box.bottom)
        assert inside.holds(padded), f"{one.text!r} does not fit into its box"
        for other in drawn.labels[number + 1 :]:
            assert not one.box.meets(other.box), f"{one.text!r} and {other.text!r} collide"
        assert not any(line.meets(one.box) for line in drawn.lines), f"an arrow goes through {one.text!r}"


def test_a_picture_fits_a_small_window_with_readable_text_on_an_opaque_card(drawn: Drawn) -> None:
    assert float(drawn.root.get("width")) <= WIDEST
    assert drawn.root.get("viewBox") == f"0 0 {drawn.root.get('width')} {drawn.root.get('height')}"
    assert min(one.size for one in drawn.labels) >= SMALLEST_TEXT
    assert drawn.filled[0][0] == "#ffffff"
    whole = Box(1, 1, float(drawn.root.get("width")) - 1, float(drawn.root.get("height")) - 1)
    assert drawn.filled[0][1].holds(whole)
    assert all(whole.holds(box) for _, box in drawn.filled[1:])


def test_a_picture_has_a_title_and_a_description_in_words(drawn: Drawn) -> None:
    shown = picture(drawn.step)
    assert drawn.root.findtext(f"{SVG}title") == shown.today
    assert drawn.root.findtext(f"{SVG}desc") == shown.words
    for title in [title for line in WORDS for title in line]:
        assert (EXACTLY_ONCE.get(title, title) if drawn.step == "reliability" else title) in shown.words


def test_the_picture_of_notebook_09_has_a_place_for_the_markers_the_queues_and_the_ledger() -> None:
    titles = [one.text for one in read("reliability").labels]
    assert {"markers", "retry queue", "dead-letter queue", "etl.toll_ledger"} == {part.title for part in MORE_PARTS}
    for part in MORE_PARTS:
        assert titles.count(part.title) == 1
        assert part.title in picture("reliability").words
        assert part.title not in picture("query").words


def test_the_stored_pictures_are_what_the_code_draws(root: Path) -> None:
    """If this fails: make pictures."""
    drawings = make_pictures.drawings()
    stored = {file.name: file.read_text() for file in (root / "docs" / "images").glob("pipeline-*.svg")}
    assert stored.keys() == drawings.keys()
    assert [name for name in stored if stored[name] != drawings[name]] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_in_a_notebook_has_the_picture_s_words_as_its_alt_text(
    notebook: Callable[[str], Any], root: Path, name: str
) -> None:
    expected = picture(STORY[int(name[:2])])
    for cell in notebook(name).cells:
        for image in IMAGE.finditer(cell.source if cell.cell_type == "markdown" else ""):
            assert image[0] == expected.markdown
            assert (root / "notebooks" / image[2]).is_file()


def test_the_markdown_of_a_picture_is_one_image() -> None:
    for step in STORY:
        assert IMAGE.fullmatch(picture(step).markdown)


def test_every_notebook_except_the_last_highlights_a_part() -> None:
    assert ["everything is removed" in picture(step).today for step in STORY] == [False] * 10 + [True]


def test_the_text_form_of_a_picture_puts_the_highlighted_part_in_brackets() -> None:
    assert "landing bucket → [s3Events] → start_workflow_function" in repr(picture("notification"))


def test_an_unknown_picture_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Pictures: start, network, redshift"):
        picture("nowhere")
