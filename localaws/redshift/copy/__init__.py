"""COPY and UNLOAD: move rows between S3 and a table, in the client's own session and transaction.

The module implements `SpecialStatements` of `sql/statements.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.copy import load, unload
from localaws.redshift.copy.access import warm_up
from localaws.redshift.sql.statements import ClientSession, StatementContext, StatementResult
from localaws.redshift.sql.tokens import Token

__all__ = ["run", "warm_up"]

_COMMANDS = {"COPY": load.copy, "UNLOAD": unload.unload}


def run(verb: str, tokens: Sequence[Token], session: ClientSession, context: StatementContext) -> StatementResult:
    """Run a COPY or an UNLOAD in the client's session.

    Raises:
        SqlError: the statement failed.
    """
    return _COMMANDS[verb](tokens, session, context)
