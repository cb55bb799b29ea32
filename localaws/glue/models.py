"""The state of Glue in one region: moto's catalog, extended by operations that really run things."""

from __future__ import annotations

from localaws.core import context
from localaws.glue.catalog.backend import CatalogOperations
from localaws.glue.connections.backend import ConnectionOperations
from localaws.glue.crawlers.backend import CrawlerOperations
from localaws.glue.jobs.backend import JobOperations
from localaws.glue.workflows.triggers import WorkflowOperations


class LocalGlueBackend(CatalogOperations, CrawlerOperations, ConnectionOperations, JobOperations, WorkflowOperations):
    """Glue's backend, one mixin per concern; each extends moto's `GlueBackend`, which answers the rest."""

    def reset(self) -> None:
        """Delete all state, and end running crawls and job runs."""
        ports = context.current().ports
        for name in self.local_crawlers:
            ports.crawls.stop_crawl(self.region_name, name)
        for job in self.local_jobs.values():
            for run in job.job_runs:
                ports.jobs.abandon(self.region_name, job, run)
        super().reset()
