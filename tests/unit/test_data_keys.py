"""Which objects are data files: each program has one definition, and all definitions agree."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.data.landing import is_data_key

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("lambdas/start_workflow_function.py", "lambdas/start_workflow_reliably.py", "glue/landing.py")
KEYS = {
    "toll.json": True,
    "a b/c+d.json": True,
    "_folder/toll.json": True,
    ".json": False,
    "toll.JSON": False,
    "toll.json.gz": False,
    "toll.jsonl": False,
    "json": False,
    "": False,
    "folder/": False,
    "folder.json/": False,
    "day/_toll.json": False,
    "day/.toll.json": False,
    "_toll.json": False,
    "to_ll.json": True,
    "ä/ö.json": True,
}


def definition(program: str) -> Callable[[str], bool]:
    """The function `is_data_key` of a program that can't be imported here; there must be exactly one."""
    tree = ast.parse((ROOT / program).read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "is_data_key"]
    assert len(found) == 1
    space: dict[str, Callable[[str], bool]] = {}
    exec(compile(ast.Module(body=[found[0]], type_ignores=[]), program, "exec"), space)
    return space["is_data_key"]


@pytest.mark.parametrize("key", KEYS)
def test_all_programs_agree_on_which_keys_are_data_files(key: str) -> None:
    said = {program: bool(definition(program)(key)) for program in PROGRAMS} | {"labkit": is_data_key(key)}
    assert set(said.values()) == {KEYS[key]}, said


def test_no_program_checks_the_suffix_anywhere_else() -> None:
    for program in (*PROGRAMS, "labkit/data/landing.py", "glue/exactly_once_job.py", "glue/rows.py", "glue/ledger.py"):
        tree = ast.parse((ROOT / program).read_text())
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
        suffixes = [call for call in calls if call.func.attr == "endswith"]  # type: ignore[attr-defined]
        assert len(suffixes) <= 1, program
