"""Crawlers and their crawls: the state that the service keeps."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from moto.core.utils import utcnow

from localaws.core.events import WorkflowRef
from localaws.glue.history import History

# AWS keeps twelve months of crawls; a lab keeps this many.
KEPT_CRAWLS = 1000


_MEANING_OF_A_CRAWL = ("Targets", "RecrawlPolicy", "Configuration", "TablePrefix", "DatabaseName")
LONGEST_MESSAGE = 2048  # characters of an ErrorMessage


class CrawlState(StrEnum):
    """States of one crawl, as ListCrawls names them."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


# The status in LastCrawl for each final state.
_LAST_CRAWL = {
    CrawlState.COMPLETED: "SUCCEEDED",
    CrawlState.FAILED: "FAILED",
    CrawlState.STOPPED: "CANCELLED",
}


@dataclass
class Crawl:
    """One run of a crawler."""

    crawl_id: str
    log_stream: str
    workflow: WorkflowRef | None = None
    state: CrawlState = CrawlState.RUNNING
    stopping: bool = False
    error: str = ""
    started: datetime = field(default_factory=utcnow)
    ended: datetime | None = None
    summary: str = "{}"
    tables: dict[str, int] = field(default_factory=dict)  # how many tables were added, updated, deleted

    @property
    def key(self) -> str:
        """Its id, for the history."""
        return self.crawl_id

    @property
    def is_over(self) -> bool:
        return self.state is not CrawlState.RUNNING

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return ((self.ended or utcnow()) - self.started).total_seconds()

    @property
    def last_crawl_status(self) -> str:
        """Its status in LastCrawl: SUCCEEDED, FAILED or CANCELLED."""
        return _LAST_CRAWL[self.state]

    def as_dict(self) -> dict[str, Any]:
        """Return the API's `CrawlerHistory`."""
        shown: dict[str, Any] = {
            "CrawlId": self.crawl_id,
            "State": self.state.value,
            "StartTime": self.started,
            "Summary": self.summary,
            "LogGroup": "/aws-glue/crawlers",
            "LogStream": self.log_stream,
            "MessagePrefix": self.crawl_id,
            "DPUHour": 0.0,  # no DPUs are used or billed here
        }
        if self.ended:
            shown["EndTime"] = self.ended
        if self.error:
            shown["ErrorMessage"] = self.error
        return shown

    def as_last_crawl(self) -> dict[str, Any]:
        """Return the API's `LastCrawlInfo`."""
        shown = {
            "Status": self.last_crawl_status,
            "LogGroup": "/aws-glue/crawlers",
            "LogStream": self.log_stream,
            "MessagePrefix": self.crawl_id,
            "StartTime": self.started,
        }
        return {**shown, "ErrorMessage": self.error} if self.error else shown


class Crawler:
    """A crawler: its definition from CreateCrawler, completed with AWS's defaults, and its crawls, oldest first."""

    def __init__(self, arn: str, definition: dict[str, Any]) -> None:
        self.arn = arn
        self.definition = definition
        self.version = 1
        self.created = self.updated = utcnow()
        self.crawls: History[Crawl] = History(KEPT_CRAWLS)
        # Whether a crawl of everything succeeded, so that the recrawl policy applies; and, with CRAWL_NEW_FOLDERS_ONLY,
        # the folders that were seen, as s3://bucket/folder/
        self.crawled_once = False
        self.crawled_folders: set[str] = set()
        # Counts over all its crawls, for GetCrawlerMetrics; the history drops old crawls.
        self.table_changes = {"ADD": 0, "UPDATE": 0, "DELETE": 0}

    @property
    def name(self) -> str:
        return str(self.definition["Name"])

    @property
    def running(self) -> Crawl | None:
        """The running crawl, or None."""
        last = self.crawls.newest
        return last if last and not last.is_over else None

    @property
    def state(self) -> str:
        """READY, RUNNING or STOPPING."""
        crawl = self.running
        return "READY" if crawl is None else "STOPPING" if crawl.stopping else "RUNNING"

    @property
    def last_ended(self) -> Crawl | None:
        """The newest crawl that is over, or None."""
        return next((crawl for crawl in reversed(self.crawls) if crawl.is_over), None)

    def redefine(self, definition: dict[str, Any]) -> None:
        """Replace the definition; if it changes what is crawled or how, the next crawl crawls everything."""
        if any(definition.get(name) != self.definition.get(name) for name in _MEANING_OF_A_CRAWL):
            self.crawled_once, self.crawled_folders = False, set()
        self.definition = definition
        self.version += 1
        self.updated = utcnow()

    def end(self, crawl: Crawl, state: CrawlState, error: str = "") -> None:
        """Note that `crawl` is over."""
        crawl.error, crawl.ended, crawl.state = error[:LONGEST_MESSAGE], utcnow(), state
        for action, count in crawl.tables.items():
            self.table_changes[action] += count

    def as_dict(self) -> dict[str, Any]:
        """Return the API's `Crawler`."""
        shown = {
            **self.definition,
            "State": self.state,
            "CrawlElapsedTime": round(self.running.seconds * 1000) if self.running else 0,
            "CreationTime": self.created,
            "LastUpdated": self.updated,
            "Version": self.version,
        }
        last = self.last_ended
        return {**shown, "LastCrawl": last.as_last_crawl()} if last else shown

    def metrics(self) -> dict[str, Any]:
        """Return the API's `CrawlerMetrics`; the time left is estimated from the median of the completed crawls."""
        times = [crawl.seconds for crawl in self.crawls if crawl.state is CrawlState.COMPLETED]
        median = statistics.median(times) if times else 0.0
        left = max(0.0, median - self.running.seconds) if self.running else 0.0
        return {
            "CrawlerName": self.name,
            "TimeLeftSeconds": left,
            "StillEstimating": bool(self.running and not times),
            "LastRuntimeSeconds": times[-1] if times else 0.0,
            "MedianRuntimeSeconds": median,
            "TablesCreated": self.table_changes["ADD"],
            "TablesUpdated": self.table_changes["UPDATE"],
            "TablesDeleted": self.table_changes["DELETE"],
        }
