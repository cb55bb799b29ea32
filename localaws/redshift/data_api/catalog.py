"""ListDatabases, ListSchemas, ListTables and DescribeTable: they query the database itself."""

from __future__ import annotations

from typing import Any

import psycopg

from localaws.redshift.data_api.access import Access
from localaws.redshift.data_api.exceptions import DatabaseConnectionException, ValidationException
from localaws.redshift.data_api.results import metadata

_TABLE_KINDS = (
    "case c.relkind when 'v' then 'VIEW' when 'm' then 'VIEW' when 'f' then 'EXTERNAL TABLE' else 'TABLE' end"
)


def databases(access: Access, region: str) -> list[str]:
    """Return all databases that accept connections."""
    rows = _rows(
        access,
        region,
        "select datname from pg_database where datallowconn and not datistemplate and datname <> 'postgres' order by 1",
    )
    return [row[0] for row in rows]


def schemas(access: Access, region: str, pattern: str | None) -> list[str]:
    """Return all schemas with names that match the LIKE pattern."""
    rows = _rows(
        access,
        region,
        "select nspname from pg_namespace where nspname not like 'pg_toast%%' and nspname not like 'pg_temp%%'"
        " and nspname <> 'pg_internal' and nspname like %s order by 1",
        [pattern or "%"],
    )
    return [row[0] for row in rows]


def tables(access: Access, region: str, schema_pattern: str | None, table_pattern: str | None) -> list[dict[str, str]]:
    """Return all tables and views with a schema and a name that match the LIKE patterns."""
    rows = _rows(
        access,
        region,
        f"select c.relname, n.nspname, case when n.nspname in ('pg_catalog', 'information_schema')"
        f" then 'SYSTEM ' else '' end || {_TABLE_KINDS}"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not like 'pg_toast%%'"
        " and n.nspname <> 'pg_internal'"
        " and n.nspname like %s and c.relname like %s order by n.nspname, c.relname",
        [schema_pattern or "%", table_pattern or "%"],
    )
    return [{"name": name, "schema": schema, "type": kind} for name, schema, kind in rows]


def columns(access: Access, region: str, schema: str | None, table: str) -> list[dict[str, Any]]:
    """Return the ColumnMetadata of a table's columns; an empty list if there is no such table."""
    rows = _rows(
        access,
        region,
        "select a.attname, (case when t.typtype = 'd' then t.typbasetype else t.oid end)::int8,"
        " case when t.typtype = 'd' then t.typtypmod else a.atttypmod end, pg_get_expr(d.adbin, d.adrelid),"
        " n.nspname, c.relname, not a.attnotnull"
        " from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace"
        " join pg_type t on t.oid = a.atttypid"
        " left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
        " where a.attnum > 0 and not a.attisdropped and c.relname = %s and n.nspname like %s order by a.attnum",
        [table, schema or "public"],
    )
    return [metadata(*row) for row in rows]


def _rows(access: Access, region: str, query: str, values: list[str] | None = None) -> list[tuple[Any, ...]]:
    try:
        with psycopg.connect(**access.connection_parameters(region), autocommit=True, connect_timeout=10) as connection:
            return connection.execute(query.encode(), values or []).fetchall()
    except psycopg.OperationalError as error:
        raise DatabaseConnectionException(str(error).strip()) from error
    except psycopg.Error as error:
        raise ValidationException(str(error).strip()) from error
