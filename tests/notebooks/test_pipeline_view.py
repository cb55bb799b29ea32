"""The boxes of a run, as HTML, as lines of text and as one line of a terminal."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import pytest

from labkit.config import load
from labkit.errors import WaitTimeout
from labkit.show import terminal, waiting
from labkit.show.pipeline import COLOURS, REMARK, Box, Pipeline, State
from labkit.show.surroundings import surroundings
from labkit.show.waiting import wait_for
from tests.contrast import DARK, LEGIBLE, LIGHT, contrast

GOING = Pipeline(
    "redshift_workflow, started by S3's event",
    (
        Box("object", State.DONE, "1 file, 100 records"),
        Box("function", State.DONE, seconds=0.25),
        Box("workflow run", State.RUNNING, seconds=75.9),
        Box("crawl", State.DONE, seconds=2.04),
        Box("job", State.WAITING, seconds=3.9, reason="Spark is starting: the first run takes some seconds"),
        Box("rows", State.WAITING),
    ),
)
FAILED = Pipeline(
    "redshift_workflow",
    (Box("crawl", State.DONE), Box("job", State.FAILED, reason="no column <b>"), Box("rows", State.NOT_STARTED)),
    ('  File "job.py", line 37', "ValueError: no column <b>"),
    "Look at the table.",
)


class Elements(HTMLParser):
    """The names of a page's elements, and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.styles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.styles += [value for name, value in attrs if name == "style" and value]


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.replace("&nbsp;", " ")).split())


def test_the_text_has_a_line_for_each_box_and_says_why_one_waits() -> None:
    assert GOING.text(times=True).splitlines() == [
        "redshift_workflow, started by S3's event",
        "  object        ✓ done         1 file, 100 records",
        "  function      ✓ done         0.2 s",
        "  workflow run  ▶ running      1 min 15 s",
        "  crawl         ✓ done         2.0 s",
        "  job           ○ waiting      3 s",
        "  rows          ○ waiting",
        "  job: Spark is starting: the first run takes some seconds",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0.0, "under 0.1 s"), (0.04, "under 0.1 s"), (0.06, "0.1 s"), (75.9, "1 min 15 s")],
)
def test_a_box_says_how_long_its_part_took(seconds: float | None, said: str) -> None:
    assert Box("crawl", State.DONE, seconds=seconds).lasted == said


def test_without_times_no_text_contains_a_duration() -> None:
    for shown in (GOING.text(times=False), text_of(GOING.html(times=False))):
        assert not re.search(r"\d ?s\b", shown)
        assert "1 file, 100 records" in shown


def test_the_html_names_each_box_and_its_state_even_without_its_styles() -> None:
    shown = text_of(GOING.html(times=True))
    for words in ("object ✓ done", "→ workflow run ▶ running 1 min 15 s", "→ job ○ waiting", "→ rows ○ waiting"):
        assert words in shown
    assert shown.endswith("job: Spark is starting: the first run takes some seconds")


def test_a_failed_run_shows_the_lines_of_the_log_and_the_fix() -> None:
    assert FAILED.failed
    assert not GOING.failed
    assert FAILED.text(times=True).splitlines()[-4:] == [
        "  job: no column <b>",
        '    File "job.py", line 37',
        "  ValueError: no column <b>",
        "  → Look at the table.",
    ]
    assert "ValueError: no column &lt;b&gt;<br>→ Look at the table." in FAILED.html(times=True)


@pytest.mark.parametrize("pipeline", [GOING, FAILED])
def test_the_html_has_only_what_survives_in_a_notebook_that_is_not_trusted(pipeline: Pipeline) -> None:
    found = Elements()
    found.feed(pipeline.html(times=True))
    assert found.names <= {"div", "strong", "table", "tr", "td", "br"}
    assert found.attributes <= {"style", "colspan"}
    assert not any(forbidden in style for style in found.styles for forbidden in ("url(", "var(", "position"))


