"""Which calls a crawler's state allows, and what a crawler reports about its crawls, without a server.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-crawling.html
"""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from moto.core.utils import utcnow
from moto.glue.exceptions import (
    AlreadyExistsException,
    CrawlerNotRunningException,
    CrawlerRunningException,
    EntityNotFoundException,
)

from localaws.core import context
from localaws.glue.crawlers import backend as operations
from localaws.glue.crawlers import crawls, definitions
from localaws.glue.crawlers.backend import CrawlerStoppingException
from localaws.glue.crawlers.crawls import KEPT_CRAWLS, Crawl, Crawler, CrawlState
from localaws.glue.models import LocalGlueBackend

ACCOUNT = "123456789012"
CREATE = {
    "Name": "c",
    "Role": "role",
    "DatabaseName": "raw",
    "Targets": {"S3Targets": [{"Path": "s3://landing/"}]},
    "Tags": {"lab": "toll"},
}


class Crawlers:
    """A crawler engine that notes what it is asked."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str]] = []
        self.stopped: list[tuple[str, str]] = []

    def start_crawl(self, region: str, name: str) -> None:
        self.started.append((region, name))

    def stop_crawl(self, region: str, name: str) -> None:
        self.stopped.append((region, name))


@pytest.fixture
def crawler_engine(monkeypatch: pytest.MonkeyPatch) -> Crawlers:
    engine = Crawlers()
    monkeypatch.setattr(context, "_current", SimpleNamespace(ports=SimpleNamespace(crawls=engine)))
    return engine


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The targets that were looked for."""
    found: list[Any] = []
    monkeypatch.setattr(definitions, "require_role", lambda role, account_id: role)
    monkeypatch.setattr(operations, "check_references", lambda targets, role, known: found.append(targets["S3Targets"]))
    return found


@pytest.fixture
def backend(crawler_engine: Crawlers, checked: list[Any]) -> LocalGlueBackend:
    """Glue with the crawler `c`."""
    made = LocalGlueBackend("us-east-1", ACCOUNT)
    made.define_crawler(CREATE)
    return made


def crawl_of(crawler: Crawler, state: CrawlState = CrawlState.RUNNING, *, seconds: float = 1, error: str = "") -> Crawl:
    """A new crawl, which has taken so many seconds until now, or until it ended."""
    crawl = Crawl(f"{len(crawler.crawls)}", crawler.name, started=utcnow() - timedelta(seconds=seconds))
    crawler.crawls.add(crawl)
    if state is not CrawlState.RUNNING:
        crawler.end(crawl, state, error)
    return crawl


@pytest.fixture
def crawler() -> Crawler:
    return Crawler("arn:c", {"Name": "c", "Targets": {"S3Targets": []}})


def test_a_running_crawler_cannot_be_updated_or_deleted(backend: LocalGlueBackend) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateCrawler.html and API_DeleteCrawler.html"""
    crawl = crawl_of(backend.find_crawler("c"))
    for stopping in (False, True):
        crawl.stopping = stopping
        with pytest.raises(CrawlerRunningException, match="Crawler with name c is running"):
            backend.redefine_crawler({"Name": "c", "DatabaseName": "other"})
        with pytest.raises(CrawlerRunningException, match="Crawler with name c is running"):
            backend.remove_crawler("c")
    assert backend.find_crawler("c").definition["DatabaseName"] == "raw"


@pytest.mark.parametrize("state", [CrawlState.COMPLETED, CrawlState.FAILED, CrawlState.STOPPED])
def test_a_crawler_can_be_updated_and_deleted_after_its_crawl_has_ended(
    backend: LocalGlueBackend, state: CrawlState
) -> None:
    crawl_of(backend.find_crawler("c"), state)
    backend.redefine_crawler({"Name": "c", "DatabaseName": "other"})
    assert backend.find_crawler("c").definition["DatabaseName"] == "other"
    arn = backend.find_crawler("c").arn
    assert (arn, backend.get_tags(arn)) == (f"arn:aws:glue:us-east-1:{ACCOUNT}:crawler/c", {"lab": "toll"})
    backend.remove_crawler("c")
    assert backend.get_tags(arn) == {}
    with pytest.raises(EntityNotFoundException):
        backend.find_crawler("c")


def test_a_running_crawler_can_be_stopped(backend: LocalGlueBackend, crawler_engine: Crawlers) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StopCrawler.html"""
    crawl_of(backend.find_crawler("c"))
    backend.stop_crawler("c")
    assert crawler_engine.stopped == [("us-east-1", "c")]


