"""Mappings of fields, as ApplyMapping has them: (source, source type, target, target type).

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-ApplyMapping.html

In Glue each value has its own type, and a mapping only takes the values that have its source type: others are lost, and
the column has NULL instead. (https://github.com/awsdocs/aws-glue-developer-guide/issues/3 asked for a warning about
it.) Here all values of a column have the column's type, so they are all lost together, and the job's log says so.
Types are compared by name: a decimal is a decimal whatever its precision, and a struct whatever its fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StructType, _parse_datatype_string

from awsglue import _fields, _run
from awsglue._errors import NotSupportedLocally
from awsglue._hive_types import spark_type
from awsglue._type_names import NESTED, check_cast, declared_name, glue_name

# The warnings that were logged already: each is logged once for each field.
_reported: set[tuple[str, str, str]] = set()


def mapped(df: DataFrame, mappings: Sequence[tuple[str, ...]], case_sensitive: bool) -> DataFrame:
    """Return `df` with only the mapped fields, renamed and cast.

    Raises:
        TypeError, ValueError: something is not a mapping.
        NotSupportedLocally: a type is not known here.
    """
    columns: dict[str, Column] = {}
    # AWS's own examples give one mapping without a list around it.
    for mapping in [mappings] if isinstance(mappings, tuple) else mappings:
        source, source_type, target, target_type = _parts(mapping)
        found = _fields.find_typed(df, source, case_sensitive)
        if found is None:
            continue
        column, kind = found
        if source_type and declared_name(source_type) != glue_name(kind):
            _report(source, declared_name(source_type), glue_name(kind))
            column = F.lit(None)
        elif target_type:
            check_cast(kind, target_type)
        columns[target] = column.cast(_target_type(target_type, kind)) if target_type else column
    return df.select(*_fields.nest(columns))


def _parts(mapping: Any) -> tuple[str, str, str, str]:
    """Return source, source type, target and target type of a mapping; the types are empty if it has two elements."""
    if not isinstance(mapping, tuple) or not all(isinstance(part, str) for part in mapping):
        raise TypeError(f"a mapping must be a tuple of texts, not {mapping!r}")
    match mapping:
        case (source, target):
            return source, "", target, ""
        case (_, _, _):
            raise NotSupportedLocally(f"the mapping {mapping!r}", ["(source, source type, target, target type)"])
        case (source, source_type, target, target_type):
            return source, source_type, target, target_type
    raise ValueError(f"not a mapping: {mapping!r}. It must be (source, source type, target, target type)")


def _target_type(target_type: str, kind: DataType) -> DataType | str:
    """Return the type to which a value of the type `kind` is cast."""
    name = target_type.strip().lower()
    if name in NESTED:
        # Glue Studio doesn't name the fields: ("address", "struct", "home", "struct").
        if name != glue_name(kind):
            raise NotSupportedLocally(f"a mapping of {glue_name(kind)} to {name}", [f"{name}<...>"])
        return kind
    spark_name = spark_type(target_type)
    if declared_name(target_type) in NESTED and not _same_fields(kind, _parse_datatype_string(spark_name)):
        # Spark's cast goes by position: it would rename the fields, and keep their values in the old order.
        raise NotSupportedLocally(
            f"a mapping of {kind.simpleString()} to {target_type}", ["a type with the same fields"]
        )
    return spark_name


def _same_fields(one: DataType, other: DataType) -> bool:
    if isinstance(one, StructType) and isinstance(other, StructType):
        pairs = zip(one.fields, other.fields, strict=False)
        return one.names == other.names and all(_same_fields(a.dataType, b.dataType) for a, b in pairs)
    if isinstance(one, ArrayType) and isinstance(other, ArrayType):
        return _same_fields(one.elementType, other.elementType)
    return not isinstance(one, StructType) and not isinstance(other, StructType)


def _report(source: str, declared: str, true: str) -> None:
    # A column of type null has no values to lose.
    if true != "null" and (source, declared, true) not in _reported:
        _reported.add((source, declared, true))
        _run.log(
            f"WARN ApplyMapping: the mapping says that {source!r} is {declared}, but it is {true}: as on AWS Glue, its"
            " values are lost and the column is NULL"
        )
