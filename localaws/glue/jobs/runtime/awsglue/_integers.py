"""Whole numbers without a declared type: in Glue, the size of each value decides between int and long.

If no catalog declares a number's type (JSON read by its paths, what a script's function returns), a value that fits
into four bytes is an int in Glue, and any other a long; a field with both has a choice type there
(https://github.com/awslabs/aws-glue-libs/issues/157). Spark infers long for all of them. So a column is made int here
if all its values fit, because mappings depend on the type of a value. Fields that a function leaves unchanged keep
their type (https://github.com/awslabs/aws-glue-libs/issues/44 shows both).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, IntegerType, LongType, StructField, StructType

from awsglue import _fields, _run

_INT = range(-(1 << 31), 1 << 31)
# The extreme (smallest or largest) of a column's longs at one path. The second argument, array_min or array_max, finds
# the extreme of an array on the way.
_Extreme = Callable[[Column, Callable[[Column], Column]], Column]
_Path = tuple[str, ...]


def narrowed(df: DataFrame, known: StructType | None = None) -> DataFrame:
    """Return `df` with int in place of long if all values fit; fields that are longs in `known` stay longs."""
    longs = list(_longs(df.schema, known))
    if not longs:
        return df
    extremes = df.agg(
        *(F.min(extreme(_column(path), F.array_min)) for path, extreme in longs),
        *(F.max(extreme(_column(path), F.array_max)) for path, extreme in longs),
    ).first()
    small = set()
    for (path, _), low, high in zip(longs, extremes[: len(longs)], extremes[len(longs) :], strict=True):
        if low is None or (low in _INT and high in _INT):
            small.add(path)
        elif low in _INT or high in _INT:
            _run.log(
                f"WARN DynamicFrame: {'.'.join(path)!r} has values of the types int and long: on AWS Glue it is of a"
                " choice type, here it is long"
            )
    if not small:
        return df
    schema = _with_ints(df.schema, small)
    return df.select(
        *(F.col(_fields.quoted(field.name)).cast(field.dataType).alias(field.name) for field in schema.fields)
    )


def _column(path: _Path) -> Column:
    return F.col(_fields.quoted(path[0]))


def _longs(struct: StructType, known: DataType | None) -> Iterator[tuple[_Path, _Extreme]]:
    """Yield the path of each long in a struct, and its extreme in the column of the path's first part."""
    for field in struct.fields:
        was = known[field.name].dataType if isinstance(known, StructType) and field.name in known.names else None
        for path, extreme in _longs_in(field.dataType, was):
            yield (field.name, *path), extreme


def _longs_in(kind: DataType, known: DataType | None) -> Iterator[tuple[_Path, _Extreme]]:
    if isinstance(kind, LongType) and not isinstance(known, LongType):
        yield (), lambda column, _: column
    elif isinstance(kind, ArrayType):
        was = known.elementType if isinstance(known, ArrayType) else None
        for path, extreme in _longs_in(kind.elementType, was):
            yield ("[]", *path), _of_elements(extreme)
    elif isinstance(kind, StructType):
        for path, extreme in _longs(kind, known):
            yield path, _of_field(path[0], extreme)


def _of_elements(inner: _Extreme) -> _Extreme:
    return lambda column, pick: pick(F.transform(column, lambda element: inner(element, pick)))


def _of_field(name: str, inner: _Extreme) -> _Extreme:
    return lambda column, pick: inner(column.getField(name), pick)


def _with_ints(kind: DataType, small: set[_Path], path: _Path = ()) -> DataType:
    if isinstance(kind, StructType):
        return StructType(
            [StructField(field.name, _with_ints(field.dataType, small, (*path, field.name))) for field in kind.fields]
        )
    if isinstance(kind, ArrayType):
        return ArrayType(_with_ints(kind.elementType, small, (*path, "[]")))
    return IntegerType() if path in small else kind
