"""The picture of the pipeline at the top of each notebook: what exists, what this notebook adds, what comes later.

>>> from labkit.show.picture import picture
>>> picture("crawlers")

The notebooks show it as a Markdown image of a file in `docs/images`, so that it is there before anything is run.
`docs/make_pictures.py` draws the files; `picture("crawlers").markdown` is the line that a notebook contains.
"""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from labkit.errors import UsageError


class Stage(StrEnum):
    """When a part of the picture is made: before, in, or after today's notebook."""

    DONE = "done"
    TODAY = "today"
    TO_COME = "to come"


@dataclass(frozen=True)
class Part:
    """A box: its two lines, the step that makes it, and where it is drawn (pixels, from the upper left corner)."""

    title: str
    kind: str
    step: str
    x: int
    y: int
    width: int
    height: int = 48


STORY = (
    "start", "network", "redshift", "secrets", "crawlers", "job", "workflow", "notification", "query", "reliability",
    "cleanup",
)  # fmt: skip
"""The notebooks' steps in order; `start` stands for buckets, roles and functions."""

WIDTH, HEIGHT = 760, 388
FIRST_ROW_ENDS = 70
QUEUES = 92
"""How far the picture of `reliability` moves everything below the first row down: its queues and markers are there."""

PARTS = (
    Part("toll_plaza_application", "Lambda", "start", 12, 14, 186),
    Part("landing bucket", "S3", "start", 238, 14, 134),
    Part("s3Events", "notification", "notification", 412, 14, 92),
    Part("start_workflow_function", "Lambda", "start", 544, 14, 204),
    Part("redshift-workflows-start", "trigger, on demand", "workflow", 22, 118, 202),
    Part("s3_crawler", "Glue crawler", "crawlers", 256, 118, 100),
    Part("s3-crawler-event", "trigger, ANY", "workflow", 388, 118, 164),
    Part("s3_to_redshift_job", "Glue job", "job", 584, 118, 154),
    Part("toll-raw-db", "Glue Data Catalog", "crawlers", 22, 208, 138),
    Part("Redshift-Crawler", "Glue crawler", "crawlers", 200, 208, 150),
    Part("redshift_conn", "connection and secret", "secrets", 390, 208, 162),
    Part("staging bucket", "S3", "start", 594, 208, 132),
    Part("toll_db.public.toll_table", "Redshift", "redshift", 378, 298, 204),
    Part("your SQL", "query editor, driver, Data API", "query", 22, 298, 208),
)

WORDS = (  # the path of the data, line by line
    ("toll_plaza_application", "landing bucket", "s3Events", "start_workflow_function"),
    ("redshift-workflows-start", "s3_crawler", "s3-crawler-event", "s3_to_redshift_job"),
    ("staging bucket", "toll_db.public.toll_table", "your SQL"),
)

EXACTLY_ONCE = {
    "start_workflow_function": "start_workflow_reliably",
    "redshift-workflows-start": "exactly-once-start",
    "s3-crawler-event": "exactly-once-event",
    "s3_to_redshift_job": "exactly_once_job",
    "redshift_workflow": "exactly_once_workflow",
}
"""The exactly-once delivery's replacements for described parts. The picture of `reliability` shows these instead."""

MORE_PARTS = (
    Part("markers", "S3, staging bucket", "reliability", 610, 102, 138),
    Part("retry queue", "SQS", "reliability", 464, 102, 114),
    Part("dead-letter queue", "SQS", "reliability", 194, 102, 160),
    Part("etl.toll_ledger", "Redshift", "reliability", 606, 298 + QUEUES, 130),
)
"""The exactly-once delivery's additional parts."""

FRAMES: tuple[tuple[str, int, str, int, int, int, int], ...] = (  # title and its baseline, step, x, y, width, height
    ("redshift_workflow", 110, "workflow", 12, 92, 736, 84),
    ("VPC 10.0.0.0/16", 366, "network", 366, 286, 382, 90),
)

ARROWS = (  # label, the step that the arrow appears with, corners; the label is at the right of the first one
    ("", "start", "198,38 234,38"),
    ("", "notification", "372,38 408,38"),
    ("", "notification", "504,38 540,38"),
    ("", "workflow", "594,62 594,77 126,77 126,114"),
    ("", "workflow", "224,142 252,142"),
    ("", "workflow", "356,142 384,142"),
    ("", "workflow", "552,142 580,142"),
    ("", "crawlers", "306,166 306,192 91,192 91,204"),
    ("", "crawlers", "200,232 164,232"),
    ("", "crawlers", "390,232 354,232"),
    ("", "secrets", "470,298 470,260"),
    ("", "job", "660,166 660,204"),
    ("COPY", "job", "620,256 620,271 540,271 540,294"),
    ("", "query", "378,322 234,322"),
)

