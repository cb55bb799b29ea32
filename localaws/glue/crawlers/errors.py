"""The errors that end a crawl early.

::

    CrawlEnded
    ├── CrawlFailed       with a message for LastCrawl.ErrorMessage
    └── CrawlStopped      StopCrawler was called
"""

from __future__ import annotations


class CrawlEnded(Exception):
    """A crawl ended before it was complete."""


class CrawlFailed(CrawlEnded):
    """The data can't be reached or the catalog can't be written; the message says what and why."""


class CrawlStopped(CrawlEnded):
    """Somebody stopped the crawl."""
