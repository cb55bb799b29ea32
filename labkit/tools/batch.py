"""`labkit run`: runs the notebooks in order with papermill, each in its own kernel."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from labkit.errors import LabError, NotebookFailed
from labkit.lab import Lab
from labkit.tools.kernels import ENGINE, Kernels
from labkit.tools.notebook_files import SOLVE, parameters_for
from labkit.tools.notebook_links import for_a_run
from labkit.tools.run_facts import Facts
from labkit.tools.run_progress import Progress

STATUS = "See: labkit status"
TEARDOWN = "10_cleanup"
"""The lab is looked at before this notebook runs, because nothing is left to look at afterwards."""
FIRST_JOB = "05_job"
"""The first notebook that needs Spark."""
COUNTS_ROWS = "08_query"
"""If this notebook has run, there are rows to count."""
TERMINAL_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Executed:
    """One executed notebook."""

    name: str
    file: Path
    seconds: float
    error: str = ""


@dataclass
class Batch:
    """The result of a run of the notebooks."""

    directory: Path
    began: datetime
    executed: list[Executed] = field(default_factory=list)
    not_executed: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)
    failure: LabError | None = None
    """Why the run ended early."""
    seconds: float = 0.0

    @property
    def problem(self) -> LabError | None:
        """Why this run counts as failed; None if all is well."""
        if self.failure:
            return self.failure
        counts = self.facts.counts
        if counts is None and any(executed.name == COUNTS_ROWS for executed in self.executed):
            return LabError("The rows could not be counted.", where="\n".join(self.facts.unknown), fix=STATUS)
        if counts is not None and not counts.agree:
            return LabError(f"The rows don't agree: {counts.sentence}.", fix=STATUS)
        return None


def run(lab: Lab, files: Sequence[Path], given: Mapping[str, Any], progress: Progress) -> Batch:
    """Execute the notebooks into `<the setting runs>/<time>/`, and stop at the first that fails.

    The lab is looked at before the teardown notebook, or after the last notebook if the teardown is not among them.

    Args:
        lab: for the facts of the report; each notebook makes its own Lab.
        files: the notebooks.
        given: the values of parameters, from `read_parameters`. Each notebook gets those that it takes.
        progress: shows how far the run is.
    """
    began = datetime.now()
    clock = time.monotonic()
    batch = Batch(_new_directory(lab.config.runs, began), began)
    looked = False
    try:
        with Kernels(len(files)) as kernels:
            for file in files:
                if file.stem == TEARDOWN:
                    batch.facts, looked = Facts.of(lab), True
                executed = _execute(file, batch.directory / file.name, given, kernels, progress)
                batch.executed.append(executed)
                progress.ended(executed.name, executed.seconds, failed=bool(executed.error))
                if executed.error:
                    batch.failure = _failure(executed)
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

    error = ""
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
    except PapermillExecutionError as failed:
        error = f"{failed.ename}: {failed.evalue}"
    return Executed(file.stem, output, time.monotonic() - began, error)


def _failure(executed: Executed) -> NotebookFailed:
    """The error for the cell that failed, with the number that JupyterLab shows for it."""
    cells = json.loads(executed.file.read_text())["cells"]
    for cell in cells:
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                number = cell.get("execution_count") or 0
                source = "".join(cell["source"])
                name, message = output["ename"], str(output["evalue"]).removeprefix(f"{output['ename']}: ")
                return NotebookFailed(
                    executed.name, number, name, message, executed.file, source=source, line=_line(output)
                )
    name, _, message = executed.error.partition(": ")
    return NotebookFailed(executed.name, 0, name, message, executed.file)


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
