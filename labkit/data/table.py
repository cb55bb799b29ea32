"""toll_table: its columns and rows, its preview, the loads into it, and how it is emptied."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from labkit import origins
from labkit.data import data_api
from labkit.errors import UsageError
from labkit.session import Session
from labkit.show.preview import Preview

COUNTED_SINCE = "etl.counted_since"
"""A table with one row: the time from which loads are counted."""


def empty(session: Session, with_it: Sequence[str]) -> None:
    """Delete the table's rows and start counting its loads again, in one transaction with the statements `with_it`.

    It uses DELETE, because Redshift's TRUNCATE commits the transaction that it is in.
    """
    data_api.execute_together(
        session,
        [
            "create schema if not exists etl",
            f"create table if not exists {COUNTED_SINCE} (since timestamp not null)",
            f"delete from public.{session.config.redshift_table}",
            *with_it,
            f"delete from {COUNTED_SINCE}",
            f"insert into {COUNTED_SINCE} values (getdate())",
        ],
    )


def counted_since(session: Session) -> str:
    """The time from which loads are counted, in Redshift's format; 1970 if the table was never emptied."""
    schema, _, name = COUNTED_SINCE.partition(".")
    sql = "select count(*) from information_schema.tables where table_schema = :schema and table_name = :name"
    if not data_api.execute(session, sql, {"schema": schema, "name": name}).rows[0][0]:
        return "1970-01-01 00:00:00"
    rows = data_api.execute(session, f"select cast(max(since) as varchar) from {COUNTED_SINCE}").rows
    return str(rows[0][0])


def columns(session: Session) -> tuple[tuple[str, str], ...]:
    """The table's columns: name and type.

    Raises:
        MissingStep: there is no table, or no cluster.
    """
    table = session.config.redshift_table
    found = columns_of(session, "public", table)
    if not found:
        raise origins.missing_part("redshift", f"Table {table}")
    return found


def columns_of(session: Session, schema: str, table: str) -> tuple[tuple[str, str], ...]:
    """The columns of any table or view: name and type. Empty if there is no such table."""
    rows = data_api.execute(
        session,
        "select column_name, data_type from information_schema.columns "
        "where table_schema = :schema and table_name = :name order by ordinal_position",
        {"schema": schema, "name": table},
    ).rows
    return tuple((name, kind) for name, kind in rows)


def preview(session: Session, named: str, limit: int) -> Preview:
    """The first rows of a table, in a stable order, with its columns' types and its number of rows.

    Args:
        session: of the lab.
        named: a table's name, with its schema if that is not `public`.
        limit: the maximum number of rows.

    Raises:
        UsageError: there is no such table.
        MissingStep: the lab's own table is not there yet, or there is no cluster.
    """
    schema, _, table = named.lower().rpartition(".")
    schema = schema or "public"
    kinds = columns_of(session, schema, table)
    if not kinds:
        if table == session.config.redshift_table:
            raise origins.missing_part("redshift", f"Table {table}")
        raise UsageError(f"There is no table {schema}.{table}.", fix="Which tables are there: %redshift show tables")
    full = ".".join('"{}"'.format(part.replace('"', '""')) for part in (schema, table))
    order = ", ".join(str(place) for place, (_, kind) in enumerate(kinds, 1) if kind not in NOT_SORTABLE)
    ordered = f" order by {order}" if order else ""
    found = data_api.execute(session, f"select * from {full}{ordered} limit {operator.index(limit)}")
    rows = int(data_api.execute(session, f"select count(*) from {full}").rows[0][0])
    return Preview(f"{schema}.{table}", kinds, found.rows, rows)


NOT_SORTABLE = {"super", "geometry", "geography", "hllsketch"}
"""The types of columns that rows can't be sorted by."""


def count(session: Session) -> int:
    """The number of rows in the table."""
    return int(data_api.execute(session, f"select count(*) from public.{session.config.redshift_table}").rows[0][0])


def loaded(session: Session) -> int:
    """The number of rows that COPY has loaded since the table was last emptied, from Redshift's load history."""
    rows = data_api.execute(
        session,
        "select coalesce(sum(loaded_rows), 0) from sys_load_history "
        "where table_name = :table and status = 'completed' and start_time >= cast(:since as timestamp)",
        {"table": session.config.redshift_table, "since": counted_since(session)},
    ).rows
    return int(rows[0][0])