def test_every_text_of_a_box_is_legible_and_what_stands_outside_of_a_box_has_the_theme_s_colour() -> None:
    for fill, line, text in (*COLOURS.values(), REMARK):
        assert contrast(text, fill) >= LEGIBLE
        assert contrast(line, fill) >= 1.3
    found = Elements()
    found.feed(GOING.html(times=True))
    for style in found.styles:
        assert ("color:#" in style.replace("background-color", "")) == ("background-color" in style), style
    assert contrast(LIGHT, DARK) > LEGIBLE


def test_the_line_of_a_terminal_is_never_wider_than_the_terminal() -> None:
    whole = GOING.line()
    assert whole.startswith("object ✓   function ✓   workflow run ▶ running 1 min 15 s   crawl ✓   job ○ waiting 3 s")
    assert whole.endswith("(Spark is starting: the first run takes some seconds)")
    for width in (10, 40, 100):
        assert len(GOING.line(width=width)) <= width
    assert re.sub(r"\x1b\[\d+m", "", GOING.line(colour=True)) == whole
    assert "\x1b[32mcrawl ✓\x1b[0m" in GOING.line(colour=True)


def test_only_what_changed_is_reported_line_by_line() -> None:
    first = GOING.changes_since(None)
    assert first == [
        "object done, 1 file, 100 records",
        "function done",
        "workflow run running",
        "crawl done",
        "job waiting: Spark is starting: the first run takes some seconds",
    ]
    assert GOING.changes_since(GOING) == []
    boxes = (*GOING.boxes[:4], Box("job", State.RUNNING, seconds=1), GOING.boxes[5])
    assert Pipeline("", boxes).changes_since(GOING) == ["job running"]


class Tty(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_that_did_not_refuse_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert terminal.has_colour(Tty())
    assert not terminal.has_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not terminal.has_colour(Tty())
    assert terminal.can_redraw(Tty())


def states() -> object:
    answers = iter([(GOING, None), (GOING, None), (GOING, 42)])
    return lambda: next(answers)


def test_a_wait_redraws_one_line_of_a_terminal_and_clears_it(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Tty()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    config = load(progress="line", poll_seconds=0.001)
    assert wait_for("the run", states(), config=config, go_on="") == 42  # type: ignore[arg-type]
    assert "workflow run ▶ running" in screen.getvalue()
    assert "\n" not in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[2K")


def test_a_wait_prints_a_line_for_each_change_where_nothing_can_be_redrawn(capsys: pytest.CaptureFixture[str]) -> None:
    config = load(progress="line", poll_seconds=0.001)
    wait_for("the run", states(), config=config, go_on="")  # type: ignore[arg-type]
    assert len(capsys.readouterr().err.splitlines()) == 5


def test_a_wait_updates_one_output_of_jupyterlab_and_leaves_it_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []

    class Place:
        def update(self, output: dict[str, str], *, raw: bool) -> None:
            shown.append(output)

    def display(output: dict[str, str], *, raw: bool, display_id: bool) -> Place:
        shown.append(output)
        return Place()

    monkeypatch.setattr("IPython.display.display", display)
    config = load(progress="live", poll_seconds=0.001)
    wait_for("the run", states(), config=config, go_on="")  # type: ignore[arg-type]
    contents = [output["text/html"] for output in shown]
    assert contents == ["Waiting for the run …", GOING.html(times=True), ""], "nothing is sent if nothing changed"
    assert shown[-1] == {"text/html": "", "text/plain": ""}


def test_a_wait_that_times_out_says_in_which_state_the_run_was() -> None:
    config = load(poll_seconds=0.001, wait_minutes=0.0001)
    with pytest.raises(WaitTimeout, match=r"Last seen: object ✓ .* job ○ waiting 3 s"):
        wait_for("the run", lambda: (GOING, None), config=config, go_on="Ask again.", quiet=True)


def test_a_failed_run_is_shown_only_where_it_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.display", lambda output, raw: shown.append(output))
    for progress in ("static", "line"):
        waiting.show_failure(FAILED, load(progress=progress))
    assert shown == []
    waiting.show_failure(FAILED, load(progress="live"))
    assert "ValueError" in shown[0]["text/html"]


def test_outside_of_a_kernel_displays_may_contain_times() -> None:
    assert surroundings() == "line"
    assert str(GOING) == GOING.text(times=True)
    assert GOING._repr_html_() == GOING.html(times=True)
