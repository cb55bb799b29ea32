"""The picture of the pipeline at the top of each notebook: what exists, what this notebook adds, what comes later.

>>> from labkit.show.picture import picture
>>> picture("crawlers")
"""

from __future__ import annotations

import dataclasses
import html
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
    height: int = 46


STORY = (
    "start", "network", "redshift", "secrets", "crawlers", "job", "workflow", "notification", "query", "reliability",
    "cleanup",
)  # fmt: skip
"""The notebooks' steps in order; `start` stands for buckets, roles and functions."""

PARTS = (
    Part("toll_plaza_application", "Lambda", "start", 20, 20, 190),
    Part("landing bucket", "S3", "start", 262, 20, 130),
    Part("s3Events", "notification", "notification", 444, 20, 110),
    Part("start_workflow_function", "Lambda", "start", 606, 20, 194),
    Part("redshift-workflows-start", "trigger, on demand", "workflow", 36, 128, 190),
    Part("s3_crawler", "Glue crawler", "crawlers", 262, 128, 130),
    Part("s3-crawler-event", "trigger, ANY", "workflow", 430, 128, 138),
    Part("s3_to_redshift_job", "Glue job", "job", 606, 128, 178),
    Part("toll-raw-db", "Glue Data Catalog", "crawlers", 36, 236, 150),
    Part("Redshift-Crawler", "Glue crawler", "crawlers", 236, 236, 150),
    Part("redshift_conn", "connection and secret", "secrets", 430, 236, 150),
    Part("staging bucket", "S3", "start", 640, 236, 130),
    Part("toll_db.public.toll_table", "Redshift", "redshift", 430, 346, 220),
    Part("your SQL", "query editor, driver, Data API", "query", 36, 346, 210),
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
    Part("queues", "SQS", "reliability", 836, 20, 90),
    Part("etl.toll_ledger", "Redshift", "reliability", 668, 346, 124),
)
"""The exactly-once delivery's additional parts."""

MORE_ARROWS = (("", "reliability", "800,36 832,36"), ("", "reliability", "836,50 804,50"))

FRAMES: tuple[tuple[str, str, int, int, int, int], ...] = (  # title, step, x, y, width, height
    ("redshift_workflow", "workflow", 20, 100, 780, 88),
    ("VPC 10.0.0.0/16", "network", 406, 318, 394, 88),
)

ARROWS = (  # label, the step that the arrow appears with, corners
    ("", "start", "210,43 258,43"),
    ("", "notification", "392,43 440,43"),
    ("", "notification", "554,43 602,43"),
    ("", "workflow", "703,66 703,84 131,84 131,124"),
    ("", "workflow", "226,151 258,151"),
    ("", "workflow", "392,151 426,151"),
    ("", "workflow", "568,151 602,151"),
    ("", "crawlers", "300,174 300,205 111,205 111,232"),
    ("", "crawlers", "236,259 190,259"),
    ("", "crawlers", "430,259 390,259"),
    ("", "secrets", "505,346 505,286"),
    ("", "job", "705,174 705,232"),
    ("COPY", "job", "645,282 645,342"),
    ("", "query", "430,369 250,369"),
)

