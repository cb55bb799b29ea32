"""Which notebooks `labkit run` executes, and its parameters. Everything is checked before anything starts."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from labkit.errors import UsageError
from labkit.tools import cli, notebook_files
from labkit.tools.notebook_files import check_parameters, notebooks, pairs, parameters_of, parse_value

PARAMETERS = {
    "00_first": "rows: int = 100  # how many\nname = 'a=b'",
    "01_second": "rows: int = 5\nshare: float = 0.5\nkeep: bool = False\ndays: list = [1]\nlast: str | None = None",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, source in PARAMETERS.items():
        cells = [new_code_cell(source, metadata={"tags": ["parameters"]}), new_code_cell("not_a_parameter = 1")]
        nbformat.write(new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    monkeypatch.setattr(notebook_files, "NOTEBOOKS", tmp_path)
    return tmp_path


def test_parameters_are_what_the_tagged_cell_assigns() -> None:
    first, _ = notebooks()
    assert {name: one.default for name, one in parameters_of(first).items()} == {"rows": "100", "name": "'a=b'"}


def test_notebooks_are_chosen_by_the_beginning_of_their_names_or_from_one_on() -> None:
    names = [file.stem for file in notebooks()]
    assert [file.stem for file in notebooks(["01"])] == names[1:]
    assert [file.stem for file in notebooks(start="01")] == names[1:]
    assert [file.stem for file in notebooks(start="00")] == names


def test_an_unknown_notebook_is_refused_with_a_list_of_the_known_ones() -> None:
    for arguments in ({"chosen": ["05"]}, {"start": "05"}):
        with pytest.raises(UsageError, match=r"There is no notebook '05'\.\nNotebooks: 00_first, 01_second\."):
            notebooks(**arguments)  # type: ignore[arg-type]


def test_from_and_single_notebooks_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="Use one of them"):
        notebooks(["00"], start="01")


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("rows=7", 7),
        ("name=2023-08-31", "2023-08-31"),
        ("name=7", "7"),
        ("name=a=b", "a=b"),
        ("share=1", 1.0),
        ("keep=true", True),
        ("keep=False", False),
        ("days=[1, 2]", [1, 2]),
        ("last=york_rd", "york_rd"),
        ("solve=true", True),
    ],
)
def test_a_value_is_parsed_as_the_type_of_the_default(given: str, value: object) -> None:
    (parsed,) = check_parameters(notebooks(), pairs([given])).values()
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("rows=many", "rows takes a whole number, not 'many'"),
        ("rows=1.5", "a whole number"),
        ("rows=true", "a whole number"),
        ("share=half", "a number"),
        ("keep=1", "true or false"),
        ("days=3", "a list"),
        ("solve=yes", "true or false"),
    ],
)
def test_a_value_of_another_type_is_refused_with_an_example(given: str, wanted: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_parameters(notebooks(), pairs([given]))
    assert wanted in str(refused.value)
    assert f"-p {given.partition('=')[0]}=" in refused.value.fix


def test_an_unknown_parameter_is_refused_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"No notebook has a parameter 'row'\.\nParameters: name, rows, solve\."):
        check_parameters(notebooks(["00"]), pairs(["row=3"]))


@pytest.mark.parametrize("command", [["-p", "rows", "20"], ["00", "-p", "rows", "20"], ["-p", "rows", "20", "00"]])
def test_the_old_form_of_two_words_is_refused_with_the_new_one(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", *command])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "-p rows: a parameter is one word, NAME=VALUE.\nWrite: -p rows=20\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("1.5", 1.5), ("True", True), ("false", False), ("[1, 2]", [1, 2]), ("york_rd", "york_rd")],
)
def test_a_value_without_a_known_type_is_a_python_literal_or_text(text: str, value: object) -> None:
    assert parse_value(text) == value


def test_the_lab_s_own_notebooks_have_parameters_that_can_be_set(checkout: Path) -> None:
    for file in sorted((checkout / "notebooks").glob("*.ipynb")):
        assert "parameters" in [
            tag for cell in json.loads(file.read_text())["cells"] for tag in cell["metadata"].get("tags", [])
        ], f"{file.name} has no cell tagged parameters"
        assert parameters_of(file)
