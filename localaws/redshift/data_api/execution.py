"""Runs statements: each in its own thread and session, as a client of the cluster's front."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from typing import Any

import psycopg

from localaws.core import context
from localaws.redshift.data_api import results
from localaws.redshift.data_api.exceptions import ActiveStatementsExceededException
from localaws.redshift.data_api.statements import Statement, Status, SubStatement, with_parameters

log = logging.getLogger(__name__)

_CANCEL_ATTEMPTS = 20
MOST_ACTIVE = 500  # https://docs.aws.amazon.com/redshift/latest/mgmt/amazon-redshift-limits.html

Connection = psycopg.Connection[Any]


class Execution:
    """A statement that is running in this process."""

    def __init__(self, statement: Statement, region: str) -> None:
        self.statement = statement
        self.finished = threading.Event()
        self._region = region
        self._connection: Connection | None = None
        self._cancelled = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start a thread that runs the statement.

        Raises:
            ActiveStatementsExceededException: the limit of active statements is reached.
        """
        with _lock:
            if len(_active) >= MOST_ACTIVE:
                raise ActiveStatementsExceededException(MOST_ACTIVE)
            _active[self.statement.id] = self
        threading.Thread(target=self._run, name=f"statement-{self.statement.id}", daemon=True).start()

    def cancel(self) -> None:
        """Ask the cluster to cancel the statement."""
        self._cancelled = True
        # If the cluster does not have the statement yet, there is nothing to cancel: so repeat this until it has ended.
        for _ in range(_CANCEL_ATTEMPTS):
            with self._lock:
                if self._connection is not None:
                    with contextlib.suppress(psycopg.Error):
                        self._connection.cancel_safe(timeout=10)
            if self.finished.wait(0.1):
                return

    def _run(self) -> None:
        statement = self.statement
        begun = time.monotonic_ns()
        try:
            statement.become(Status.PICKED)
            self._work()
            statement.become(Status.FINISHED)
        except psycopg.Error as error:
            self._failed(_text(error))
        except Exception as error:
            log.exception("Statement %s failed", statement.id)
            self._failed(str(error))
        finally:
            statement.duration = time.monotonic_ns() - begun
            statement.freeze()
            self._disconnect()
            with _lock:
                _active.pop(statement.id, None)
            context.current().state.save("redshift-data")
            self.finished.set()

    def _work(self) -> None:
        statement = self.statement
        parameters = statement.access.connection_parameters(self._region)
        connection = psycopg.connect(**parameters, autocommit=True, connect_timeout=10)
        with self._lock:
            self._connection = connection
        statement.pid = connection.info.backend_pid
        statement.become(Status.STARTED)
        in_transaction = statement.is_batch and statement.in_transaction
        if in_transaction:
            connection.execute("begin")
        for part in statement.parts:
            self._execute(part, connection)
        if in_transaction:
            connection.execute("commit")

    def _execute(self, part: SubStatement, connection: Connection) -> None:
        if self._cancelled:
            raise psycopg.errors.QueryCanceled("Query cancelled by the user")
        sql, values = with_parameters(part.sql, part.parameters)
        begun = time.monotonic_ns()
        part.become(Status.STARTED)
        try:
            # A raw cursor leaves % and $ alone; values are bound without a type, as in Redshift's drivers.
            with psycopg.RawCursor(connection) as cursor:
                cursor.execute(sql.encode(), values or None, prepare=False)
                self._keep(part, cursor)
            part.become(Status.FINISHED)
        except psycopg.Error as error:
            part.error = _text(error)
            part.become(Status.ABORTED if self._cancelled else Status.FAILED)
            raise
        finally:
            part.duration = time.monotonic_ns() - begun

    def _keep(self, part: SubStatement, cursor: psycopg.Cursor[Any]) -> None:
        if cursor.description is not None:
            part.rows, part.size = results.store(part.id, cursor)
            part.has_result = True
            return
        part.rows, part.size = cursor.rowcount, 0
        if (cursor.statusmessage or "").startswith("COPY"):
            row = cursor.connection.execute("select pg_last_copy_count()").fetchone()
            part.rows = int(row[0]) if row else -1

    def _failed(self, message: str) -> None:
        self.statement.error = message
        status = Status.ABORTED if self._cancelled else Status.FAILED
        for part in self.statement.parts:
            if not part.status.is_final:
                part.become(Status.ABORTED if self.statement.is_batch else status)
        self.statement.become(status)

    def _disconnect(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()


_active: dict[str, Execution] = {}
_lock = threading.Lock()


def active(statement_id: str) -> Execution | None:
    """Return the execution of a statement that is running in this process; otherwise None."""
    return _active.get(statement_id)


def _text(error: psycopg.Error) -> str:
    """Return the error's text for DescribeStatement: `ERROR: …`, detail, hint, and the position of a syntax error.

    Like PostgreSQL 8.0, from which it comes, Redshift tells no other position:
    https://github.com/aws/aws-sdk-pandas/issues/3024 has the answer to a syntax error,
    https://repost.aws/knowledge-center/redshift-identify-data-api-errors that to a table that does not exist.
    """
    diagnosis = error.diag
    if diagnosis.severity is None:
        # A refused login: libpq writes host and port before the server's message.
        return re.sub(r"^connection .*? failed: (\w+): +", r"\1: ", str(error).strip(), flags=re.DOTALL)
    parts = [f"{diagnosis.severity}: {diagnosis.message_primary}"]
    if diagnosis.message_detail:
        parts.append(f"Detail: {diagnosis.message_detail}")
    if diagnosis.message_hint:
        parts.append(f"Hint: {diagnosis.message_hint}")
    if diagnosis.statement_position and isinstance(error, psycopg.errors.SyntaxError):
        parts.append(f"Position: {diagnosis.statement_position}")
    return "\n  ".join(parts)
