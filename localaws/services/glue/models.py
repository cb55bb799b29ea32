"""The state of Glue in one region: moto's catalog with the operations that really run things in front of it."""

from __future__ import annotations

from localaws import engines
from localaws.services.glue.catalog import CatalogOperations
from localaws.services.glue.connections import ConnectionOperations
from localaws.services.glue.crawlers import CrawlerOperations
from localaws.services.glue.jobs import JobOperations
from localaws.services.glue.triggers import WorkflowOperations


class LocalGlueBackend(CatalogOperations, CrawlerOperations, ConnectionOperations, JobOperations, WorkflowOperations):
    """Glue's backend, one mixin per concern; each extends moto's `GlueBackend`, which answers the rest."""

    def reset(self) -> None:
        """Forget all, and end what runs."""
        running = engines.running()
        for name in self.local_crawlers:
            running.crawler.stop_crawl(self.region_name, name)
        for job in self.local_jobs.values():
            for run in job.job_runs:
                running.jobs.abandon(self.region_name, job, run)
        super().reset()
