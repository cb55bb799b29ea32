"""COPY of Parquet."""

from __future__ import annotations

import datetime
import decimal
import io
from collections.abc import Callable
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from pyarrow import parquet
from warehouse import Session

Unique = Callable[[str], str]

GOOD = {
    "id": pa.array([1, None], pa.int64()),
    "name": pa.array(["ä", ""]),
    "amount": pa.array([1.25, None], pa.float32()),
    "day": pa.array([datetime.date(2020, 1, 1), None]),
    "at": pa.array([datetime.datetime(2020, 1, 1, 2, 3), None], pa.timestamp("us")),
    "price": pa.array([decimal.Decimal("1.50"), None], pa.decimal128(10, 2)),
    "ok": pa.array([True, None]),
}


def encoded(columns: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream)
    return stream.getvalue()


@pytest.fixture
def table(db: Session, unique: Unique) -> str:
    name = unique("t")
    db.run(
        f"create table {name} (id bigint, name varchar(10), amount real, day date, at timestamp,"
        " price numeric(10, 2), ok boolean)"
    )
    return name


@pytest.mark.as_on_aws("Redshift")
def test_COPY_matches_parquet_columns_by_position(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html"""
    renamed = {f"column_{number}": values for number, values in enumerate(GOOD.values())}
    db.copy(table, db.warehouse.put(f"{table}/a.parquet", encoded(renamed)), "format as parquet")
    assert db.rows(f"select id, name, amount, day::varchar, at::varchar, price::varchar, ok from {table}") == [
        (1, "ä", 1.25, "2020-01-01", "2020-01-01 02:03:00", "1.50", True),
        (None, "", None, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("columns", "context"),
    [
        ({**GOOD, "amount": pa.array([1.0, 2.0])}, r"Column type: REAL, Parquet schema:\noptional double amount"),
        ({"id": GOOD["id"]}, "Table columns: 7, Data columns: 1"),
        ({**GOOD, "name": pa.array(["x" * 11, ""])}, "The length of the data column name is longer than"),
    ],
    ids=["type", "number of columns", "length"],
)
def test_a_file_that_does_not_fit_the_table_is_a_scan_error(
    db: Session, table: str, columns: dict[str, Any], context: str
) -> None:
    source = db.warehouse.put(f"{table}/a.parquet", encoded(columns))
    with pytest.raises(psycopg.Error, match="Spectrum Scan Error") as failed:
        db.copy(table, source, "parquet")
    assert context in (failed.value.diag.message_detail or "")
    assert db.rows(f"select count(*) from {table}") == [(0,)]
    assert db.rows(f"select status from sys_load_history where table_name = '{table}'") == [("aborted",)]


def test_a_file_that_is_not_parquet_is_a_scan_error(db: Session, table: str) -> None:
    with pytest.raises(psycopg.Error, match="Spectrum Scan Error"):
        db.copy(table, db.warehouse.put(f"{table}/a.parquet", "1,2,3"), "parquet")
