"""For people who join late: creates what the notebooks before a given one create, and lands and loads their data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from labkit import project
from labkit.calls import found
from labkit.data import landing
from labkit.delivery import Delivery
from labkit.errors import UsageError
from labkit.show.display import Described
from labkit.steps.lab_steps import LabSteps
from labkit.tools import sending

ROWS, UNTIL = 100, "2023-08-31"
LANDS = {"00": 1, "06": 2, "07": 3, "08": 4}
"""Notebook number → the seed of the file that the notebook lands: the defaults of the notebooks' parameters."""
CRAWLS, RUNS_JOB = "04", "05"
WITH_DESCRIBED_DELIVERY = ("05", "06", "07", "08", "09")


@dataclass(frozen=True)
class CaughtUp(Described):
    """What was made for each notebook, and which notebook can be run now."""

    made: tuple[tuple[str, tuple[str, ...]], ...]
    next: str

    def shown(self) -> Iterator[tuple[str, str]]:
        """A line for each notebook."""
        for notebook, made in self.made:
            yield notebook, ", ".join(made)
        yield "next", f"notebook {self.next}"


def catch_up(lab: LabSteps, notebook: str | int) -> CaughtUp:
    """Create what the notebooks before this one create, and skip what is already there.

    Args:
        lab: the lab.
        notebook: a notebook's number or name: "05", 5 or "05_job".

    Raises:
        UsageError: there is no such notebook.
        WrongDelivery: the notebook works with the described delivery, and the other one is in use.
    """
    names = _notebooks()
    chosen = _chosen(notebook, names)
    if chosen[:2] in WITH_DESCRIBED_DELIVERY:
        lab.require(Delivery.AS_DESCRIBED, f"Notebook {chosen}")
    earlier = names[: names.index(chosen)]
    lab.consent(*(step.name for step in lab.steps if step.notebook in earlier))
    return CaughtUp(tuple((name, tuple(_do(lab, name))) for name in earlier), chosen)


def _do(lab: LabSteps, notebook: str) -> Iterator[str]:
    """Do what this notebook does, and yield each thing that was made."""
    number = notebook[:2]
    for step in lab.steps:
        if step.notebook == notebook:
            step.create()
            yield step.name
    if number in LANDS and _land(lab, number):
        yield "a landed file"
    if number == CRAWLS and not _is_crawled(lab):
        lab.crawlers.crawl_s3()
        yield "a crawl of the landing bucket"
    if number >= RUNS_JOB and lab.unread_files():
        lab.load() if number > RUNS_JOB or lab.owner is Delivery.EXACTLY_ONCE else lab.job.run()
        yield "a load of what had landed"


def _land(lab: LabSteps, number: str) -> bool:
    """Land this notebook's file, unless as many files have landed as this notebook and the ones before it land."""
    wanted = sum(1 for other in LANDS if other <= number)
    there = {file.key for file in landing.data_files(lab.session) if file.is_current}
    if len(there) >= wanted:
        return False
    sending.generate(lab, rows=ROWS, count=1, seed=LANDS[number], until=UNTIL)
    return True


def _is_crawled(lab: LabSteps) -> bool:
    names, glue = lab.names, lab.session.client("glue")
    return found(glue.get_table, DatabaseName=names.glue_database, Name=names.source_table) is not None


def _notebooks() -> list[str]:
    return sorted(file.stem for file in project.folder("notebooks").glob("[0-9][0-9]_*.ipynb"))


def _chosen(notebook: str | int, names: list[str]) -> str:
    text = f"{notebook:02d}" if isinstance(notebook, int) and not isinstance(notebook, bool) else str(notebook)
    for name in names:
        if text in (name, name[:2], name[:2].removeprefix("0"), f"{name}.ipynb"):
            return name
    raise UsageError(f"There is no notebook {notebook!r}.", fix=f"Notebooks: {', '.join(names)}.")
