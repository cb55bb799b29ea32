"""resolveChoice without choice types: here, all records of a frame share the types of its columns.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-ResolveChoice.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql.types import DataType

from awsglue import _fields, _run
from awsglue._catalog import get_table
from awsglue._errors import NotSupportedLocally
from awsglue._hive_types import ddl, spark_type
from awsglue._type_names import check_cast, declared_name, glue_name

_ACTIONS = ["cast:TYPE", "project:TYPE", "make_cols", "make_struct", "match_catalog"]


class ResolveOption:
    """What DynamicFrame.toDF is to do with a field of a choice type."""

    def __init__(self, path: str, action: str, target: Any = None) -> None:
        self.path = path
        self.action = action
        self.target = target


def resolved(
    df: DataFrame,
    specs: Sequence[tuple[str, str]] | None,
    choice: str,
    database: str | None,
    table_name: str | None,
    catalog_id: str | None,
) -> DataFrame:
    """Return `df` after the actions in `specs`, or after the action `choice`.

    Raises:
        ValueError: neither or both are given, or match_catalog without database and table_name.
        NotSupportedLocally: the action is not known here, or can't be done without choice types.
    """
    if specs is None and not choice:
        raise ValueError("resolveChoice needs specs or choice")
    if specs is not None and choice:
        raise ValueError("resolveChoice takes specs or choice, not both")
    # Glue's own scripts write MATCH_CATALOG.
    if choice.lower() == "match_catalog":
        specs = _of_catalog(df, database, table_name, catalog_id)
    elif choice:
        _leaf_of(choice)
    # AWS's own examples give a single one without a list around it.
    for path, action in [specs] if isinstance(specs, tuple) else specs or []:
        leaf = _leaf_of(action)
        df = _fields.change(df, path, leaf) if leaf is not None else df
    return df


def _of_catalog(
    df: DataFrame, database: str | None, table_name: str | None, catalog_id: str | None
) -> list[tuple[str, str]]:
    if not database or not table_name:
        raise ValueError("resolveChoice(choice='match_catalog') needs database and table_name")
    wanted = dict(get_table(database, table_name, catalog_id).columns)
    differing = [
        field
        for field in df.schema.fields
        if field.name in wanted and spark_type(wanted[field.name]) != ddl(field.dataType)
    ]
    for field in differing:
        _run.log(
            f"WARN ResolveChoice: {field.name!r} is {glue_name(field.dataType)}, the catalog says {wanted[field.name]}:"
            " it is cast here, but AWS Glue casts it only if it has a choice type"
        )
    return [(_fields.quoted(field.name), f"cast:{wanted[field.name]}") for field in differing]


def _leaf_of(action: str) -> _fields.Change | None:
    """Return what an action does to a field; None if it changes only choice types."""
    verb, _, kind = action.partition(":")
    if verb == "cast" and kind:
        return _cast(kind)
    if verb == "project" and kind:
        return _projected(declared_name(kind))
    if action.lower() not in ("make_cols", "make_struct"):
        raise NotSupportedLocally(f"resolveChoice action {action!r}", _ACTIONS)
    return None


def _cast(name: str) -> _fields.Change:
    wanted = spark_type(name)

    def cast(column: Column, kind: DataType) -> Column:
        check_cast(kind, name)
        return column.cast(wanted)

    return cast


def _projected(name: str) -> _fields.Change:
    """Leave a field that has the type as it is, and refuse others: one of AWS's pages says that their values are
    converted, and another that they are dropped."""

    def check(column: Column, kind: DataType) -> Column:
        if glue_name(kind) not in (name, "null"):
            raise NotSupportedLocally(
                f"resolveChoice 'project:{name}' of a field of type {glue_name(kind)}", [f"cast:{name}"]
            )
        return column

    return check
