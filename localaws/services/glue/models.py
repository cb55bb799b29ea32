"""The state of Glue in one region: moto's catalog with the operations that really run things in front of it."""

from __future__ import annotations

from localaws.services.glue.connections import ConnectionOperations
from localaws.services.glue.crawlers import CrawlerOperations
from localaws.services.glue.jobs import JobOperations
from localaws.services.glue.triggers import WorkflowOperations


class LocalGlueBackend(CrawlerOperations, ConnectionOperations, JobOperations, WorkflowOperations):
    """Glue's backend, one mixin per concern; each extends moto's `GlueBackend`, which answers the rest."""
