"""Finds and changes fields by their paths: `a.b`, `list[].price`, and names with dots in backticks.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StructType

from awsglue._type_names import glue_name

Change = Callable[[Column, DataType], Column | None]


def split(path: str) -> list[str]:
    """Return the parts of a dotted path. A part in backticks may contain dots; `[]` after an array's name is
    dropped."""
    parts, current, quoted = [], "", False
    for character in path:
        if character == "`":
            quoted = not quoted
        elif character == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += character
    return [part.removesuffix("[]") for part in [*parts, current]]


def listed(paths: str | Sequence[str]) -> list[str]:
    """Return `paths` as a list; AWS's own examples give a single path as a plain string."""
    return [paths] if isinstance(paths, str) else list(paths)


def quoted(name: str) -> str:
    """Return `name` as a column name that Spark takes literally."""
    return "`" + name.replace("`", "``") + "`"


def find(df: DataFrame, path: str, case_sensitive: bool = False) -> Column | None:
    """Return the column at a dotted `path`, or None."""
    found = find_typed(df, path, case_sensitive)
    return found[0] if found is not None else None


def find_typed(df: DataFrame, path: str, case_sensitive: bool = False) -> tuple[Column, DataType] | None:
    """Return the column at a dotted `path` and its type, or None."""
    kind: DataType = df.schema
    column: Column | None = None
    for part in split(path):
        name = _name_in(kind, part, case_sensitive)
        if name is None:
            return None
        column = F.col(quoted(name)) if column is None else column.getField(name)
        kind = kind[name].dataType
    return None if column is None else (column, kind)


def _name_in(kind: DataType, part: str, case_sensitive: bool) -> str | None:
    names = kind.names if isinstance(kind, StructType) else []
    if part in names or case_sensitive:
        return part if part in names else None
    return next((name for name in names if name.lower() == part.lower()), None)


def nest(columns: Mapping[str, Column]) -> list[Column]:
    """Return columns by dotted path as top-level columns; a path of more than one part leads into structs."""
    tree: dict[str, Any] = {}
    for path, column in columns.items():
        *outer, last = split(path)
        node = tree
        for part in outer:
            node = node.setdefault(part, {})
        node[last] = column

    def build(name: str, node: Any) -> Column:
        if isinstance(node, dict):
            return F.struct(*(build(inner, child) for inner, child in node.items())).alias(name)
        return node.alias(name)

    return [build(name, node) for name, node in tree.items()]


def change(df: DataFrame, path: str, leaf: Change) -> DataFrame:
    """Return `df` with the field at `path` replaced by `leaf(column, type)`, or without it if that is None.

    In arrays on the way, every element is changed. A struct that loses its last field is dropped too. A path that does
    not exist changes nothing.
    """
    name, *rest = split(path)
    found = _name_in(df.schema, name, case_sensitive=False)
    if found is None:
        return df
    column = _changed(F.col(quoted(found)), df.schema[found].dataType, rest, leaf)
    return df.drop(found) if column is None else df.withColumn(found, column)


def _changed(column: Column, kind: DataType, parts: list[str], leaf: Change) -> Column | None:
    if not parts:
        return leaf(column, kind)
    if isinstance(kind, ArrayType):
        # Whether the whole element is dropped depends only on its type: any column will do to find out.
        if _changed(F.col("x"), kind.elementType, parts, leaf) is None:
            return None
        return F.transform(column, lambda element: _changed(element, kind.elementType, parts, leaf))
    name = _name_in(kind, parts[0], case_sensitive=False)
    if name is None:
        return column
    inner = _changed(column.getField(name), kind[name].dataType, parts[1:], leaf)
    if inner is not None:
        return column.withField(quoted(name), inner)
    return column.dropFields(quoted(name)) if len(kind.names) > 1 else None


def flat(df: DataFrame) -> dict[str, Column]:
    """Return every field that is not a struct, by its dotted path."""
    columns: dict[str, Column] = {}

    def walk(path: str, column: Column, kind: DataType) -> None:
        if isinstance(kind, StructType):
            for field in kind.fields:
                walk(f"{path}.{field.name}", column.getField(field.name), field.dataType)
        else:
            columns[path] = column

    for field in df.schema.fields:
        walk(field.name, F.col(quoted(field.name)), field.dataType)
    return columns


def schema_lines(kind: DataType, indent: str = "") -> list[str]:
    """Return the lines that printSchema shows for a struct's fields."""
    lines = []
    fields = (
        [(field.name, field.dataType) for field in kind.fields]
        if isinstance(kind, StructType)
        else [("element", kind.elementType)]
        if isinstance(kind, ArrayType)
        else []
    )
    for name, inner in fields:
        lines.append(f"{indent}|-- {name}: {glue_name(inner)}")
        lines += schema_lines(inner, indent + "|    ")
    return lines
