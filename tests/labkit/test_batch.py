"""`labkit run` on small notebooks that these tests write and really execute."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labkit import Lab
from labkit.errors import UsageError
from labkit.tools import batch, report
from tests.processes import is_running


@pytest.fixture(autouse=True)
def folder(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's notebooks are, and, beside it, its runs."""
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    monkeypatch.setattr(batch, "NOTEBOOKS", notebooks)
    monkeypatch.setattr(lab, "config", lab.config.model_copy(update={"runs": tmp_path / "runs"}))
    return notebooks


def write(folder: Path, name: str, *cells: str, parameters: str = "") -> None:
    made = [new_markdown_cell(f"# {name}")]
    if parameters:
        made.append(new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    made.extend(new_code_cell(cell) for cell in cells)
    nbformat.write(new_notebook(cells=made), folder / f"{name}.ipynb")


def test_notebooks_run_in_order_with_their_own_parameters(folder: Path, lab: Lab) -> None:
    write(folder, "01_second", "print('days', days)", parameters="days: int = 3  # how many\nname = 'a=b'")
    write(folder, "00_first", "print('first')")
    said: list[str] = []
    files = batch.notebooks()
    assert batch.parameters_of(files[1]) == {"days": "3", "name": "'a=b'"}
    result = batch.run(lab, files, {"days": 7}, said.append)
    assert [executed.name for executed in result.executed] == ["00_first", "01_second"]
    assert result.failure is None
    assert result.counts == lab.counts()
    assert "days 7" in result.executed[1].file.read_text()
    assert [line.split()[:2] for line in said] == [["00_first", "ok"], ["01_second", "ok"]]


def test_rows_are_counted_before_the_teardown(folder: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "10_cleanup", "pass")
    counted: list[int] = []
    counts = lab.counts()
    monkeypatch.setattr(lab, "counts", lambda: counted.append(len(list(lab.config.runs.glob("*/10*.ipynb")))) or counts)
    assert batch.run(lab, batch.notebooks(), {}, lambda _line: None).counts == counts
    assert counted == [0]


def test_the_first_failure_ends_the_run_and_reports_the_notebook_the_cell_and_the_message(
    folder: Path, lab: Lab
) -> None:
    write(folder, "00_fails", "fine = 1", "raise ValueError('what went wrong')")
    write(folder, "01_never", "print('not reached')")
    result = batch.run(lab, batch.notebooks(), {}, lambda _line: None)
    assert str(result.failure).startswith("Notebook 00_fails failed in cell 2 with ValueError: what went wrong\n")
    assert len(result.executed) == 1
    page = report.write(result).read_text()
    assert "what went wrong" in page


def test_an_unknown_parameter_is_refused_before_anything_runs(folder: Path, lab: Lab) -> None:
    write(folder, "00_first", "print(rows)", parameters="rows: int = 3")
    with pytest.raises(UsageError, match=r"No notebook has a parameter 'row'\.\nParameters: rows\."):
        batch.run(lab, batch.notebooks(), {"row": 3}, lambda _line: None)
    assert not lab.config.runs.exists()


def test_the_report_links_every_notebook_and_needs_no_network(folder: Path, lab: Lab) -> None:
    write(folder, "00_first", "from IPython.display import SVG; SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')")
    view = {"model_id": "1", "version_major": 2, "version_minor": 0}
    widget = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "a slider"}
    write(folder, "01_second", f"from IPython.display import display; display({widget!r}, raw=True)")
    result = batch.run(lab, batch.notebooks(), {}, lambda _line: None)
    page = report.write(result)
    for name in ("00_first", "01_second"):
        for kind in ("html", "ipynb"):
            assert f'href="{name}.{kind}"' in page.read_text()
            assert (page.parent / f"{name}.{kind}").exists()
    for file in page.parent.glob("*.html"):
        text = file.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "<script src" not in text
        assert "https://" not in text


def test_interrupting_a_run_ends_its_kernel(folder: Path, tmp_path: Path) -> None:
    file = folder / "kernel"
    write(folder, "00_long", f"import os; open({str(file)!r}, 'w').write(f'{{os.getpid()}}.')", "while True: pass")
    program = (
        "import signal; from pathlib import Path; from labkit import Lab; from labkit.tools import batch\n"
        # Tests that a shell runs in the background begin with this signal ignored, and hand that on.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"lab = Lab(home={str(tmp_path / 'lab')!r}, runs={str(tmp_path / 'runs')!r})\n"
        f"batch.run(lab, [Path({str(folder / '00_long.ipynb')!r})], {{}}, print)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as run:
        try:
            deadline = time.monotonic() + 60
            while not (file.exists() and file.read_text().endswith(".")):
                assert run.poll() is None, "the run ended by itself"
                assert time.monotonic() < deadline, "the notebook did not begin"
                time.sleep(0.02)
            run.send_signal(signal.SIGINT)
            assert run.wait(30) != 0
        finally:
            run.kill()
    assert not is_running(int(file.read_text()[:-1]))


def test_two_runs_in_the_same_second_have_different_directories(tmp_path: Path) -> None:
    assert len({batch._new_directory(tmp_path) for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("1.5", 1.5), ("True", True), ("false", False), ("[1, 2]", [1, 2]), ("york_rd", "york_rd")],
)
def test_parameter_values_are_python_literals_or_text(text: str, value: object) -> None:
    assert batch.parse_value(text) == value


def test_the_lab_s_own_notebooks_have_parameters_that_can_be_set(checkout: Path) -> None:
    for file in sorted((checkout / "notebooks").glob("*.ipynb")):
        assert "parameters" in [
            tag for cell in json.loads(file.read_text())["cells"] for tag in cell["metadata"].get("tags", [])
        ], f"{file.name} has no cell tagged parameters"
        assert batch.parameters_of(file)
