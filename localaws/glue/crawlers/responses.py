"""The crawlers' part of the Glue API."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from moto.core.responses import ActionResult, EmptyResult
from moto.glue.exceptions import InvalidInputException
from moto.glue.utils import validate_crawl_filters

from localaws.glue.crawlers.backend import CrawlerOperations
from localaws.glue.crawlers.crawls import Crawl
from localaws.glue.lists import Lists

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "GT": operator.gt, "GE": operator.ge, "LT": operator.lt, "LE": operator.le, "EQ": operator.eq, "NE": operator.ne,
}  # fmt: skip


class CrawlerResponses(Lists):
    """CreateCrawler and the other operations on crawlers."""

    @property
    def _crawlers(self) -> CrawlerOperations:
        return cast(CrawlerOperations, self.glue_backend)

    def create_crawler(self) -> ActionResult:
        self._crawlers.define_crawler(self.parameters)
        return EmptyResult()

    def update_crawler(self) -> ActionResult:
        self._crawlers.redefine_crawler(self.parameters)
        return EmptyResult()

    def delete_crawler(self) -> ActionResult:
        self._crawlers.remove_crawler(self.parameters["Name"])
        return EmptyResult()

    def get_crawler(self) -> ActionResult:
        return ActionResult({"Crawler": self._crawlers.find_crawler(self.parameters["Name"]).as_dict()})

    def get_crawlers(self) -> ActionResult:
        shown, token = self.page_by_name(self._crawlers.local_crawlers.values(), lambda crawler: crawler.name)
        return self.paged("Crawlers", [crawler.as_dict() for crawler in shown], token)

    def batch_get_crawlers(self) -> ActionResult:
        names, known = self.parameters["CrawlerNames"], self._crawlers.local_crawlers
        return ActionResult(
            {
                "Crawlers": [known[name].as_dict() for name in names if name in known],
                "CrawlersNotFound": [name for name in names if name not in known],
            }
        )

    def list_crawlers(self) -> ActionResult:
        crawlers = self._crawlers.local_crawlers.values()
        names = [crawler.name for crawler in crawlers if self.has_tags(crawler.arn, self.parameters.get("Tags"))]
        return self.paged("CrawlerNames", *self.page_by_name(names, str))

    def start_crawler(self) -> ActionResult:
        self._crawlers.start_crawler(self.parameters["Name"])
        return EmptyResult()

    def stop_crawler(self) -> ActionResult:
        self._crawlers.stop_crawler(self.parameters["Name"])
        return EmptyResult()

    def list_crawls(self) -> ActionResult:
        filters = validate_crawl_filters(self.parameters.get("Filters") or [])
        wanted = [(one.field_name.value, one.operator.value, one.field_value) for one in filters]
        crawls = self._crawlers.find_crawls(
            self.parameters["CrawlerName"], lambda crawl: all(_matches(crawl, *one) for one in wanted)
        )
        shown, token = self.page_by_age(crawls, lambda crawl: crawl.crawl_id, default=20)
        return self.paged("Crawls", [crawl.as_dict() for crawl in shown], token)

    def get_crawler_metrics(self) -> ActionResult:
        known = self._crawlers.local_crawlers
        names = self.parameters.get("CrawlerNameList") or list(known)
        shown, token = self.page_by_name({name for name in names if name in known}, str)
        return self.paged("CrawlerMetricsList", [known[name].metrics() for name in shown], token)


def _matches(crawl: Crawl, field: str, compare: str, wanted: str) -> bool:
    """Whether a crawl satisfies one filter of ListCrawls; times are given in milliseconds, or as ISO 8601."""
    if field in ("START_TIME", "END_TIME"):
        moment = crawl.started if field == "START_TIME" else crawl.ended
        return moment is not None and _COMPARE[compare](moment.replace(tzinfo=UTC).timestamp(), _seconds(wanted))
    value: Any = {"CRAWL_ID": crawl.crawl_id, "STATE": crawl.state.value, "DPU_HOUR": 0.0}[field]
    return _COMPARE[compare](value, float(wanted) if field == "DPU_HOUR" else wanted)


def _seconds(text: str) -> float:
    try:
        return int(text) / 1000 if text.isdigit() else _utc(datetime.fromisoformat(text)).timestamp()
    except ValueError:
        raise InvalidInputException("ListCrawls", f"The time {text} can't be read") from None


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
