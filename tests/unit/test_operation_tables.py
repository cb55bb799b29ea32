"""The tables of operations: each entry is an AWS operation, and each operation that works has a test that calls it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from localaws.core.operations import vouching
from localaws.core.operations.vouching import Standing
from localaws.server.models import models_of
from localaws.server.query import wire_name

TESTS = Path(__file__).parent.parent
NOT_IN_THE_MODEL = {"s3": {"PostObject", "PreflightObject"}}
"""A form and a preflight request are no calls of an API."""


@pytest.mark.parametrize("service", vouching.services())
def test_each_operation_in_a_table_exists_and_is_listed_once(service: str) -> None:
    table = vouching.table(service)
    known = set(models_of(service)[0].operation_names) | NOT_IN_THE_MODEL.get(service, set())
    assert set(table.works) | table.state_only <= known
    assert not set(table.works) & table.state_only


@pytest.mark.parametrize("service", vouching.services())
def test_each_working_operation_has_a_test_that_calls_it(service: str) -> None:
    for operation, proof in vouching.table(service).works.items():
        file, _, name = proof.partition("::")
        words = _words(TESTS / file).get(name)
        assert words is not None, f"{operation}: there is no test {proof}"
        if operation in NOT_IN_THE_MODEL.get(service, set()):
            continue
        assert xform_name(operation) in words, f"{operation}: {proof} doesn't call it"


def test_no_test_proves_operations_with_the_same_name_for_two_services() -> None:
    found: dict[tuple[str, str], list[str]] = {}
    for service in vouching.services():
        for operation, proof in vouching.table(service).works.items():
            found.setdefault((operation, proof), []).append(service)
    assert [where for where in found.items() if len(where[1]) > 1] == []


def test_an_operation_that_is_in_no_table_is_refused() -> None:
    assert vouching.table("s3").standing("SelectObjectContent") is Standing.REFUSED
    assert vouching.table("states").standing("StartExecution") is Standing.REFUSED


@pytest.mark.parametrize("service", vouching.services())
def test_refused_parameters_exist_in_their_operations(service: str) -> None:
    table, model = vouching.table(service), models_of(service)[0]
    for operation, paths in table.refused_parameters.items():
        assert table.standing(operation) is not Standing.REFUSED, f"{operation} is refused as a whole"
        assert len(paths) == len(set(paths)), f"{operation} names a parameter twice"
        for path in paths:
            shape = model.operation_model(operation).input_shape
            assert _leads(shape, path.split("."), model.metadata["protocol"]), f"{operation} has no parameter {path}"
    refused = {path for paths in table.refused_parameters.values() for path in paths}
    assert set(table.passing_values) <= refused


def test_every_operation_with_filters_lists_its_supported_filters() -> None:
    table, model = vouching.table("ec2"), models_of("ec2")[0]
    shapes = {each: model.operation_model(each).input_shape for each in {*table.works, *table.state_only}}
    filtering = {
        each for each, shape in shapes.items() if shape is not None and {"Filters", "Filter"} & {*shape.members}
    }
    assert set(table.filters) == filtering
    assert set(table.refused_filters) <= filtering
    for operation, names in table.refused_filters.items():
        assert not set(names) & set(table.filters[operation])


def _leads(shape: Any, path: list[str], protocol: str) -> bool:
    """Whether there is such a parameter in `shape`, as a request names it."""
    if shape.type_name == "list":
        return _leads(shape.member, path, protocol)
    if not path or shape.type_name == "map":
        return len(path) < 2
    members = shape.members
    if protocol in ("query", "ec2"):
        members = {wire_name(name, member, protocol == "ec2"): member for name, member in members.items()}
    return path[0] in members and _leads(members[path[0]], path[1:], protocol)


@cache
def _words(file: Path) -> dict[str, set[str]]:
    """By test: the names and texts in it, those of calls that are to be refused left out.

    What is named only where it is refused is not proved by that.
    """
    return {
        function.name: set(_named(function))
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef)
        and not any("mark.refused" in ast.unparse(each) for each in function.decorator_list)
    }


def _named(node: ast.AST) -> Iterator[str]:
    if _is_refusal(node):
        return
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Constant):
        yield str(node.value)
    for part in ast.iter_child_nodes(node):
        yield from _named(part)


def _is_refusal(node: ast.AST) -> bool:
    """Whether it is `with pytest.raises(…): …` or a call of a function that expects a refusal."""
    if isinstance(node, ast.With):
        return any("raises" in ast.unparse(item.context_expr) for item in node.items)
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("refused", "_refused")
