"""Errors and notices that a Redshift session sends to its client.

SqlError ─┬─ raised by a statement handler: the client gets it as an ErrorResponse
          └─ raised by ClientSession: an error of the client's own PostgreSQL session
"""

from __future__ import annotations

from dataclasses import dataclass


class SqlError(Exception):
    """A statement failed, and aborts the client's transaction.

    `sqlstate` is the five characters of the SQLSTATE (XX000 is Redshift's "internal error", which is what
    a failed COPY reports), `where` PostgreSQL's CONTEXT line, such as `COPY t, line 3, column x: "a"`.
    """

    def __init__(
        self,
        sqlstate: str,
        message: str,
        *,
        detail: str | None = None,
        hint: str | None = None,
        where: str | None = None,
        position: int | None = None,
        severity: str = "ERROR",
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.message = message
        self.detail = detail
        self.hint = hint
        self.where = where
        self.position = position
        self.severity = severity


@dataclass(frozen=True)
class Notice:
    """A NoticeResponse: one that a handler returns for the client, or one that a session collected from PostgreSQL."""

    message: str
    severity: str = "INFO"
    sqlstate: str = "00000"
    detail: str | None = None
    hint: str | None = None
    where: str | None = None
