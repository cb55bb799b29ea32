"""The exactly-once delivery's job and workflow. The step `reliability` creates them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from labkit.data import ledger, loads
from labkit.data.rejects import REJECTS
from labkit.delivery import Delivery
from labkit.steps.job import Job
from labkit.steps.runs import Loaded, Run
from labkit.steps.workflow import Workflow


class ExactlyOnceJob(Job):
    """The described job, but with a ledger in Redshift instead of the bookmark. It also keeps rejected rows."""

    name = "reliability"
    notebook = "09_reliability"
    delivery = Delivery.EXACTLY_ONCE
    path = "lab.reliability.job"
    script = "exactly_once_job.py"
    modules = ("landing.py", "ledger.py", "rejects.py", "rows.py")

    def _own_arguments(self) -> dict[str, str]:
        staging = self.names.staging_bucket
        return {
            "--job-language": "python",
            # No bookmark: a file that is marked as read but was never loaded would be lost.
            "--job-bookmark-option": "job-bookmark-disable",
            "--enable-job-insights": "true",
            "--extra-py-files": ",".join(f"s3://{staging}/{key}" for key in self._module_keys),
            "--REDSHIFT_ROLE": self.lab.roles.arn(self.names.copy_role),
            "--CONNECTION": self.names.connection,
            "--LEDGER": self.names.ledger,
            "--REJECTS": f"s3://{staging}/{REJECTS}",
            "--MAX_REJECTED_SHARE": f"{self.config.max_rejected_share:g}",
        }


class ExactlyOnceWorkflow(Workflow):
    """Like the described workflow: crawl, then load, but with the exactly-once job."""

    name = "reliability"
    notebook = "09_reliability"
    delivery = Delivery.EXACTLY_ONCE
    path = "lab.reliability.workflow"

    @property
    def job(self) -> Job:
        """The exactly-once job."""
        return self.lab.reliability.job

    def run_that_loaded(self, keys: Sequence[str], landed: datetime, runs: Sequence[Run]) -> Run | None:
        """The last run that loaded current versions of these files; None if the ledger lacks any of them."""
        job_runs = ledger.loaded_by(self.lab.session, keys)
        if job_runs is None:
            return None
        return next((run for run in runs if run.job_run_id in job_runs), None) or next(iter(runs), None)

    def rows_loaded(self, runs: Sequence[Run]) -> dict[str, Loaded]:
        """Run → the rows that its job runs have recorded in the ledger."""
        recorded = loads.in_ledger(self.lab.session, [one.run_id for run in runs for one in run.job_runs])
        found = {}
        for run in runs:
            counts = [recorded.get(one.run_id, (0, 0)) for one in run.job_runs]
            found[run.run_id] = Loaded(sum(loaded for loaded, _ in counts), sum(rejected for _, rejected in counts))
        return found
