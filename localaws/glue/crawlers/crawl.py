"""One crawl: reads its targets one after the other, and writes what it finds into the catalog."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Any, cast

from moto.glue.models import glue_backends

from localaws.core.context import Context
from localaws.glue.connections.backend import ConnectionOperations
from localaws.glue.connections.network import require_connection
from localaws.glue.crawlers.catalog import Catalog, Policies
from localaws.glue.crawlers.crawls import Crawl, Crawler
from localaws.glue.crawlers.errors import CrawlFailed
from localaws.glue.crawlers.event_queue import READS_QUEUE, EventQueue
from localaws.glue.crawlers.files import FileTree, Statistics
from localaws.glue.crawlers.grouping import Grouping
from localaws.glue.crawlers.jdbc import ConnectionRefused, IncludePath, JdbcTable, connect, read_tables
from localaws.glue.crawlers.log import CrawlLog
from localaws.glue.crawlers.s3 import S3Reader
from localaws.glue.crawlers.tables import jdbc_table, known_tables, s3_partition, s3_table
from localaws.glue.crawlers.targets import S3Target, object_paths
from localaws.iam.service_roles import ServiceRole


class CrawlRun:
    """One crawl of a crawler."""

    def __init__(
        self,
        context: Context,
        role: ServiceRole,
        crawler: Crawler,
        crawl: Crawl,
        reader: S3Reader,
        lines: CrawlLog,
        check_stopped: Callable[[], None],
    ) -> None:
        """The crawl acts as `role`; `check_stopped` raises CrawlStopped once the crawl has to stop."""
        self._context = context
        self._role = role
        self._region = role.region
        self._crawler = crawler
        self._crawl = crawl
        self._reader = reader
        self._log = lines
        self._check_stopped = check_stopped
        definition = crawler.definition
        self._policies = Policies.of(definition["SchemaChangePolicy"], definition.get("Configuration"))
        self._prefix = definition.get("TablePrefix", "")
        self._backend = cast(ConnectionOperations, glue_backends[context.account_id][role.region])
        database = (definition.get("DatabaseName") or "default").lower()  # as the Data Catalog keeps it
        self._catalog = Catalog(self._backend, role, database, crawler.name, self._policies, lines)
        self._database = database
        self._kept: set[str] = set()  # names of the tables that were found
        self._covered: list[Callable[[dict[str, Any]], bool]] = []  # whether a crawled target covers a table
        self._objects = object_paths(map(S3Target.of, definition["Targets"]["S3Targets"]))
        self._recrawl = definition["RecrawlPolicy"]["RecrawlBehavior"]
        self._queues: dict[str, EventQueue] = {}  # of S3 events, by ARN

    def run(self) -> None:
        """Crawl all targets.

        Raises:
            CrawlFailed, CrawlStopped, AccessDenied: the crawl ended early; what was written until then stays.
        """
        policy = self._crawler.definition["SchemaChangePolicy"]
        self._log(f"INFO : Crawler configured with SchemaChangePolicy {json.dumps(policy)}")
        targets = self._crawler.definition["Targets"]
        self._catalog.create_database()
        try:
            for target in targets["S3Targets"]:
                self._crawl_s3(self._reader.resolve(S3Target.of(target)), target)
            for target in targets["JdbcTargets"]:
                self._crawl_jdbc(target)
            # Only now is it known which tables no target found: one include path may lie inside another.
            self._catalog.handle_gone(lambda table: any(covers(table) for covers in self._covered), self._kept)
        finally:
            changes = self._catalog.changes
            self._crawl.summary = changes.summary()
            self._crawl.tables = {action: changes.count("TABLE", action) for action in ("ADD", "UPDATE", "DELETE")}
        self._crawler.crawled_once = True
        for queue in self._queues.values():
            queue.done()

    def _crawl_s3(self, target: S3Target, definition: dict[str, Any]) -> None:
        # The first crawl, and the first after a change of the crawler, crawls everything, whatever the policy.
        again = self._crawler.crawled_once
        incremental = again and self._recrawl == "CRAWL_NEW_FOLDERS_ONLY"
        tree = self._files(target, definition, again)
        if tree is None:
            self._log(f"INFO : No S3 event names an object in {target.include_path}: nothing to crawl")
            self._kept.update(table["Name"] for table in self._catalog.tables() if self._is_mine(table, target))
            return
        known = known_tables(self._tables_but_of_others(target), target.location, self._crawler.name)
        level = None if self._policies.level is None else self._policies.level - 1 - target.prefix.count("/")
        grouping = Grouping(known, self._log, combine=self._policies.combine, level=level)
        tables = grouping.table_of_each_file(tree) if target.name else grouping.tables(tree)
        self._check_stopped()
        self._log(f"BENCHMARK : Classification complete, writing results to database {self._database}")
        before = {table.path: table.statistics for table in known if incremental}
        for found in tables:
            found = replace(found, statistics=found.statistics + before.get(found.path, Statistics()))
            wanted = s3_table(found, target.location, self._prefix, self._crawler.name, target.excluded)
            name = self._catalog.put_table(wanted, new=not incremental)
            if name is None:
                continue
            self._kept.add(name)
            partitions = [s3_partition(found, part, target.location, self._crawler.name) for part in found.partitions]
            self._catalog.put_partitions(name, partitions, all_of_them=not incremental)
        if self._recrawl == "CRAWL_NEW_FOLDERS_ONLY":
            self._crawler.crawled_folders |= {target.location + batch.folder for batch in tree.root.everything()}
        if not incremental:
            self._covered.append(lambda table: target.covers(_location(table)))

    def _tables_but_of_others(self, target: S3Target) -> list[dict[str, Any]]:
        """Return the database's tables, except those of single objects that are other include paths."""
        others = self._objects - {target.include_path}
        return [table for table in self._catalog.tables() if _location(table) not in others]

    def _files(self, target: S3Target, definition: dict[str, Any], again: bool) -> FileTree | None:
        """Return the files to make tables from, as the recrawl policy says; None if there is nothing new."""
        crawler = (self._region, self._crawler.name)
        if self._recrawl == "CRAWL_NEW_FOLDERS_ONLY" and again:
            return self._reader.new_folders(target, self._crawler.crawled_folders)
        if self._recrawl == "CRAWL_EVENT_MODE" and again:
            folders = self._changed_folders(target, definition)
            if not folders:
                return None
            tree = self._reader.changed_folders(target, crawler, folders)
            if tree is not None:
                self._log("INFO : The crawl is running by consuming Amazon S3 events.")
                return tree
        return self._reader.everything(target, crawler)

    def _changed_folders(self, target: S3Target, definition: dict[str, Any]) -> set[str]:
        arn = definition["EventQueueArn"]
        if arn not in self._queues:
            for action in READS_QUEUE:
                self._role.require(f"sqs:{action}", arn)
            self._queues[arn] = EventQueue.open(self._context, arn, definition.get("DlqEventQueueArn"), self._log)
        start = len(target.prefix)
        return {
            key[start : key.rfind("/") + 1] if "/" in key[start:] else ""
            for bucket, key in self._queues[arn].changed
            if target.covers(f"s3://{bucket}/{key}")
        }

    def _is_mine(self, table: dict[str, Any], target: S3Target) -> bool:
        mine = (table.get("Parameters") or {}).get("UPDATED_BY_CRAWLER") == self._crawler.name
        return mine and target.covers(_location(table))

    def _crawl_jdbc(self, target: dict[str, Any]) -> None:
        name, crawler = target["ConnectionName"], self._crawler.name
        include = IncludePath(target["Path"], target.get("Exclusions") or [])
        require_connection(self._role, name)
        connection = self._backend.local_connections.get(name)
        if connection is None:
            raise CrawlFailed(f"The connection {name} of the crawler is not in the catalog")
        reading = _InBackground(lambda: self._read_database(connection.definition, include))
        try:
            tables = reading.result(self._check_stopped)
        except ConnectionRefused as error:
            raise CrawlFailed(f"The connection {name} can't be used: {error}") from None
        self._log(f"BENCHMARK : Classification complete, writing results to database {self._database}")
        if not tables:
            self._log(f"WARN : No table matches the include path {target['Path']}")
        for table in tables:
            wanted = jdbc_table(_names(table), table.kind, list(table.columns), self._prefix, crawler, name)
            self._kept.add(self._catalog.put_table(wanted) or "")
        self._covered.append(lambda table: _is_of(table, name, include))

    def _read_database(self, connection: dict[str, Any], include: IncludePath) -> list[JdbcTable]:
        with connect(self._context, self._region, connection, self._role) as database:
            return [table for table in read_tables(database) if include.match(*_names(table))]


