"""Runs crawls: one thread each, from StartCrawler to the catalog."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast, overload

from moto.glue.exceptions import CrawlerRunningException
from moto.glue.models import glue_backends

from localaws.engines.crawler.catalog import Catalog, Policies
from localaws.engines.crawler.errors import CrawlFailed, CrawlStopped
from localaws.engines.crawler.grouping import File, Grouping, Statistics
from localaws.engines.crawler.jdbc import ConnectionRefused, IncludePath, JdbcTable, connect, read_tables
from localaws.engines.crawler.log import CrawlLog
from localaws.engines.crawler.objects import Objects
from localaws.engines.crawler.s3 import Looks, S3Reader, S3Target
from localaws.engines.crawler.tables import jdbc_table, known_tables, s3_partition, s3_table
from localaws.events import CrawlFinished, CrawlStarted, WorkflowRef

if TYPE_CHECKING:
    from localaws.context import Context
    from localaws.services.glue.crawlers import Crawl, Crawler, CrawlState
    from localaws.services.glue.models import LocalGlueBackend

log = logging.getLogger(__name__)

INTERRUPTED = "The crawl was interrupted: the embedded AWS stopped while it ran. Start the crawler again."


@dataclass
class _Running:
    """A crawl that is on, and the way to stop it."""

    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class CrawlerEngine:
    """Runs the crawls of all regions."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._looks = Looks()
        self._closing = False

    @overload
    def start(self) -> None: ...
    @overload
    def start(self, region: str, name: str, *, workflow: WorkflowRef | None = None) -> str: ...
    def start(
        self, region: str | None = None, name: str | None = None, *, workflow: WorkflowRef | None = None
    ) -> str | None:
        """Start the engine; or, given a crawler, a crawl of it (see `start_crawl`)."""
        if region is not None and name is not None:
            return self.start_crawl(region, name, workflow=workflow)
        self._end_interrupted()
        return None

    def start_crawl(self, region: str, name: str, *, workflow: WorkflowRef | None = None) -> str:
        """Start a crawl of the crawler `name` and return its id.

        Raises:
            CrawlerRunningException: one is on.
            EntityNotFoundException: there is no such crawler.
        """
        from localaws.services.glue.crawlers import Crawl

        with self._lock:
            crawler = self._backend(region).find_crawler(name)
            if crawler.running:
                raise CrawlerRunningException(f"Crawler with name {name} has already started")
            crawl = Crawl(str(uuid.uuid4()), log_stream=name, workflow=workflow)
            crawler.crawls.append(crawl)
            running = self._running[crawl.crawl_id] = _Running()
        self._context.state.save("glue")
        self._context.bus.publish(CrawlStarted(region, name, crawl.crawl_id, workflow))
        running.thread = threading.Thread(
            target=self._run, args=(region, crawler, crawl, running.stop), name=f"crawl-{name}", daemon=True
        )
        running.thread.start()
        return crawl.crawl_id

    def stop_crawl(self, region: str, name: str) -> None:
        """Tell the crawl of `name` that is on to stop; it ends as STOPPED."""
        crawl = self._backend(region).find_crawler(name).running
        if crawl and crawl.crawl_id in self._running:
            crawl.stopping = True
            self._running[crawl.crawl_id].stop.set()

    @overload
    def stop(self) -> None: ...
    @overload
    def stop(self, region: str, name: str) -> None: ...
    def stop(self, region: str | None = None, name: str | None = None) -> None:
        """End the engine; or, given a crawler, its crawl (see `stop_crawl`).

        Crawls that are on when the engine ends are ended as interrupted at its next start.
        """
        if region is not None and name is not None:
            self.stop_crawl(region, name)
            return
        self._closing = True
        running = list(self._running.values())
        for crawl in running:
            crawl.stop.set()
        for crawl in running:
            if crawl.thread:
                crawl.thread.join(timeout=2)

    def _backend(self, region: str) -> LocalGlueBackend:
        return cast("LocalGlueBackend", glue_backends[self._context.account_id][region])

    def _end_interrupted(self) -> None:
        from localaws.services.glue.crawlers import CrawlState

        for account_id, region, _ in list(glue_backends.iter_backends()):
            if account_id != self._context.account_id:
                continue
            for crawler in self._backend(region).local_crawlers.values():
                if crawl := crawler.running:
                    self._end(region, crawler, crawl, CrawlState.FAILED, INTERRUPTED)

    def _run(self, region: str, crawler: Crawler, crawl: Crawl, stop: threading.Event) -> None:
        from localaws.services.glue.crawlers import CrawlState

        lines = CrawlLog(self._context, region, crawl.log_stream, crawl.crawl_id)

        def check_stopped() -> None:
            if stop.is_set():
                raise CrawlStopped

        state, error = CrawlState.COMPLETED, ""
        lines(f"BENCHMARK : Running Start Crawl for Crawler {crawler.name}")
        try:
            _CrawlRun(self._context, region, crawler, crawl, self._looks, lines, check_stopped).run()
            lines("BENCHMARK : Finished writing to Catalog")
        except CrawlStopped:
            state = CrawlState.STOPPED
            lines("INFO : The crawl was stopped")
        except CrawlFailed as failure:
            state, error = CrawlState.FAILED, str(failure)
            lines(f"ERROR : {error}")
        except Exception as failure:
            log.exception("The crawl of %s failed", crawler.name)
            state, error = (
                CrawlState.FAILED,
                f"Internal Service Exception: {type(failure).__name__}: {failure}",
            )
            lines(f"ERROR : {error}")
        lines("BENCHMARK : Crawler has finished running and is in state READY")
        lines.flush()
        self._running.pop(crawl.crawl_id, None)
        if not (self._closing and state is CrawlState.STOPPED):
            self._end(region, crawler, crawl, state, error)

    def _end(self, region: str, crawler: Crawler, crawl: Crawl, state: CrawlState, error: str) -> None:
        crawler.end(crawl, state, error)
        try:
            self._context.state.save("glue")
        except Exception:
            log.exception("The end of the crawl of %s could not be saved", crawler.name)
        self._context.bus.publish(
            CrawlFinished(region, crawler.name, crawl.crawl_id, crawl.last_crawl_status, crawl.workflow)
        )


