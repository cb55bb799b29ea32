"""`labkit run`: the notebooks in order, by papermill, each in a kernel of its own."""

from __future__ import annotations

import ast
import json
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
"""The notebook before which rows are counted: afterwards there is nothing left to count."""


@dataclass(frozen=True)
class Executed:
    """One notebook as it was executed."""

    name: str
    file: Path
    seconds: float
    error: str = ""


@dataclass
class Batch:
    """What a run of the notebooks came to."""

    directory: Path
    executed: list[Executed] = field(default_factory=list)
    counts: Counts | ExactlyOnceCounts | None = None
    failure: NotebookFailed | None = None


def notebooks(chosen: Sequence[str] = ()) -> list[Path]:
    """The notebooks in their order; with `chosen`, those whose names begin so ("04", "04_crawlers").

    Raises:
        UsageError: no notebook is called so.
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
    """name → default, as written, of what a notebook's cell tagged `parameters` sets."""
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
    """Refuse what no notebook takes; papermill would only warn, and run with the defaults.

    Raises:
        UsageError: no notebook has a parameter of that name.
    """
    known = sorted({name for file in files for name in parameters_of(file)})
    for name in given:
        if name not in known:
            raise UsageError(f"No notebook has a parameter {name!r}.", fix=f"Parameters: {', '.join(known)}.")


def run(lab: Lab, files: Sequence[Path], given: Mapping[str, Any], say: Callable[[str], None]) -> Batch:
    """Execute the notebooks into `<the setting runs>/<time>/`, up to the first that fails.

    Rows are counted before the teardown, or after the last notebook where that isn't among them.

    Args:
        lab: for counting; the notebooks make their own.
        files: the notebooks.
        given: parameters; each notebook gets those that it has.
        say: is told of each notebook as it ends.

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
                        # An idle kernel calls the interrupt, with which jupyter_client begins to end it, an error.
                        "extra_arguments": ["--IPKernelApp.log_level=CRITICAL"],
                        # A notebook leaves nothing to clean up in its kernel, and a graceful end takes half a second,
                        # now and then three.
                        "shutdown_kernel": "immediate",
                    },
                }
            ),
        )
    except PapermillExecutionError as failed:
        error = f"{failed.ename}: {failed.evalue}"
    return Executed(file.stem, output, time.monotonic() - began, error)


def _failure(executed: Executed) -> NotebookFailed:
    """Which cell failed, numbered as JupyterLab shows it, less the ones that papermill put in."""
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
    """A parameter's value as given on the command line: a Python literal, or else text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False}.get(text.lower(), text)
