"""The crawlers' part of the Glue API."""

from __future__ import annotations

from moto.glue.responses import GlueResponse


class CrawlerResponses(GlueResponse):
    """The crawlers' part of the Glue API."""
