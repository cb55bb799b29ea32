"""Numbers with more decimals than their DECIMAL column: COPY truncates them, with ROUNDEC it rounds.

Source: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html (ROUNDEC)
"""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow
import pyarrow.parquet
import pytest
from warehouse import PASSWORD, Session

from localaws.redshift.copy.delimited import DelimitedReader
from localaws.redshift.copy.json_format import JsonReader
from localaws.redshift.copy.parse import CopyOptions, Format
from localaws.redshift.copy.row_by_row import truncated
from localaws.redshift.copy.target import Column, Target

Unique = Callable[[str], str]

MANY = 10_000  # rows of a file that is large enough for the fast path
FORMATS = [
    ("{number}|{value}\n", ""),
    ("{number},{value}\n", "csv"),
    ('{{"id": {number}, "v": {value}}}\n', "json 'auto'"),
]
each_format = pytest.mark.parametrize(("line", "form"), FORMATS, ids=["text", "csv", "json"])


def numeric(name: str, precision: int, scale: int) -> Column:
    return Column(name, "numeric", (precision << 16 | scale) + 4, not_null=False, identity=False)


def load(db: Session, table: str, line: str, values: list[str], form: str, kind: str) -> list[Decimal]:
    """The values that the table then holds."""
    db.run(f"drop table if exists {table}")
    db.run(f"create table {table} (id int, v {kind})")
    body = "".join(line.format(number=number, value=value) for number, value in enumerate(values))
    db.copy(table, db.warehouse.put(f"{table}/a", body), form)
    return [value for (value,) in db.rows(f"select v from {table} order by id")]


