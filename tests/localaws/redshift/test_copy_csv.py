"""COPY of delimited text and CSV."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable

import psycopg
import pytest
from warehouse import Session

Unique = Callable[[str], str]


@pytest.fixture
def table(db: Session, unique: Unique) -> str:
    name = unique("t")
    db.run(f"create table {name} (id bigint not null, name varchar(8), amount real, day date, ok boolean)")
    return name


@pytest.mark.as_on_aws("Redshift")
def test_COPY_loads_rows_and_reports_their_number_in_a_notice(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html"""
    source = db.warehouse.put(f"{table}/a.csv", '1,one,1.5,2023-08-13,true\n2,"t,""w""",,,\n3,,3.25,,f\n')
    db.copy(table, source)
    assert db.notices == [f"INFO: Load into table '{table}' completed, 3 record(s) loaded successfully."]
    assert db.rows(f"select id, name, amount, day::varchar, ok from {table} order by id") == [
        (1, "one", 1.5, "2023-08-13", True),
        (2, 't,"w"', None, None, None),
        (3, "", 3.25, None, False),  # an empty VARCHAR stays empty, other empty fields are NULL
    ]
    assert db.rows("select pg_last_copy_count()") == [(3,)]


@pytest.mark.as_on_aws("Redshift")
def test_EMPTYASNULL_loads_empty_strings_as_null(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html"""
    db.copy(table, db.warehouse.put(f"{table}/a.csv", '1,,,,\n2,"",,,\n'), "csv emptyasnull")
    assert db.rows(f"select name from {table}") == [(None,), (None,)]


@pytest.mark.as_on_aws("Redshift")
def test_COPY_reads_pipe_delimited_text_by_default_and_takes_quotes_and_backslashes_as_data(
    db: Session, table: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html"""
    db.copy(table, db.warehouse.put(f"{table}/a", '1|"q"|1||\n2|\\N|\\N||t\n3|a\\b|||\n'), "")
    assert db.rows(f"select id, name, amount from {table} order by id") == [
        (1, '"q"', 1.0),
        (2, None, None),
        (3, "a\\b", None),
    ]


def test_a_custom_null_marker_leaves_empty_strings_alone(db: Session, table: str) -> None:
    source = db.warehouse.put(f"{table}/a.csv", '1,@NULL@,@NULL@,@NULL@,t\n2,"",1,@NULL@,f\n')
    db.copy(table, source, "format as csv null as '@NULL@'")
    assert db.rows(f"select name, amount from {table} order by id") == [(None, None), ("", 1.0)]


@pytest.mark.as_on_aws("Redshift")
@pytest.mark.parametrize(
    ("compress", "option"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2")], ids=["gzip", "bzip2"]
)
def test_COPY_decompresses_files(db: Session, table: str, compress: Callable[[bytes], bytes], option: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-file-compression.html"""
    db.copy(table, db.warehouse.put(f"{table}/a.csv.z", compress(b"1,a,1,,\n2,b,2,,\n")), f"csv {option}")
    assert db.rows(f"select sum(id) from {table}") == [(3,)]


def test_a_file_that_is_not_compressed_fails_and_is_named_in_the_error(db: Session, table: str) -> None:
    source = db.warehouse.put(f"{table}/a.csv", "1,a,1,,\n")
    with pytest.raises(psycopg.Error, match=f"Failed to decompress {source} as GZIP"):
        db.copy(table, source, "csv gzip")


@pytest.mark.as_on_aws("Redshift")
def test_IGNOREHEADER_skips_lines_in_every_file_but_line_numbers_include_them(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html"""
    db.warehouse.put(f"{table}/1.csv", "id,name,amount,day,ok\n1,a,1,,\n")
    db.warehouse.put(f"{table}/2.csv", "id,name,amount,day,ok\n2,b,2,,\nx,c,3,,\n")
    prefix = f"s3://{db.warehouse.bucket}/{table}/"
    db.copy(table, prefix, "csv ignoreheader 1 maxerror 2")
    assert db.rows(f"select id from {table} order by id") == [(1,), (2,)]
    assert [(line, column) for line, column, *_ in db.errors()] == [(3, "id")]


@pytest.mark.as_on_aws("Redshift")
def test_a_manifest_names_the_files_to_load(db: Session, table: str) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html"""
    first = db.warehouse.put(f"{table}/1.csv", "1,a,1,,\n")
    db.warehouse.put(f"{table}/2.csv", "2,b,2,,\n")
    entries = [{"url": first, "mandatory": True}, {"url": first + ".gone", "mandatory": False}]
    manifest = db.warehouse.put(f"{table}/manifest.json", json.dumps({"entries": entries}))
    db.copy(table, manifest, "csv manifest")
    assert db.rows(f"select id from {table}") == [(1,)]
    entries[1]["mandatory"] = True
    manifest = db.warehouse.put(f"{table}/manifest.json", json.dumps({"entries": entries}))
    with pytest.raises(psycopg.Error, match=r"The specified key does not exist\.,Status 404,Error NoSuchKey"):
        db.copy(table, manifest, "csv manifest")


@pytest.mark.as_on_aws("Redshift")
def test_COPY_can_list_columns_and_the_others_get_their_defaults(db: Session, unique: Unique) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-column-mapping.html"""
    table = unique("t")
    db.run(f"create table {table} (id bigint identity(1, 1), name varchar(8), kind varchar(8) default 'plain')")
    db.copy(f"{table} (name)", db.warehouse.put(f"{table}/a.csv", "a\nb\n"))
    assert db.rows(f"select id is not null, name, kind from {table} order by name") == [
        (True, "a", "plain"),
        (True, "b", "plain"),
    ]
    db.copy(table, db.warehouse.put(f"{table}/b.csv", "c,fancy\n"))  # an identity column is never in the file
    assert db.rows(f"select kind from {table} where name = 'c'") == [("fancy",)]


def test_ESCAPE_and_REMOVEQUOTES_read_escaped_and_quoted_fields(db: Session, unique: Unique) -> None:
    table = unique("t")
    db.run(f"create table {table} (a varchar(20), b varchar(20))")
    db.copy(table, db.warehouse.put(f"{table}/e", "x\\|y|one\\\ntwo\n"), "escape")
    db.copy(table, db.warehouse.put(f"{table}/q", "\"p|q\"|'r'\n"), "removequotes")
    assert db.rows(f"select a, b from {table} order by a") == [("p|q", "r"), ("x|y", "one\ntwo")]


@pytest.mark.as_on_aws("Redshift")
def test_COPY_reads_dates_and_times_in_the_given_format(db: Session, unique: Unique) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html"""
    table = unique("t")
    db.run(f"create table {table} (d date, at timestamp)")
    source = db.warehouse.put(f"{table}/a.csv", "13/02/2020,1600000000\n")
    db.copy(table, source, "csv dateformat 'DD/MM/YYYY' timeformat 'epochsecs'")
    assert db.rows(f"select d::varchar, at::varchar from {table}") == [("2020-02-13", "2020-09-13 12:26:40")]


@pytest.mark.as_on_aws("Redshift")
def test_FILLRECORD_BLANKSASNULL_TRUNCATECOLUMNS_and_ACCEPTINVCHARS_work_as_documented(
    db: Session, unique: Unique
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html"""
    table = unique("t")
    db.run(f"create table {table} (id int, a varchar(4), b varchar(4))")
    source = db.warehouse.put(f"{table}/a", b"1|abcdef\n2|  |x\n3|\xff\xe9|\xc3\xa9\xc3\xa9\xc3\xa9\n")
    db.copy(table, source, "fillrecord blanksasnull truncatecolumns acceptinvchars '^'")
    assert db.rows(f"select a, b from {table} order by id") == [("abcd", ""), (None, "x"), ("^^", "éé")]


def test_many_rows_are_loaded_on_the_fast_path_and_all_arrive(db: Session, table: str) -> None:
    rows = "".join(f"{number},n{number % 100},{number / 4},2023-01-01,t\n" for number in range(50_000))
    db.copy(table, db.warehouse.put(f"{table}/a.csv", rows))
    assert db.rows(f"select count(*), sum(id), count(distinct name) from {table}") == [(50_000, 1_249_975_000, 100)]


@pytest.mark.as_on_aws("Redshift")
def test_a_temporary_table_with_a_hash_can_be_loaded(db: Session) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/merge-replacing-existing-rows.html: a staging table that is loaded
    with COPY; and https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html (#)
    """
    source = db.warehouse.put("temporary/a.csv", "1,a\n2,b\n")
    db.run("create table #Staged (id int, name varchar(9))")
    db.copy("#staged", source)
    assert db.rows("select * from #STAGED order by id") == [(1, "a"), (2, "b")]
