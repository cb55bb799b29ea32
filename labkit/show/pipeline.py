"""A run of the pipeline as a row of boxes, each waiting, running, done or failed.

>>> Pipeline("redshift_workflow", (Box("crawl", State.DONE, seconds=2), Box("job", State.RUNNING)))

The steps fill the boxes with what AWS returns. This module only draws them: as an HTML table for notebooks, as lines of
text, and as one short line for a terminal.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from labkit.show.surroundings import shows_times


class State(StrEnum):
    """What a box can be. Its value is the word that the display shows."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    NOT_STARTED = "not started"
    BY_HAND = "by hand"
    """There is nothing to see: a person took this box's place."""


SIGNS = {
    State.WAITING: "○",
    State.RUNNING: "▶",
    State.DONE: "✓",
    State.FAILED: "✗",
    State.NOT_STARTED: "–",
    State.BY_HAND: "–",
}

# Dark text on a light fill of its own: it can be read in a light and in a dark theme.
COLOURS = {  # fill, line, text
    State.WAITING: ("#eef1f4", "#8c959f", "#3d444d"),
    State.RUNNING: ("#fff1cc", "#b35900", "#5c3500"),
    State.DONE: ("#dcf5e3", "#1a7f37", "#0b3d1c"),
    State.FAILED: ("#ffe3e0", "#b42318", "#7a130b"),
    State.NOT_STARTED: ("#eef1f4", "#8c959f", "#3d444d"),
    State.BY_HAND: ("#eef1f4", "#8c959f", "#3d444d"),
}
REMARK = ("#ffffff", "#d0d7de", "#24292f")
SHORT = 14
ANSI = {State.RUNNING: "33", State.DONE: "32", State.FAILED: "31"}


@dataclass(frozen=True)
class Box:
    """One part of a run.

    Args:
        name: of the part, as in "crawl".
        state: what it does now.
        what: a few words under the state: counts, an attempt, a status in AWS's words.
        seconds: how long it took, or takes so far. Not shown where displays are compared.
        reason: a sentence that says why it waits, or why it failed.
    """

    name: str
    state: State
    what: str = ""
    seconds: float | None = None
    reason: str = ""

    def words(self, *, times: bool) -> str:
        """What is shown beside the state."""
        lasted = self.lasted if times else ""
        return ", ".join(filter(None, (lasted, self.what)))

    @property
    def lasted(self) -> str:
        """The seconds in words: whole ones while it goes on, so that the display does not change all the time."""
        if self.seconds is None:
            return ""
        if self.seconds < 9.95 and self.state not in (State.RUNNING, State.WAITING):
            return f"{self.seconds:.1f} s" if self.seconds >= 0.05 else "under 0.1 s"
        minutes, rest = divmod(int(self.seconds), 60)
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@dataclass(frozen=True)
class Pipeline:
    """The boxes of one run, in their order.

    Args:
        title: whose run it is.
        boxes: its parts.
        lines: of the failed part's log, those that say what went wrong.
        fix: what to do about the failure.
    """

    title: str
    boxes: tuple[Box, ...]
    lines: tuple[str, ...] = ()
    fix: str = ""

    @property
    def failed(self) -> bool:
        """Whether a part failed."""
        return any(box.state is State.FAILED for box in self.boxes)

    def remarks(self) -> Iterator[str]:
        """Why boxes wait or failed, the lines of the log, and the fix."""
        yield from (f"{box.name}: {box.reason}" for box in self.boxes if box.reason)
        yield from self.lines
        if self.fix:
            yield f"→ {self.fix}"

    def text(self, *, times: bool) -> str:
        """One line for each box, then the remarks."""
        names = max(len(box.name) for box in self.boxes)
        lines = [self.title]
        for box in self.boxes:
            words = box.words(times=times)
            lines.append(f"  {box.name:<{names}}  {SIGNS[box.state]} {box.state:<11}  {words}".rstrip())
        return "\n".join([*lines, *(f"  {remark}" for remark in self.remarks())])

    def line(self, *, colour: bool = False, width: int | None = None) -> str:
        """Everything in one line of at most `width` characters, for a terminal that redraws it."""
        parts, shown, left = [], 0, width or 10_000
        for box in self.boxes:
            words = f"{box.name} {SIGNS[box.state]}"
            if box.state in (State.RUNNING, State.FAILED) or box.reason:
                words = " ".join(filter(None, (words, box.state, box.lasted)))
            parts.append((box.state, words))
        for box in self.boxes:
            if box.reason:
                parts.append((box.state, f"({box.reason})"))
        pieces = []
        for state, words in parts:
            words = words[: max(0, left - shown)]
            shown += len(words) + 3
            pieces.append(painted(words, state) if colour else words)
        return "   ".join(piece for piece in pieces if piece)

    def html(self, *, times: bool) -> str:
        """A table with inline styles, because notebooks that are not trusted yet show nothing else."""
        cells = [_cell(box, times=times) for box in self.boxes]
        arrow = '<td style="padding:0 2px;border:0;text-align:center;vertical-align:middle">→</td>'
        rows = f'<tr style="background:none">{arrow.join(cells)}</tr>'
        remarks = "<br>".join(_escaped(remark) for remark in self.remarks())
        if remarks:
            fill, line, text = REMARK
            columns = 2 * len(self.boxes) - 1
            rows += (
                f'<tr style="background:none"><td colspan="{columns}" style="padding:6px 8px;text-align:left;'
                f'background-color:{fill};color:{text};border:1px solid {line}">{remarks}</td></tr>'
            )
        return f"<div><strong>{_escaped(self.title)}</strong></div><table>{rows}</table>"

    def __str__(self) -> str:
        return self.text(times=shows_times())

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return self.html(times=shows_times())

    def changes_since(self, before: Pipeline | None) -> list[str]:
        """What changed between two states, one line for each box: for a log, or a terminal that can't redraw."""
        earlier = dict(zip((box.name for box in before.boxes), before.boxes, strict=True)) if before else {}
        lines = []
        for box in self.boxes:
            old = earlier.get(box.name)
            is_news = old is None or (old.state, old.reason, old.what) != (box.state, box.reason, box.what)
            if is_news and (old is not None or box.state is not State.WAITING or box.reason):
                words = f"{box.name} {box.state}" + (f", {box.what}" if box.what else "")
                lines.append(words + (f": {box.reason}" if box.reason else ""))
        return lines


def painted(text: str, state: State) -> str:
    """The text in the state's colour, for a terminal."""
    return f"\x1b[{ANSI[state]}m{text}\x1b[0m" if state in ANSI and text else text


def _cell(box: Box, *, times: bool) -> str:
    fill, line, text = COLOURS[box.state]
    words, state = box.words(times=times), _unbroken(f"{SIGNS[box.state]} {box.state}")
    weight = "2px" if box.state in (State.RUNNING, State.FAILED) else "1px"
    return (
        f'<td style="padding:4px 6px;text-align:center;vertical-align:top;background-color:{fill};color:{text};'
        f'border:{weight} solid {line}"><strong>{_escaped(box.name)}</strong><br>{state}'
        + (f"<br>{', '.join(map(_unbroken, words.split(', ')))}" if words else "")
        + "</td>"
    )


def _unbroken(text: str) -> str:
    """Short words that stay in one line, so that the boxes keep their form."""
    return _escaped(text).replace(" ", "&nbsp;") if len(text) <= SHORT else _escaped(text)


def _escaped(text: str) -> str:
    return html.escape(text).replace("  ", "&nbsp; ")