@pytest.mark.as_on_aws("Redshift")
@each_format
def test_COPY_truncates_a_decimal_to_its_column_s_scale_and_rounds_it_with_ROUNDEC(
    db: Session, unique: Unique, line: str, form: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html: 20.259 in DECIMAL(8,2)."""
    table = unique("t")
    for rows in (1, MANY):  # read row by row, and at full speed
        values = ["20.259"] * rows
        assert set(load(db, table, line, values, form, "decimal(8,2)")) == {Decimal("20.25")}
        assert set(load(db, table, line, values, f"{form} roundec", "decimal(8,2)")) == {Decimal("20.26")}


@each_format
def test_a_truncated_value_is_the_same_on_the_fast_and_the_slow_path(
    db: Session, unique: Unique, line: str, form: str
) -> None:
    table = unique("t")
    given = ["-20.259", "0.999", "-0.001", "20.25", "20.2", "20", "1.2345e2", "129e-3", "999.999", "-999.9999"]
    expected = ["-20.25", "0.99", "0", "20.25", "20.2", "20", "123.45", "0.12", "999.99", "-999.99"]
    wanted = [Decimal(value) for value in expected]
    assert load(db, table, line, given, form, "decimal(5,2)") == wanted
    assert load(db, table, line, given * (MANY // 10), form, "decimal(5,2)") == wanted * (MANY // 10)


@each_format
@pytest.mark.parametrize(("value", "options"), [("1000.001", ""), ("999.999", " roundec")])
def test_a_number_too_large_for_its_precision_is_an_error_with_the_original_value(
    db: Session, unique: Unique, line: str, form: str, value: str, options: str
) -> None:
    table = unique("t")
    for before in ([], ["1.239"] * MANY):
        with pytest.raises(psycopg.Error, match="stl_load_errors"):
            load(db, table, line, [*before, value], form + options, "decimal(5,2)")
        assert db.errors() == [(len(before) + 1, "v", 1222, "Overflow for NUMERIC(5,2)")]
        found = db.rows("select raw_field_value from stl_load_errors order by query desc limit 1")
        assert [field.strip() for (field,) in found] == [value]
        assert db.rows(f"select count(*) from {table}") == [(0,)]


def test_a_json_number_with_more_digits_than_a_double_keeps_is_truncated_exactly(db: Session, unique: Unique) -> None:
    values = ["20.2599999999999999999"] * MANY
    found = load(db, unique("t"), '{{"id": {number}, "v": {value}}}\n', values, "json 'auto'", "decimal(8,2)")
    assert set(found) == {Decimal("20.25")}


def test_a_truncated_load_needs_no_more_privileges_than_insert(db: Session, unique: Unique) -> None:
    table, user = unique("t"), unique("u")
    source = db.warehouse.put(f"{table}/a", "20.259\n" * MANY)
    db.run(f"create table {table} (v decimal(8,2))")
    db.run(f"create user {user} password '{PASSWORD}'; grant insert on {table} to {user}")
    try:
        db.run("revoke temporary on database toll_db from public")
        with db.warehouse.connect(user, PASSWORD) as connection:
            Session(db.warehouse, connection).copy(table, source)
        db.run("grant temporary on database toll_db to public")
        with db.warehouse.connect(user, PASSWORD) as connection:
            Session(db.warehouse, connection).copy(table, source)
    finally:
        db.run("grant temporary on database toll_db to public")
        db.run(f"drop table {table}; drop user {user}")


def test_a_load_with_truncated_decimals_respects_identity_columns_and_lengths(db: Session, unique: Unique) -> None:
    table = unique("t")
    db.run(f"create table {table} (n bigint identity(1,1), v decimal(8,2), name varchar(3), d date, s super)")
    source = db.warehouse.put(f"{table}/a", '20.259|abc|2026-01-02|{"a": 1}\n' * MANY)
    db.copy(table, source, "")
    assert db.rows(f"select count(distinct n), min(v), min(name), min(d)::varchar from {table}") == [
        (MANY, Decimal("20.25"), "abc", "2026-01-02")
    ]
    source = db.warehouse.put(f"{table}/b", "20.259|abc||\n" * MANY + "1.5|abcd||\n")
    with pytest.raises(psycopg.Error, match="stl_load_errors"):
        db.copy(table, source, "")
    assert db.errors() == [(MANY + 1, "name", 1204, "String length exceeds DDL length")]
    with_number = db.warehouse.put(f"{table}/c", "77000000|1.999|abc||\n" * MANY)
    db.copy(table, with_number, "explicit_ids")
    assert db.rows(f"select distinct v from {table} where n = 77000000") == [(Decimal("1.99"),)]


@pytest.mark.as_on_aws("Redshift")
def test_parquet_with_another_scale_than_the_column_is_refused(db: Session, unique: Unique) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html"""
    table = unique("t")
    db.run(f"create table {table} (v decimal(8,2))")
    content = io.BytesIO()
    values = pyarrow.array([Decimal("20.259")], pyarrow.decimal128(8, 3))
    pyarrow.parquet.write_table(pyarrow.table({"v": values}), content)
    source = db.warehouse.put(f"{table}/a.parquet", content.getvalue())
    with pytest.raises(psycopg.Error, match="Spectrum Scan Error"):
        db.copy(table, source, "parquet")


@pytest.mark.parametrize(
    ("value", "scale", "expected"),
    [
        ("20.259", 2, "20.25"),
        ("-20.259", 2, "-20.25"),
        (" +20.259 ", 2, "20.25"),
        (".9", 0, "0"),
        ("15e-1", 0, "1"),
        ("1.5E-38", 37, "0." + "0" * 37),
        ("20", 2, "20"),
        ("9" * 38 + ".9", 0, "9" * 38),
        # What PostgreSQL has to judge.
        ("1.2.3", 2, "1.2.3"),
        ("20.259x", 2, "20.259x"),
        ("1e999999", 2, "1e999999"),
        ("٢.259", 2, "٢.259"),
    ],
)
def test_a_number_is_truncated_at_its_scale(value: str, scale: int, expected: str) -> None:
    assert truncated(value, scale) == expected


ROWS = " " * 70_000  # an only field of blanks: with it, a file is large enough for the fast path


@pytest.mark.parametrize(
    ("body", "options", "expected"),
    [
        ("20.25", {}, False),
        ("20.259", {}, True),
        ("20.2_59", {}, True),
        ("2e-5", {}, True),
        ("20.259", {"round_decimals": True}, False),
    ],
)
def test_a_file_is_staged_only_if_a_number_may_have_too_many_decimals(
    tmp_path: Path, body: str, options: dict[str, Any], expected: bool
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{ROWS}\n{body}\n")
    target = Target(1, "public", "t", "t", (numeric("a", 8, 2),))
    found = DelimitedReader(target, CopyOptions(format=Format.CSV, **options)).fast(path)
    assert found is not None
    assert found.truncate is expected


def test_a_table_without_decimals_is_never_staged(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(f"{ROWS}\n20.259e-7\n")
    target = Target(1, "public", "t", "t", (Column("a", "float8", -1, not_null=False, identity=False),))
    for reader in (DelimitedReader(target, CopyOptions()), JsonReader(target, CopyOptions(format=Format.JSON))):
        found = reader.fast(path)
        assert found is not None
        assert not found.truncate


def test_a_long_number_that_crosses_two_reads_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "a"
    target = Target(1, "public", "t", "t", (numeric("a", 8, 2),))
    for place in range((1 << 20) - 8, 1 << 20):
        path.write_text(" " * place + "20.259\n")
        found = DelimitedReader(target, CopyOptions()).fast(path)
        assert found is not None
        assert found.truncate
