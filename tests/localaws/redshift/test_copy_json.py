"""COPY of JSON."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import psycopg
import pytest
from warehouse import Session, lines

Unique = Callable[[str], str]

TOLL = (
    "create table {} (transaction_id bigint, transaction_date varchar(20) not null, toll_booth varchar(20) not null,"
    " vehicle_make varchar(40) not null, vehicle_category varchar(60) not null, transaction_amount real)"
)


def toll(number: int) -> dict[str, object]:
    return {
        "transaction_id": number,
        "transaction_date": "2023/08/13",
        "toll_booth": "golf_rd",
        "vehicle_make": "Mercedes-Benz",
        "vehicle_category": "Coupe, Sedan, Convertible",
        "transaction_amount": number % 1000 / 100,
    }


@pytest.fixture
def table(db: Session, unique: Unique) -> str:
    name = unique("toll")
    db.run(TOLL.format(name))
    return name


@pytest.mark.as_on_aws("Redshift")
@pytest.mark.parametrize("count", [100, 20_000], ids=["a small file", "a file that goes the fast way"])
def test_COPY_matches_the_keys_of_json_objects_to_columns(db: Session, table: str, count: int) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html"""
    source = db.warehouse.put(f"{table}/a.json", lines(toll(number) for number in range(count)))
    db.copy(table, source, "json 'auto'")
    assert db.notices == [f"INFO: Load into table '{table}' completed, {count} record(s) loaded successfully."]
    expected = sum(number % 1000 for number in range(count)) / 100
    [(rows, ids, amount)] = db.rows(f"select count(*), sum(transaction_id), sum(transaction_amount) from {table}")
    assert (rows, ids) == (count, sum(range(count)))
    assert amount == pytest.approx(expected)


def test_a_bad_row_in_a_large_file_is_found_by_its_line(db: Session, table: str) -> None:
    records = [toll(number) for number in range(20_000)]
    records[12_344]["transaction_id"] = "12x"
    del records[15_000]["toll_booth"]
    source = db.warehouse.put(f"{table}/a.json.gz", gzip.compress(lines(records).encode()))
    db.copy(table, source, "json 'auto' gzip maxerror 3")
    assert db.rows(f"select count(*) from {table}") == [(19_998,)]
    assert db.errors() == [
        (12_345, "transaction_id", 1207, "Invalid digit, Value 'x', Pos 2, Type: Long"),
        (15_001, "toll_booth", 1213, "Missing data for not-null field"),
    ]


@pytest.mark.as_on_aws("Redshift")
def test_COPY_matches_json_keys_case_sensitively_unless_auto_ignorecase_is_given(db: Session, unique: Unique) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html"""
    table = unique("t")
    db.run(f"create table {table} (id int, name varchar(9))")
    source = db.warehouse.put(f"{table}/a.json", '{"id": 1, "Name": "x", "more": [1]}')
    db.copy(table, source, "json 'auto'")
    db.copy(table, source, "format as json 'auto ignorecase'")
    assert db.rows(f"select name from {table} order by name nulls first") == [(None,), ("x",)]


def test_objects_may_span_lines_or_share_a_line_and_malformed_ones_are_skipped(db: Session, unique: Unique) -> None:
    table = unique("t")
    db.run(f"create table {table} (id int not null, name varchar(40))")
    content = (
        '{"id": 1,\n "name": "x"}\n'
        '{"id": 2, "name":\n'  # cut short
        '{"id": 3} {"id": 4}\n'
        "[5]\n"
        "not json\n"
        "{'id': 6}\n"
        '{"id": 7, "name": {"a": [1.50, "é"]}}\n'
        '{"id": 8'
    )
    db.copy(table, db.warehouse.put(f"{table}/a.json", content), "json 'auto' maxerror 9")
    assert db.rows(f"select id, name from {table} order by id") == [
        (1, "x"),
        (3, None),
        (4, None),
        (7, '{"a":[1.50,"é"]}'),
    ]
    assert [(line, code) for line, _, code, _ in db.errors()] == [(3, 1216), (5, 1216), (6, 1216), (7, 1216), (9, 1216)]


def test_numbers_keep_all_digits_from_the_file(db: Session, unique: Unique) -> None:
    table = unique("t")
    db.run(f"create table {table} (a varchar(30), b numeric(38, 20))")
    db.copy(table, db.warehouse.put(f"{table}/a.json", '{"a": 1.10, "b": 0.12345678901234567891}'), "json 'auto'")
    assert [tuple(map(str, row)) for row in db.rows(f"select a, b from {table}")] == [
        ("1.10", "0.12345678901234567891")
    ]


@pytest.mark.as_on_aws("Redshift")
def test_JSONPaths_select_nested_values_by_position(db: Session, unique: Unique) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html"""
    table = unique("t")
    db.run(f"create table {table} (id int, city varchar(20), first varchar(20))")
    paths = {"jsonpaths": ["$.id", "$['address'].city", "$.tags[0]"]}
    mapping = db.warehouse.put(f"{table}-paths.json", json.dumps(paths))
    records = [{"id": 1, "address": {"city": "Rome"}, "tags": ["a", "b"]}, {"id": 2}]
    db.copy(table, db.warehouse.put(f"{table}/a.json", lines(records)), f"json '{mapping}'")
    assert db.rows(f"select id, city, first from {table} order by id") == [(1, "Rome", "a"), (2, None, None)]


def test_many_small_files_are_loaded_in_one_COPY(db: Session, table: str) -> None:
    for number in range(30):
        db.warehouse.put(f"{table}/{number}.json", lines([toll(number)]))
    db.copy(table, f"s3://{db.warehouse.bucket}/{table}/", "json 'auto'")
    history = f"select loaded_rows, source_file_count from sys_load_history where table_name = '{table}'"
    assert db.rows(history) == [(30, 30)]
    committed = "select count(distinct filename) from stl_load_commits where query = pg_last_copy_id()"
    assert db.rows(committed) == [(30,)]


def test_an_empty_file_loads_nothing(db: Session, table: str) -> None:
    db.copy(table, db.warehouse.put(f"{table}/a.json", ""), "json 'auto'")
    assert db.notices == [f"INFO: Load into table '{table}' completed, 0 record(s) loaded successfully."]


def test_a_file_that_is_not_json_fails(db: Session, table: str) -> None:
    with pytest.raises(psycopg.Error, match="Check 'stl_load_errors'"):
        db.copy(table, db.warehouse.put(f"{table}/a.json", "hello\n"), "json 'auto'")
    assert db.errors() == [(1, "", 1216, "Invalid value.")]
