"""Errors and notices as a Redshift session shows them.

SqlError ─┬─ raised by a statement handler: the client gets it as an ErrorResponse
          └─ raised by ClientSession: what the client's own PostgreSQL session answered
"""

from __future__ import annotations

from dataclasses import dataclass


class SqlError(Exception):
    """A statement failed; the client's transaction is aborted with it.

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
    """A NoticeResponse: to the client when a handler returns it, from PostgreSQL when a session collects it."""

    message: str
    severity: str = "INFO"
    sqlstate: str = "00000"
    detail: str | None = None
    hint: str | None = None
    where: str | None = None
