"""A run of a workflow: what Glue's graph of it says, how it looks, and the list of the last runs."""

from __future__ import annotations

import functools
import html
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, SupportsIndex, TypeAlias, overload

from labkit.errors import LabError
from labkit.show.display import Described, hidden
from labkit.show.pipeline import Box, Pipeline, State
from labkit.show.surroundings import shows_times

ENDED = {"COMPLETED", "STOPPED", "ERROR"}
NOT_YET = datetime.max.replace(tzinfo=UTC)
"""The end of a run that is under way."""
NOT_STARTED = "not started"
STATES = {
    "SUCCEEDED": State.DONE, "RUNNING": State.RUNNING, "CANCELLING": State.RUNNING, "STOPPING": State.RUNNING,
    "STARTING": State.WAITING, "WAITING": State.WAITING,
}  # fmt: skip
"""The state of a crawl or a job run in Glue → the box's state. Everything else is a failure."""
LONGEST_KEY = 32
SPARK_STARTS = "Spark is starting: the first run takes some seconds"
BY_HAND, BY_EVENT = "by hand", "by S3's event"


@dataclass(frozen=True)
class Attempt:
    """A crawl, or one try of the job, in a run's graph."""

    state: str
    started: datetime | None = None
    ended: datetime | None = None
    message: str = ""
    run_id: str = ""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Attempt:
        """Read what Glue returns for a crawl or a job run."""
        state = raw.get("JobRunState") or raw.get("State", "")
        return cls(state, raw.get("StartedOn"), raw.get("CompletedOn"), raw.get("ErrorMessage", ""), raw.get("Id", ""))

    @property
    def seconds(self) -> float | None:
        """How long it took, or takes so far."""
        return _seconds(self.started, self.ended)


@dataclass(frozen=True)
class Followed:
    """The landed files that somebody waits for."""

    files: int
    records: int | None = None
    """The number of their records, if it is known without reading the files."""

    def __str__(self) -> str:
        files = _many(self.files, "file")
        return files if self.records is None else f"{files}, {_many(self.records, 'record')}"


@dataclass(frozen=True)
class Loaded:
    """The rows that a run has loaded and rejected. The described delivery rejects none."""

    rows: int
    rejected: int = 0

    def __str__(self) -> str:
        return f"{self.rows} loaded" + (f", {self.rejected} rejected" if self.rejected else "")


