"""The conditions of split_rows: ``{"price": {">": 10, "<=": 20}}``.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from awsglue import _fields
from awsglue._errors import refuse_unknown

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


def all_hold(df: DataFrame, conditions: Mapping[str, Mapping[str, Any]]) -> Column:
    """Whether all of {path: {comparator: value}} hold for a row; false if a compared value is NULL.

    Raises:
        ValueError: `df` has no field at a path.
    """
    columns = []
    for path, comparisons in conditions.items():
        column = _fields.find(df, path)
        if column is None:
            raise ValueError(f"split_rows: the frame has no field {path!r}")
        refuse_unknown("split_rows comparators", comparisons, _COMPARISONS)
        columns += [_COMPARISONS[sign](column, value) for sign, value in comparisons.items()]
    return F.coalesce(reduce(lambda a, b: a & b, columns, F.lit(True)), F.lit(False))
