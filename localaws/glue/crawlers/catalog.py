"""Writes what a crawl found into the Glue catalog, as the crawler's policies say.

https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html: new tables and partitions are made
whatever the policy; existing tables are updated, or left with a line in the log; tables whose data is gone are
deprecated, deleted, or left with a line in the log.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.glue.models import FakeDatabase, FakeTable, GlueBackend

from localaws.glue.crawlers.errors import CrawlFailed
from localaws.glue.crawlers.naming import distinct_name
from localaws.iam.service_roles import ServiceRole

# Parameters that tell how much data there is: a change of these alone doesn't create a new version of a table.
STATISTICS = frozenset({"recordCount", "objectCount", "sizeKey", "averageRecordSize"})
DEPRECATED = "DEPRECATED_BY_CRAWLER"
# With MergeNewColumns, a table keeps its _FORMATS, and it is deprecated if a _FUNDAMENTAL parameter changes.
_FORMATS = ("InputFormat", "OutputFormat")
_FUNDAMENTAL = ("classification", "compressionType", "delimiter")


@dataclass(frozen=True)
class Policies:
    """How a crawler treats tables and partitions that are in the catalog already."""

    update: str = "UPDATE_IN_DATABASE"  # or LOG
    delete: str = "DEPRECATE_IN_DATABASE"  # or DELETE_FROM_DATABASE, LOG
    merge_new_columns: bool = False  # Configuration: CrawlerOutput.Tables.AddOrUpdateBehavior
    inherit: bool = False  # Configuration: CrawlerOutput.Partitions.AddOrUpdateBehavior
    combine: bool = False  # Configuration: Grouping.TableGroupingPolicy
    level: int | None = None  # Configuration: Grouping.TableLevelConfiguration; the bucket is level 1

    @classmethod
    def of(cls, schema_change: Mapping[str, str], configuration: str | None) -> Policies:
        """Read a crawler's SchemaChangePolicy and Configuration.

        Raises:
            ValueError: the configuration is not a JSON object, or asks for something that is not supported.
        """
        try:
            asked = json.loads(configuration or "{}")
        except ValueError:
            raise ValueError("Configuration must be a JSON document") from None
        if not isinstance(asked, dict):
            raise ValueError("Configuration must be a JSON object")
        output, grouping = asked.get("CrawlerOutput", {}), asked.get("Grouping", {})
        tables, partitions = output.get("Tables", {}), output.get("Partitions", {})
        level = grouping.get("TableLevelConfiguration")
        known = (
            not asked.keys() - {"Version", "CrawlerOutput", "Grouping"}
            and not output.keys() - {"Tables", "Partitions"}
            and tables in ({}, {"AddOrUpdateBehavior": "MergeNewColumns"})
            and partitions in ({}, {"AddOrUpdateBehavior": "InheritFromTable"})
            and not grouping.keys() - {"TableGroupingPolicy", "TableLevelConfiguration"}
            and grouping.get("TableGroupingPolicy") in (None, "CombineCompatibleSchemas")
        )
        if not known:
            raise ValueError(
                f"The embedded AWS does not support this Configuration of a crawler: {configuration}. It supports "
                "Tables.AddOrUpdateBehavior MergeNewColumns, Partitions.AddOrUpdateBehavior InheritFromTable and "
                "Grouping.TableGroupingPolicy CombineCompatibleSchemas and Grouping.TableLevelConfiguration."
            )
        if level is not None and (type(level) is not int or level < 1):
            raise ValueError(f"TableLevelConfiguration must be a positive integer, not {level!r}")
        return cls(
            schema_change.get("UpdateBehavior", cls.update),
            schema_change.get("DeleteBehavior", cls.delete),
            bool(tables),
            bool(partitions),
            bool(grouping.get("TableGroupingPolicy")),
            level,
        )


@dataclass
class Changes:
    """What a crawl changed in the catalog: names by kind (TABLE, PARTITION) and action (ADD, UPDATE, DELETE)."""

    names: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def add(self, kind: str, action: str, name: str) -> None:
        """Note one change."""
        self.names.setdefault(kind, {}).setdefault(action, []).append(name)

    def count(self, kind: str, action: str) -> int:
        """Return the number of changes of this kind and action."""
        return len(self.names.get(kind, {}).get(action, ()))

    def summary(self) -> str:
        """The changes as ListCrawls shows them: JSON, with JSON inside for each kind."""
        return json.dumps(
            {
                kind: json.dumps(
                    {action: {"Details": {"names": names}, "Count": len(names)} for action, names in actions.items()}
                )
                for kind, actions in self.names.items()
            }
        )


class Catalog:
    """One database of the catalog, for one crawl to write to."""

    def __init__(
        self,
        backend: GlueBackend,
        role: ServiceRole,
        database: str,
        crawler: str,
        policies: Policies,
        log: Callable[[str], None],
    ) -> None:
        """Every read and write needs a permission of `role`; AccessDenied is raised if it is missing."""
        self._backend = backend
        self._role = role
        self._name = database
        self._crawler = crawler
        self._policies = policies
        self._log = log
        self.changes = Changes()

    def create_database(self) -> None:
        """Create the database if it is missing, as a crawler does on AWS."""
        self._require("GetDatabase")
        if self._name not in self._backend.databases:
            self._require("CreateDatabase")
            self._backend.create_database(self._name, {"Name": self._name})
            self._log(f"INFO : Created database {self._name}")

    def tables(self) -> list[dict[str, Any]]:
        """Return the database's current tables."""
        self._require("GetTables", "*")
        return [table.as_dict() for table in list(self._database().tables.values())]

    def put_table(self, wanted: dict[str, Any], *, new: bool = True) -> str | None:
        """Create or update the table `wanted` (a TableInput); return the name that it got.

        Unless `new`, a missing table is not created, and None is returned.
        """
        location = wanted["StorageDescriptor"]["Location"]
        database = self._database()
        name = wanted["Name"]
        if name in database.tables and not _lies_at(database.tables[name], location):
            name = distinct_name(name, location)
        wanted = {**wanted, "Name": name}
        if name in database.tables:
            self._update_table(database.tables[name], wanted)
        elif not new:
            self._log(f"INFO : Table {name} was not created for {location}: this crawler only adds to its tables")
            return None
        else:
            self._require("CreateTable", name)
            self._backend.create_table(self._name, name, wanted)
            self._note("TABLE", "ADD", name, f"INFO : Created table {name} in database {self._name}")
        return str(name)

    def put_partitions(self, table_name: str, wanted: Iterable[dict[str, Any]], *, all_of_them: bool = True) -> None:
        """Create or update the table's partitions (PartitionInputs).

        If `wanted` is `all_of_them`, the data of all others is gone: they are dropped if the policy is to delete.
        """
        table = self._database().tables[table_name]
        seen = set()
        for partition in wanted:
            key = str(partition["Values"])
            seen.add(key)
            before = table.partitions.get(key)
            had = before.partition_input if before else None
            partition = self._merged_partition(_input_of(table), had, partition)
            if before is None:
                self._require("BatchCreatePartition", table_name)
                table.create_partition(partition)
                self.changes.add("PARTITION", "ADD", f"{table_name}/{'/'.join(partition['Values'])}")
            elif before.partition_input != partition:
                self._require("UpdatePartition", table_name)
                table.update_partition(partition["Values"], partition)
        gone = [key for key in table.partitions if key not in seen] if all_of_them else []
        if gone and self._policies.delete != "DELETE_FROM_DATABASE":
            self._log(
                f"INFO : The data of {len(gone)} partitions of {table_name} is gone; the partitions stay"
                f" (DeleteBehavior {self._policies.delete})"
            )
            return
        for key in gone:
            self._require("BatchDeletePartition", table_name)
            values = table.partitions[key].values
            del table.partitions[key]
            self.changes.add("PARTITION", "DELETE", f"{table_name}/{'/'.join(values)}")

    def _merged_partition(
        self, table: dict[str, Any], before: dict[str, Any] | None, wanted: dict[str, Any]
    ) -> dict[str, Any]:
        """Return `wanted` with what it inherits from its table or keeps from `before`, as the policies say."""
        descriptor = wanted["StorageDescriptor"]
        if self._policies.inherit:
            statistics = {name: wanted["Parameters"][name] for name in STATISTICS}
            parameters = {**table["Parameters"], **statistics}
            inherited = {**table["StorageDescriptor"], "Location": descriptor["Location"], "Parameters": parameters}
            return {**wanted, "StorageDescriptor": inherited, "Parameters": parameters}
        if before and self._policies.merge_new_columns:
            columns = _with_new_columns(before["StorageDescriptor"].get("Columns", []), descriptor["Columns"])
            return {**wanted, "StorageDescriptor": {**descriptor, "Columns": columns}}
        return wanted

    def handle_gone(self, is_mine: Callable[[dict[str, Any]], bool], kept: set[str]) -> None:
        """Apply the delete policy to tables whose data is gone.

        These are the tables that this crawler wrote, that this crawl covered (`is_mine`), and that it did not find.
        """
        database = self._database()
        for table in list(database.tables.values()):
            current = table.as_dict()
            parameters = current.get("Parameters", {})
            if table.name in kept or parameters.get("UPDATED_BY_CRAWLER") != self._crawler or not is_mine(current):
                continue
            if self._policies.delete == "DELETE_FROM_DATABASE":
                self._require("DeleteTable", table.name)
                del database.tables[table.name]
                self._note("TABLE", "DELETE", table.name, f"INFO : Deleted table {table.name}: its data is gone")
            elif self._policies.delete == "LOG":
                self._log(f"INFO : The data of table {table.name} is gone; the table stays (DeleteBehavior LOG)")
            elif DEPRECATED not in parameters:
                self._require("UpdateTable", table.name)
                stamp = str(int(time.time() * 1000))
                table.update({**_input_of(table), "Parameters": {**parameters, DEPRECATED: stamp}})
                self._note("TABLE", "UPDATE", table.name, f"INFO : Deprecated table {table.name}: its data is gone")

    def _update_table(self, table: FakeTable, wanted: dict[str, Any]) -> None:
        before = _input_of(table)
        merged = self._merged(before, wanted)
        if _without_statistics(before) == _without_statistics(merged):
            if before != merged:
                self._require("UpdateTable", table.name)
                # Only the amount of data changed: update the current version, as no reader needs the old numbers.
                table.versions[str(table._current_version)] = merged
            return
        if self._policies.update == "LOG":
            self._log(f"INFO : Table {table.name} differs from its data; it stays as it is (UpdateBehavior LOG)")
            return
        self._require("UpdateTable", table.name)
        # "Remove any metadata that is not set by the crawler", unless the catalog is the source of truth:
        # https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html
        table.update(merged if self._policies.merge_new_columns else wanted)
        self._note("TABLE", "UPDATE", table.name, f"INFO : Updated table {table.name} in database {self._name}")

    def _merged(self, before: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
        """Return `wanted`, plus what others put into the table's definition and the crawler does not set."""
        parameters = {**before.get("Parameters", {}), **wanted["Parameters"]}
        parameters.pop(DEPRECATED, None)
        descriptor = wanted["StorageDescriptor"]
        if self._policies.merge_new_columns:
            had = before.get("StorageDescriptor", {})
            if unlike := _fundamental_changes(before.get("Parameters", {}), wanted["Parameters"]):
                return self._deprecated_as_unlike(before, unlike)
            columns = _with_new_columns(had.get("Columns", []), descriptor["Columns"])
            descriptor = {**descriptor, **{name: had[name] for name in _FORMATS if name in had}, "Columns": columns}
        return {**before, **wanted, "Parameters": parameters, "StorageDescriptor": descriptor}

    def _deprecated_as_unlike(self, before: dict[str, Any], unlike: list[str]) -> dict[str, Any]:
        """Return `before`, marked as deprecated: MergeNewColumns never changes what is fundamental to a table."""
        name, parameters = before["Name"], before.get("Parameters", {})
        self._log(f"WARN : Table {name} is deprecated: {', '.join(unlike)} of its data changed; resolve it by hand")
        return {**before, "Parameters": {DEPRECATED: str(int(time.time() * 1000)), **parameters}}

    def _database(self) -> FakeDatabase:
        database = self._backend.databases.get(self._name)
        if database is None:
            raise CrawlFailed(f"Database {self._name} was deleted during the crawl")
        return database

    def _require(self, operation: str, table: str | None = None) -> None:
        """Check that the role may do `operation` on the catalog, the database and, if given, the table."""
        here = f"arn:aws:glue:{self._role.region}:{self._role.account_id}"
        for resource in ("catalog", f"database/{self._name}", *([f"table/{self._name}/{table}"] if table else [])):
            self._role.require(f"glue:{operation}", f"{here}:{resource}")

    def _note(self, kind: str, action: str, name: str, line: str) -> None:
        self.changes.add(kind, action, name)
        self._log(line)


def _input_of(table: FakeTable) -> dict[str, Any]:
    return table.versions[str(table._current_version)]


def _with_new_columns(had: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {column["Name"] for column in had}
    return had + [column for column in found if column["Name"] not in names]


def _fundamental_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    if before.get("classification") == "UNKNOWN":
        return []
    return [name for name in _FUNDAMENTAL if before.get(name) and after.get(name) and before[name] != after[name]]


def _lies_at(table: FakeTable, location: str) -> bool:
    definition = _input_of(table)
    there = str((definition.get("StorageDescriptor") or {}).get("Location", ""))
    if "UPDATED_BY_CRAWLER" in (definition.get("Parameters") or {}):
        # A crawler's folder ends in a slash; an object may have the same name.
        return there == location
    return there.rstrip("/") == location.rstrip("/")


def _without_statistics(table: dict[str, Any]) -> dict[str, Any]:
    def strip(parameters: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in parameters.items() if name not in STATISTICS}

    descriptor = table.get("StorageDescriptor", {})
    return {
        **table,
        "Parameters": strip(table.get("Parameters", {})),
        "StorageDescriptor": {**descriptor, "Parameters": strip(descriptor.get("Parameters", {}))},
    }
