"""The jobs' part of the Glue API.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html and …-jobs-runs.html
"""

from __future__ import annotations

from typing import cast

from moto.core.responses import ActionResult

from localaws.core import context
from localaws.glue.jobs.backend import JobOperations
from localaws.glue.lists import Lists


class JobResponses(Lists):
    """CreateJob and the other operations on jobs."""

    @property
    def _jobs(self) -> JobOperations:
        return cast(JobOperations, self.glue_backend)

    def create_job(self) -> ActionResult:
        return ActionResult({"Name": self._jobs.define_job(self.parameters)})

    def update_job(self) -> ActionResult:
        name = self.parameters["JobName"]
        self._jobs.redefine_job(name, self.parameters["JobUpdate"])
        return ActionResult({"JobName": name})

    def get_job(self) -> ActionResult:
        return ActionResult({"Job": self._jobs.find_job(self.parameters["JobName"]).as_dict()})

    def get_jobs(self) -> ActionResult:
        shown, token = self.page_by_name(self._jobs.local_jobs.values(), lambda job: job.name)
        return self.paged("Jobs", [job.as_dict() for job in shown], token)

    def list_jobs(self) -> ActionResult:
        jobs = self._jobs.local_jobs.values()
        names = [job.name for job in jobs if self.has_tags(job.arn, self.parameters.get("Tags"))]
        return self.paged("JobNames", *self.page_by_name(names, str))

    def delete_job(self) -> ActionResult:
        name = self.parameters["JobName"]
        self._jobs.remove_job(name)
        return ActionResult({"JobName": name})

    def start_job_run(self) -> ActionResult:
        request = dict(self.parameters)
        run_id = context.current().ports.jobs.start_requested(self.region, request.pop("JobName"), request)
        return ActionResult({"JobRunId": run_id})

    def get_job_run(self) -> ActionResult:
        run = self._jobs.find_job(self.parameters["JobName"]).find_run(self.parameters["RunId"])
        return ActionResult({"JobRun": run.as_dict(bool(self.parameters.get("PredecessorsIncluded")))})

    def get_job_runs(self) -> ActionResult:
        newest_first = list(reversed(self._jobs.find_job(self.parameters["JobName"]).job_runs))
        shown, token = self.page_by_age(newest_first, lambda run: run.job_run_id)
        return self.paged("JobRuns", [run.as_dict() for run in shown], token)

    def batch_stop_job_run(self) -> ActionResult:
        name, run_ids = self.parameters["JobName"], self.parameters["JobRunIds"]
        stopping, errors = self._jobs.stop_runs(name, run_ids)
        return ActionResult(
            {
                "SuccessfulSubmissions": [{"JobName": name, "JobRunId": run_id} for run_id in stopping],
                "Errors": [
                    {"JobName": name, "JobRunId": run_id, "ErrorDetail": {"ErrorCode": code, "ErrorMessage": message}}
                    for run_id, code, message in errors
                ],
            }
        )

    def get_job_bookmark(self) -> ActionResult:
        entry = self._jobs.bookmark_entry(self.parameters["JobName"], self.parameters.get("RunId"))
        return ActionResult({"JobBookmarkEntry": entry})

    def reset_job_bookmark(self) -> ActionResult:
        entry = self._jobs.reset_bookmark(self.parameters["JobName"], self.parameters.get("RunId"))
        return ActionResult({"JobBookmarkEntry": entry})
