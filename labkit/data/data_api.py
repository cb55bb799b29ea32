"""SQL through Redshift's Data API, which needs no driver, no connection and no access to the VPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from labkit import origins
from labkit.calls import found
from labkit.errors import AwsRefused, QueryFailed, UsageError
from labkit.session import Session
from labkit.show.waiting import wait_for


@dataclass(frozen=True)
class Result:
    """The result of a statement: column names, rows, and the number of rows that it affected."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    count: int


def execute(session: Session, sql: str, parameters: Mapping[str, Any] | None = None) -> Result:
    """Run one statement as the admin user in the secret, and wait until it has finished.

    Args:
        session: of the lab whose cluster runs the statement.
        sql: the statement; parameters are written `:name` in it.
        parameters: their values. The Data API passes them as text, and Redshift converts them.

    Raises:
        QueryFailed: Redshift refused the statement.
        MissingStep: there is no cluster yet.
        UsageError: a parameter has a value that the Data API can't pass.
    """
    given = [{"name": name, "value": text_of(name, value)} for name, value in (parameters or {}).items()]
    return _result(
        session, _finished(session, sql, "execute_statement", Sql=sql, **({"Parameters": given} if given else {}))
    )


def execute_together(session: Session, statements: Sequence[str]) -> Result:
    """Run these statements in one transaction: either all take effect, or none. Return the last one's result.

    Raises:
        QueryFailed: Redshift refused one of them.
        MissingStep: there is no cluster yet.
    """
    answer = _finished(session, "; ".join(statements), "batch_execute_statement", Sqls=list(statements))
    return _result(session, answer["SubStatements"][-1])


def _result(session: Session, answer: Mapping[str, Any]) -> Result:
    """The result of a statement that has finished: `answer` describes it."""
    if not answer.get("HasResultSet"):
        return Result((), (), int(answer.get("ResultRows", -1)))
    pages = session.client("redshift-data").get_paginator("get_statement_result").paginate(Id=answer["Id"])
    columns: tuple[str, ...] = ()
    rows: list[tuple[Any, ...]] = []
    for page in pages:
        columns = tuple(column["name"] for column in page["ColumnMetadata"])
        types = [column["typeName"] for column in page["ColumnMetadata"]]
        rows.extend(tuple(map(_value, record, types)) for record in page["Records"])
    return Result(columns, tuple(rows), len(rows))


def text_of(name: str, value: Any) -> str:
    """The value of a parameter as the Data API takes it: as text.

    Raises:
        UsageError: the Data API can't pass such a value.
    """
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a number of numpy
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Decimal | date):
        return str(value)
    kind = "None" if value is None else f"of type {type(value).__name__}"
    advice = "To look for NULL, write `is null`." if value is None else "Parameters are texts, numbers, dates or bools."
    raise UsageError(f"Parameter :{name} is {kind}, which the Data API can't pass.", fix=advice)


def _finished(session: Session, sql: str, operation: str, **arguments: Any) -> dict[str, Any]:
    """Submit the statement, wait until it has finished, and return the answer of DescribeStatement."""
    redshift = session.client("redshift-data")
    try:
        statement = getattr(redshift, operation)(
            ClusterIdentifier=session.names.cluster_identifier,
            Database=session.config.redshift_database,
            SecretArn=session.names.secret,  # AWS takes the name, too
            **arguments,
        )["Id"]
    except AwsRefused as error:
        # What is missing explains most errors better than AWS's message.
        admin_secret(session)
        require_cluster(session)
        raise QueryFailed(sql, error.message) from error

    def look() -> tuple[str, dict[str, Any] | None]:
        answer = redshift.describe_statement(Id=statement)
        return answer["Status"], answer if answer["Status"] in ("FINISHED", "FAILED", "ABORTED") else None

    go_on = f"Its result is kept for a day: describe_statement(Id={statement!r})."
    answer = wait_for("the statement", look, config=session.config, go_on=go_on, quiet=True)
    if answer["Status"] != "FINISHED":
        message = answer.get("Error", answer["Status"])
        raise QueryFailed(sql, message, fix=_hint(session, message))
    return answer


def _value(field: dict[str, Any], type_name: str) -> Any:
    if field.get("isNull"):
        return None
    (value,) = field.values()
    # The Data API returns NUMERIC as text.
    return float(value) if type_name in ("numeric", "decimal") and isinstance(value, str) else value


def _hint(session: Session, message: str) -> str:
    if advice := origins.of_a_statement(session.names, session.config.redshift_table, message):
        return advice
    if "relation" in message and "does not exist" in message:
        return "Look at lab.redshift.check(): is the table there? Names are case-insensitive unless quoted."
    if "stl_load_errors" in message:
        return "Look at lab.query.load_errors()."
    return ""


def admin_secret(session: Session) -> str:
    """The ARN of the secret with the admin user's name and password.

    Raises:
        MissingStep: it is not there yet.
    """
    secret = found(session.client("secretsmanager").describe_secret, SecretId=session.names.secret)
    if secret is None or "DeletedDate" in secret:
        raise origins.missing_part("redshift", f"Secret {session.names.secret}")
    return str(secret["ARN"])


def require_cluster(session: Session) -> None:
    """Raise MissingStep if there is no cluster that can be used."""
    cluster = session.names.cluster_identifier
    answer = found(session.client("redshift").describe_clusters, ClusterIdentifier=cluster)
    if answer is None or "Address" not in answer["Clusters"][0].get("Endpoint", {}):
        raise origins.missing_part("redshift", f"A usable cluster {cluster}")