@dataclass(frozen=True)
class Run(Described):
    """A run of the workflow, with the states of its crawl and its job."""

    workflow: str
    status: str
    crawl: str
    job: str
    run_id: str = hidden()
    started: datetime = hidden()  # noqa: RUF009 - a dataclasses.field
    ended: datetime = hidden()  # noqa: RUF009 - a dataclasses.field
    job_run_id: str = hidden(default="")
    message: str = hidden(default="")
    landed_key: str = hidden(default="")
    """The key of the file that the run was started for, if an event started it."""
    crawls: tuple[Attempt, ...] = hidden(default=())
    job_runs: tuple[Attempt, ...] = hidden(default=())
    """The tries of the job, the first one first."""
    started_by: str = hidden(default="")
    """"by hand" or "by S3's event"; empty if it is not known."""
    followed: Followed | None = hidden(default=None)  # noqa: RUF009
    """The files that `lab.follow` waited for."""
    loaded: Loaded | None = hidden(default=None)  # noqa: RUF009
    """The rows that the run has loaded, if they were counted: see `known`."""
    paused: str = hidden(default="")
    """The trigger that starts the job, if it is deactivated."""
    look_up: LookUp | None = hidden(default=None, compare=False)  # noqa: RUF009
    """Asks the target what the graph does not say."""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Run:
        """Read what Glue's GetWorkflowRun returns."""
        nodes = raw.get("Graph", {}).get("Nodes", [])
        crawls = [Attempt.of(one) for node in nodes for one in node.get("CrawlerDetails", {}).get("Crawls", [])]
        tries = [one for node in nodes for one in node.get("JobDetails", {}).get("JobRuns", [])]
        # The last attempt decides: each retry is a new attempt.
        job_runs = [Attempt.of(one) for one in sorted(tries, key=lambda one: one.get("Attempt", 0))]
        messages = [one.message for one in (*crawls, *job_runs) if one.message]
        triggers = [node["TriggerDetails"]["Trigger"] for node in nodes if "Trigger" in node.get("TriggerDetails", {})]
        paused = [one["Name"] for one in triggers if one.get("State") in ("DEACTIVATED", "DEACTIVATING")]
        key = raw.get("WorkflowRunProperties", {}).get("landed_key", "")
        return cls(
            workflow=raw["Name"],
            status=raw["Status"],
            crawl=crawls[-1].state if crawls else NOT_STARTED,
            job=job_runs[-1].state if job_runs else NOT_STARTED,
            run_id=raw["WorkflowRunId"],
            started=raw["StartedOn"],
            ended=raw.get("CompletedOn", NOT_YET),
            job_run_id=job_runs[-1].run_id if job_runs else "",
            message=raw.get("ErrorMessage", messages[-1] if messages else ""),
            landed_key=key,
            crawls=tuple(crawls),
            job_runs=tuple(job_runs),
            started_by=BY_EVENT if key else "",
            paused=paused[0] if paused else "",
        )

    @property
    def succeeded(self) -> bool:
        """Whether the crawl and the job succeeded. A run whose job failed is COMPLETED as well."""
        return (self.status, self.crawl, self.job) == ("COMPLETED", "SUCCEEDED", "SUCCEEDED")

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status in ENDED

    @property
    def seconds(self) -> float | None:
        """How long it took, or takes so far."""
        return _seconds(self.started, None if self.ended == NOT_YET else self.ended)

    def had_its_job_at(self, moment: datetime) -> bool:
        """Whether its job ran at this time."""
        return any(one.started and one.started <= moment <= (one.ended or NOT_YET) for one in self.job_runs)

    def pipeline(self, lines: Iterable[str] = (), fix: str = "", function: Box | None = None) -> Pipeline:
        """The run as boxes, from the landed object to the rows. `lines` and `fix` are shown if a part failed.

        `function` is the start function's box while it is not known what started the run.
        """
        title = f"{self.workflow}, started {self.started_by}" if self.started_by else self.workflow
        boxes = (*self._cause(function), self._run_box(), self._crawl_box(), self._job_box(), self._rows_box())
        return Pipeline(title, boxes, tuple(lines), fix)

    def known(self) -> Run:
        """The run with what started it and how many rows it has loaded. They are looked up once, when it is shown."""
        return self._looked_up

    @functools.cached_property
    def _looked_up(self) -> Run:
        if self.look_up is None:
            return self
        try:
            return self.look_up((self,))[0]
        except LabError:  # the display shows what is known
            return self

    def __str__(self) -> str:
        return str(self.known().pipeline())

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))  # in this class, because IPython prefers a class's own __repr__ to its base's method

    def _repr_html_(self) -> str:
        return self.known().pipeline()._repr_html_()

    def _cause(self, function: Box | None) -> Iterator[Box]:
        """The boxes before the run, as far as it is known what started it."""
        if self.started_by == BY_HAND:
            yield from (Box("object", State.BY_HAND), Box("function", State.BY_HAND))
        elif self.followed or self.started_by:
            yield Box("object", State.DONE, str(self.followed or ""))
        if self.started_by == BY_EVENT:
            yield Box("function", State.DONE)
        elif function and not self.started_by:
            yield function

    def _run_box(self) -> Box:
        state = State.RUNNING
        if self.is_over:
            state = State.DONE if self.status == "COMPLETED" else State.FAILED
        # Glue calls a run COMPLETED even if a part of it failed.
        what = "" if self.succeeded or not self.is_over else self.status
        return Box("workflow run", state, what, self.seconds)

    def _crawl_box(self) -> Box:
        if not self.crawls:
            return Box("crawl", State.NOT_STARTED if self.is_over else State.WAITING)
        crawl = self.crawls[-1]
        state = STATES.get(crawl.state, State.FAILED)
        return Box("crawl", state, "", crawl.seconds, crawl.message if state is State.FAILED else "")

    def _job_box(self) -> Box:
        if not self.job_runs:
            paused = f"the trigger {self.paused} is deactivated" if self.paused else ""
            return Box("job", State.NOT_STARTED if self.is_over else State.WAITING, reason=paused)
        last = self.job_runs[-1]
        state = STATES.get(last.state, State.FAILED)
        what = f"attempt {len(self.job_runs)}" if len(self.job_runs) > 1 else ""
        reason = ""
        if state is State.FAILED:
            reason = last.message or last.state
        elif len(self.job_runs) > 1 and not self.succeeded:
            reason = f"attempt {len(self.job_runs) - 1} failed: {self.job_runs[-2].message or self.job_runs[-2].state}"
        elif state is State.WAITING:
            reason = SPARK_STARTS if last.state == "STARTING" else f"the job run is {last.state}"
        return Box("job", state, what, last.seconds, reason)

    def _rows_box(self) -> Box:
        if self.job != "SUCCEEDED":
            return Box("rows", State.NOT_STARTED if self.is_over else State.WAITING)
        # Which files one of several runs has read depends on chance, so such a count is shown only where nobody
        # compares it.
        certain = self.followed is not None and self.followed.files == 1
        shown = self.loaded if certain or shows_times() else None
        return Box("rows", State.DONE, str(shown or ""))


