"""Connects to databases through Glue connections, and lists their tables.

A connection's properties hold the address (JDBC_CONNECTION_URL) and the login (SECRET_ID, or USERNAME and PASSWORD):
https://docs.aws.amazon.com/glue/latest/dg/connection-properties.html. Include paths are ``database/schema/table``
with ``%`` for any name: https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localaws.core.context import Context
from localaws.glue.connections.network import NetworkRefused, check_network, require_network
from localaws.glue.crawlers.naming import Exclusions
from localaws.iam import AccessDenied
from localaws.iam.actions.secrets import secret_arn
from localaws.iam.service_roles import ServiceRole

CONNECT_TIMEOUT = 10  # seconds
DEFAULT_PORT = 5439
_URL = re.compile(r"jdbc:(?P<engine>\w+)(:iam)?://(?P<host>[^:/?;]+)(:(?P<port>\d+))?/(?P<database>[^?;]+)([?;].*)?")
_HIVE_TYPES = {
    "smallint": "smallint", "integer": "int", "bigint": "bigint", "real": "float", "double precision": "double",
    "boolean": "boolean", "date": "date", "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamp",
}  # fmt: skip
# The database's system schemas are not crawled, whatever the include path.
_COLUMNS = """
select c.table_schema, c.table_name, t.table_type, c.column_name, c.data_type, c.numeric_precision, c.numeric_scale
from information_schema.columns c
join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
where c.table_schema <> 'information_schema' and c.table_schema not like 'pg\\_%'
order by c.table_schema, c.table_name, c.ordinal_position
"""


class ConnectionRefused(Exception):
    """A database can't be reached through a connection; the message says why."""


@dataclass(frozen=True)
class JdbcUrl:
    """A parsed Redshift JDBC URL."""

    host: str
    port: int
    database: str

    @classmethod
    def parse(cls, url: str) -> JdbcUrl:
        """Parse ``jdbc:redshift://host:port/database``.

        Raises:
            ValueError: `url` is not such a URL.
        """
        match = _URL.fullmatch(url.strip())
        if not match:
            raise ValueError(f"The JDBC URL {url} must be of the form jdbc:redshift://host:port/database")
        if match["engine"] != "redshift":
            raise ValueError(
                f"The embedded AWS connects to jdbc:redshift only, not to jdbc:{match['engine']} as {url} asks for"
            )
        return cls(match["host"], int(match["port"] or DEFAULT_PORT), match["database"])


@dataclass(frozen=True)
class JdbcTable:
    """A table of a database: its names, and its columns with Hive types."""

    database: str
    schema: str
    name: str
    kind: str  # table or view
    columns: tuple[tuple[str, str], ...]


class IncludePath:
    """An include path of a JDBC target, and the exclusions relative to it."""

    def __init__(self, path: str, exclusions: Iterable[str] = ()) -> None:
        """Raises ValueError for an exclusion that can't be read."""
        self._levels = [level for level in path.strip("/").split("/") if level]
        # Exclusions are relative to the path's fixed part.
        self._fixed = next((n for n, level in enumerate(self._levels) if "%" in level), len(self._levels))
        self._exclusions = Exclusions(exclusions)

    def match(self, *names: str) -> bool:
        """Whether the table ``(database, schema, table)`` is to be crawled."""
        levels = self._levels
        # "db/%" and "db" stand for everything below.
        levels = levels + ["%"] * (len(names) - len(levels))
        if len(levels) > len(names) or not all(map(_like, levels, names)):
            return False
        return not self._exclusions.match("/".join(names[min(self._fixed, len(names) - 1) :]))


def _like(pattern: str, name: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("%"))), name, re.DOTALL) is not None


@contextmanager
def connect(
    context: Context, region: str, definition: Mapping[str, Any], role: ServiceRole | None = None
) -> Iterator[Any]:
    """Connect as a connection's definition (a ConnectionInput) says; yield an open psycopg connection.

    This needs permissions of `role`; TestConnection has no role, so none are checked.

    Raises:
        ConnectionRefused: the properties are not valid, `role` lacks a permission, a check of the network or the secret
            fails, the database doesn't answer, or the login fails.
    """
    import psycopg  # its import takes long, and only JDBC crawls need it

    properties = definition.get("ConnectionProperties") or {}
    try:
        url = JdbcUrl.parse(properties.get("JDBC_CONNECTION_URL", ""))
        requirements = definition.get("PhysicalConnectionRequirements") or {}
        if role is not None:
            require_network(role, requirements)
        check_network(context, region, requirements)
        user, password = _login(context, region, properties, role)
    except (ValueError, NetworkRefused, AccessDenied) as error:
        raise ConnectionRefused(str(error)) from None
    try:
        connection = psycopg.connect(
            host=url.host,
            port=url.port,
            dbname=url.database,
            user=user,
            password=password,
            sslmode="verify-full",
            sslrootcert=str(Path(context.home.ca_bundle)),
            connect_timeout=CONNECT_TIMEOUT,
            application_name="glue",
            autocommit=True,
        )
    except (psycopg.Error, UnicodeError) as error:
        reason = " ".join(str(error).split())
        raise ConnectionRefused(
            f"Could not connect to {url.host}:{url.port}/{url.database} as {user}: {reason}"
        ) from None
    with connection:
        yield connection


def _login(context: Context, region: str, properties: Mapping[str, str], role: ServiceRole | None) -> tuple[str, str]:
    secret_id = properties.get("SECRET_ID")
    if not secret_id:
        return properties.get("USERNAME", ""), properties.get("PASSWORD", "")
    if role is not None:
        arn = secret_arn(secret_id, region, role.account_id)
        role.require("secretsmanager:GetSecretValue", arn)
    try:
        value = context.client("secretsmanager", region).get_secret_value(SecretId=secret_id)
        secret = json.loads(value.get("SecretString", ""))
        return str(secret["username"]), str(secret["password"])
    except ClientError as error:
        raise ConnectionRefused(f"The secret {secret_id} can't be read: {error.response['Error']['Message']}") from None
    except (ValueError, KeyError, TypeError):
        raise ConnectionRefused(f"The secret {secret_id} must be a JSON object with username and password") from None


def read_tables(connection: Any) -> Iterator[JdbcTable]:
    """Yield all tables and views of the connected database that the user may see."""
    database = connection.info.dbname
    columns: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for schema, table, kind, name, data_type, precision, scale in connection.execute(_COLUMNS).fetchall():
        hive = _HIVE_TYPES.get(data_type, "string")
        if data_type == "numeric":
            hive = f"decimal({precision},{scale})" if precision else "decimal(38,18)"
        columns.setdefault((schema, table, kind), []).append((name, hive))
    for (schema, table, kind), found in columns.items():
        yield JdbcTable(database, schema, table, "view" if kind == "VIEW" else "table", tuple(found))
