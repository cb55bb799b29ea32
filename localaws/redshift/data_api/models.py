"""The Data API's statements: submitted here, run by execution.py, and kept for a day, as on AWS."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.redshiftdata.models import redshiftdata_backends

from localaws.redshift.data_api import results
from localaws.redshift.data_api.access import Access
from localaws.redshift.data_api.exceptions import ResourceNotFoundException, ValidationException
from localaws.redshift.data_api.execution import Execution, active
from localaws.redshift.data_api.statements import Statement, Status, SubStatement, with_parameters

KEPT_FOR = 24 * 3600.0  # seconds: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
MOST_STATEMENTS = 40  # in a batch
LONGEST_WAIT = 20.0  # seconds; the limit of WaitTimeSeconds


def end_interrupted() -> None:
    """Fail the statements that were running when the last server ended."""
    for _, _, backend in list(redshiftdata_backends.iter_backends()):
        if isinstance(backend, LocalRedshiftDataBackend):
            backend.end_interrupted()


class LocalRedshiftDataBackend(BaseBackend):
    """The statements of one region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.statements: dict[str, Statement] = {}  # in the order in which they were submitted
        self.tokens: dict[str, str] = {}  # statement ids by client token

    def submit(
        self,
        access: Access,
        statements: list[tuple[str, list[dict[str, str]]]],
        *,
        is_batch: bool,
        in_transaction: bool = True,
        name: str | None = None,
        token: str | None = None,
    ) -> Statement:
        """Check statements and start them; return the earlier Statement if its client token is the same.

        Raises:
            ValidationException: the SQL or its parameters are not valid.
            ActiveStatementsExceededException: the limit of active statements is reached.
        """
        self._forget_old()
        if token and token in self.tokens and self.tokens[token] in self.statements:
            return self.statements[self.tokens[token]]
        if is_batch and not 1 <= len(statements) <= MOST_STATEMENTS:
            raise ValidationException(f"Sqls must have between 1 and {MOST_STATEMENTS} statements.")
        for sql, parameters in statements:
            if not sql.strip():
                raise ValidationException("Sql must not be empty.")
            with_parameters(sql, parameters)
        statement_id = str(uuid.uuid4())
        parts = [
            SubStatement(f"{statement_id}:{number}" if is_batch else statement_id, sql, parameters)
            for number, (sql, parameters) in enumerate(statements, 1)
        ]
        statement = Statement(statement_id, access, parts, is_batch=is_batch, in_transaction=in_transaction, name=name)
        self.statements[statement_id] = statement
        if token:
            self.tokens[token] = statement_id
        try:
            Execution(statement, self.region_name).start()
        except Exception:
            del self.statements[statement_id]
            raise
        return statement

    def statement(self, statement_id: str) -> Statement:
        """Return the statement with this id (a sub-statement's id finds its batch).

        Raises:
            ValidationException: it is not a valid id.
            ResourceNotFoundException: there is no such statement.
        """
        if not re.fullmatch(r"[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\d+)?", statement_id):
            raise ValidationException(
                "id must satisfy regex pattern: ^[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\\d+)?$"
            )
        found = self.statements.get(statement_id.partition(":")[0])
        if found is None:
            raise ResourceNotFoundException("Query does not exist.", statement_id)
        return found

    def wait(self, statement_id: str, seconds: float) -> None:
        """Return when the statement has ended, or after `seconds`."""
        if (execution := active(statement_id.partition(":")[0])) is not None:
            execution.finished.wait(min(seconds, LONGEST_WAIT))

    def cancel(self, statement_id: str) -> None:
        """CancelStatement."""
        statement = self.statement(statement_id)
        execution = active(statement.id)
        if statement.status.is_final or execution is None:
            raise ValidationException(
                f"Could not cancel a query that is already in {statement.status} state with ID: {statement_id}"
            )
        execution.cancel()

    def result(self, statement_id: str, offset: int) -> tuple[SubStatement, Any, Any, int | None]:
        """GetStatementResult: return the statement, the columns, the rows, and where the next page begins."""
        statement = self.statement(statement_id)
        number = statement_id.partition(":")[2]
        if number and not 1 <= int(number) <= len(statement.parts):
            raise ResourceNotFoundException("Query does not exist.", statement_id)
        if statement.is_batch and not number:
            raise ValidationException("Query is a batch: give the id of one of its sub-statements.")
        part = statement.parts[int(number or 1) - 1]
        if part.status is not Status.FINISHED or not statement.status.is_final:
            raise ResourceNotFoundException(
                f"Query is not in FINISHED state, it is {part.status}: there is no result.", statement_id
            )
        if not part.has_result:
            raise ResourceNotFoundException("Query does not have result.", statement_id)
        try:
            columns, rows, more = results.read(part.id, offset)
        except FileNotFoundError as error:
            raise ResourceNotFoundException("Query does not have result.", statement_id) from error
        return part, columns, rows, more

    def listed(
        self, status: str | None, name: str | None, database: str | None, cluster: str | None
    ) -> list[Statement]:
        """ListStatements: return the newest statements first; only finished ones if `status` is not given."""
        oldest, wanted = time.time() - KEPT_FOR, status or Status.FINISHED
        return [
            statement
            for statement in reversed(list(self.statements.values()))
            if wanted in ("ALL", statement.status)
            and (statement.created >= oldest or not statement.status.is_final)
            and (not name or (statement.name or "").startswith(name))
            and (not database or statement.access.database == database)
            and (not cluster or statement.access.cluster_identifier == cluster)
        ]

    def end_interrupted(self) -> None:
        """Fail the statements that were running when the last server ended: their transactions ended with it."""
        for statement in self.statements.values():
            if statement.status.is_final:
                continue
            for part in statement.parts:
                if not part.status.is_final:
                    part.become(Status.FAILED)
            statement.error = "The embedded AWS was stopped while the statement ran."
            statement.become(Status.FAILED)
            statement.freeze()

    def _forget_old(self) -> None:
        oldest = time.time() - KEPT_FOR
        for statement in list(self.statements.values()):
            if statement.created < oldest and statement.status.is_final:
                del self.statements[statement.id]
                for part in statement.parts:
                    results.forget(part.id)
        self.tokens = {token: found for token, found in self.tokens.items() if found in self.statements}
