"""The notebooks in batch: `labkit run`, its parameters, and notebooks that run too early."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from story import NAMES

from labkit.tasks import cells as task_cells
from labkit.tasks import registry


def labkit(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "labkit", *arguments],
        env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        pytest.param("02_redshift", "01_network", marks=pytest.mark.nightly),
        pytest.param("03_secrets", "02_redshift", marks=pytest.mark.nightly),
        pytest.param("04_crawlers", "02_redshift", marks=pytest.mark.nightly),
        ("05_job", "00_start"),
        pytest.param("06_workflow", "04_crawlers", marks=pytest.mark.nightly),
        pytest.param("07_notification", "00_start", marks=pytest.mark.nightly),
        pytest.param("08_query", "00_start", marks=pytest.mark.nightly),
        pytest.param("09_reliability", "00_start", marks=pytest.mark.nightly),
    ],
)
def test_a_notebook_that_runs_too_early_says_which_one_to_run(
    empty_lab: dict[str, str], name: str, needed: str
) -> None:
    done = labkit(empty_lab, "run", name)
    assert done.returncode == 1
    assert f"Notebook {name} failed in cell" in done.stderr
    assert f"Run notebook {needed} first, or: labkit deploy" in done.stderr
    assert f"go on from there: labkit run --from {name[:2]}" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_parameter_is_refused_with_a_list_of_the_known_ones_and_nothing_runs(
    empty_lab: dict[str, str],
) -> None:
    done = labkit(empty_lab, "run", "-p", "rowz=10")
    assert done.returncode == 2
    assert "rowz" in done.stderr
    assert "days, day" in done.stderr.replace("day, days", "days, day")
    assert "rows" in done.stderr
    assert not done.stdout


@pytest.mark.nightly  # .ci/run has `make run`, which fails where the rows don't agree
def test_labkit_run_executes_all_notebooks_and_counts_the_rows_at_each_stage(empty_lab: dict[str, str]) -> None:
    done = labkit(empty_lab, "run", "-p", "rows=20")
    assert done.returncode == 0, done.stdout + done.stderr
    *executed, agree, where, following = done.stdout.strip().splitlines()
    assert [line.split()[:2] for line in executed] == [[name, "ok"] for name in NAMES]
    found = re.fullmatch(
        r"rows: landed = loaded \+ rejected: (\d+) = (\d+) \+ (\d+); loaded = queried: (\d+) = (\d+)", agree
    )
    assert found, agree
    landed, loaded, rejected, again, queried = map(int, found.groups())
    assert landed == loaded + rejected
    assert loaded == again == queried
    # The bad lines of 09, in both deliveries.
    assert rejected == 6
    # What timing can't change: 00, 06, 07, 08; 09's files, without those that it overwrites while a run is on.
    assert landed >= 4 * 20 + 2 + 2 * (100 + 20) + 2 * 7 + 2 * 50
    assert following.startswith("next: ")
    report = Path(where.removeprefix("report: "))
    links = re.findall(r'href="(\d\d_\w+)\.ipynb"', report.read_text())
    assert tuple(links) == NAMES
    assert all((report.parent / f"{name}.ipynb").exists() for name in links)
    assert all((report.parent / f"{name}.html").exists() for name in links)


@pytest.mark.nightly
def test_with_solve_every_task_of_every_notebook_is_solved(empty_lab: dict[str, str], tmp_path: Path) -> None:
    done = labkit(empty_lab | {"LABKIT_RUNS": str(tmp_path)}, "run", "-p", "solve=true")
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = tmp_path.iterdir()
    for name in NAMES:
        executed = nbformat.read(run / f"{name}.ipynb", as_version=4)
        wanted = [task.id for task in registry.of_notebook(name[:2])]
        checked = [task_cells.id_of(cell) for cell in executed.cells if "task-check" in task_cells.tags(cell)]
        assert task_cells.unsolved(executed) == []
        assert checked == wanted, f"{name} has other tasks than labkit/tasks"
        # A cell for an answer that belongs to no task can't be solved by the run.
        answers = [cell.source for cell in executed.cells if "task" in task_cells.tags(cell)]
        assert answers == [registry.task(task_id).solution.strip() for task_id in wanted]
