"""The filter of GetPartitions: https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html (Expression).

moto parses the expression and evaluates it partition by partition, by the keys' types, so it would report a mistake
only when it compares a partition. Here every comparison is tried first, on an example value of its key's type.
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
    """An expression over the partition keys of one table; a missing or blank one matches every partition."""

    def __init__(self, expression: str | None, keys: Sequence[dict[str, Any]]) -> None:
        """Parse the expression.

        Raises:
            InvalidInputException: the expression is malformed, names a column that is not among the keys, or compares
                a key with a value of another type.
        """
        # decimal(10,2) is compared as decimal, and varchar(9) as varchar.
        self._keys = [{**key, "Type": _kind(key.get("Type") or "string")} for key in keys]
        example = {"Values": [_EXAMPLES.get(key["Type"], "") for key in self._keys]}
        try:
            self._tree: Any = _PARTITION_FILTER_EXPRESSION_CACHE.get(expression)
            for comparison in _comparisons(self._tree):
                comparison.eval(self._keys, example)
        except RecursionError:
            raise InvalidInputException("GetPartitions", "The expression is nested too deeply") from None

    def matching(self, partitions: Iterable[FakePartition]) -> list[FakePartition]:
        """Return the partitions that match the expression."""
        if self._tree is None:
            return list(partitions)
        return [one for one in partitions if self._tree.eval(self._keys, one.partition_input)]


def _kind(written: str) -> str:
    """Return the type by which moto compares values of the type `written`."""
    kind = re.sub(r"\(.*", "", written).strip().lower()
    return "bigint" if kind == "long" else kind


def _comparisons(tree: Any) -> Iterator[Any]:
    if tree is not None and hasattr(tree, "operands"):
        for operand in tree.operands:
            yield from _comparisons(operand)
    elif tree is not None:
        yield tree
