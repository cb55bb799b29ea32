"""Crawlers and their crawls, as the service keeps them."""

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
    """States of one crawl, as ListCrawls has them."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


# LastCrawl's word for each end.
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
        """How long it took, or takes till now."""
        return ((self.ended or utcnow()) - self.started).total_seconds()

    @property
    def last_crawl_status(self) -> str:
        """The end of it in LastCrawl's words: SUCCEEDED, FAILED or CANCELLED."""
        return _LAST_CRAWL[self.state]

    def as_dict(self) -> dict[str, Any]:
        """CrawlerHistory of the API."""
        shown: dict[str, Any] = {
            "CrawlId": self.crawl_id,
            "State": self.state.value,
            "StartTime": self.started,
            "Summary": self.summary,
            "LogGroup": "/aws-glue/crawlers",
            "LogStream": self.log_stream,
            "MessagePrefix": self.crawl_id,
            "DPUHour": 0.0,  # none are used here, and none are paid
        }
        if self.ended:
            shown["EndTime"] = self.ended
        if self.error:
            shown["ErrorMessage"] = self.error
        return shown

    def as_last_crawl(self) -> dict[str, Any]:
        """LastCrawlInfo of the API."""
        shown = {
            "Status": self.last_crawl_status,
            "LogGroup": "/aws-glue/crawlers",
            "LogStream": self.log_stream,
            "MessagePrefix": self.crawl_id,
            "StartTime": self.started,
        }
        return {**shown, "ErrorMessage": self.error} if self.error else shown


class Crawler:
    """A crawler: its definition, as CreateCrawler gave it with AWS's defaults, and its crawls, oldest first."""

    def __init__(self, arn: str, definition: dict[str, Any]) -> None:
        self.arn = arn
        self.definition = definition
        self.version = 1
        self.created = self.updated = utcnow()
        self.crawls: History[Crawl] = History(KEPT_CRAWLS)
        # Whether a crawl of everything succeeded, so that the recrawl policy holds; and, under CRAWL_NEW_FOLDERS_ONLY,
        # which folders were seen, as s3://bucket/folder/
        self.crawled_once = False
        self.crawled_folders: set[str] = set()
        # What all its crawls did to tables, for GetCrawlerMetrics; crawls themselves are forgotten in time.
        self.table_changes = {"ADD": 0, "UPDATE": 0, "DELETE": 0}

    @property
    def name(self) -> str:
        return str(self.definition["Name"])

    @property
    def running(self) -> Crawl | None:
        """The crawl that is on now."""
        last = self.crawls.newest
        return last if last and not last.is_over else None

    @property
    def state(self) -> str:
        """READY, RUNNING or STOPPING."""
        crawl = self.running
        return "READY" if crawl is None else "STOPPING" if crawl.stopping else "RUNNING"

    @property
    def last_ended(self) -> Crawl | None:
        """The newest crawl that is over."""
        return next((crawl for crawl in reversed(self.crawls) if crawl.is_over), None)

    def redefine(self, definition: dict[str, Any]) -> None:
        """Take over a new definition; what bears on where and how is crawled makes the next crawl one of everything."""
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
        """Crawler of the API."""
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
        """CrawlerMetrics of the API: what the times left are estimated from is the median of all crawls so far."""
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
