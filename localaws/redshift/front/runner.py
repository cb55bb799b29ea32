"""Runs COPY and UNLOAD in the client's own PostgreSQL session, and keeps its transaction's state correct."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable

from localaws.redshift import dialect
from localaws.redshift.errors import SqlError
from localaws.redshift.front import wire
from localaws.redshift.front.backend import Backend
from localaws.redshift.sql.statements import SpecialStatements, StatementContext, StatementResult

log = logging.getLogger(__name__)

_UNKNOWN_COLUMN = re.compile(r'column "(.*)" does not exist', re.DOTALL)


def run_special(
    statement: dialect.Statement, special_statements: Callable[[], SpecialStatements], context: StatementContext
) -> Callable[[Backend], StatementResult]:
    """Return a function that runs `statement` (COPY, UNLOAD) in the client's session."""

    def work(session: Backend) -> StatementResult:
        if session.status == wire.FAILED:
            message = "current transaction is aborted, commands ignored until end of transaction block"
            raise SqlError("25P02", message)
        own = session.status == wire.IDLE
        if own:
            session.execute("begin")
        try:
            result = special_statements().run(statement.verb, statement.tokens, session, context)
            if own:
                session.execute("commit")
        except SqlError:
            _abort(session, own=own)
            raise
        except ConnectionError:
            raise
        except Exception as error:
            log.exception("Running a statement failed: %s", "".join(statement.written))
            _abort(session, own=own)
            raise SqlError("XX000", f"{type(error).__name__}: {error}") from error
        return result

    return work


def fail(failure: SqlError) -> Callable[[Backend], None]:
    """Return a function that aborts the client's open transaction, if any, for an error that the front found."""

    def work(session: Backend) -> None:
        if session.status == wire.IN_TRANSACTION:
            _abort(session, own=False)

    return work


def resolve_aliases(statement: dialect.Statement, types: bytes) -> Callable[[Backend], dialect.Statement]:
    """Return a function that finds out which names in a statement refer to an alias, and expands those."""

    def work(session: Backend) -> dialect.Statement:
        expanded, unknown = statement, frozenset[str]()
        while session.status != wire.FAILED:
            try:
                session.prepare(dialect.join([expanded]).text, types)
                break
            except SqlError as refused:
                name = _unknown_column(refused)
                if name not in statement.aliases - unknown:
                    break  # the client will see this error
                unknown |= {name}
                expanded = statement.expanded(unknown)
        return expanded

    return work


def _unknown_column(failure: SqlError) -> str:
    if failure.sqlstate != "42703":
        return ""
    found = _UNKNOWN_COLUMN.fullmatch(failure.message)
    return found[1] if found else ""


def _abort(session: Backend, *, own: bool) -> None:
    session.cancelled.clear()
    with contextlib.suppress(SqlError):
        if own:
            session.execute("rollback")
        elif session.status == wire.IN_TRANSACTION:
            session.execute("do 'begin raise exception ''transaction aborted by a failed statement''; end'")
