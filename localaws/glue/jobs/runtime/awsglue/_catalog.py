"""Reads tables and connections of the Data Catalog, as far as a job needs them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from awsglue import _aws
from awsglue._errors import NotSupportedLocally


@dataclass(frozen=True)
class Storage:
    """Where the files of a table or of one of its partitions are, and what they hold."""

    location: str
    columns: list[tuple[str, str]]
    """Names and types."""
    parameters: dict[str, str]
    """The parameters of the table or partition, and of its storage descriptor."""
    serde_parameters: dict[str, str]

    @property
    def classification(self) -> str:
        """The format of the files, or an empty string."""
        return self.parameters.get("classification", "").lower()

    @property
    def header_lines(self) -> str | None:
        """The number of lines at the beginning of each file that hold no data.

        Crawlers, Hive and Terraform write it into the table's parameters. Hive also takes it from those of the SerDe.
        If both have it, the table's counts.
        """
        name = "skip.header.line.count"
        return self.parameters.get(name, self.serde_parameters.get(name))


@dataclass(frozen=True)
class Table:
    """One table of the catalog."""

    database: str
    name: str
    catalog_id: str | None
    storage: Storage
    partition_keys: list[tuple[str, str]]
    connection: str

    @property
    def location(self) -> str:
        """An s3:// address, or DATABASE.SCHEMA.TABLE."""
        return self.storage.location

    @property
    def classification(self) -> str:
        """The format of the files, or an empty string."""
        return self.storage.classification

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Names and types, without the partition keys."""
        return self.storage.columns

    @property
    def is_crawled(self) -> bool:
        """Whether a crawler wrote the names in its types."""
        return "UPDATED_BY_CRAWLER" in self.storage.parameters


@dataclass(frozen=True)
class Partition:
    """One partition of a table."""

    values: list[str]
    storage: Storage


def get_table(database: str, name: str, catalog_id: str | None = None) -> Table:
    """Look up a table. Raises botocore's EntityNotFoundException if there is none."""
    extra = {"CatalogId": catalog_id} if catalog_id else {}
    found = _aws.client("glue").get_table(DatabaseName=database, Name=name, **extra)["Table"]
    storage = _storage(found)
    return Table(
        database=database,
        name=name,
        catalog_id=catalog_id,
        storage=storage,
        partition_keys=[(key["Name"], key.get("Type", "string")) for key in found.get("PartitionKeys", [])],
        connection=storage.parameters.get("connectionName", ""),
    )


def get_partitions(table: Table, expression: str = "") -> list[Partition]:
    """Return the partitions of `table`; if `expression` is given, those that GetPartitions finds with it.

    https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
    """
    asked = {"DatabaseName": table.database, "TableName": table.name}
    if expression:
        asked["Expression"] = expression
    if table.catalog_id:
        asked["CatalogId"] = table.catalog_id
    pages = _aws.client("glue").get_paginator("get_partitions").paginate(**asked)
    return [Partition(found["Values"], _storage(found)) for page in pages for found in page["Partitions"]]


def _storage(found: dict[str, Any]) -> Storage:
    descriptor: dict[str, Any] = found.get("StorageDescriptor", {})
    return Storage(
        location=descriptor.get("Location", ""),
        columns=[(column["Name"], column.get("Type", "string")) for column in descriptor.get("Columns", [])],
        parameters={**descriptor.get("Parameters", {}), **found.get("Parameters", {})},
        serde_parameters=descriptor.get("SerdeInfo", {}).get("Parameters", {}),
    )


@dataclass(frozen=True)
class RedshiftAddress:
    """The address of a Redshift database, and the login."""

    host: str
    port: int
    database: str
    user: str
    password: str


_JDBC = re.compile(r"jdbc:redshift(?::iam)?://(?P<host>[^:/]+)(?::(?P<port>\d+))?/(?P<database>[^?;]+)")


def parse_jdbc_url(url: str) -> tuple[str, int, str]:
    """Return host, port and database of a jdbc:redshift:// address.

    Raises:
        NotSupportedLocally: `url` is not such an address.
    """
    match = _JDBC.match(url)
    if match is None:
        raise NotSupportedLocally(f"the JDBC address {url!r}", ["jdbc:redshift://HOST:PORT/DATABASE"])
    return match["host"], int(match["port"] or 5439), match["database"]


def redshift_address(connection: str, database: str = "") -> RedshiftAddress:
    """Return address and login from the Glue connection `connection`; `database` overrides the one in its URL."""
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