def before_the_run(workflow: str, followed: Followed, function: Box, other_run: str = "") -> Pipeline:
    """The boxes while no run that began after the files landed is there. `other_run` says what goes on instead."""
    run = Box("workflow run", State.WAITING, reason=other_run)
    waiting = (Box(name, State.WAITING) for name in ("crawl", "job", "rows"))
    return Pipeline(workflow, (Box("object", State.DONE, str(followed)), function, run, *waiting))


LookUp: TypeAlias = Callable[[tuple[Run, ...]], tuple[Run, ...]]


class Runs(tuple[Run, ...]):
    """Runs of a workflow, newest first: a tuple with a table as its display.

    Times are UTC, and those of today have no date. What started each run and how many rows it loaded are looked up when
    the table is shown.
    """

    look_up: LookUp

    def __new__(cls, runs: Iterable[Run], look_up: LookUp) -> Runs:
        made = super().__new__(cls, runs)
        made.look_up = look_up
        return made

    @overload
    def __getitem__(self, place: SupportsIndex) -> Run: ...
    @overload
    def __getitem__(self, place: slice) -> Runs: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Run | Runs:
        if isinstance(place, slice):
            return Runs(super().__getitem__(place), self.look_up)
        return super().__getitem__(place)

    def rows(self, *, times: bool) -> Iterator[tuple[str, ...]]:
        """The table, its header first."""
        header = ("started", "cause", "crawl", "job", "rows", "state", "seconds")
        yield header if times else header[1:-1]
        for run in self.known():
            cause = run.landed_key or run.started_by
            seconds = "" if run.seconds is None else f"{run.seconds:.0f}"
            rows = "" if run.loaded is None else str(run.loaded.rows)
            line = (_moment(run.started), _shortened(cause), run.crawl, run.job, rows, run.status, seconds)
            yield line if times else line[1:-1]

    def __str__(self) -> str:
        if not self:
            return "No run yet."
        rows = list(self.rows(times=shows_times()))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join(line.rstrip() for line in lines)

    __repr__ = __str__

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        if not self:
            return "<div>No run yet.</div>"
        header, *rows = self.rows(times=shows_times())
        body = _table_row("th", header) + "".join(_table_row("td", row) for row in rows)
        return f"<table>{body}</table>"

    def known(self) -> tuple[Run, ...]:
        """The runs with what can be looked up about them. If AWS refuses a look-up, the table is shown without it."""
        try:
            return self.look_up(tuple(self))
        except LabError:
            return tuple(self)


