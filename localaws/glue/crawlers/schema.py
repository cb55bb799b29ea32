"""Types of the Glue catalog: inferred from values, merged over rows and files, written as Hive writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import itemgetter
from typing import Any

INT_MIN, INT_MAX = -(2**31), 2**31 - 1


class Primitive(StrEnum):
    """The types of single values. VOID means that only nulls were seen; it is written as string."""

    VOID = "void"
    BOOLEAN = "boolean"
    INT = "int"
    BIGINT = "bigint"
    DOUBLE = "double"
    STRING = "string"


@dataclass(frozen=True)
class Array:
    """A list whose elements have one type."""

    element: Type


@dataclass(frozen=True)
class Struct:
    """A nested object; its fields in the order in which they were first seen."""

    fields: tuple[tuple[str, Type], ...]


@dataclass(frozen=True)
class Stated:
    """A type that a file states itself, in Hive's notation; it is compatible with no other type."""

    name: str


Type = Primitive | Array | Struct | Stated
Schema = dict[str, Type]

_WIDER = {
    frozenset({Primitive.INT, Primitive.BIGINT}): Primitive.BIGINT,
    frozenset({Primitive.INT, Primitive.DOUBLE}): Primitive.DOUBLE,
    frozenset({Primitive.BIGINT, Primitive.DOUBLE}): Primitive.DOUBLE,
}


def infer(value: Any) -> Type:
    """Return the narrowest type that holds `value`, a JSON value."""
    kind = type(value)
    if kind is str:
        return Primitive.STRING
    if kind is int:
        return Primitive.INT if INT_MIN <= value <= INT_MAX else Primitive.BIGINT
    if kind is float:
        return Primitive.DOUBLE
    if kind is bool:
        return Primitive.BOOLEAN
    if value is None:
        return Primitive.VOID
    if kind is list:
        element: Type = Primitive.VOID
        for part in value:
            element = merge(element, infer(part))
        return Array(element)
    return Struct(tuple((name, infer(part)) for name, part in value.items()))


def merge(one: Type, other: Type) -> Type:
    """Return the narrowest type that holds the values of both; string if they have nothing in common."""
    if one == other or other is Primitive.VOID:
        return one
    if one is Primitive.VOID:
        return other
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(merge(one.element, other.element))
    if isinstance(one, Struct) and isinstance(other, Struct):
        return Struct(tuple(merge_schemas([dict(one.fields), dict(other.fields)]).items()))
    if isinstance(one, Primitive) and isinstance(other, Primitive):
        return _WIDER.get(frozenset({one, other}), Primitive.STRING)
    return Primitive.STRING


def infer_schema(rows: Iterable[Mapping[str, Any]]) -> Schema:
    """Return the schema that holds all `rows`, with its columns in the order in which they were first seen."""
    rows = list(rows)
    names = tuple(rows[0]) if rows else ()
    if all(map(names.__eq__, map(tuple, rows))):
        # Most files have the same fields in each row. Going column by column saves nearly all of a crawl's time.
        return {name: _infer_column(list(map(itemgetter(name), rows))) for name in names}
    schema: Schema = {}
    for row in rows:
        for name, value in row.items():
            schema[name] = merge(schema.get(name, Primitive.VOID), infer(value))
    return schema


def _infer_column(values: list[Any]) -> Type:
    kinds = set(map(type, values))
    if kinds == {str}:
        return Primitive.STRING
    if kinds == {float}:
        return Primitive.DOUBLE
    if kinds == {int}:
        return Primitive.INT if min(values) >= INT_MIN and max(values) <= INT_MAX else Primitive.BIGINT
    return reduce(merge, map(infer, values))


def merge_schemas(schemas: Iterable[Schema]) -> Schema:
    """Return the schema that holds the values of all `schemas`."""
    merged: Schema = {}
    for schema in schemas:
        for name, column in schema.items():
            merged[name] = merge(merged[name], column) if name in merged else column
    return merged


def lower_case(schema: Schema) -> Schema:
    """Return `schema` with column names as the catalog keeps them; columns that differ only in case are merged."""
    return merge_schemas({name.lower(): column} for name, column in schema.items() if name)


def hive_type(column: Type) -> str:
    """Return `column` in Hive's notation, as in ``struct<name:string,sizes:array<int>>``."""
    if isinstance(column, Array):
        return f"array<{hive_type(column.element)}>"
    if isinstance(column, Struct):
        return f"struct<{','.join(f'{name}:{hive_type(part)}' for name, part in column.fields)}>"
    if isinstance(column, Stated):
        return column.name
    return "string" if column is Primitive.VOID else column.value
