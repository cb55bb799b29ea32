"""`labkit run`: runs the notebooks in order with papermill, each in its own kernel."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from labkit.errors import LabError, NotebookFailed, TasksNotSolved
from labkit.lab import Lab
from labkit.origins import NOTEBOOKS
from labkit.tasks import cells as task_cells
from labkit.tools.kernels import ENGINE, Kernels
from labkit.tools.notebook_files import SOLVE, parameters_for
from labkit.tools.notebook_links import for_a_run
from labkit.tools.run_facts import ROWS, Facts
from labkit.tools.run_progress import Progress

STATUS = "See: labkit status"
TEARDOWN = "10_cleanup"
"""The lab is looked at before this notebook runs, because nothing is left to look at afterwards."""
FIRST_JOB = "05_job"
"""The first notebook that needs Spark, and that loads rows."""
COUNTS_ROWS = "08_query"
"""If this notebook has run, there are rows to count."""
TERMINAL_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Executed:
    """One executed notebook."""

    name: str
    file: Path
    seconds: float
    failure: LabError | None = None


@dataclass
class Batch:
    """The result of a run of the notebooks."""

    directory: Path
    began: datetime
    target: str = "local"
    given: Mapping[str, Any] = field(default_factory=dict)
    """The parameters."""
    executed: list[Executed] = field(default_factory=list)
    not_executed: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)
    seconds: float = 0.0

    @property
    def failure(self) -> LabError | None:
        """Why the run ended early."""
        return self.executed[-1].failure if self.executed else None

    @property
    def problem(self) -> LabError | None:
        """Why this run counts as failed; None if every notebook ran, and the rows agree or need not agree yet."""
        if self.failure:
            return self.failure
        counts = self.facts.counts
        if counts is None and (ROWS in self.facts.unknown or self.ran(COUNTS_ROWS)):
            return LabError("The rows could not be counted.", where=self.facts.unknown.get(ROWS, ""), fix=STATUS)
        if counts is not None and not counts.agree and not self.rows_wait:
            return LabError(f"The rows don't agree: {counts.sentence}.", fix=STATUS)
        return None

    @property
    def doubts(self) -> tuple[str, ...]:
        """What may be wrong although every notebook ran: what could not be found out, and checks that failed."""
        checks = () if self.facts.checks is None else self.facts.checks.checks
        wrong = (check.step for check in checks if not check.ok and self.ran(NOTEBOOKS[check.step]))
        unknown = (f"not known: {what}: {why}" for what, why in self.facts.unknown.items())
        return (*unknown, *(f"the check of step {step} failed" for step in wrong))

    @property
    def rows_wait(self) -> bool:
        """Whether landed rows only wait for their load, and no executed notebook loads rows."""
        loads = any(FIRST_JOB <= executed.name < TEARDOWN for executed in self.executed)
        return self.facts.counts is not None and self.facts.counts.only_wait and not loads

    @property
    def rows(self) -> str:
        """The rows of the whole lab, in a sentence without a full stop."""
        counts = self.facts.counts
        if counts is None:
            return "not counted, since there is no table yet"
        if self.rows_wait:
            return f"{counts.landed:,} landed, {counts.queried:,} in the table; notebook {FIRST_JOB} loads what waits"
        return counts.sentence

    def ran(self, notebook: str) -> bool:
        """Whether this notebook is one of those that were executed."""
        return any(executed.name == notebook for executed in self.executed)


def run(
    lab: Lab,
    files: Sequence[Path],
    given: Mapping[str, Any],
    progress: Progress,
    on_executed: Callable[[Path], None] = lambda _: None,
) -> Batch:
    """Execute the notebooks into `<the setting runs>/<time>/`, and stop at the first that fails.

    The lab is looked at before the teardown notebook, or after the last notebook if the teardown is not among them.

    Args:
        lab: for the facts of the report; each notebook makes its own Lab.
        files: the notebooks.
        given: the values of parameters, from `check_parameters`. Each notebook gets those that it takes. With
            `solve`, its tasks are solved before it is executed.
        progress: shows how far the run is.
        on_executed: called with each executed notebook.
    """
    began = datetime.now()
    clock = time.monotonic()
    batch = Batch(_new_directory(lab.config.runs, began), began, str(lab.config.target), given)
    looked = False
    try:
        with Kernels(len(files)) as kernels:
            for file in files:
                if file.stem == TEARDOWN:
                    batch.facts, looked = Facts.of(lab), True
                executed = _execute(file, batch.directory / file.name, given, kernels, progress)
                batch.executed.append(executed)
                on_executed(executed.file)
                progress.ended(executed.name, executed.seconds, failed=executed.failure is not None)
                if executed.failure:
                    break
    finally:
        progress.close()
    batch.not_executed = tuple(file.stem for file in files[len(batch.executed) :])
    if not looked:
        batch.facts = Facts.of(lab)
    batch.seconds = time.monotonic() - clock
    return batch


def _execute(file: Path, output: Path, given: Mapping[str, Any], kernels: Kernels, progress: Progress) -> Executed:
    began = time.monotonic()
    notebook = for_a_run(nbformat.read(file, as_version=4), file.parent, output.parent)
    if given.get(SOLVE):
        notebook = task_cells.solved(notebook)
    failure: LabError | None = None
    try:
        papermill.execute_notebook(
            notebook,
            output,
            parameters=parameters_for(file, given),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            engine_name=ENGINE,
            kernel=kernels.take(),
            progress=lambda number, cells: progress.cell(file.stem, number, cells),
        )
    except (PapermillExecutionError, RuntimeError) as failed:  # the second one if the kernel does not start, or dies
        failure = _failure(file.stem, output, failed)
    else:
        if given.get(SOLVE) and (unsolved := task_cells.unsolved(json.loads(output.read_text()))):
            failure = TasksNotSolved(file.stem, unsolved, output)
    return Executed(file.stem, output, time.monotonic() - began, failure)


def _failure(name: str, executed: Path, error: Exception) -> NotebookFailed:
    """The error for the cell that failed, with the number that JupyterLab shows for it."""
    for cell in json.loads(executed.read_text())["cells"]:
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                number, source = cell.get("execution_count") or 0, "".join(cell["source"])
                kind, message = output["ename"], str(output["evalue"]).removeprefix(f"{output['ename']}: ")
                return NotebookFailed(name, number, kind, message, executed, source=source, line=_line(output))
    return NotebookFailed(name, 0, type(error).__name__, str(error), executed)


def _line(error: dict[str, Any]) -> int:
    """The line of the cell that raised, from IPython's traceback; 0 if that does not say."""
    traceback = TERMINAL_COLOURS.sub("", "\n".join(error.get("traceback", [])))
    found = re.search(r"Cell In\[\d+\], line (\d+)", traceback)
    return int(found[1]) if found else 0


def _new_directory(runs: Path, began: datetime) -> Path:
    directory = runs / f"{began:%Y-%m-%d_%H-%M-%S}"
    number = 1
    while directory.exists():
        number += 1
        directory = directory.with_name(f"{directory.name.split('.')[0]}.{number}")
    directory.mkdir(parents=True)
    return directory
