"""Each parameter that a table refuses is refused in a request, unless it has its default value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.serialize import create_serializer

from localaws.core.errors import UnsupportedOperation
from localaws.core.operations import vouching
from localaws.core.operations.unsupported import refuse_parameters
from localaws.core.operations.vouching import Table
from localaws.server.models import models_of
from localaws.server.query import wire_name

ACCOUNT = "123456789012"
VALUES: dict[str, Any] = {
    "string": "x", "boolean": True, "integer": 7, "long": 7, "double": 7.0, "float": 7.0, "timestamp": 7, "blob": b"x",
}  # fmt: skip


def _tables() -> Iterator[tuple[str, str, str, Table]]:
    for service in vouching.services():
        table = vouching.table(service)
        for operation, paths in table.refused_parameters.items():
            yield from ((service, operation, path, table) for path in paths)


@pytest.mark.parametrize(("service", "operation", "path", "table"), list(_tables()))
def test_a_refused_parameter_in_a_table_is_refused_in_a_request(
    service: str, operation: str, path: str, table: Table
) -> None:
    with pytest.raises(UnsupportedOperation) as refused:
        refuse_parameters(service, operation, _request(service, operation, path), ACCOUNT)
    assert refused.value.operation == f"{path} of {operation}"
    for passing in table.passing_values.get(path, ()):
        refuse_parameters(service, operation, _request(service, operation, path, passing), ACCOUNT)


def _request(service: str, operation: str, path: str, value: Any = None) -> dict[str, Any]:
    """A request's parameters as the server reads them: JSON, or a form's flat texts."""
    model = models_of(service)[0]
    shape = model.operation_model(operation).input_shape
    protocol = model.metadata["protocol"]
    given = _given(shape, path.split("."), value, protocol)
    if protocol not in ("query", "ec2"):
        return dict(given)
    body = create_serializer(protocol, include_validation=False).serialize_to_request(
        given, model.operation_model(operation)
    )["body"]
    return {name: str(text).lower() if isinstance(text, bool) else str(text) for name, text in body.items()}


def _given(shape: Any, path: list[str], value: Any, protocol: str) -> Any:
    """`value`, or something, for the parameter that `path` leads to, and nothing else."""
    if shape.type_name == "list":
        return [_given(shape.member, path, value, protocol)]
    if shape.type_name == "map":
        return {path[0] if path else "x": _given(shape.value, [], value, protocol)}
    if shape.type_name == "structure":
        written = {
            wire_name(name, member, protocol == "ec2") if protocol in ("query", "ec2") else name: name
            for name, member in shape.members.items()
        }
        name = written[path[0]] if path else next(iter(shape.members))
        return {name: _given(shape.members[name], path[1:], value, protocol)}
    return VALUES[shape.type_name] if value is None else value
