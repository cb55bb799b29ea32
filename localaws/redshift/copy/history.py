"""Writes the load history, over a separate connection: so a failed load stays recorded after the client's rollback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from localaws.redshift.copy.load_errors import LoadError
from localaws.redshift.copy.parse import CopyStatement
from localaws.redshift.copy.target import Target
from localaws.redshift.errors import SqlError
from localaws.redshift.postgres import roles
from localaws.redshift.sql.statements import ClientSession, StatementContext

Connection = psycopg.Connection[tuple[Any, ...]]

_LONGEST_LINE = 1024  # characters of stl_load_errors.raw_line and raw_field_value


@dataclass(frozen=True)
class ScannedFile:
    """A file that was read completely."""

    url: str
    bytes: int
    lines: int
    started: datetime
    ended: datetime


@dataclass
class LoadRecord:
    """One COPY, for sys_load_history and the views with its details."""

    statement: CopyStatement
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    target: Target | None = None
    file_count: int = 0
    file_bytes: int = 0
    rows: int = 0
    scanned: list[ScannedFile] = field(default_factory=list)
    errors: list[LoadError] = field(default_factory=list)


def write(
    record: LoadRecord, session: ClientSession, context: StatementContext, *, status: str, failure: str | None
) -> int:
    """Record a COPY with its status ("completed" or "aborted"), and return its query id.

    Raises:
        SqlError: PostgreSQL refused the connection.
    """
    # A query in an aborted transaction fails, so this connection looks up the transaction's id.
    with _connect(session.database, context) as connection, connection.transaction():
        return _insert(connection, record, session, status, failure)


def _connect(database: str, context: StatementContext) -> Connection:
    try:
        try:
            return _open(database, context)
        except psycopg.OperationalError:
            with _open(roles.DATABASE, context) as inside:
                inside.execute("select pg_internal.let_history_in(%s)", [database])
            return _open(database, context)
    except psycopg.OperationalError as error:
        # The owner of a database can limit its connections.
        reason = str(error).strip().rpartition("FATAL:")[2].strip()
        raise SqlError("XX000", f"The load history could not be written: {reason}") from error


def _open(database: str, context: StatementContext) -> Connection:
    return psycopg.connect(
        host=str(context.socket_directory),
        port=5432,
        user=roles.HISTORY,
        connect_timeout=10,
        dbname=database,
        options=roles.OPTIONS,
        autocommit=True,
    )


def _insert(
    connection: Connection, record: LoadRecord, session: ClientSession, status: str, failure: str | None
) -> int:
    row = connection.execute(
        "select nextval('pg_internal.query_id'),"
        " coalesce((select usesysid from pg_catalog.pg_user where usename = %s), 0)::int,"
        " coalesce((select backend_xid::text::bigint from pg_catalog.pg_stat_activity where pid = %s), 0)",
        (session.user, session.process_id),
    ).fetchone()
    assert row is not None
    query_id, user_id, transaction_id = row
    target = record.target
    connection.execute(
        "insert into pg_internal.loads values"
        " (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(query_id, user_id, transaction_id, session.process_id, session.database),
            *(target.table_id if target else None, record.statement.table, status),
            *(_utc(record.started), _utc(datetime.now(UTC)), record.statement.source),
            record.statement.options.format.value,
            *(record.rows if status == "completed" else 0, sum(file.bytes for file in record.scanned)),
            *(record.file_count, record.file_bytes, len(record.scanned), sum(file.bytes for file in record.scanned)),
            *(len(record.errors), failure),
        ),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into pg_internal.files values (%s, %s, %s, %s, %s, %s)",
            [
                (query_id, file.url, file.bytes, file.lines, _utc(file.started), _utc(file.ended))
                for file in record.scanned
            ],
        )
        cursor.executemany(
            "insert into pg_internal.errors values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            _error_rows(query_id, record.errors),
        )
    return int(query_id)


def _error_rows(query_id: int, errors: Sequence[LoadError]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for error in errors:
        problem, column = error.problem, error.problem.column
        described = (column.name, column.shown_type, column.shown_length) if column else ("", "", "")
        shown = (_shown(error.raw_line), _shown(problem.value))
        rows.append(
            (query_id, error.file, error.line, *described, problem.position, *shown, int(problem.code), problem.reason)
        )
    return rows


def _shown(text: str) -> str:
    """Return text for a system table: "multibyte characters in the load data are replaced with a period"."""
    return "".join(c if c.isascii() and c != "\0" else "." for c in text[:_LONGEST_LINE])


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