MORE_ARROWS = (
    ("", "reliability", "556,62 556,98"),
    ("", "reliability", "570,102 570,66"),
    ("", "reliability", "679,62 679,98"),
    ("", "reliability", "464,126 358,126"),
    ("", "reliability", f"690,{256 + QUEUES} 690,{294 + QUEUES}"),
)
GIVEN_UP = ("given up", 381, 119)
"""A label of the exactly-once delivery: an event that is given up goes from the retry queue to the dead letters."""

CARD, CARD_LINE = "#ffffff", "#d0d7de"
STYLE = {  # fill, line, text, dashes
    Stage.DONE: ("#ffffff", "#57606a", "#24292f", ""),
    Stage.TODAY: ("#fff1cc", "#b35900", "#5c3500", ""),
    Stage.TO_COME: ("#f6f8fa", "#818b98", "#57606a", "4 3"),
}
LEGEND = ((Stage.DONE, "exists", 22), (Stage.TODAY, "today", 112), (Stage.TO_COME, "comes later", 196))
LEGEND_OF_CLEANUP = ((Stage.TO_COME, "removed today", 22),)


@dataclass(frozen=True)
class Picture:
    """The pipeline at the time of one step. JupyterLab shows a drawing, a terminal shows words."""

    step: str

    def stage(self, step: str, title: str = "") -> Stage:
        """The stage of the parts that `step` makes, or of the part with this title."""
        if self.step == "cleanup":
            return Stage.TO_COME
        if self.step == "reliability" and title in EXACTLY_ONCE.values():
            return Stage.TODAY
        today, other = STORY.index(self.step), STORY.index(step)
        return Stage.TODAY if other == today else Stage.DONE if other < today else Stage.TO_COME

    def __repr__(self) -> str:
        """The pipeline in words, with the lit parts in brackets."""
        lines = [" → ".join(self._word(title, lit="[{}]") for title in line) for line in WORDS]
        return "\n  → ".join(lines) + f"\n{self.today}"

    @property
    def today(self) -> str:
        """The lit parts, in one line."""
        lit = [part.title for part in self.parts if self.stage(part.step, part.title) is Stage.TODAY]
        frames = [(self._named(title), step) for title, _, step, *_ in FRAMES]
        lit += [title for title, step in frames if self.stage(step, title) is Stage.TODAY and title not in lit]
        return f"Today: {', '.join(lit)}" if lit else "Today: everything is removed"

    @property
    def words(self) -> str:
        """The stages in their order, and today's parts: what someone who can't see the picture reads."""
        stages = " → ".join(self._word(title, lit="{}") for line in WORDS for title in line)
        return f"The pipeline: {stages}. {self.today}."

    @property
    def file(self) -> str:
        """The name of the picture's file in `docs/images`."""
        return f"pipeline-{STORY.index(self.step):02}-{self.step}.svg"

    @property
    def markdown(self) -> str:
        """The Markdown image that the step's notebook shows."""
        return f"![{self.words}](../docs/images/{self.file})"

    @property
    def parts(self) -> tuple[Part, ...]:
        """The boxes."""
        placed = [dataclasses.replace(one, title=self._named(one.title), y=one.y + self._down(one.y)) for one in PARTS]
        return (*placed, *(MORE_PARTS if self._is_exactly_once else ()))

    @property
    def _is_exactly_once(self) -> bool:
        return self.step == "reliability"

    def _named(self, title: str) -> str:
        return EXACTLY_ONCE.get(title, title) if self._is_exactly_once else title

    def _down(self, y: int) -> int:
        """How far something at this height is moved down, to make place for the queues."""
        return QUEUES if self._is_exactly_once and y > FIRST_ROW_ENDS else 0

    def _word(self, title: str, lit: str) -> str:
        step = next(part.step for part in PARTS if part.title == title)
        shown = self._named(title)
        return lit.format(shown) if self.stage(step, shown) is Stage.TODAY else shown

    def _repr_svg_(self) -> str:
        return "".join(self.drawing())

    def drawing(self) -> Iterator[str]:
        """The lines of the SVG file."""
        height = HEIGHT + (QUEUES if self._is_exactly_once else 0)
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" font-family="system-ui, sans-serif" font-size="13">\n'
        )
        yield f"<title>{html.escape(self.today)}</title>\n<desc>{html.escape(self.words)}</desc>\n<defs>"
        for stage in Stage:
            yield (
                f'<marker id="{stage.name.lower()}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
                f'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="{STYLE[stage][1]}"/></marker>'
            )
        yield (
            f'</defs>\n<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" fill="{CARD}" '
            f'stroke="{CARD_LINE}"/>\n'
        )
        for title, baseline, step, x, y, width, tall in FRAMES:
            down = self._down(y)
            yield self._frame(self._named(title), baseline + down, step, x, y + down, width, tall)
        for says, step, corners in ARROWS:
            yield self._arrow(says, step, [(left, top + self._down(top)) for left, top in _points(corners)])
        if self._is_exactly_once:
            for says, step, corners in MORE_ARROWS:
                yield self._arrow(says, step, _points(corners))
            label, at, baseline = GIVEN_UP
            yield f'<text x="{at}" y="{baseline}" fill="{STYLE[Stage.TODAY][2]}">{label}</text>\n'
        for part in self.parts:
            yield self._box(part)
        for stage, says, x in LEGEND_OF_CLEANUP if self.step == "cleanup" else LEGEND:
            yield _swatch(stage, says, x, height - 26)
        yield "</svg>\n"

    def _frame(self, title: str, baseline: int, step: str, x: int, y: int, width: int, height: int) -> str:
        _fill, line, text, _dashes = STYLE[self.stage(step, title)]
        return (
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="none" stroke="{line}" '
            f'stroke-dasharray="6 4"/><text x="{x + width - 10}" y="{baseline}" fill="{text}" '
            f'text-anchor="end" font-style="italic">{html.escape(title)}</text>\n'
        )

    def _arrow(self, says: str, step: str, corners: list[tuple[int, int]]) -> str:
        stage = self.stage(step)
        _fill, line, text, dashes = STYLE[stage]
        points = " ".join(f"{x},{y}" for x, y in corners)
        drawn = (
            f'<polyline points="{points}" fill="none" stroke="{line}" stroke-width="1.5" '
            f'stroke-dasharray="{dashes}" marker-end="url(#{stage.name.lower()})"/>'
        )
        if says:
            x, y = corners[0]
            drawn += f'<text x="{x + 8}" y="{y + 18}" fill="{text}">{html.escape(says)}</text>'
        return drawn + "\n"

    def _box(self, part: Part) -> str:
        stage = self.stage(part.step, part.title)
        fill, line, text, dashes = STYLE[stage]
        middle = part.x + part.width // 2
        weight = "700" if stage is Stage.TODAY else "400"
        return (
            f'<rect x="{part.x}" y="{part.y}" width="{part.width}" height="{part.height}" rx="6" fill="{fill}" '
            f'stroke="{line}" stroke-width="{2 if stage is Stage.TODAY else 1}" stroke-dasharray="{dashes}"/>'
            f'<text x="{middle}" y="{part.y + 21}" text-anchor="middle" fill="{text}" font-size="14" '
            f'font-weight="{weight}">{html.escape(part.title)}</text>'
            f'<text x="{middle}" y="{part.y + 39}" text-anchor="middle" fill="{text}">{html.escape(part.kind)}</text>\n'
        )


def picture(step: str) -> Picture:
    """The picture with the parts of `step` lit.

    Raises:
        UsageError: there is no such step in the story.
    """
    if step not in STORY:
        raise UsageError(f"There is no picture of {step!r}.", fix=f"Pictures: {', '.join(STORY)}.")
    return Picture(step)


def _points(corners: str) -> list[tuple[int, int]]:
    pairs = (corner.split(",") for corner in corners.split())
    return [(int(x), int(y)) for x, y in pairs]


def _swatch(stage: Stage, says: str, x: int, y: int) -> str:
    """One entry of the legend."""
    fill, line, _text, dashes = STYLE[stage]
    return (
        f'<rect x="{x}" y="{y}" width="20" height="12" rx="3" fill="{fill}" stroke="{line}" '
        f'stroke-width="{2 if stage is Stage.TODAY else 1}" stroke-dasharray="{dashes}"/>'
        f'<text x="{x + 27}" y="{y + 11}" fill="{STYLE[Stage.DONE][2]}">{says}</text>\n'
    )
