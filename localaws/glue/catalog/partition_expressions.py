"""The filter of GetPartitions: https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html (Expression).

moto reads it and compares by the keys' types, partition by partition; so a mistake would be told only where a partition
is compared. Here the whole expression is tried first, on values that any key of its type can have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from moto.glue.exceptions import InvalidInputException
from moto.glue.models import FakePartition
from moto.glue.utils import _PARTITION_FILTER_EXPRESSION_CACHE

_EXAMPLES = {
    "bigint": "0", "int": "0", "smallint": "0", "tinyint": "0", "decimal": "0",
    "date": "2000-01-01", "timestamp": "2000-01-01 00:00:00",
}  # fmt: skip


class PartitionExpression:
    """An expression over the partition keys of one table; none, or a blank one, holds for each partition."""

    def __init__(self, expression: str | None, keys: Sequence[dict[str, Any]]) -> None:
        """Read the expression.

        Raises:
            InvalidInputException: it is not one, names a column that is not among the keys, or compares one with what
                is not of its type.
        """
        # decimal(10,2) compares as decimal does, and varchar(9) as varchar.
        self._keys = [{**key, "Type": _kind(key.get("Type") or "string")} for key in keys]
        example = {"Values": [_EXAMPLES.get(key["Type"], "") for key in self._keys]}
        try:
            self._tree: Any = _PARTITION_FILTER_EXPRESSION_CACHE.get(expression)
            for comparison in _comparisons(self._tree):
                comparison.eval(self._keys, example)
        except RecursionError:
            raise InvalidInputException("GetPartitions", "The expression is nested too deeply") from None

    def matching(self, partitions: Iterable[FakePartition]) -> list[FakePartition]:
        """Those for which the expression holds."""
        if self._tree is None:
            return list(partitions)
        return [one for one in partitions if self._tree.eval(self._keys, one.partition_input)]


def _kind(written: str) -> str:
    """The type that moto compares by."""
    kind = re.sub(r"\(.*", "", written).strip().lower()
    return "bigint" if kind == "long" else kind


def _comparisons(tree: Any) -> Iterator[Any]:
    if tree is not None and hasattr(tree, "operands"):
        for operand in tree.operands:
            yield from _comparisons(operand)
    elif tree is not None:
        yield tree
