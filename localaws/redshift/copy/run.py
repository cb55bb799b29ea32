"""What the front calls for the statements that PostgreSQL does not know."""

from __future__ import annotations

import re

from localaws.redshift.copy.load import copy
from localaws.redshift.copy.unload import unload
from localaws.redshift.errors import SqlError
from localaws.redshift.front.statements import ClientSession, StatementContext, StatementResult

_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(\w*)", re.DOTALL)


def run(statement: str, session: ClientSession, context: StatementContext) -> StatementResult:
    """Run a COPY or an UNLOAD in the client's session.

    Raises:
        SqlError: it failed, or it is neither.
    """
    match = _FIRST_WORD.match(statement)
    command = match[1].lower() if match else ""
    if command == "copy":
        return copy(statement, session, context)
    if command == "unload":
        return unload(statement, session, context)
    raise SqlError("42601", f"not a COPY or UNLOAD statement: {statement[:40]}")
