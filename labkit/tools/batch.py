"""`labkit run`: runs the notebooks in order with papermill, each in its own kernel."""

from __future__ import annotations

import ast
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from labkit import project
from labkit.data.counts import Counts, ExactlyOnceCounts
from labkit.errors import LabError, MissingStep, NotebookFailed, QueryFailed, UsageError
from labkit.lab import Lab

NOTEBOOKS = project.folder("notebooks")
TEARDOWN = "10_cleanup"
"""Rows are counted before this notebook runs, because nothing is left to count afterwards."""


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
    executed: list[Executed] = field(default_factory=list)
    counts: Counts | ExactlyOnceCounts | None = None
    failure: NotebookFailed | None = None


def notebooks(chosen: Sequence[str] = ()) -> list[Path]:
    """The notebooks in order. With `chosen`, only those whose names begin with one of these ("04", "04_crawlers").

    Raises:
        UsageError: no notebook's name begins with one of them.
    """
    found = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise LabError(f"There are no notebooks in {NOTEBOOKS}.", fix=project.INSTALL_AGAIN)
    for name in chosen:
        if not any(file.stem.startswith(name) for file in found):
            names = ", ".join(file.stem for file in found)
            raise UsageError(f"There is no notebook {name!r}.", fix=f"Notebooks: {names}.")
    return [file for file in found if not chosen or any(file.stem.startswith(name) for name in chosen)]


def parameters_of(notebook: Path) -> dict[str, str]:
    """The parameters in a notebook's cell with the tag `parameters`: name → default, as source text."""
    cells = json.loads(notebook.read_text())["cells"]
    source = "\n".join(
        "".join(cell["source"]) for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])
    )
    found: dict[str, str] = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            found[statement.target.id] = ast.unparse(statement.value)
        elif isinstance(statement, ast.Assign):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            found |= dict.fromkeys(names, ast.unparse(statement.value))
    return found


def check_parameters(files: Iterable[Path], given: Mapping[str, Any]) -> None:
    """Raise an error if no notebook takes one of the parameters. papermill would only warn and use the defaults.

    Raises:
        UsageError: no notebook has a parameter of that name.
    """
    known = sorted({name for file in files for name in parameters_of(file)})
    for name in given:
        if name not in known:
            raise UsageError(f"No notebook has a parameter {name!r}.", fix=f"Parameters: {', '.join(known)}.")


def ask_once(lab: Lab, *, yes: bool = False) -> None:
    """On AWS, ask for everything that the notebooks will create. In a batch, nobody can answer a kernel's question.

    Raises:
        ConsentNeeded: the answer was no, or nobody was there to answer.
    """
    if yes:
        lab.agree()
    lab.consent(*(step.name for step in lab.steps))
    if lab.config.ask_before_create:
        os.environ["LABKIT_ASK_BEFORE_CREATE"] = "false"  # for the kernels


def run(lab: Lab, files: Sequence[Path], given: Mapping[str, Any], say: Callable[[str], None]) -> Batch:
    """Execute the notebooks into `<the setting runs>/<time>/`, and stop at the first that fails.

    Rows are counted before the teardown notebook, or after the last notebook if the teardown is not among them.

    Args:
        lab: for counting rows; each notebook makes its own Lab.
        files: the notebooks.
        given: parameters. Each notebook gets those that it takes.
        say: called with one line for each notebook when it ends.

    Raises:
        UsageError: a parameter is unknown.
    """
    check_parameters(files, given)
    batch = Batch(_new_directory(lab.config.runs))
    for file in files:
        if file.stem == TEARDOWN:
            batch.counts = _count(lab)
        executed = _execute(file, batch.directory / file.name, given)
        batch.executed.append(executed)
        say(f"{executed.name:<16} {'failed' if executed.error else 'ok':<7} {executed.seconds:5.1f} s")
        if executed.error:
            batch.failure = _failure(executed)
            return batch
    if batch.counts is None:
        batch.counts = _count(lab)
    return batch


def _execute(file: Path, output: Path, given: Mapping[str, Any]) -> Executed:
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    mine = {name: value for name, value in given.items() if name in parameters_of(file)}
    began = time.monotonic()
    error = ""
    try:
        papermill.execute_notebook(
            file,
            output,
            parameters=mine,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            log_output=False,
            config=Config(
                {
                    "KernelManager": {"transport_encryption": "auto"},
                    "NotebookClient": {
                        # jupyter_client first interrupts a kernel to end it, and an idle kernel logs that as an error.
                        "extra_arguments": ["--IPKernelApp.log_level=CRITICAL"],
                        # A notebook leaves nothing to clean up in its kernel, and a graceful shutdown takes half a
                        # second, sometimes three.
                        "shutdown_kernel": "immediate",
                    },
                }
            ),
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
                return NotebookFailed(executed.name, number, output["ename"], _message(output), executed.file)
    name, _, message = executed.error.partition(": ")
    return NotebookFailed(executed.name, 0, name, message, executed.file)


def _message(output: dict[str, Any]) -> str:
    return str(output["evalue"]).removeprefix(f"{output['ename']}: ")


def _count(lab: Lab) -> Counts | ExactlyOnceCounts | None:
    try:
        return lab.counts()
    except (MissingStep, QueryFailed):
        return None


def _new_directory(runs: Path) -> Path:
    directory = runs / f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    number = 1
    while directory.exists():
        number += 1
        directory = directory.with_name(f"{directory.name.split('.')[0]}.{number}")
    directory.mkdir(parents=True)
    return directory


def parse_value(text: str) -> Any:
    """Parse a parameter's value from the command line: a Python literal, true or false, or else text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False}.get(text.lower(), text)
