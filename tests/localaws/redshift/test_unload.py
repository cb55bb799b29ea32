"""UNLOAD."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable

import psycopg
import pytest
from pyarrow import parquet
from warehouse import Session

Unique = Callable[[str], str]


@pytest.fixture
def table(db: Session, unique: Unique) -> str:
    name = unique("t")
    db.run(f"create table {name} (id bigint, name varchar(20), amount real, price numeric(10, 2), ok boolean)")
    db.run(f"insert into {name} values (1, 'a|b', 1.25, 1.5, true), (2, 'it''s', null, null, null)")
    return name


def unload(db: Session, table: str, options: str = "") -> None:
    target = f"s3://{db.warehouse.bucket}/{table}/part_"
    db.run(f"unload ('select * from {table} order by id') to '{target}' iam_role '{db.warehouse.role}' {options}")


@pytest.mark.as_on_aws("Redshift")
@pytest.mark.parametrize(
    ("options", "key", "content"),
    [
        ("", "0000_part_00", "1|a|b|1.25|1.50|t\n2|it's|||\n"),
        ("csv header parallel off", "000", "id,name,amount,price,ok\n1,a|b,1.25,1.50,t\n2,it's,,,\n"),
        ("delimiter ';' null as 'none' parallel off", "000", "1;a|b;1.25;1.50;t\n2;it's;none;none;none\n"),
        ("addquotes parallel off", "000", '"1"|"a|b"|"1.25"|"1.50"|"t"\n"2"|"it\'s"|||\n'),
    ],
)
def test_UNLOAD_writes_rows_in_the_requested_format(
    db: Session, table: str, options: str, key: str, content: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html"""
    unload(db, table, options)
    assert db.notices == ["INFO: UNLOAD completed, 2 record(s) unloaded successfully."]
    assert db.warehouse.get(f"{table}/part_{key}").decode() == content


def test_a_compressed_UNLOAD_with_a_manifest_can_be_loaded_again(db: Session, table: str) -> None:
    unload(db, table, "csv gzip manifest")
    assert gzip.decompress(db.warehouse.get(f"{table}/part_0000_part_00.gz")).startswith(b"1,a|b,")
    [entry] = json.loads(db.warehouse.get(f"{table}/part_manifest"))["entries"]
    assert entry["url"] == f"s3://{db.warehouse.bucket}/{table}/part_0000_part_00.gz"
    db.copy(table, f"s3://{db.warehouse.bucket}/{table}/part_manifest", "csv gzip manifest")
    assert db.rows(f"select count(*), count(distinct id), count(amount) from {table}") == [(4, 2, 2)]


def test_UNLOAD_to_parquet_keeps_the_types_and_can_be_loaded_again(db: Session, table: str) -> None:
    unload(db, table, "format as parquet")
    content = db.warehouse.get(f"{table}/part_0000_part_00.parquet")
    rows = parquet.read_table(io.BytesIO(content)).to_pylist()
    assert [row["id"] for row in rows] == [1, 2]
    assert str(rows[0]["price"]) == "1.50"
    assert rows[1]["ok"] is None
    db.copy(table, f"s3://{db.warehouse.bucket}/{table}/part_", "parquet")
    assert db.rows(f"select count(*), sum(amount) from {table}") == [(4, 2.5)]


@pytest.mark.as_on_aws("Redshift")
def test_UNLOAD_refuses_a_location_that_is_not_empty_unless_ALLOWOVERWRITE_is_given(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html"""
    unload(db, table)
    with pytest.raises(psycopg.Error, match="Specified unload destination on S3 is not empty"):
        unload(db, table)
    unload(db, table, "allowoverwrite")
    unload(db, table, "cleanpath csv parallel off")
    assert db.warehouse.keys(f"{table}/") == [f"{table}/part_000"]


def test_a_query_without_rows_writes_no_file(db: Session, table: str) -> None:
    db.run(f"truncate {table}")
    unload(db, table)
    assert db.warehouse.keys(f"{table}/") == []


def test_an_invalid_query_in_UNLOAD_fails_with_its_own_error(db: Session) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        db.run(f"unload ('select nope') to 's3://{db.warehouse.bucket}/x/' iam_role '{db.warehouse.role}'")


@pytest.mark.refused("Redshift")
def test_unsupported_forms_of_UNLOAD_are_refused(db: Session, table: str) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="PARTITION"):
        unload(db, table, "parquet partition by (id)")


def test_the_query_of_UNLOAD_may_use_redshift_s_own_sql(db: Session, table: str) -> None:
    target = f"s3://{db.warehouse.bucket}/{table}/own_"
    query = f"select top 1 id, nvl(name, $$-$$), 7.9::decimal from {table} order by id"
    db.run(f"unload ('{query}') to '{target}' iam_role '{db.warehouse.role}' csv parallel off")
    assert db.warehouse.get(f"{table}/own_000").decode() == "1,a|b,8\n"
