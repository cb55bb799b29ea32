"""A COPY from its statement to the rows: MAXERROR, NOLOAD, the two ways to read a file, and the history.

Nothing is served here: files come from a dictionary, and the session keeps rows as PostgreSQL does, with savepoints.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from localaws.redshift.copy import history, load
from localaws.redshift.copy.records import NotFast
from localaws.redshift.errors import Notice, SqlError
from localaws.redshift.sql.statements import CopyOutcome, StatementContext
from localaws.redshift.sql.tokens import tokenize

CONTEXT = StatementContext("c", "http://aws", "eu-west-1", "123456789012", "AK", "SK", Path("/nowhere"))


class Objects:
    """S3 as far as a COPY asks it."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get_paginator(self, _: str) -> Objects:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": k, "Size": len(v)} for k, v in self.files.items() if k.startswith(Prefix)]}]

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.files:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "The key is not there."}}, "GetObject")
        return {"Body": io.BytesIO(self.files[Key])}


class Session:
    """The client's session with the table `t (id int, name varchar(8))`, which refuses what PostgreSQL would."""

    process_id, user, database = 1, "admin", "dev"

    def __init__(self, refused: str = "") -> None:
        self.rows: list[list[str]] = []
        self.formats: list[str] = []
        self.settings = ""
        self._refused = refused
        self._saved: dict[str, list[list[str]]] = {}

    def check_cancelled(self) -> None:
        pass

    def execute(self, sql: str) -> str:
        name = sql.split()[-1]
        if sql.startswith("savepoint"):
            self._saved[name] = list(self.rows)
        elif sql.startswith("rollback to"):
            self.rows = list(self._saved[name])
        else:
            del self._saved[name]
        return ""

    def query(self, sql: str) -> list[tuple[str | None, ...]]:
        if "pg_class" in sql:
            return [("1", "public", "t")]
        if "pg_attribute" in sql:
            return [("id", "int4", "-1", "f", "f"), ("name", "varchar", "12", "f", "f")]
        self.settings += sql
        return []

    def copy_in(self, sql: str, chunks: Iterable[bytes]) -> CopyOutcome:
        self.formats.append(sql[sql.index("FORMAT ") + 7 :].split(",")[0].rstrip(")"))
        text = b"".join(chunks).decode()
        found = list(csv.reader(io.StringIO(text), delimiter="\t" if "FORMAT text" in sql else ","))
        for row in found:
            self.rows.append(row)
            if self._refused and self.formats[-1] == "csv":
                raise SqlError(self._refused, "refused")
            if len(row) != 2:
                raise SqlError("22P04", "missing data", where="COPY t, line 1")
        return CopyOutcome(len(found), ())


class History:
    """What was written to the load history."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str | None]] = []
        self.record: history.LoadRecord | None = None

    def write(self, record: history.LoadRecord, *_: object, status: str, failure: str | None) -> int:
        self.record = record
        self.written.append((status, failure))
        return 77


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> History:
    made = History()
    monkeypatch.setattr(history, "write", made.write)
    return made


@pytest.fixture
def copied(kept: History, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`copied(session, files, "csv maxerror 2")`: the COPY's notices."""

    def run(session: Session, files: dict[str, bytes], parameters: str, source: str = "s3://b/in/") -> list[str]:
        monkeypatch.setattr(load, "s3_client", lambda *_: Objects(files))
        tokens = tokenize(f"copy t from '{source}' iam_role default {parameters}")
        result = load.copy(tokens, session, CONTEXT)  # type: ignore[arg-type]
        assert result.tag == "COPY"
        return [notice.message for notice in result.notices if isinstance(notice, Notice)]

    return run


def loaded(count: int) -> str:
    return f"Load into table 't' completed, {count} record(s) loaded successfully."


def left_out(count: int) -> str:
    return (
        f"Load into table 't' completed, {count} record(s) could not be loaded.  "
        "Check 'stl_load_errors' system table for details."
    )


FAILED = "Load into table 't' failed.  Check 'stl_load_errors' system table for details."
GOOD = {"in/a": b"1,a\n2,b\n", "in/b": b"3,c\n"}
BAD = {"in/a": b"1,a\nx\n", "in/b": b"2,b\ny\nz\n", "in/c": b"3,c\n"}


def test_all_files_of_a_prefix_are_loaded_and_counted_together(kept: History, copied: Any) -> None:
    session = Session()
    assert copied(session, {**GOOD, "other": b"4,d\n"}, "csv") == [loaded(3)]
    assert session.rows == [["1", "a"], ["2", "b"], ["3", "c"]]
    assert kept.written == [("completed", None)]
    assert kept.record is not None
    assert (kept.record.rows, kept.record.file_count, kept.record.file_bytes) == (3, 2, 12)
    assert [(file.url, file.bytes, file.lines) for file in kept.record.scanned] == [
        ("s3://b/in/a", 8, 2),
        ("s3://b/in/b", 4, 1),
    ]
    assert "'localaws.last_copy_count', '3'" in session.settings
    assert "'localaws.last_copy_id', '77'" in session.settings


def test_MAXERROR_counts_the_errors_of_the_whole_COPY(kept: History, copied: Any) -> None:
    """ "The load fails when MAXERROR is reached":
    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html
    """
    session = Session()
    assert copied(session, BAD, "csv maxerror 4") == [left_out(3), loaded(3)]
    assert session.rows == [["1", "a"], ["2", "b"], ["3", "c"]]
    for allowed, seen in ((3, 3), (2, 2), (1, 1), (0, 1)):
        with pytest.raises(SqlError) as failed:
            copied(Session(), BAD, f"csv maxerror {allowed}")
        assert (failed.value.sqlstate, failed.value.message) == ("XX000", FAILED)
        assert kept.written[-1] == ("aborted", FAILED)
        assert kept.record is not None
        assert [(error.file[-1], error.line) for error in kept.record.errors] == [("a", 2), ("b", 2), ("b", 3)][:seen]


