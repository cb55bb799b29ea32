"""SQL through Redshift's Data API, which needs no driver, no connection and no access to the VPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit import origins
from labkit.errors import AwsRefused, MissingStep, QueryFailed
from labkit.show.waiting import wait_for

if TYPE_CHECKING:
    from labkit.lab import Lab


@dataclass(frozen=True)
class Result:
    """The result of a statement: column names, rows, and the number of rows that it affected."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    count: int


def execute(lab: Lab, sql: str, parameters: Mapping[str, Any] | None = None) -> Result:
    """Run one statement as the admin user in the secret, and wait until it has finished.

    Args:
        lab: the lab whose cluster runs the statement.
        sql: the statement; parameters are written `:name` in it.
        parameters: their values. The Data API passes them as text, and Redshift converts them.

    Raises:
        QueryFailed: Redshift refused the statement.
        MissingStep: there is no cluster yet.
    """
    given = [{"name": name, "value": str(value)} for name, value in (parameters or {}).items()]
    answer = _finished(lab, sql, "execute_statement", Sql=sql, **({"Parameters": given} if given else {}))
    if not answer.get("HasResultSet"):
        return Result((), (), int(answer.get("ResultRows", -1)))
    pages = lab.session.client("redshift-data").get_paginator("get_statement_result").paginate(Id=answer["Id"])
    columns: tuple[str, ...] = ()
    rows: list[tuple[Any, ...]] = []
    for page in pages:
        columns = tuple(column["name"] for column in page["ColumnMetadata"])
        types = [column["typeName"] for column in page["ColumnMetadata"]]
        rows.extend(tuple(map(_value, record, types)) for record in page["Records"])
    return Result(columns, tuple(rows), len(rows))


def execute_together(lab: Lab, statements: Sequence[str]) -> None:
    """Run these statements in one transaction: either all take effect, or none.

    Raises:
        QueryFailed: Redshift refused one of them.
        MissingStep: there is no cluster yet.
    """
    _finished(lab, "; ".join(statements), "batch_execute_statement", Sqls=list(statements))


def _finished(lab: Lab, sql: str, operation: str, **arguments: Any) -> dict[str, Any]:
    """Submit the statement, wait until it has finished, and return the answer of DescribeStatement."""
    redshift = lab.session.client("redshift-data")
    try:
        statement = getattr(redshift, operation)(
            ClusterIdentifier=lab.names.cluster_identifier,
            Database=lab.config.redshift_database,
            SecretArn=lab.redshift.secret_arn(),
            **arguments,
        )["Id"]
    except AwsRefused as error:
        lab.redshift.describe()  # a missing cluster explains most errors better than AWS's message
        raise QueryFailed(sql, error.message) from error

    def look() -> tuple[str, dict[str, Any] | None]:
        answer = redshift.describe_statement(Id=statement)
        return answer["Status"], answer if answer["Status"] in ("FINISHED", "FAILED", "ABORTED") else None

    go_on = f"Its result is kept for a day: describe_statement(Id={statement!r})."
    answer = wait_for("the statement", look, config=lab.config, go_on=go_on, quiet=True)
    if answer["Status"] != "FINISHED":
        message = answer.get("Error", answer["Status"])
        raise QueryFailed(sql, message, fix=_hint(lab, message))
    return answer


def _value(field: dict[str, Any], type_name: str) -> Any:
    if field.get("isNull"):
        return None
    (value,) = field.values()
    # The Data API returns NUMERIC as text.
    return float(value) if type_name in ("numeric", "decimal") and isinstance(value, str) else value


def _hint(lab: Lab, message: str) -> str:
    if advice := origins.of_a_statement(lab, message):
        return advice
    if "does not exist" in message:
        return "Look at lab.redshift.check(): is the table there? Names are case-insensitive unless quoted."
    if "stl_load_errors" in message:
        return "Look at lab.query.load_errors()."
    return ""


def missing_cluster(lab: Lab) -> MissingStep:
    """The error for a missing cluster."""
    return lab.redshift.missing(f"Cluster {lab.names.cluster_identifier}")
