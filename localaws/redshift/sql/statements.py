"""The interface between the front and the handlers of COPY and UNLOAD, which PostgreSQL can't run.

The front calls `SpecialStatements.run` once per statement, in its own thread, and lends it the client's PostgreSQL
session. If the client has no open transaction, the front opens one, and commits it when `run` returns. If `run` raises
SqlError, the client gets it as an ErrorResponse, and the transaction is rolled back (the front's own) or aborted (the
client's).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from localaws.redshift.errors import Notice
from localaws.redshift.sql.tokens import Token


@dataclass(frozen=True)
class StatementContext:
    """What a handler needs to know beyond the client's session."""

    cluster_identifier: str
    endpoint_url: str  # of the embedded AWS
    region: str  # the cluster's
    account_id: str
    access_key_id: str  # for the cluster's own calls to it
    secret_access_key: str = field(repr=False)
    socket_directory: Path  # of PostgreSQL's unix socket; the load history must survive a client's rollback


@dataclass(frozen=True)
class StatementResult:
    """A statement succeeded: its command tag (`COPY`, `UNLOAD`), and notices that the client gets before the tag."""

    tag: str
    notices: Sequence[Notice] = ()


@dataclass(frozen=True)
class CopyOutcome:
    """The result of one COPY … FROM STDIN: the number of rows loaded, and PostgreSQL's notices in order.

    With `ON_ERROR ignore, LOG_VERBOSITY verbose` the notices name each skipped row: line, column and value
    are in `where`.
    """

    rows: int
    notices: Sequence[Notice] = field(default_factory=tuple)


class ClientSession(Protocol):
    """The client's own PostgreSQL session. Its methods take PostgreSQL's dialect, and block.

    Every method raises SqlError with PostgreSQL's own message if a statement fails, SqlError 57014 if the client
    cancelled, and ConnectionError if the client or PostgreSQL has gone. After a failure the transaction is aborted:
    set a savepoint (`execute("savepoint s")`) before a statement that may fail and be retried.
    """

    @property
    def process_id(self) -> int:
        """The PostgreSQL backend's process id (`pg_backend_pid()`, stl_load_errors.session)."""

    @property
    def user(self) -> str:
        """The name of the database user that is logged in."""

    @property
    def database(self) -> str:
        """The database's name."""

    def check_cancelled(self) -> None:
        """Raise SqlError 57014 if the client cancelled, ConnectionError if it has gone. Call this in long loops."""

    def execute(self, sql: str) -> str:
        """Run one statement and return its command tag; rows are discarded."""

    def query(self, sql: str) -> list[tuple[str | None, ...]]:
        """Run one query and return its rows as PostgreSQL's text values."""

    def copy_in(self, sql: str, chunks: Iterable[bytes]) -> CopyOutcome:
        """Run `COPY … FROM STDIN` with the chunks (best 64 KiB to 1 MiB each; rows may span chunks)."""

    def copy_out(self, sql: str) -> Generator[bytes, None, None]:
        """Run `COPY … TO STDOUT`, yield its rows (bytes, one row each in text and csv formats). Close the generator."""


class SpecialStatements(Protocol):
    """Runs COPY and UNLOAD: the module `localaws.redshift.copy`, which `front/__main__.py` passes to the front."""

    def warm_up(self, context: StatementContext) -> None:
        """Prepare in advance what the first statement would otherwise have to wait for."""

    def run(
        self, verb: str, tokens: Sequence[Token], session: ClientSession, context: StatementContext
    ) -> StatementResult:
        """Run the statement that begins with `verb`, given as its tokens without a closing semicolon."""
