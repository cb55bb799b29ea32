"""Glue's API: one mixin of request parsing per concern, in front of moto's."""

from __future__ import annotations

from localaws.glue.catalog.responses import CatalogResponses
from localaws.glue.connections.responses import ConnectionResponses
from localaws.glue.crawlers.responses import CrawlerResponses
from localaws.glue.jobs.responses import JobResponses
from localaws.glue.tags_responses import TagResponses
from localaws.glue.workflows.responses import WorkflowResponses


class LocalGlueResponse(
    CatalogResponses, CrawlerResponses, ConnectionResponses, JobResponses, TagResponses, WorkflowResponses
):
    """Parses Glue requests and answers them from `LocalGlueBackend`."""
