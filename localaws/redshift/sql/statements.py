"""The contract between the front and what runs the statements that PostgreSQL does not know: COPY and UNLOAD.

The front calls `SpecialStatements.run` in a thread of its own, once per statement, with the client's PostgreSQL
session lent to it for that time. It has opened a transaction where the client had none, and commits it when `run`
returns. When `run` raises SqlError the client gets it as an ErrorResponse, and the transaction is rolled back (the
front's own) or aborted (the client's).
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
    """What a handler may know of the world outside the client's session."""

    cluster_identifier: str
    endpoint_url: str  # our own AWS
    region: str  # the cluster's
    account_id: str
    access_key_id: str  # of the cluster's own calls there
    secret_access_key: str = field(repr=False)
    socket_directory: Path  # PostgreSQL's unix socket, for rows that must survive the client's rollback (load history)


@dataclass(frozen=True)
class StatementResult:
    """A statement that succeeded: its command tag (`COPY`, `UNLOAD`) and what to tell the client before it."""

    tag: str
    notices: Sequence[Notice] = ()


@dataclass(frozen=True)
class CopyOutcome:
    """What PostgreSQL said to one COPY … FROM STDIN: rows loaded, and its notices in order.

    With `ON_ERROR ignore, LOG_VERBOSITY verbose` the notices name each skipped row: line, column and value
    are in `where`.
    """

    rows: int
    notices: Sequence[Notice] = field(default_factory=tuple)


class ClientSession(Protocol):
    """The client's own PostgreSQL session; everything here is PostgreSQL's dialect and blocks.

    Every method raises SqlError with PostgreSQL's own text when a statement fails, SqlError 57014 when the client
    cancelled, and ConnectionError when the client or PostgreSQL has gone. After a failure the transaction is aborted:
    set a savepoint (`execute("savepoint s")`) before what may fail and be tried again.
    """

    @property
    def process_id(self) -> int:
        """The PostgreSQL backend's process id (`pg_backend_pid()`, stl_load_errors.session)."""

    @property
    def user(self) -> str:
        """The database user that is logged in."""

    @property
    def database(self) -> str:
        """The database's name."""

    def check_cancelled(self) -> None:
        """Raise SqlError 57014 if the client asked to cancel, ConnectionError if it has gone: call it in long loops."""

    def execute(self, sql: str) -> str:
        """Run one statement, return its command tag; rows are thrown away."""

    def query(self, sql: str) -> list[tuple[str | None, ...]]:
        """Run one query, return its rows as PostgreSQL's text values."""

    def copy_in(self, sql: str, chunks: Iterable[bytes]) -> CopyOutcome:
        """Run `COPY … FROM STDIN`, feeding it the chunks (best 64 KiB to 1 MiB each; rows may span chunks)."""

    def copy_out(self, sql: str) -> Generator[bytes, None, None]:
        """Run `COPY … TO STDOUT`, yielding its rows (bytes, one row each in text and csv formats); to be closed."""


class SpecialStatements(Protocol):
    """What runs COPY and UNLOAD. `localaws.redshift.copy` does, and `front/__main__.py` hands it to the front."""

    def warm_up(self, context: StatementContext) -> None:
        """Do ahead of time what the first statement would otherwise wait for."""

    def run(
        self, verb: str, tokens: Sequence[Token], session: ClientSession, context: StatementContext
    ) -> StatementResult:
        """Run the statement that begins with `verb`, given as its tokens without a closing semicolon."""