def test_NOLOAD_reads_all_files_and_loads_no_rows(kept: History, copied: Any) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html"""
    session = Session()
    session.rows = [["0", "was there"]]
    assert copied(session, GOOD, "csv noload") == []
    assert session.rows == [["0", "was there"]]
    assert kept.record is not None
    assert (kept.record.rows, len(kept.record.scanned)) == (0, 2)
    assert copied(session, BAD, "csv noload maxerror 9") == [left_out(3)]
    assert session.rows == [["0", "was there"]]
    with pytest.raises(SqlError, match="failed"):
        copied(session, BAD, "csv noload")


def test_a_file_of_ordinary_rows_is_passed_to_postgresql_unchanged(copied: Any) -> None:
    session = Session()
    copied(session, GOOD, "csv")
    assert session.formats == ["csv", "csv"]
    copied(session, GOOD, "csv trimblanks")
    assert session.formats[2:] == ["text", "text"]


@pytest.mark.parametrize("sqlstate", ["22P02", "23502", "0A000"])
def test_a_file_that_postgresql_refuses_is_read_again_row_by_row(copied: Any, sqlstate: str) -> None:
    session = Session(sqlstate)
    assert copied(session, GOOD, "csv") == [loaded(3)]
    assert session.formats == ["csv", "text"] * 2
    assert session.rows == [["1", "a"], ["2", "b"], ["3", "c"]]


@pytest.mark.parametrize("sqlstate", ["42501", "57014", "XX000"])
def test_an_error_that_is_not_about_a_row_ends_the_COPY(kept: History, copied: Any, sqlstate: str) -> None:
    session = Session(sqlstate)
    with pytest.raises(SqlError, match="refused") as failed:
        copied(session, GOOD, "csv")
    assert (failed.value.sqlstate, session.formats) == (sqlstate, ["csv"])
    assert kept.written == [("aborted", "refused")]


def test_json_that_duckdb_cannot_read_is_read_one_object_at_a_time(
    copied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(*_: object) -> Iterable[bytes]:
        yield b"9,half a file\n"
        raise NotFast("too long")

    monkeypatch.setattr("localaws.redshift.copy.json_lines.csv_chunks", no)
    monkeypatch.setattr("localaws.redshift.copy.json_format._SMALL", 0)
    session = Session()
    session.copy_in = refuse_not_fast(session.copy_in)  # type: ignore[method-assign]
    assert copied(session, {"in/a": b'{"id": 1, "name": "a"}'}, "json 'auto'") == [loaded(1)]
    assert session.rows == [["1", "a"]]


def refuse_not_fast(copy_in: Any) -> Any:
    """A session that keeps the rows which came before the error, as PostgreSQL does until the rollback."""

    def run(sql: str, chunks: Iterable[bytes]) -> CopyOutcome:
        chunks = iter(chunks)
        first = next(chunks)
        copy_in(sql, [first])
        return CopyOutcome(1 + sum(1 for _ in chunks), ())

    return run


def test_an_empty_file_is_not_passed_to_postgresql(kept: History, copied: Any) -> None:
    session = Session()
    assert copied(session, {"in/": b"", "in/a": b""}, "csv") == [loaded(0)]
    assert copied(session, {"in/": b""}, "parquet") == [loaded(0)]
    assert session.formats == []
    assert kept.record is not None
    assert len(kept.record.scanned) == 1


def test_an_empty_object_is_a_folder_marker_only_if_its_name_ends_with_a_slash(copied: Any) -> None:
    with pytest.raises(SqlError):
        copied(Session(), {"in/a": b""}, "parquet")
    with pytest.raises(SqlError):
        copied(Session(), {"in/": b"no parquet"}, "parquet")


def test_jsonpaths_are_read_from_s3(copied: Any) -> None:
    files = {"in/a": b'{"x": [7, "seven"]}', "paths": b'{"jsonpaths": ["$.x[0]", "$.x[1]"]}'}
    session = Session()
    copied(session, files, "json 's3://b/paths'")
    assert session.rows == [["7", "seven"]]
    with pytest.raises(SqlError, match="S3ServiceException:The key is not there"):
        copied(session, GOOD, "json 's3://b/paths'")


def test_the_region_of_the_files_comes_from_the_statement_or_from_the_cluster(
    copied: Any, kept: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def parquet_csv(*arguments: Any) -> list[bytes]:
        seen.append(arguments[3])
        return [b"1,a\n"]

    monkeypatch.setattr("localaws.redshift.copy.parquet.parquet_csv", parquet_csv)
    session = Session()
    copied(session, {"in/a": b"x"}, "parquet")
    copied(session, {"in/a": b"x"}, "parquet region 'us-west-2'")
    assert seen == ["eu-west-1", "us-west-2"]
    assert session.rows == [["1", "a"]] * 2


@pytest.mark.parametrize("trouble", [psycopg.OperationalError("gone"), SqlError("XX000", "no history")])
def test_a_failed_COPY_gives_its_reason_even_if_its_history_cannot_be_written(
    copied: Any, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def write(*_: object, **__: object) -> int:
        raise trouble

    monkeypatch.setattr(history, "write", write)
    with pytest.raises(SqlError, match="Load into table 't' failed"):
        copied(Session(), BAD, "csv")