def test_a_stopping_crawler_cannot_be_stopped(backend: LocalGlueBackend, crawler_engine: Crawlers) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StopCrawler.html"""
    crawl_of(backend.find_crawler("c")).stopping = True
    with pytest.raises(CrawlerStoppingException) as refused:
        backend.stop_crawler("c")
    assert (refused.value.error_type, refused.value.message) == (
        "CrawlerStoppingException",
        "Crawler with name c is stopping",
    )
    assert crawler_engine.stopped == []


@pytest.mark.parametrize("state", [None, CrawlState.COMPLETED, CrawlState.FAILED, CrawlState.STOPPED])
def test_a_crawler_that_is_not_running_cannot_be_stopped(
    backend: LocalGlueBackend, crawler_engine: Crawlers, state: CrawlState | None
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StopCrawler.html"""
    if state:
        crawl_of(backend.find_crawler("c"), state)
    with pytest.raises(CrawlerNotRunningException, match="Crawler with name c isn't running"):
        backend.stop_crawler("c")
    assert crawler_engine.stopped == []


def test_starting_a_crawler_is_delegated_to_the_crawl_engine(
    backend: LocalGlueBackend, crawler_engine: Crawlers
) -> None:
    backend.start_crawler("c")
    assert crawler_engine.started == [("us-east-1", "c")]


def test_crawler_names_are_unique_and_case_sensitive(backend: LocalGlueBackend) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateCrawler.html"""
    with pytest.raises(AlreadyExistsException):
        backend.define_crawler({**CREATE, "DatabaseName": "other"})
    assert backend.find_crawler("c").definition["DatabaseName"] == "raw"
    backend.define_crawler({**CREATE, "Name": "C"})
    assert set(backend.local_crawlers) == {"c", "C"}


def test_an_update_checks_the_targets_only_if_it_sets_them(backend: LocalGlueBackend, checked: list[Any]) -> None:
    checked.clear()
    backend.redefine_crawler({"Name": "c", "Description": "new"})
    assert checked == []
    backend.redefine_crawler({"Name": "c", "Targets": {"S3Targets": [{"Path": "s3://other/"}]}})
    assert checked == [[{"Path": "s3://other/", "Exclusions": []}]]


@pytest.mark.parametrize(
    ("ends", "state", "last"),
    [
        ([], "READY", None),
        ([CrawlState.RUNNING], "RUNNING", None),
        ([CrawlState.COMPLETED], "READY", "SUCCEEDED"),
        ([CrawlState.FAILED], "READY", "FAILED"),
        ([CrawlState.STOPPED], "READY", "CANCELLED"),
        ([CrawlState.COMPLETED, CrawlState.FAILED], "READY", "FAILED"),
        ([CrawlState.FAILED, CrawlState.COMPLETED, CrawlState.RUNNING], "RUNNING", "SUCCEEDED"),
    ],
)
def test_a_crawler_reports_its_state_and_its_last_finished_crawl(
    crawler: Crawler, ends: list[CrawlState], state: str, last: str | None
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Crawler.html and API_LastCrawlInfo.html"""
    for end in ends:
        crawl_of(crawler, end)
    told = crawler.as_dict()
    assert (told["State"], told.get("LastCrawl", {}).get("Status")) == (state, last)


def test_a_crawler_is_stopping_while_its_crawl_is_being_stopped(crawler: Crawler) -> None:
    crawl = crawl_of(crawler)
    crawl.stopping = True
    assert crawler.state == "STOPPING"
    crawler.end(crawl, CrawlState.STOPPED)
    assert crawler.state == "READY"


