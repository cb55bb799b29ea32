"""The Data Catalog's part of the Glue API: list operations, and operations whose requests moto reads only in part."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, cast

from moto.core.responses import ActionResult, EmptyResult
from moto.glue.models import FakePartition

from localaws.glue.catalog.backend import CatalogOperations
from localaws.glue.lists import Lists

_PAGE = 1000  # the largest MaxResults of GetPartitions

_HIGHEST_VERSION = 10**18


class CatalogResponses(Lists):
    """GetDatabases, GetTables, GetTableVersions and GetPartitions, in pages."""

    @property
    def _catalog(self) -> CatalogOperations:
        return cast(CatalogOperations, self.glue_backend)

    def get_databases(self) -> ActionResult:
        databases = self.glue_backend.get_databases()
        shown, token = self.page_by_name(databases, lambda database: database.name)
        return self.paged("DatabaseList", [database.as_dict() for database in shown], token)

    def get_tables(self) -> ActionResult:
        tables = self.glue_backend.get_tables(self.parameters["DatabaseName"], self.parameters.get("Expression"))
        shown, token = self.page_by_name(tables, lambda table: table.name)
        return self.paged("TableList", [table.as_dict() for table in shown], token)

    def get_table_versions(self) -> ActionResult:
        """GetTableVersions: the newest version comes first."""
        versions = self.glue_backend.get_table_versions(self.parameters["DatabaseName"], self.parameters["TableName"])
        # Pages go by version number, so deleting a version between two pages does not shift the next page.
        shown, token = self.page_by_name(versions, lambda version: f"{_HIGHEST_VERSION - int(version):020d}")
        listed = [{"Table": versions[version], "VersionId": version} for version in shown]
        return self.paged("TableVersions", listed, token)

    def get_table_version(self) -> ActionResult:
        """GetTableVersion: the requested version, or the current one."""
        table = self.glue_backend.get_table(self.parameters["DatabaseName"], self.parameters["TableName"])
        shown = table.as_dict(self.parameters.get("VersionId"))
        return ActionResult({"TableVersion": {"Table": shown, "VersionId": shown["VersionId"]}})

    def batch_delete_table_version(self) -> ActionResult:
        asked = self.parameters
        errors = self._catalog.batch_delete_table_version(
            asked["DatabaseName"], asked["TableName"], asked["VersionIds"]
        )
        return ActionResult({"Errors": errors})

    def update_table(self) -> ActionResult:
        asked = self.parameters
        self.glue_backend.update_table(asked["DatabaseName"], asked["TableInput"]["Name"], asked["TableInput"])
        if asked.get("SkipArchive"):
            table = self.glue_backend.get_table(asked["DatabaseName"], asked["TableInput"]["Name"])
            table.delete_version(list(table.versions)[-2])
        return EmptyResult()

    def get_partitions(self) -> str:  # type: ignore[override]  # moto takes a text for what it is
        """GetPartitions, serialized here: moto takes half a millisecond per partition, and there may be thousands."""
        asked: dict[str, Any] = self.parameters
        found = self._catalog.get_partitions(asked["DatabaseName"], asked["TableName"], asked.get("Expression"))
        shown, token = self.page_by_name(found, lambda partition: json.dumps(partition.values), default=_PAGE)
        answer: dict[str, Any] = {"Partitions": [self._shown(partition) for partition in shown]}
        if token:
            answer["NextToken"] = token
        self.response_headers["Content-Type"] = "application/x-amz-json-1.1"
        return json.dumps(answer, default=_as_timestamp)

    def _shown(self, partition: FakePartition) -> dict[str, Any]:
        shown = partition.as_dict()
        if self.parameters.get("ExcludeColumnSchema") and "StorageDescriptor" in shown:
            storage = {name: value for name, value in shown["StorageDescriptor"].items() if name != "Columns"}
            return {**shown, "StorageDescriptor": storage}
        return shown


def _as_timestamp(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"not a value of the Glue API: {value!r}")
