"""Refuse a call with a parameter that has an effect on AWS, but would have none here.

The tables in this folder list these parameters. Parameters whose effect nobody would miss (such as AuditContext) pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localaws.core.errors import UnsupportedOperation
from localaws.core.operations import vouching

# Parameters that can name another account. There is only one account here.
_ACCOUNT = {"glue": "CatalogId", "sqs": "QueueOwnerAWSAccountId"}


def refuse_parameters(service: str, operation: str, given: Mapping[str, Any], account_id: str) -> None:
    """Check that all parameters of a call have an effect here.

    Raises:
        UnsupportedOperation: one has none.
    """
    table = vouching.table(service)
    for path in table.refused_parameters.get(operation, ()):
        passing = table.passing_values.get(path, ())
        if any(_asks(value, passing) for value in _values(given, path.split("."))):
            raise UnsupportedOperation(f"{path} of {operation}")
    if service == "glue" and operation in ("CreateTable", "UpdateTable") and not given.get("TableInput"):
        raise UnsupportedOperation(f"{operation} without TableInput")
    owner = _ACCOUNT.get(service, "")
    if given.get(owner) not in (None, "", account_id):
        raise UnsupportedOperation(f"another account's {owner} in {operation}")


def _asks(value: Any, passing: Sequence[str]) -> bool:
    return bool(value) and value != "false" and value not in passing


def _values(given: Any, path: Sequence[str]) -> Iterator[Any]:
    """Yield the values of the parameter that `path` leads to; for a list, one for each of its items.

    A form has values as text, and the items of a list one by one: Name.member.1.
    """
    if not path:
        yield given
    elif isinstance(given, Mapping):
        for name, value in given.items():
            names = [part for part in name.split(".") if part not in ("member", "entry") and not part.isdigit()]
            if name == path[0]:
                yield from _values(value, path[1:])
            elif names[: len(path)] == list(path):
                yield value
    elif isinstance(given, list):
        for item in given:
            yield from _values(item, path)