def test_the_elapsed_time_of_the_running_crawl_is_in_milliseconds(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Crawler.html"""
    assert crawler.as_dict()["CrawlElapsedTime"] == 0
    crawl_of(crawler, CrawlState.COMPLETED, seconds=20)
    assert crawler.as_dict()["CrawlElapsedTime"] == 0
    now = crawl_of(crawler).started + timedelta(seconds=100)
    monkeypatch.setattr(crawls, "utcnow", lambda: now)
    assert crawler.as_dict()["CrawlElapsedTime"] == 100_000


@pytest.mark.parametrize(("length", "told"), [(5, 5), (2048, 2048), (2049, 2048)])
def test_a_crawl_s_error_message_has_at_most_2048_characters(crawler: Crawler, length: int, told: int) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_LastCrawlInfo.html"""
    crawl = crawl_of(crawler, CrawlState.FAILED, error="x" * length)
    assert len(crawl.as_dict()["ErrorMessage"]) == len(crawl.as_last_crawl()["ErrorMessage"]) == told


def test_a_crawl_without_an_error_has_no_error_message(crawler: Crawler) -> None:
    running = crawl_of(crawler).as_dict()
    assert not {"ErrorMessage", "EndTime"} & set(running)
    crawler.end(crawl := crawl_of(crawler), CrawlState.COMPLETED)
    assert "ErrorMessage" not in {**crawl.as_dict(), **crawl.as_last_crawl()}
    told = crawl.as_dict()
    assert told["EndTime"] > told["StartTime"]
    assert told["DPUHour"] == 0  # none are used here, and none are paid


def test_an_update_increments_the_version(crawler: Crawler) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Crawler.html"""
    created = crawler.as_dict()
    assert (created["Version"], created["LastUpdated"]) == (1, created["CreationTime"])
    crawler.redefine({"Name": "c"})
    told = crawler.as_dict()
    assert (told["Version"], told["CreationTime"]) == (2, created["CreationTime"])
    assert told["LastUpdated"] > created["LastUpdated"]


@pytest.mark.parametrize(
    ("change", "everything"),
    [
        ({"Targets": {"S3Targets": [{"Path": "s3://other/"}]}}, True),
        ({"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"}}, True),
        ({"Configuration": "{}"}, True),
        ({"TablePrefix": "x_"}, True),
        ({"DatabaseName": "other"}, True),
        ({"Description": "other", "Role": "other"}, False),
        ({}, False),
    ],
)
def test_after_an_update_of_its_targets_an_incremental_crawl_crawls_everything(
    crawler: Crawler, change: dict[str, Any], everything: bool
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html"""
    assert not crawler.crawled_once
    crawler.crawled_once, crawler.crawled_folders = True, {"s3://landing/a/"}
    crawler.redefine({**crawler.definition, **change})
    seen: set[str] = set() if everything else {"s3://landing/a/"}
    assert (crawler.crawled_once, crawler.crawled_folders) == (not everything, seen)


def test_the_metrics_of_a_crawler_that_never_ran_are_zero(crawler: Crawler) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CrawlerMetrics.html"""
    assert crawler.metrics() == {
        "CrawlerName": "c",
        "TimeLeftSeconds": 0,
        "StillEstimating": False,
        "LastRuntimeSeconds": 0,
        "MedianRuntimeSeconds": 0,
        "TablesCreated": 0,
        "TablesUpdated": 0,
        "TablesDeleted": 0,
    }


def test_the_metrics_are_still_estimating_until_a_crawl_has_completed(crawler: Crawler) -> None:
    crawl_of(crawler, CrawlState.FAILED)
    crawl_of(crawler)
    assert (crawler.metrics()["StillEstimating"], crawler.metrics()["TimeLeftSeconds"]) == (True, 0)


@pytest.mark.parametrize(("so_far", "left"), [(100, 400), (600, 0)])
def test_the_time_left_is_the_median_duration_of_completed_crawls_minus_the_elapsed_time(
    crawler: Crawler, so_far: float, left: float
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CrawlerMetrics.html"""
    for seconds in (100, 500, 900):
        crawl_of(crawler, CrawlState.COMPLETED, seconds=seconds)
    crawl_of(crawler, CrawlState.FAILED, seconds=5)
    crawl_of(crawler, seconds=so_far)
    metrics = crawler.metrics()
    assert metrics["MedianRuntimeSeconds"] == pytest.approx(500, abs=30)
    assert metrics["LastRuntimeSeconds"] == pytest.approx(900, abs=30)
    assert metrics["TimeLeftSeconds"] == pytest.approx(left, abs=30)
    assert metrics["StillEstimating"] is False


def test_the_metrics_add_up_the_tables_that_crawls_created_updated_and_deleted(crawler: Crawler) -> None:
    for tables in ({"ADD": 2}, {"ADD": 1, "UPDATE": 3, "DELETE": 4}):
        crawl = crawl_of(crawler)
        crawl.tables = tables
        crawler.end(crawl, CrawlState.COMPLETED)
    metrics = crawler.metrics()
    assert (metrics["TablesCreated"], metrics["TablesUpdated"], metrics["TablesDeleted"]) == (3, 3, 4)


def test_crawls_are_listed_with_the_newest_first(backend: LocalGlueBackend) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ListCrawls.html"""
    crawler = backend.find_crawler("c")
    for state in (CrawlState.COMPLETED, CrawlState.FAILED, CrawlState.COMPLETED):
        crawl_of(crawler, state)
    found = backend.find_crawls("c", lambda crawl: crawl.state is CrawlState.COMPLETED)
    assert [crawl.crawl_id for crawl in found] == ["2", "0"]
    with pytest.raises(EntityNotFoundException, match="Crawler entry with name nobody does not exist"):
        backend.find_crawls("nobody", lambda crawl: True)


@pytest.mark.simplified("Glue crawlers", "AWS keeps them for 12 months")
def test_the_last_1000_crawls_of_a_crawler_are_kept() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ListCrawls.html"""
    crawler = Crawler("arn", {"Name": "c"})
    for number in range(KEPT_CRAWLS + 100):
        crawl = Crawl(f"{number}", "c")
        crawler.crawls.add(crawl)
        crawler.end(crawl, CrawlState.COMPLETED)
    assert len(crawler.crawls) >= KEPT_CRAWLS == 1000
    assert crawler.crawls.newest is crawl
