"""How long the lab takes to start and to run its notebooks, and how much memory it takes while it is idle."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import nbformat
import psutil

from bench.lab import fresh_lab
from bench.measure import Goal, Report, Result, beside, seconds_of
from bench.memory import tree_memory
from bench.sizes import Sizes

SETTLED = 10  # seconds after which everything that starts in the background is up
NOTEBOOKS = 11
RELIABILITY = "09_reliability"
"""This notebook breaks the pipeline and waits for the effects, so it has its own goal."""


def measure_up(report: Report, sizes: Sizes) -> None:
    """Measure `up` and `deploy` on a fresh home, and `up` on a home with a deployed lab."""
    report.title("Startup")
    with fresh_lab(deployed=False) as lab:
        report.add(
            Result("labkit up, on a fresh home", seconds_of(lambda: lab.labkit("up"), 1)),
            Result("labkit deploy", seconds_of(lambda: lab.labkit("deploy"), 1)),
        )
        floor = Result(
            "  floor: `labkit --help`, the command line alone", seconds_of(lambda: lab.labkit("--help"), sizes.runs)
        )
        seconds: list[float] = []
        for _ in range(min(sizes.runs, 5)):
            lab.labkit("down")
            seconds += seconds_of(lambda: lab.labkit("up"), 1)
        report.add(beside("labkit up, on a used home", seconds, floor, goal=Goal(5)), floor)


def measure_memory(report: Report, sizes: Sizes) -> None:
    """Measure the memory of all processes of a deployed, idle lab."""
    report.title("Memory")
    with fresh_lab() as lab:
        time.sleep(SETTLED)
        by = tree_memory(psutil.Process(lab.server_pid()))
        report.add(
            Result("memory: the whole stack, idle after deploy", (sum(by.values()),), "MB", goal=Goal(900)),
            *(Result(f"  {name}", (mb,), "MB") for name, mb in sorted(by.items(), key=lambda item: -item[1])),
        )


def measure_run(report: Report, sizes: Sizes) -> None:
    """Measure a run of all notebooks, compared to the same number of empty notebooks."""
    report.title("The notebooks")
    with fresh_lab(deployed=False) as lab, tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        lab.labkit("up")
        floor = Result(
            f"  floor: {NOTEBOOKS} empty notebooks in papermill", seconds_of(empty_notebooks(Path(scratch)), 1)
        )
        began = time.monotonic()
        said = lab.labkit("run")
        seconds = time.monotonic() - began
        each = {line.split()[0]: float(line.split()[2]) for line in said.splitlines() if line[:2].isdigit()}
        reliability = each[RELIABILITY]
        report.add(
            beside(f"labkit run, without {RELIABILITY}", [seconds - reliability], floor, goal=Goal(45)),
            Result(f"  {RELIABILITY}", (reliability,), goal=Goal(35)),
            *(Result(f"    {name}", (took,)) for name, took in each.items() if name != RELIABILITY),
            floor,
        )


def empty_notebooks(directory: Path) -> partial[subprocess.CompletedProcess[bytes]]:
    """Return a function that runs empty notebooks in a separate process, as `labkit run` does."""
    empty = directory / "empty.ipynb"
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.cells.append(nbformat.v4.new_code_cell("pass"))
    nbformat.write(notebook, empty)
    program = (
        "import papermill\n"
        f"for n in range({NOTEBOOKS}):\n"
        f"    papermill.execute_notebook({str(empty)!r}, {str(directory / 'out.ipynb')!r}, progress_bar=False)\n"
    )
    return partial(subprocess.run, [sys.executable, "-c", program], stderr=subprocess.DEVNULL, check=True)