STYLE = {  # fill, line, text, dashes
    Stage.DONE: ("#ffffff", "#57606a", "#24292f", ""),
    Stage.TODAY: ("#fff1cc", "#c77700", "#5c3500", ""),
    Stage.TO_COME: ("#f6f8fa", "#c3cad2", "#8c959f", "4 3"),
}


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
        """The pipeline in words, with the lit parts in brackets.

        For terminals, and for JupyterLab until it trusts a notebook.
        """
        lines = [" → ".join(map(self._word, line)) for line in WORDS]
        return "\n  → ".join(lines) + f"\n{self.today}"

    @property
    def today(self) -> str:
        """The lit parts, in one line."""
        lit = [part.title for part in self.parts if self.stage(part.step, part.title) is Stage.TODAY]
        frames = [(self._named(title), step) for title, step, *_ in FRAMES]
        lit += [title for title, step in frames if self.stage(step, title) is Stage.TODAY and title not in lit]
        return f"Today: {', '.join(lit)}" if lit else "Today: nothing is left of it"

    @property
    def parts(self) -> tuple[Part, ...]:
        """The boxes."""
        named = tuple(dataclasses.replace(part, title=self._named(part.title)) for part in PARTS)
        return named + MORE_PARTS if self.step == "reliability" else named

    def _named(self, title: str) -> str:
        return EXACTLY_ONCE.get(title, title) if self.step == "reliability" else title

    def _word(self, title: str) -> str:
        step = next(part.step for part in PARTS if part.title == title)
        shown = self._named(title)
        return f"[{shown}]" if self.stage(step, shown) is Stage.TODAY else shown

    def _repr_svg_(self) -> str:
        width = 946 if self.step == "reliability" else 820
        frames = "".join(self._frame(self._named(title), step, *place) for title, step, *place in FRAMES)
        arrows = "".join(self._arrow(*arrow) for arrow in (*ARROWS, *(MORE_ARROWS if width > 820 else ())))
        parts = "".join(self._box(part) for part in self.parts)
        heads = "".join(
            f'<marker id="{stage.name.lower()}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="{STYLE[stage][1]}"/></marker>'
            for stage in Stage
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 424" width="{width}" height="424" '
            f'role="img" font-family="system-ui, sans-serif" font-size="12"><title>{html.escape(self.today)}</title>'
            f'<defs>{heads}</defs><rect width="{width}" height="424" rx="8" fill="#ffffff"/>'
            f"{frames}{arrows}{parts}</svg>"
        )

    def _frame(self, title: str, step: str, x: int, y: int, width: int, height: int) -> str:
        _fill, line, text, _dashes = STYLE[self.stage(step, title)]
        return (
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="none" stroke="{line}" '
            f'stroke-dasharray="6 4"/><text x="{x + width - 10}" y="{y + 17}" fill="{text}" '
            f'text-anchor="end" font-style="italic">{html.escape(title)}</text>'
        )

    def _arrow(self, says: str, step: str, corners: str) -> str:
        stage = self.stage(step)
        _fill, line, text, dashes = STYLE[stage]
        drawn = (
            f'<polyline points="{corners}" fill="none" stroke="{line}" stroke-width="1.5" '
            f'stroke-dasharray="{dashes}" marker-end="url(#{stage.name.lower()})"/>'
        )
        if not says:
            return drawn
        x, y = corners.split()[0].split(",")
        return f'{drawn}<text x="{int(x) + 8}" y="{int(y) + 22}" fill="{text}">{html.escape(says)}</text>'

    def _box(self, part: Part) -> str:
        stage = self.stage(part.step, part.title)
        fill, line, text, dashes = STYLE[stage]
        middle = part.x + part.width // 2
        weight = "700" if stage is Stage.TODAY else "600"
        return (
            f'<rect x="{part.x}" y="{part.y}" width="{part.width}" height="{part.height}" rx="6" fill="{fill}" '
            f'stroke="{line}" stroke-width="{2 if stage is Stage.TODAY else 1}" stroke-dasharray="{dashes}"/>'
            f'<text x="{middle}" y="{part.y + 20}" text-anchor="middle" fill="{text}" font-weight="{weight}">'
            f"{html.escape(part.title)}</text>"
            f'<text x="{middle}" y="{part.y + 36}" text-anchor="middle" fill="{text}" font-size="10.5">'
            f"{html.escape(part.kind)}</text>"
        )


def picture(step: str) -> Picture:
    """The picture with the parts of `step` lit.

    Raises:
        UsageError: there is no such step in the story.
    """
    if step not in STORY:
        raise UsageError(f"There is no picture of {step!r}.", fix=f"Pictures: {', '.join(STORY)}.")
    return Picture(step)
