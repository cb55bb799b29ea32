"""Tables and connections of the Data Catalog, as far as a job needs them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from awsglue import _aws
from awsglue._errors import NotSupportedLocally


@dataclass(frozen=True)
class Table:
    """One table of the catalog."""

    database: str
    name: str
    location: str
    classification: str
    columns: list[tuple[str, str]]
    partition_keys: list[tuple[str, str]]
    connection: str
    serde_parameters: dict[str, str]


def get_table(database: str, name: str, catalog_id: str | None = None) -> Table:
    """Look a table up. Raises botocore's EntityNotFoundException where there is none."""
    extra = {"CatalogId": catalog_id} if catalog_id else {}
    found = _aws.client("glue").get_table(DatabaseName=database, Name=name, **extra)["Table"]
    storage: dict[str, Any] = found.get("StorageDescriptor", {})
    parameters = {**storage.get("Parameters", {}), **found.get("Parameters", {})}
    return Table(
        database=database,
        name=name,
        location=storage.get("Location", ""),
        classification=parameters.get("classification", "").lower(),
        columns=[(column["Name"], column.get("Type", "string")) for column in storage.get("Columns", [])],
        partition_keys=[(key["Name"], key.get("Type", "string")) for key in found.get("PartitionKeys", [])],
        connection=parameters.get("connectionName", ""),
        serde_parameters=storage.get("SerdeInfo", {}).get("Parameters", {}),
    )


def get_partitions(table: Table) -> list[tuple[list[str], str]]:
    """Values and location of each partition."""
    pages = _aws.client("glue").get_paginator("get_partitions")
    return [
        (partition["Values"], partition["StorageDescriptor"]["Location"])
        for page in pages.paginate(DatabaseName=table.database, TableName=table.name)
        for partition in page["Partitions"]
    ]


@dataclass(frozen=True)
class RedshiftAddress:
    """Where a Redshift database is, and whom to be there."""

    host: str
    port: int
    database: str
    user: str
    password: str


_JDBC = re.compile(r"jdbc:redshift(?::iam)?://(?P<host>[^:/]+)(?::(?P<port>\d+))?/(?P<database>[^?;]+)")


def parse_jdbc_url(url: str) -> tuple[str, int, str]:
    """Host, port and database of a jdbc:redshift:// address.

    Raises:
        NotSupportedLocally: it is of another database.
    """
    match = _JDBC.match(url)
    if match is None:
        raise NotSupportedLocally(f"the JDBC address {url!r}", ["jdbc:redshift://HOST:PORT/DATABASE"])
    return match["host"], int(match["port"] or 5439), match["database"]


def redshift_address(connection: str, database: str = "") -> RedshiftAddress:
    """The address that the Glue connection `connection` leads to; `database` overrides the one in its URL."""
    found = _aws.client("glue").get_connection(Name=connection, HidePassword=False)["Connection"]
    properties = found["ConnectionProperties"]
    if "JDBC_CONNECTION_URL" not in properties:
        raise ValueError(f"the Glue connection {connection!r} has no JDBC_CONNECTION_URL")
    host, port, default = parse_jdbc_url(properties["JDBC_CONNECTION_URL"])
    if "SECRET_ID" in properties:
        answer = _aws.client("secretsmanager").get_secret_value(SecretId=properties["SECRET_ID"])
        secret = json.loads(answer["SecretString"])
        user, password = secret["username"], secret["password"]
    elif "USERNAME" in properties:
        user, password = properties["USERNAME"], properties.get("PASSWORD", "")
    else:
        raise ValueError(f"the Glue connection {connection!r} has neither SECRET_ID nor USERNAME and PASSWORD")
    return RedshiftAddress(host, port, database or default, user, password)
