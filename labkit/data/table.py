"""Empties toll_table, and resets the time from which its loads are counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labkit.data import data_api

if TYPE_CHECKING:
    from labkit.lab import Lab

COUNTED_SINCE = "etl.counted_since"
"""A table with one row: the time from which loads are counted."""


def empty(lab: Lab, with_it: Sequence[str]) -> None:
    """Delete the table's rows and start counting its loads again, in one transaction with the statements `with_it`.

    It uses DELETE, because Redshift's TRUNCATE commits the transaction that it is in.
    """
    data_api.execute_together(
        lab,
        [
            "create schema if not exists etl",
            f"create table if not exists {COUNTED_SINCE} (since timestamp not null)",
            f"delete from public.{lab.config.redshift_table}",
            *with_it,
            f"delete from {COUNTED_SINCE}",
            f"insert into {COUNTED_SINCE} values (getdate())",
        ],
    )


def counted_since(lab: Lab) -> str:
    """The time from which loads are counted, in Redshift's format; 1970 if the table was never emptied."""
    schema, _, name = COUNTED_SINCE.partition(".")
    sql = "select count(*) from information_schema.tables where table_schema = :schema and table_name = :name"
    if not data_api.execute(lab, sql, {"schema": schema, "name": name}).rows[0][0]:
        return "1970-01-01 00:00:00"
    rows = data_api.execute(lab, f"select cast(max(since) as varchar) from {COUNTED_SINCE}").rows
    return str(rows[0][0])
