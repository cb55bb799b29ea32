"""The tables of operations: what is in them is AWS's, and each operation that works has a test that calls it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from botocore import xform_name
from moto.core.utils import get_service_model

from localaws.services import vouching
from localaws.services.vouching import Standing

TESTS = Path(__file__).parent.parent
NOT_IN_THE_MODEL = {"s3": {"PostObject", "PreflightObject"}}
"""A form and a preflight request are no calls of an API."""


@pytest.mark.parametrize("service", vouching.services())
def test_what_is_in_a_table_is_an_operation_once(service: str) -> None:
    table = vouching.table(service)
    known = set(get_service_model(service).operation_names) | NOT_IN_THE_MODEL.get(service, set())
    assert set(table.works) | table.state_only <= known
    assert not set(table.works) & table.state_only


@pytest.mark.parametrize("service", vouching.services())
def test_what_works_has_a_test_that_calls_it(service: str) -> None:
    for operation, proof in vouching.table(service).works.items():
        file, _, name = proof.partition("::")
        words = _words(TESTS / file).get(name)
        assert words is not None, f"{operation}: there is no test {proof}"
        assert xform_name(operation) in words, f"{operation}: {proof} doesn't call it"


def test_no_test_proves_an_operation_of_the_same_name_for_two_services() -> None:
    found: dict[tuple[str, str], list[str]] = {}
    for service in vouching.services():
        for operation, proof in vouching.table(service).works.items():
            found.setdefault((operation, proof), []).append(service)
    assert [where for where in found.items() if len(where[1]) > 1] == []


def test_what_is_in_no_table_is_refused() -> None:
    assert vouching.table("s3").standing("SelectObjectContent") is Standing.REFUSED
    assert vouching.table("states").standing("StartExecution") is Standing.REFUSED


@cache
def _words(file: Path) -> dict[str, set[str]]:
    """By test: the names and texts in it."""
    found: dict[str, set[str]] = {}
    for function in ast.walk(ast.parse(file.read_text())):
        if isinstance(function, ast.FunctionDef):
            inside = list(ast.walk(function))
            found[function.name] = {node.attr for node in inside if isinstance(node, ast.Attribute)} | {
                str(node.value) for node in inside if isinstance(node, ast.Constant)
            }
    return found