class _CrawlRun:
    """One crawl: its targets, one after the other, into the catalog."""

    def __init__(
        self,
        context: Context,
        region: str,
        crawler: Crawler,
        crawl: Crawl,
        looks: Looks,
        lines: CrawlLog,
        check_stopped: Callable[[], None],
    ) -> None:
        self._context = context
        self._region = region
        self._crawler = crawler
        self._crawl = crawl
        self._looks = looks
        self._log = lines
        self._check_stopped = check_stopped
        definition = crawler.definition
        self._policies = Policies.of(definition["SchemaChangePolicy"], definition.get("Configuration"))
        self._prefix = definition.get("TablePrefix", "")
        self._backend = cast("LocalGlueBackend", glue_backends[context.account_id][region])
        database = definition.get("DatabaseName") or "default"
        self._catalog = Catalog(self._backend, database, crawler.name, self._policies, lines)
        self._database = database
        self._kept: set[str] = set()  # names of the tables that were found
        self._covered: list[Callable[[dict[str, Any]], bool]] = []  # what a target that was crawled would have found
        self._new_folders_only = definition["RecrawlPolicy"]["RecrawlBehavior"] == "CRAWL_NEW_FOLDERS_ONLY"

    def run(self) -> None:
        """Crawl all targets.

        Raises:
            CrawlFailed, CrawlStopped: it ended before it was through; what was written till then stays.
        """
        policy = self._crawler.definition["SchemaChangePolicy"]
        self._log(f"INFO : Crawler configured with SchemaChangePolicy {json.dumps(policy)}")
        targets = self._crawler.definition["Targets"]
        self._catalog.create_database()
        try:
            for target in targets["S3Targets"]:
                self._crawl_s3(S3Target.of(target))
            for target in targets["JdbcTargets"]:
                self._crawl_jdbc(target)
            # Only now is known what no target found: include paths may lie one inside the other.
            self._catalog.handle_gone(lambda table: any(covers(table) for covers in self._covered), self._kept)
        finally:
            changes = self._catalog.changes
            self._crawl.summary = changes.summary()
            self._crawl.tables = {action: changes.count("TABLE", action) for action in ("ADD", "UPDATE", "DELETE")}

    def _crawl_s3(self, target: S3Target) -> None:
        reader = S3Reader(Objects(self._context.account_id), self._looks, self._log, self._check_stopped)
        location, files = reader.files(target, self._skipped_folders(target))
        known = known_tables(self._catalog.tables(), location, self._crawler.name)
        tables = Grouping(known, self._log, combine=self._policies.combine).tables(files)
        self._check_stopped()
        self._log(f"BENCHMARK : Classification complete, writing results to database {self._database}")
        before = {table.path: table.statistics for table in known if self._new_folders_only}
        for found in tables:
            found = replace(found, statistics=found.statistics + before.get(found.path, Statistics()))
            name = self._catalog.put_table(s3_table(found, location, self._prefix, self._crawler.name))
            self._kept.add(name)
            partitions = [s3_partition(found, part, location, self._crawler.name) for part in found.partitions]
            self._catalog.put_partitions(name, partitions)
        if self._new_folders_only:
            self._crawler.crawled_folders |= set(_folders(location, files))
        else:
            self._covered.append(lambda table: _location(table).startswith(location))

    def _skipped_folders(self, target: S3Target) -> frozenset[str]:
        if not self._new_folders_only:
            return frozenset()
        root = f"s3://{target.bucket}/{target.prefix}".rstrip("/") + "/"
        seen = self._crawler.crawled_folders
        return frozenset(folder[len(root) :] or "/" for folder in seen if folder.startswith(root))

    def _crawl_jdbc(self, target: dict[str, Any]) -> None:
        name, crawler = target["ConnectionName"], self._crawler.name
        include = IncludePath(target["Path"], target.get("Exclusions") or [])
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
            self._kept.add(self._catalog.put_table(wanted))
        self._covered.append(lambda table: _is_of(table, name, include))

    def _read_database(self, connection: dict[str, Any], include: IncludePath) -> list[JdbcTable]:
        with connect(self._context, self._region, connection) as database:
            return [table for table in read_tables(database) if include.match(*_names(table))]


class _InBackground:
    """Runs what may wait for a silent database, so that a crawl can be stopped meanwhile."""

    def __init__(self, action: Callable[[], list[JdbcTable]]) -> None:
        self._future: Future[list[JdbcTable]] = Future()
        threading.Thread(target=self._run, args=(action,), name="jdbc", daemon=True).start()

    def result(self, check_stopped: Callable[[], None]) -> list[JdbcTable]:
        """What the action returned or raised; what `check_stopped` raises, if that is sooner."""
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


def _folders(location: str, files: list[File]) -> Iterator[str]:
    for file in files:
        yield location + file.path.rpartition("/")[0] + ("/" if "/" in file.path else "")
