"""Crawlers: their definitions, states and history, and the operations on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.glue.exceptions import (
    AlreadyExistsException,
    CrawlerNotRunningException,
    CrawlerRunningException,
    EntityNotFoundException,
    GlueClientError,
)
from moto.glue.models import GlueBackend

from localaws.core import context
from localaws.glue.crawlers.crawls import Crawl, Crawler
from localaws.glue.crawlers.definitions import checked_definition, checked_update
from localaws.glue.crawlers.references import check_references
from localaws.glue.roles import CRAWLER_SESSION
from localaws.iam.service_roles import ServiceRole


class CrawlerStoppingException(GlueClientError):
    """The crawler is being stopped already."""

    def __init__(self, name: str) -> None:
        super().__init__("CrawlerStoppingException", f"Crawler with name {name} is stopping")


class CrawlerOperations(GlueBackend):
    """CreateCrawler and the other operations on crawlers."""

    @property
    def local_crawlers(self) -> dict[str, Crawler]:
        """All crawlers by name."""
        return self.crawlers  # type: ignore[return-value]  # moto's dictionary, with our crawlers in it

    def define_crawler(self, request: dict[str, Any]) -> None:
        """Create the crawler that a CreateCrawler request describes.

        Raises:
            AlreadyExistsException: a crawler with this name exists.
            InvalidInputException: the request is not valid, or something that it names does not exist.
        """
        definition = checked_definition(request, self.account_id)
        name = definition["Name"]
        if name in self.local_crawlers:
            raise AlreadyExistsException(f"Crawler with name {name}")
        self._check_references(definition)
        arn = f"arn:{self.partition}:glue:{self.region_name}:{self.account_id}:crawler/{name}"
        self.local_crawlers[name] = Crawler(arn, definition)
        self.tag_resource(arn, request.get("Tags") or {})

    def find_crawler(self, name: str) -> Crawler:
        """Return the crawler called `name`.

        Raises:
            EntityNotFoundException: there is no such crawler.
        """
        try:
            return self.local_crawlers[name]
        except KeyError:
            raise EntityNotFoundException(f"Crawler {name} not found.") from None

    def redefine_crawler(self, request: dict[str, Any]) -> None:
        """Change what an UpdateCrawler request names.

        Raises:
            CrawlerRunningException: a crawl is running.
            EntityNotFoundException: there is no such crawler.
            InvalidInputException: the result would not be valid, or a target in the request does not exist.
        """
        crawler = self.find_crawler(str(request.get("Name")))
        if crawler.running:
            raise CrawlerRunningException(f"Crawler with name {crawler.name} is running and can't be updated")
        definition = checked_update(crawler.definition, request, self.account_id)
        if request.get("Targets"):
            self._check_references(definition)
        crawler.redefine(definition)

    def _check_references(self, definition: dict[str, Any]) -> None:
        role = ServiceRole(definition["Role"], CRAWLER_SESSION, self.region_name, self.account_id)
        check_references(definition["Targets"], role, self.connections)

    def remove_crawler(self, name: str) -> None:
        """Delete a crawler; its tables stay.

        Raises:
            CrawlerRunningException: a crawl is running.
            EntityNotFoundException: there is no such crawler.
        """
        crawler = self.find_crawler(name)
        if crawler.running:
            raise CrawlerRunningException(f"Crawler with name {name} is running and can't be deleted")
        self.tagger.delete_all_tags_for_resource(crawler.arn)
        del self.local_crawlers[name]

    def start_crawler(self, name: str) -> None:
        """Start a crawl.

        Raises:
            CrawlerRunningException: a crawl is running already.
            EntityNotFoundException: there is no such crawler.
        """
        context.current().ports.crawls.start_crawl(self.region_name, name)

    def stop_crawler(self, name: str) -> None:
        """Stop the running crawl; what it wrote into the catalog stays.

        Raises:
            CrawlerNotRunningException, CrawlerStoppingException, EntityNotFoundException: as on AWS.
        """
        crawl = self.find_crawler(name).running
        if crawl is None:
            raise CrawlerNotRunningException(f"Crawler with name {name} isn't running")
        if crawl.stopping:
            raise CrawlerStoppingException(name)
        context.current().ports.crawls.stop_crawl(self.region_name, name)

    def find_crawls(self, crawler_name: str, matches: Callable[[Crawl], bool]) -> list[Crawl]:
        """Return the crawls of a crawler that match, newest first.

        Raises:
            EntityNotFoundException: there is no such crawler.
        """
        crawler = self.local_crawlers.get(crawler_name)
        if crawler is None:
            raise EntityNotFoundException(f"Crawler entry with name {crawler_name} does not exist")
        return [crawl for crawl in reversed(crawler.crawls) if matches(crawl)]
