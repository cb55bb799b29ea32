"""Spark's own catalog with --enable-glue-datacatalog: on AWS that is the Data Catalog, which Spark can't see here.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-data-catalog-hive.html

Glue Studio sets the argument for every job, and most never use what it does, so it is accepted. What looks at the
catalog from Spark, or changes it, is refused by name: Spark's empty one would answer, and would take tables that are
gone when the run ends. Temporary views are Spark's own, and work.

Scripts take these classes from pyspark itself, so pyspark's methods are replaced: in the process of this run only.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, DataFrameReader, DataFrameWriter, SparkSession
from pyspark.sql.catalog import Catalog

from awsglue._errors import NotSupportedLocally

ARGUMENT = "--enable-glue-datacatalog"
_INSTEAD = ["create_dynamic_frame.from_catalog", "write_dynamic_frame.from_catalog", "getSink", "temporary views"]
# Statements that Spark runs even if the table or database that they name does not exist, by the parser's names.
_STATEMENTS = {
    "CreateFunction", "CreateNamespace", "CreateTable", "CreateTableAsSelect", "CreateView", "DescribeNamespace",
    "DropFunction", "DropNamespace", "DropTable", "ReplaceTable", "ReplaceTableAsSelect", "ShowNamespaces",
    "ShowTableExtended", "ShowTables", "ShowViews",
}  # fmt: skip
_MISSING = {"SCHEMA_NOT_FOUND", "TABLE_OR_VIEW_NOT_FOUND"}
_LOOKING = {
    SparkSession: ("table",),
    DataFrameReader: ("table",),
    Catalog: (
        "getTable", "listColumns", "refreshTable", "recoverPartitions", "setCurrentDatabase", "cacheTable",
        "uncacheTable",
    ),
}  # fmt: skip
_REFUSED = {
    DataFrame: ("writeTo",),
    DataFrameWriter: ("saveAsTable", "insertInto"),
    Catalog: ("listDatabases", "getDatabase", "databaseExists", "listTables", "createTable", "createExternalTable"),
}


def refuse_if_enabled(arguments: Mapping[str, str]) -> None:
    """If the run's arguments ask for the Data Catalog in Spark, refuse its use in this process."""
    # "Only specify the key; no value is needed."
    if str(arguments.get(ARGUMENT, "false")).lower() == "false":
        return
    for owner, names in _REFUSED.items():
        for name in names:
            setattr(owner, name, _refusing(f"{owner.__name__}.{name}"))
    for owner, names in _LOOKING.items():
        for name in names:
            setattr(owner, name, _looking(getattr(owner, name), f"{owner.__name__}.{name}"))
    SparkSession.sql = _sql(_looking(SparkSession.sql, "Spark SQL"))
    Catalog.tableExists = _exists(Catalog.tableExists)


def _refused(what: str) -> NotSupportedLocally:
    return NotSupportedLocally(f"{what} with {ARGUMENT}", _INSTEAD)


def _refusing(what: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise _refused(what)

    return refuse


def _looking(call: Callable[..., Any], what: str) -> Callable[..., Any]:
    """Wrap `call`: if Spark can't find a table or a database, raise NotSupportedLocally for the Data Catalog."""

    @functools.wraps(call)
    def look(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except AnalysisException as error:
            if error.getErrorClass() not in _MISSING:
                raise
            found = str(error).splitlines()[0]
            raise NotSupportedLocally(f"the Data Catalog in {what} ({found})", _INSTEAD) from error

    return look


def _sql(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def sql(session: SparkSession, sqlQuery: str, args: Any = None, **kwargs: Any) -> DataFrame:
        if not kwargs:
            parser = session._jsparkSession.sessionState().sqlParser()
            statement = parser.parsePlan(sqlQuery).getClass().getSimpleName()
            if statement in _STATEMENTS:
                raise _refused(f"the statement {statement} in Spark SQL")
        return call(session, sqlQuery, args, **kwargs)

    return sql


def _exists(call: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(call)
    def exists(*args: Any, **kwargs: Any) -> bool:
        # A temporary view is a table, too.
        if not call(*args, **kwargs):
            raise _refused("Catalog.tableExists")
        return True

    return exists