class _InBackground:
    """Runs an action that may wait for a silent database, so that the crawl can be stopped meanwhile."""

    def __init__(self, action: Callable[[], list[JdbcTable]]) -> None:
        self._future: Future[list[JdbcTable]] = Future()
        threading.Thread(target=self._run, args=(action,), name="jdbc", daemon=True).start()

    def result(self, check_stopped: Callable[[], None]) -> list[JdbcTable]:
        """Return or raise what the action did; raise what `check_stopped` raises, if that comes first."""
        while True:
            check_stopped()
            if wait([self._future], timeout=0.05).done:
                return self._future.result()

    def _run(self, action: Callable[[], list[JdbcTable]]) -> None:
        try:
            self._future.set_result(action())
        except BaseException as error:
            self._future.set_exception(error)


def _names(table: JdbcTable) -> tuple[str, str, str]:
    return table.database, table.schema, table.name


def _is_of(table: dict[str, Any], connection: str, include: IncludePath) -> bool:
    """Whether a table of the catalog was crawled through `connection` by this include path."""
    of_connection = (table.get("Parameters") or {}).get("connectionName") == connection
    return of_connection and include.match(*_location(table).split(".", 2))


def _location(table: dict[str, Any]) -> str:
    return str((table.get("StorageDescriptor") or {}).get("Location", ""))
