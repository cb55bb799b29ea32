"""The Data Catalog: the checks of databases, tables and partitions that AWS makes and moto doesn't.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from moto.glue.exceptions import (
    EntityNotFoundException,
    GlueClientError,
    InvalidInputException,
    PartitionAlreadyExistsException,
    PartitionNotFoundException,
)
from moto.glue.models import FakeDatabase, FakePartition, FakeTable, GlueBackend
from moto.utilities.utils import get_partition

from localaws.glue.catalog.partition_expressions import PartitionExpression

_UNSUPPORTED = (
    "TargetDatabase", "FederatedDatabase", "TargetTable", "FederatedTable", "ViewDefinition", "SchemaReference",
)  # fmt: skip
# A star that stands for any characters. After a class, a group, a dot or an escaped character it is a quantifier.
_WILDCARD = re.compile(r"(?<![.\])}\\\w])\*|(?<=(?<!\\)\w)\*")


class CatalogOperations(GlueBackend):
    """Operations on databases, tables and partitions. Names are case-insensitive: they are kept in lower case."""

    def create_database(
        self, database_name: str, database_input: dict[str, Any], tags: dict[str, str] | None = None
    ) -> FakeDatabase:
        """Create a database; its name is lowercased."""
        _refuse_unsupported(database_input)
        return super().create_database(database_name.lower(), database_input, tags)

    def get_database(self, database_name: str) -> FakeDatabase:
        """Return the database of that name."""
        return super().get_database(database_name.lower())

    def update_database(self, database_name: str, database_input: dict[str, Any]) -> None:
        """Replace a database's definition.

        Raises:
            InvalidInputException: the definition has a different name.
        """
        self.get_database(database_name)
        if database_input["Name"].lower() != database_name.lower():
            # AWS's sentence: https://github.com/floci-io/floci/issues/1229
            raise InvalidInputException("UpdateDatabase", "Database cannot be renamed")
        _refuse_unsupported(database_input)
        super().update_database(database_name.lower(), database_input)

    def delete_database(self, database_name: str) -> None:
        """Delete a database with its tags. moto would keep the tags, and the tagging API would still list it."""
        super().delete_database(database_name.lower())
        name = f"database/{database_name.lower()}"
        arn = f"arn:{get_partition(self.region_name)}:glue:{self.region_name}:{self.account_id}:{name}"
        self.tagger.delete_all_tags_for_resource(arn)

    def create_table(
        self,
        database_name: str,
        table_name: str,
        table_input: dict[str, Any],
        open_table_format_input: dict[str, Any] | None = None,
    ) -> FakeTable:
        """Create a table; its name is lowercased."""
        _refuse_unsupported(table_input)
        name, database = table_name.lower(), database_name.lower()
        return super().create_table(database, name, {**table_input, "Name": name}, open_table_format_input)

    def get_table(self, database_name: str, table_name: str) -> FakeTable:
        """Return the table of that name."""
        return super().get_table(database_name, table_name.lower())

    def get_tables(self, database_name: str, expression: str | None) -> list[FakeTable]:
        """Return the tables whose whole names match `expression`; `*` stands for any characters, as on AWS.

        Raises:
            InvalidInputException: `expression` is not a regular expression.
        """
        tables = list(self.get_database(database_name).tables.values())
        if not expression:
            return tables
        try:
            pattern = re.compile(re.sub(_WILDCARD, ".*", expression))
        except (re.error, OverflowError, RecursionError) as error:
            raise InvalidInputException("GetTables", f"The expression {expression} is not valid: {error}") from None
        return [table for table in tables if pattern.fullmatch(table.name)]

    def update_table(self, database_name: str, table_name: str, table_input: dict[str, Any]) -> None:
        """Give a table a new version."""
        _refuse_unsupported(table_input)
        super().update_table(database_name, table_name, {**table_input, "Name": table_name.lower()})

    def delete_table(self, database_name: str, table_name: str) -> None:
        """Delete a table with its partitions and versions."""
        super().delete_table(database_name, table_name.lower())

    def delete_table_version(self, database_name: str, table_name: str, version_id: str) -> None:
        """Delete an old version of a table.

        Raises:
            EntityNotFoundException: there is no such version.
            InvalidInputException: it is the table's current one.
        """
        table = self.get_table(database_name, table_name)
        if version_id not in table.versions:
            raise EntityNotFoundException(f"Version {version_id} not found.")
        if version_id == str(table._current_version):
            raise InvalidInputException("DeleteTableVersion", "The current version of a table can't be deleted.")
        table.delete_version(version_id)

    def create_partition(self, database_name: str, table_name: str, part_input: dict[str, Any]) -> None:
        """Create a partition.

        Raises:
            InvalidInputException: it has more or fewer values than the table has keys.
        """
        _check_values(self.get_table(database_name, table_name), part_input)
        super().create_partition(database_name, table_name, part_input)

    def update_partition(
        self, database_name: str, table_name: str, part_input: dict[str, Any], part_to_update: Any
    ) -> None:
        """Replace a partition's definition, and its values if the new ones differ.

        Raises:
            AlreadyExistsException: a partition with the new values exists.
            EntityNotFoundException: no partition has the old values.
            InvalidInputException: the definition has more or fewer values than the table has keys.
        """
        table = self.get_table(database_name, table_name)
        wanted = {"Values": part_to_update, **part_input}
        _check_values(table, wanted)
        if str(part_to_update) not in table.partitions:
            raise PartitionNotFoundException()
        if wanted["Values"] != part_to_update and str(wanted["Values"]) in table.partitions:
            raise PartitionAlreadyExistsException()
        table.update_partition(part_to_update, wanted)

    def batch_create_partition(
        self, database_name: str, table_name: str, partition_input: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Create partitions; return the errors of those that can't be created."""
        self.get_table(database_name, table_name)
        errors = []
        for one in partition_input:
            if error := _error_of(partial(self.create_partition, database_name, table_name, one)):
                errors.append({"PartitionValues": one.get("Values") or [], "ErrorDetail": error})
        return errors

    def batch_update_partition(
        self, database_name: str, table_name: str, entries: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Replace the definitions of partitions; return the errors of those that can't be replaced."""
        self.get_table(database_name, table_name)
        errors = []
        for entry in entries:
            old, new = entry["PartitionValueList"], entry["PartitionInput"]
            if error := _error_of(partial(self.update_partition, database_name, table_name, new, old)):
                errors.append({"PartitionValueList": old, "ErrorDetail": error})
        return errors

    def batch_delete_table_version(
        self, database_name: str, table_name: str, version_ids: list[str]
    ) -> list[dict[str, Any]]:
        """Delete versions of a table; return the errors of those that can't be deleted."""
        self.get_table(database_name, table_name)
        errors = []
        for version in version_ids:
            if error := _error_of(partial(self.delete_table_version, database_name, table_name, version)):
                errors.append({"TableName": table_name, "VersionId": version, "ErrorDetail": error})
        return errors

    def get_partitions(self, database_name: str, table_name: str, expression: str | None) -> list[FakePartition]:
        """Return the partitions that match `expression`.

        Raises:
            InvalidInputException: `expression` is malformed, names a column that is not a partition key, or compares a
                key with a value of another type.
            InvalidStateException: a partition's value is not of its key's type.
        """
        table = self.get_table(database_name, table_name)
        return PartitionExpression(expression, table.as_dict().get("PartitionKeys") or []).matching(
            table.partitions.values()
        )


def _error_of(call: Callable[[], None]) -> dict[str, str] | None:
    """Return the ErrorDetail if Glue refuses `call`, else None."""
    try:
        call()
    except GlueClientError as error:
        return {"ErrorCode": error.error_type, "ErrorMessage": error.message}
    return None


def _refuse_unsupported(definition: dict[str, Any]) -> None:
    """Refuse links, federated databases and tables, views, and columns kept in a schema registry: not supported."""
    storage = definition.get("StorageDescriptor") or {}
    for name in _UNSUPPORTED:
        if definition.get(name) or storage.get(name):
            raise InvalidInputException("", f"The embedded AWS does not support {name} in the Data Catalog")


def _check_values(table: FakeTable, part_input: dict[str, Any]) -> None:
    keys = table.as_dict().get("PartitionKeys") or []
    if len(part_input.get("Values") or []) != len(keys):
        raise InvalidInputException(
            "CreatePartition", "The number of partition keys do not match the number of partition values"
        )