def _table_row(tag: str, cells: Iterable[str]) -> str:
    style = ' style="text-align:left"'
    return "<tr>" + "".join(f"<{tag}{style}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def graph_of(raw: Mapping[str, Any]) -> Pipeline:
    """Glue's graph of a run as boxes: its triggers, crawlers and jobs, each before those that it leads to."""
    nodes = {node["UniqueId"]: node for node in raw.get("Graph", {}).get("Nodes", [])}
    leads_to: dict[str, list[str]] = {unique: [] for unique in nodes}
    for edge in raw.get("Graph", {}).get("Edges", []):
        leads_to[edge["SourceId"]].append(edge["DestinationId"])
    order = _in_order(leads_to)
    is_chain = all(leads_to[one] == [other] for one, other in itertools.pairwise(order))
    boxes = []
    for unique in order:
        after = [nodes[other] for other in leads_to[unique]]
        box = _node_box(nodes[unique], after, is_over=raw["Status"] in ENDED)
        if not is_chain:
            what = ", ".join(filter(None, (box.what, "to " + ", ".join(one["Name"] for one in after) if after else "")))
            box = Box(box.name, box.state, what, box.seconds, box.reason)
        boxes.append(box)
    return Pipeline(f"{raw['Name']}: {raw['Status']}", tuple(boxes))


def _in_order(leads_to: Mapping[str, list[str]]) -> list[str]:
    """The nodes, each before those that it leads to."""
    placed: list[str] = []

    def place(unique: str) -> None:
        if unique not in placed and unique not in under_way:
            under_way.add(unique)
            for other in leads_to[unique]:
                place(other)
            placed.insert(0, unique)

    under_way: set[str] = set()
    for unique in reversed(list(leads_to)):
        place(unique)
    return placed


def _node_box(node: Mapping[str, Any], after: Iterable[Mapping[str, Any]], *, is_over: bool) -> Box:
    kind, idle = node["Type"].lower(), State.NOT_STARTED if is_over else State.WAITING
    tries = _attempts(node)
    if kind == "trigger":
        trigger = node.get("TriggerDetails", {}).get("Trigger", {})
        has_fired = any(_attempts(other) for other in after)
        what = " ".join(filter(None, (trigger.get("Type", ""), kind, trigger.get("State", ""))))
        return Box(node["Name"], State.DONE if has_fired else idle, what)
    if not tries:
        return Box(node["Name"], idle, kind)
    last = tries[-1]
    state = STATES.get(last.state, State.FAILED)
    return Box(node["Name"], state, f"{kind} {last.state}", last.seconds, last.message if state is State.FAILED else "")


def _attempts(node: Mapping[str, Any]) -> list[Attempt]:
    raw = [*node.get("CrawlerDetails", {}).get("Crawls", []), *node.get("JobDetails", {}).get("JobRuns", [])]
    return [Attempt.of(one) for one in sorted(raw, key=lambda one: one.get("Attempt", 0))]


def _seconds(started: datetime | None, ended: datetime | None) -> float | None:
    """From the start to the end, or to now. Clocks differ a little, so it may be below 0, which is shown as 0."""
    if started is None:
        return None
    return max(0.0, ((ended or datetime.now(UTC)) - started).total_seconds())


def _moment(moment: datetime) -> str:
    """A time of today, or a day and a time."""
    is_today = moment.date() == datetime.now(moment.tzinfo).date()
    return f"{moment:%H:%M:%S}" if is_today else f"{moment:%Y-%m-%d %H:%M:%S}"


def _shortened(key: str) -> str:
    """A key that fits into a table. `landed_key` has the whole one."""
    return key if len(key) <= LONGEST_KEY else f"{key[: LONGEST_KEY - 10]}…{key[-9:]}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
