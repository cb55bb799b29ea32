"""A statement of the Data API: its state, and the binding of its parameters."""

from __future__ import annotations

import copyreg
import pickle
import time
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

from localaws.redshift.data_api.access import Access
from localaws.redshift.data_api.exceptions import ValidationException
from localaws.redshift.errors import SqlError
from localaws.redshift.sql.tokens import Kind, Token, refuse_unterminated, tokenize


class Status(StrEnum):
    """https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html."""

    SUBMITTED = "SUBMITTED"
    PICKED = "PICKED"
    STARTED = "STARTED"
    FINISHED = "FINISHED"
    ABORTED = "ABORTED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether the statement has ended."""
        return self in (Status.FINISHED, Status.ABORTED, Status.FAILED)


@dataclass
class SubStatement:
    """One SQL statement of a batch, or the only one."""

    id: str
    sql: str
    parameters: list[dict[str, str]] = field(default_factory=list)
    status: Status = Status.SUBMITTED
    created: float = field(default_factory=time.time)  # seconds since the epoch
    updated: float = field(default_factory=time.time)
    duration: int = -1  # nanoseconds
    error: str | None = None
    rows: int = -1
    size: int = -1  # bytes
    has_result: bool = False

    def become(self, status: Status) -> None:
        """Change the state."""
        self.status = status
        self.updated = time.time()

    def describe(self) -> dict[str, Any]:
        """Return the API's `SubStatementData`."""
        described = {
            "Id": self.id,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "Duration": self.duration,
            "HasResultSet": self.has_result,
            "QueryString": self.sql,
            "ResultRows": self.rows,
            "ResultSize": self.size,
            "Status": self.status.value,
        }
        return {**described, "Error": self.error} if self.error is not None else described


@dataclass
class Statement:
    """A statement that ExecuteStatement or BatchExecuteStatement created."""

    id: str
    access: Access
    parts: list[SubStatement]
    is_batch: bool
    in_transaction: bool = True
    name: str | None = None
    pid: int = 0
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    status: Status = Status.SUBMITTED
    error: str | None = None
    duration: int = -1
    _pickled: bytes | None = field(default=None, repr=False, compare=False)

    def become(self, status: Status) -> None:
        """Change the state."""
        self.status = status
        self.updated = time.time()

    def freeze(self) -> None:
        """Pickle the statement now, because it has ended and no longer changes. Later saves use these bytes."""
        self._pickled = pickle.dumps(self.__dict__)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._pickled is None:
            return copyreg.__newobj__, (Statement,), self.__dict__  # type: ignore[attr-defined]
        return _thawed, (self._pickled,)

    def answer(self) -> dict[str, Any]:
        """Return the response of ExecuteStatement."""
        answered = {
            "Id": self.id,
            "CreatedAt": self.created,
            "ClusterIdentifier": self.access.cluster_identifier,
            "Database": self.access.database,
            "DbUser": self.access.db_user,
            "SecretArn": self.access.secret_arn,
        }
        return {name: value for name, value in answered.items() if value is not None}

    def describe(self) -> dict[str, Any]:
        """Return the response of DescribeStatement."""
        described = {
            **self.answer(),
            "Status": self.status.value,
            "UpdatedAt": self.updated,
            "Duration": self.duration,
            "HasResultSet": any(part.has_result for part in self.parts),
            "RedshiftPid": self.pid,
            "ResultFormat": "json",
        }
        if self.error is not None:
            described["Error"] = self.error
        if self.is_batch:
            described["SubStatements"] = [part.describe() for part in self.parts]
            described["ExecutionMode"] = "TRANSACTION" if self.in_transaction else "AUTO_COMMIT"
            return described
        only = self.parts[0]
        described.update(QueryString=only.sql, ResultRows=only.rows, ResultSize=only.size)
        if only.parameters:
            described["QueryParameters"] = only.parameters
        return described

    def list_entry(self) -> dict[str, Any]:
        """Return the API's `StatementData`, for ListStatements."""
        entry: dict[str, Any] = {
            "Id": self.id,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "IsBatchStatement": self.is_batch,
            "Status": self.status.value,
            "ResultFormat": "json",
        }
        if self.is_batch:
            entry["QueryStrings"] = [part.sql for part in self.parts]
        else:
            entry["QueryString"] = self.parts[0].sql
        if self.name:
            entry["StatementName"] = self.name
        if self.access.secret_arn:
            entry["SecretArn"] = self.access.secret_arn
        return entry


def _thawed(pickled: bytes) -> Statement:
    statement = Statement.__new__(Statement)
    statement.__dict__.update(pickle.loads(pickled), _pickled=pickled)
    return statement


def with_parameters(sql: str, parameters: list[dict[str, str]]) -> tuple[str, list[str]]:
    """Replace each `:name` by `$1`, `$2`, …; return the SQL and the values. Values are bound, never put into the SQL.

    Raises:
        ValidationException: a name is missing, unused or given twice, or there is more than one statement.
    """
    tokens = tokenize(sql)
    try:
        refuse_unterminated(tokens)
    except SqlError as error:
        # Without parameters, the database reports the error itself.
        if parameters:
            raise ValidationException(error.message) from error
        return sql, []
    if _is_several(tokens):
        raise ValidationException("Only one SQL statement is allowed; use BatchExecuteStatement for several.")
    values = {parameter["name"]: parameter["value"] for parameter in parameters}
    if len(values) != len(parameters):
        raise ValidationException("Parameters list contains duplicate parameter names.")
    if not values:
        return sql, []
    pieces, bound = [token.text for token in tokens], list[str]()
    unused = set(values)
    for place, (colon, name) in enumerate(pairwise(tokens)):
        if colon.kind is not Kind.SYMBOL or colon.text != ":" or name.kind is not Kind.WORD:
            continue
        if name.text not in values:
            raise ValidationException(
                f"Parameter {name.text} is used in the SQL statement but not in the parameters list."
            )
        bound.append(values[name.text])
        unused.discard(name.text)
        pieces[place : place + 2] = "", f"${len(bound)}"
    if unused:
        raise ValidationException(f"Parameters list contains unused parameters. Unused parameters: {sorted(unused)}")
    return "".join(pieces), bound


def _is_several(tokens: list[Token]) -> bool:
    """Whether something other than another semicolon follows a semicolon."""
    ends = [token.kind is Kind.SYMBOL and token.text == ";" for token in tokens if not token.is_blank]
    return True in ends and not all(ends[ends.index(True) :])
