"""`labkit run` on small notebooks that these tests write and really execute."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labkit import Lab
from labkit.errors import NotebookFailed, TasksNotSolved
from labkit.tasks import cells as task_cells
from labkit.tasks import registry
from labkit.tools import batch, notebook_files, warm_kernel
from labkit.tools.batch import Batch
from labkit.tools.run_facts import Facts
from labkit.tools.run_progress import Plain
from tests.processes import is_running

LOOK = Facts.of


@pytest.fixture(autouse=True)
def folder(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's notebooks are, and, beside it, its runs."""
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    monkeypatch.setattr(notebook_files, "NOTEBOOKS", notebooks)
    monkeypatch.setattr(lab, "config", lab.config.model_copy(update={"runs": tmp_path / "runs"}))
    # The notebooks' kernels use this lab, too.
    monkeypatch.setenv("LABKIT_HOME", str(lab.config.home))
    monkeypatch.setenv("LABKIT_PREFIX", lab.config.prefix)
    monkeypatch.setattr(Facts, "of", lambda _lab: Facts())  # it takes longer than the notebooks
    return notebooks


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run looks at the lab, as it does outside of these tests."""
    monkeypatch.setattr(Facts, "of", LOOK)


def write(folder: Path, name: str, *cells: Any, parameters: str = "") -> None:
    made = [new_markdown_cell(f"# {name}")]
    if parameters:
        made.append(new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    made.extend(new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells)
    nbformat.write(new_notebook(cells=made), folder / f"{name}.ipynb")


def run(lab: Lab, given: Mapping[str, Any] = {}, said: list[str] | None = None) -> Batch:
    return batch.run(lab, notebook_files.notebooks(), given, Plain([].append if said is None else said.append))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_notebooks_run_in_order_with_their_own_parameters(folder: Path, lab: Lab) -> None:
    write(folder, "01_second", "print('days', days)", parameters="days: int = 3  # how many\nname = 'a=b'")
    write(folder, "00_first", "print('first')")
    said: list[str] = []
    result = run(lab, {"days": 7}, said)
    assert [executed.name for executed in result.executed] == ["00_first", "01_second"]
    assert result.failure is None
    assert "days 7" in result.executed[1].file.read_text()
    assert [line.split()[:2] for line in said] == [["00_first", "ok"], ["01_second", "ok"]]


def test_each_notebook_has_a_process_and_a_namespace_of_its_own(folder: Path, lab: Lab) -> None:
    cell = "import os, numpy\nprint('process', os.getpid(), 'kept' in globals(), numpy.random.rand())\nkept = True"
    write(folder, "00_first", cell)
    write(folder, "01_second", cell)
    first, second = (executed.file.read_text().partition('"process ')[2].split() for executed in run(lab).executed)
    assert first[0] != second[0]
    assert first[2] != second[2], "both have the fork server's random numbers"
    assert (first[1], second[1]) == ("False", "False")


@pytest.mark.parametrize("forked", [True, False])
def test_a_plot_is_shown_without_any_magic(
    folder: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch, forked: bool
) -> None:
    monkeypatch.setattr(warm_kernel, "CAN_FORK", forked and warm_kernel.CAN_FORK)
    write(folder, "00_plot", "import pandas as pd\npd.Series([1, 2]).plot();")
    (executed,) = run(lab).executed
    (output,) = nbformat.read(executed.file, as_version=4).cells[1].outputs
    assert "image/png" in output.data


def test_the_lab_is_looked_at_before_the_teardown(
    folder: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch, looks: None
) -> None:
    write(folder, "10_cleanup", "pass")
    counted: list[int] = []
    counts = lab.counts()
    monkeypatch.setattr(lab, "counts", lambda: counted.append(len(list(lab.config.runs.glob("*/10*.ipynb")))) or counts)
    facts = run(lab).facts
    assert facts.counts == counts
    assert counted == [0]
    assert facts.checks is not None
    assert [check.step for check in facts.checks] == [step.name for step in lab.steps]


def test_the_lab_is_looked_at_after_a_failure(folder: Path, lab: Lab, looks: None) -> None:
    write(folder, "00_fails", "1 / 0")
    write(folder, "10_cleanup", "pass")
    assert run(lab).facts.counts == lab.counts()


def test_the_first_failure_ends_the_run_and_shows_the_cell_and_the_error(folder: Path, lab: Lab) -> None:
    write(folder, "00_fails", "fine = 1", "wrong = 'what went wrong'\nraise ValueError(wrong)")
    write(folder, "01_never", "print('not reached')")
    said: list[str] = []
    result = run(lab, said=said)
    assert isinstance(result.failure, NotebookFailed)
    shown = str(result.failure)
    assert shown.startswith("Notebook 00_fails failed in cell 2 with ValueError: what went wrong\n")
    assert "     1  wrong = 'what went wrong'\n  →  2  raise ValueError(wrong)\n" in shown
    assert shown.endswith("labkit run --from 00")
    assert said[0].split()[:2] == ["00_fails", "failed"]
    assert result.not_executed == ("01_never",)


def test_a_kernel_that_dies_fails_its_notebook(folder: Path, lab: Lab) -> None:
    write(folder, "00_dies", "import os; os._exit(1)")
    assert "DeadKernelError" in str(run(lab).failure)


@pytest.mark.skipif(not warm_kernel.CAN_FORK, reason="replaces what a forked process runs")
def test_a_kernel_that_does_not_start_fails_its_notebook(
    folder: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_kernel, "serve", dict.fromkeys)  # takes two arguments and ends
    write(folder, "00_never_starts", "pass")
    assert "Kernel died" in str(run(lab).failure)


def test_with_solve_the_solutions_are_in_the_answer_cells_and_the_checks_accept_them(folder: Path, lab: Lab) -> None:
    task = next(task for task in registry.TASKS.values() if not task.breaks and task.wants)
    write(folder, "00_tasks", "from labkit import Lab, check\n\nlab = Lab()", *task_cells.cells(task))
    assert run(lab).failure is None
    result = run(lab, {"solve": True})
    assert result.failure is None, result.failure
    executed = nbformat.read(result.executed[0].file, as_version=4)
    assert task_cells.unsolved(executed) == []
    assert [cell.source for cell in executed.cells if "task" in task_cells.tags(cell)] == [task.solution.strip()]


def test_with_solve_a_check_that_does_not_accept_the_solution_fails_the_run_and_names_the_task(
    folder: Path, lab: Lab
) -> None:
    check = new_code_cell("'✗ not right yet'", metadata={"tags": ["task-check", "00.1"]})
    write(folder, "00_tasks", check)
    assert run(lab).failure is None
    failure = run(lab, {"solve": True}).failure
    assert isinstance(failure, TasksNotSolved)
    assert failure.tasks == ("00.1",)


def test_interrupting_a_run_ends_its_kernels(folder: Path, tmp_path: Path) -> None:
    file = folder / "kernel"
    write(folder, "00_long", f"import os; open({str(file)!r}, 'w').write(f'{{os.getpid()}}.')", "while True: pass")
    write(folder, "01_never", "pass")
    program = (
        "import signal; from pathlib import Path\n"
        "from labkit import Lab; from labkit.tools import batch, run_progress\n"
        # Tests that a shell runs in the background begin with this signal ignored, and hand that on.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"lab = Lab(home={str(tmp_path / 'lab')!r}, runs={str(tmp_path / 'runs')!r})\n"
        f"files = sorted(Path({str(folder)!r}).glob('*.ipynb'))\n"
        "batch.run(lab, files, {}, run_progress.Plain(print))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: file.exists() and file.read_text().endswith("."))
            process.send_signal(signal.SIGINT)
            assert process.wait(30) != 0
        finally:
            process.kill()
    assert not is_running(int(file.read_text()[:-1]))


def test_killing_a_run_ends_its_kernels(folder: Path, tmp_path: Path) -> None:
    file = folder / "kernel"
    write(folder, "00_long", f"import os; open({str(file)!r}, 'w').write(f'{{os.getpid()}}.')", "while True: pass")
    program = (
        "from pathlib import Path; from labkit import Lab; from labkit.tools import batch, run_progress\n"
        f"lab = Lab(home={str(tmp_path / 'lab')!r}, runs={str(tmp_path / 'runs')!r})\n"
        f"batch.run(lab, [Path({str(folder / '00_long.ipynb')!r})], {{}}, run_progress.Plain(print))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: file.exists() and file.read_text().endswith("."))
        finally:
            process.kill()
    wait_until(lambda: not is_running(int(file.read_text()[:-1])))


def test_two_runs_in_the_same_second_have_different_directories(tmp_path: Path) -> None:
    now = batch.datetime.now()
    assert len({batch._new_directory(tmp_path, now) for _ in range(3)}) == 3
