"""The state of Glue in one region: moto's catalog with the operations that really run things in front of it."""

from __future__ import annotations

from moto.utilities.utils import get_partition

from localaws import engines
from localaws.services.glue.connections import ConnectionOperations
from localaws.services.glue.crawlers import CrawlerOperations
from localaws.services.glue.jobs import JobOperations
from localaws.services.glue.triggers import WorkflowOperations


class LocalGlueBackend(CrawlerOperations, ConnectionOperations, JobOperations, WorkflowOperations):
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

    def delete_database(self, database_name: str) -> None:
        """Delete a database with its tags, which moto would keep: the tagging API would go on listing it."""
        super().delete_database(database_name)
        arn = (
            f"arn:{get_partition(self.region_name)}:glue:{self.region_name}:{self.account_id}:database/{database_name}"
        )
        self.tagger.delete_all_tags_for_resource(arn)
