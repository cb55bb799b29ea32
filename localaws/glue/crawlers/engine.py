"""Runs crawls: one thread each, from StartCrawler to the catalog."""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import dataclass, field
from typing import cast

from moto.glue.exceptions import CrawlerRunningException
from moto.glue.models import glue_backends

from localaws.core.context import Context
from localaws.core.events import CrawlFinished, CrawlStarted, WorkflowRef
from localaws.glue.crawlers.backend import CrawlerOperations
from localaws.glue.crawlers.crawl import CrawlRun
from localaws.glue.crawlers.crawls import Crawl, Crawler, CrawlState
from localaws.glue.crawlers.errors import CrawlFailed, CrawlStopped
from localaws.glue.crawlers.inference_cache import InferenceCache
from localaws.glue.crawlers.log import CrawlLog
from localaws.glue.crawlers.objects import CrawledObjects
from localaws.glue.crawlers.s3 import Listings, S3Reader
from localaws.glue.roles import CRAWLER_SESSION
from localaws.iam import AccessDenied
from localaws.iam.service_roles import ServiceRole

log = logging.getLogger(__name__)

INTERRUPTED = "The crawl was interrupted: the embedded AWS stopped while it ran. Start the crawler again."


@dataclass
class _Running:
    """A running crawl, and the event that stops it."""

    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class CrawlerEngine:
    """Runs the crawls of all regions."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._looks = InferenceCache(context.home.cache / "crawled.sqlite")
        self._listings = Listings()
        self._closing = False

    def start(self) -> None:
        """Mark the crawls that an earlier server left under way as FAILED."""
        self._end_interrupted()

    @property
    def busy(self) -> bool:
        """Whether a crawl is running."""
        return bool(self._running)

    def start_crawl(self, region: str, name: str, *, workflow: WorkflowRef | None = None) -> str:
        """Start a crawl of the crawler `name` and return its id.

        Raises:
            CrawlerRunningException: a crawl is running already.
            EntityNotFoundException: there is no such crawler.
        """
        with self._lock:
            crawler = self._backend(region).find_crawler(name)
            if crawler.running:
                raise CrawlerRunningException(f"Crawler with name {name} has already started")
            crawl = Crawl(str(uuid.uuid4()), log_stream=name, workflow=workflow)
            crawler.crawls.add(crawl)
            running = self._running[crawl.crawl_id] = _Running()
        self._context.state.save("glue")
        self._context.bus.publish(CrawlStarted(region, name, crawl.crawl_id, workflow))
        running.thread = threading.Thread(
            target=self._run, args=(region, crawler, crawl, running.stop), name=f"crawl-{name}", daemon=True
        )
        running.thread.start()
        return crawl.crawl_id

    def stop_crawl(self, region: str, name: str) -> None:
        """Tell the running crawl of `name` to stop; it ends as STOPPED."""
        crawl = self._backend(region).find_crawler(name).running
        if crawl and crawl.crawl_id in self._running:
            crawl.stopping = True
            self._running[crawl.crawl_id].stop.set()

    def stop(self) -> None:
        """Stop the engine. Its next start ends the crawls that are running now as interrupted."""
        self._closing = True
        running = list(self._running.values())
        for crawl in running:
            crawl.stop.set()
        for crawl in running:
            if crawl.thread:
                crawl.thread.join(timeout=2)

    def _backend(self, region: str) -> CrawlerOperations:
        return cast(CrawlerOperations, glue_backends[self._context.account_id][region])

    def _end_interrupted(self) -> None:
        for account_id, region, _ in list(glue_backends.iter_backends()):
            if account_id != self._context.account_id:
                continue
            for crawler in self._backend(region).local_crawlers.values():
                if crawl := crawler.running:
                    self._end(region, crawler, crawl, CrawlState.FAILED, INTERRUPTED)

    def _run(self, region: str, crawler: Crawler, crawl: Crawl, stop: threading.Event) -> None:
        role = ServiceRole(crawler.definition["Role"], CRAWLER_SESSION, region, self._context.account_id)
        lines = CrawlLog(self._context, role, crawl.log_stream, crawl.crawl_id)

        def check_stopped() -> None:
            if stop.is_set():
                raise CrawlStopped

        state, error = CrawlState.COMPLETED, ""
        lines(f"BENCHMARK : Running Start Crawl for Crawler {crawler.name}")
        try:
            objects = CrawledObjects(self._context.ports.objects, role)
            reader = S3Reader(objects, self._looks, self._listings, lines, check_stopped, self._context.children)
            CrawlRun(self._context, role, crawler, crawl, reader, lines, check_stopped).run()
            lines("BENCHMARK : Finished writing to Catalog")
        except CrawlStopped:
            state = CrawlState.STOPPED
            lines("INFO : The crawl was stopped")
        except (CrawlFailed, AccessDenied) as failure:
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
        self._looks.save()  # last, as nobody waits for it

    def _end(self, region: str, crawler: Crawler, crawl: Crawl, state: CrawlState, error: str) -> None:
        crawler.end(crawl, state, error)
        try:
            self._context.state.save("glue")
        except Exception:
            log.exception("The end of the crawl of %s could not be saved", crawler.name)
        self._context.bus.publish(
            CrawlFinished(region, crawler.name, crawl.crawl_id, crawl.last_crawl_status, crawl.workflow)
        )
