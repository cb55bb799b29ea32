"""`%%redshift` in a notebook, and the preview of a table."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from labkit import Lab
from labkit.errors import MissingStep, QueryFailed, UsageError

Cell = Callable[[str], Any]


@pytest.fixture(scope="module")
def cell(lab: Lab) -> Iterator[Cell]:
    """Runs a cell in IPython and returns its result. A second lab is made there, as a notebook does it."""
    shell = InteractiveShell.instance()
    made = f"from labkit import Lab; lab = Lab(home={str(lab.config.home)!r}, prefix='kit')"
    shell.run_cell(made, store_history=True).raise_error()
    shell.run_cell(
        "lab.query('drop table if exists public.magic'); lab.query('create table public.magic (n int, booth varchar)')"
    ).raise_error()

    def run(source: str) -> Any:
        done = shell.run_cell(source, store_history=True)
        done.raise_error()
        return done.result

    yield run
    shell.run_cell("lab.query('drop table public.magic')").raise_error()
    InteractiveShell.clear_instance()


def test_a_cell_of_sql_returns_a_dataframe_and_assigns_it_to_the_name_after_redshift(cell: Cell) -> None:
    frame = cell("%%redshift both\nselect 1 as one, 'x' as text union all select 2, 'y' order by 1")
    assert frame.to_dict("list") == {"one": [1, 2], "text": ["x", "y"]}
    assert cell("both") is frame
    assert cell("%redshift select 5 as five")["five"].tolist() == [5]


def test_parameters_are_the_notebooks_variables(cell: Cell) -> None:
    cell('import datetime, numpy; days, name = numpy.int64(2), "it\'s"; first = datetime.date(2023, 8, 1); on = True')
    frame = cell(
        "%%redshift\nselect dateadd(day, :days::int, :first::date)::date::varchar as d, :name as n, :on::bool::int as o"
    )
    assert frame.to_dict("list") == {"d": ["2023-08-03"], "n": ["it's"], "o": [1]}


@pytest.mark.parametrize(
    ("assignment", "sql", "message"),
    [
        ("pass", "select :nowhere", "uses :nowhere, but the notebook has no variable nowhere"),
        ("nothing = None", "select :nothing", "Parameter :nothing is None"),
        ("several = [1, 2]", "select :several", "of type list, which the Data API can't pass"),
        ("pass", "begin; select 1", "BEGIN has no effect here"),
    ],
)
def test_what_can_not_work_is_said_before_anything_runs(cell: Cell, assignment: str, sql: str, message: str) -> None:
    cell(assignment)
    with pytest.raises(UsageError, match=message):
        cell(f"%%redshift\ninsert into magic values (99); {sql}")
    assert cell("%redshift select count(*) as n from magic where n = 99")["n"].tolist() == [0]


def test_a_wrong_name_after_redshift_is_refused(cell: Cell) -> None:
    with pytest.raises(UsageError, match="takes the name of one variable"):
        cell("%%redshift select 1\nselect 1")


def test_an_error_is_one_message_in_redshifts_words_with_its_place(cell: Cell) -> None:
    cell("booth = 'x'")
    with pytest.raises(QueryFailed) as caught:
        cell("%%redshift\nselect n\nfrom magic\nwhere booth = :booth and nope = 1")
    assert caught.value._render_traceback_() == [
        'QueryFailed: Redshift refused the statement: ERROR: column "nope" does not exist\n'
        "where booth = :booth and nope = 1\n"
        "                         ^"
    ]
    assert caught.value.__suppress_context__


def test_several_statements_run_in_order_until_one_fails(cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    assert repr(cell("%%redshift\ninsert into magic values (1, 'a'), (2, 'b');")) == "INSERT done: 2 rows"
    frame = cell("%%redshift kept\nselect 1 as first;\nselect count(*) as n from magic; -- the end\n")
    assert frame["n"].tolist() == [2]
    assert "first" in capsys.readouterr().out
    with pytest.raises(QueryFailed, match=r"Statement 2 of 3\. The statements before it took effect\."):
        cell("%%redshift\ndelete from magic where n = 1; delete from nowhere; delete from magic")
    assert cell("%redshift select n from magic")["n"].tolist() == [2]


def test_a_cell_without_a_statement_runs_nothing_and_says_so(cell: Cell, capsys: pytest.CaptureFixture[str]) -> None:
    assert cell("%%redshift\n\n-- select 1;\n") is None
    assert "nothing was run" in capsys.readouterr().out


def test_a_run_of_a_notebook_stops_at_a_failed_cell_of_sql(lab: Lab) -> None:
    sources = [
        f"from labkit import Lab; lab = Lab(home={str(lab.config.home)!r}, prefix='kit'); wanted = 3",
        "%%redshift frame\nselect :wanted::int as n",
        "assert frame['n'].tolist() == [3]",
        "%%redshift\nselect nope",
        "print('never')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with pytest.raises(CellExecutionError, match='column "nope" does not exist'):
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (output,) = notebook.cells[3].outputs
    assert (output.output_type, output.ename, len(output.traceback)) == ("error", "QueryFailed", 1)
    assert "Traceback" not in output.traceback[0]
    assert [len(one.outputs) for one in notebook.cells] == [0, 1, 0, 1, 0]


def test_a_program_without_ipython_does_not_load_it(lab: Lab) -> None:
    program = "import sys; from labkit import Lab; Lab(); print(json.dumps([m for m in sys.modules if 'IPython' in m]))"
    done = subprocess.run([sys.executable, "-c", f"import json; {program}"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_preview_shows_types_the_first_rows_in_a_stable_order_and_the_number_of_rows(lab: Lab, cell: Cell) -> None:
    cell("%%redshift\ndelete from magic; insert into magic values (3, 'c'), (1, null), (1, '<b>'), (2, 'a')")
    preview = lab.query.preview("Public.Magic", limit=3)
    assert str(preview) == (
        "public.magic: 4 rows, the first 3 of them\n"
        "n        booth\ninteger  character varying\n1        <b>\n1        NULL\n2        a"
    )
    assert "&lt;b&gt;" in preview._repr_html_()
    assert preview == lab.query.preview("magic", limit=3)
    assert isinstance(preview.frame, pd.DataFrame)
    assert preview.frame["n"].tolist() == [1, 1, 2]
    with pytest.raises(UsageError, match=r"There is no table public\.nowhere"):
        lab.query.preview("nowhere")


def test_a_preview_of_the_labs_table_that_is_missing_names_the_step(make_lab: Callable[..., Lab]) -> None:
    with pytest.raises(MissingStep, match="labkit deploy redshift"):
        make_lab("nobody").query.preview()
