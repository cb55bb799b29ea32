"""Glue's API: one mixin of request parsing per concern, in front of moto's."""

from __future__ import annotations

from localaws.services.glue.catalog_responses import CatalogResponses
from localaws.services.glue.connections_responses import ConnectionResponses
from localaws.services.glue.crawlers_responses import CrawlerResponses
from localaws.services.glue.jobs_responses import JobResponses
from localaws.services.glue.tags_responses import TagResponses
from localaws.services.glue.triggers_responses import WorkflowResponses


class LocalGlueResponse(
    CatalogResponses, CrawlerResponses, ConnectionResponses, JobResponses, TagResponses, WorkflowResponses
):
    """Parses Glue requests and answers them from `LocalGlueBackend`."""
