"""The operations on jobs, without a server: what they refuse in which state, and what they return.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from moto.glue.exceptions import AlreadyExistsException, EntityNotFoundException, JobNotFoundException

from localaws.core import context
from localaws.glue.jobs import definitions
from localaws.glue.jobs.backend import JobRunNotRunning
from localaws.glue.jobs.job import Job
from localaws.glue.jobs.runs import JobRun, JobRunState
from localaws.glue.models import LocalGlueBackend

ACCOUNT = "123456789012"
CREATE = {"Name": "job", "Role": "role", "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/k"}}


class Jobs:
    """A jobs engine that notes what it is asked, and stops what was started."""

    def __init__(self) -> None:
        self.prepared = 0
        self.abandoned: list[str] = []
        self.backend: Any = None

    def prepare(self) -> None:
        self.prepared += 1

    def abandon(self, region: str, job: Job, run: JobRun) -> None:
        self.abandoned.append(run.job_run_id)

    def stop_run(self, region: str, run_id: str, *, job_name: str) -> None:
        run = self.backend.find_job(job_name).find_run(run_id)
        if not run.under_way:
            raise JobRunNotRunning(run)
        run.move_to(JobRunState.STOPPING)


@pytest.fixture
def jobs_engine(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    engine = Jobs()
    monkeypatch.setattr(context, "_current", SimpleNamespace(ports=SimpleNamespace(jobs=engine)))
    monkeypatch.setattr(definitions, "can_assume", lambda role, account_id: True)
    return engine


@pytest.fixture
def backend(jobs_engine: Jobs) -> LocalGlueBackend:
    """Glue without jobs."""
    made = LocalGlueBackend("us-east-1", ACCOUNT)
    jobs_engine.backend = made
    return made


def test_creating_a_job_warms_spark_up_and_a_second_job_with_the_same_name_is_refused(
    backend: LocalGlueBackend, jobs_engine: Jobs
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateJob.html"""
    assert backend.define_job({**CREATE, "Tags": {"lab": "toll"}}) == "job"
    with pytest.raises(AlreadyExistsException):
        backend.define_job(CREATE)
    arn = f"arn:aws:glue:us-east-1:{ACCOUNT}:job/job"
    assert (jobs_engine.prepared, backend.find_job("job").arn) == (1, arn)
    assert backend.get_tags(arn) == {"lab": "toll"}
    assert backend.find_job("job").as_dict()["Name"] == "job"


def test_deleting_a_job_stops_its_active_runs_and_deletes_its_tags(
    backend: LocalGlueBackend, jobs_engine: Jobs
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_DeleteJob.html"""
    backend.define_job({**CREATE, "Tags": {"lab": "toll"}, "ExecutionProperty": {"MaxConcurrentRuns": 2}})
    job = backend.find_job("job")
    over, running = job.new_run({}, None), job.new_run({}, None)
    over.move_to(JobRunState.FAILED)
    backend.remove_job("job")
    backend.remove_job("job")
    assert (jobs_engine.abandoned, backend.get_tags(job.arn)) == ([running.job_run_id], {})
    with pytest.raises(JobNotFoundException):
        backend.find_job("job")


def test_an_update_keeps_a_job_s_runs_and_bookmark(backend: LocalGlueBackend) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateJob.html: "completely overwritten"."""
    backend.define_job({**CREATE, "Description": "old"})
    job = backend.find_job("job")
    run, created = job.new_run({}, None), job.created_on
    job.bookmark.commit(run, {})
    backend.redefine_job("job", {key: value for key, value in CREATE.items() if key != "Name"})
    told = backend.find_job("job").as_dict()
    assert "Description" not in told
    assert (told["CreatedOn"], told["LastModifiedOn"] >= created) == (created, True)
    assert (job.job_runs, job.bookmark.version) == ([run], 1)


def test_BatchStopJobRun_reports_a_result_for_each_run(backend: LocalGlueBackend) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_BatchStopJobRun.html"""
    backend.define_job({**CREATE, "ExecutionProperty": {"MaxConcurrentRuns": 2}})
    job = backend.find_job("job")
    over, running = job.new_run({}, None), job.new_run({}, None)
    over.move_to(JobRunState.SUCCEEDED)
    stopping, errors = backend.stop_runs("job", [over.job_run_id, "jr_none", running.job_run_id])
    assert (stopping, running.state) == ([running.job_run_id], JobRunState.STOPPING)
    assert [(run_id, code) for run_id, code, _ in errors] == [
        (over.job_run_id, "InvalidInputException"),
        ("jr_none", "EntityNotFoundException"),
    ]
    assert errors[0][2] == f"Job Run {over.job_run_id} is not in a stoppable state: it is SUCCEEDED"


def test_a_job_without_a_commit_has_no_bookmark_to_show_or_reset(backend: LocalGlueBackend) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetJobBookmark.html"""
    backend.define_job(CREATE)
    for call in (backend.bookmark_entry, backend.reset_bookmark):
        with pytest.raises(EntityNotFoundException, match="Continuation for job job not found"):
            call("job", None)
        with pytest.raises(JobNotFoundException):
            call("nobody", None)


def test_a_bookmark_can_be_shown_as_it_is_now_or_as_a_run_left_it(backend: LocalGlueBackend) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetJobBookmark.html"""
    backend.define_job(CREATE)
    job = backend.find_job("job")
    for number in range(2):
        job.bookmark.commit(JobRun("job", f"jr_{number}", {}, {}), {"after": number})
    now, before = backend.bookmark_entry("job", None), backend.bookmark_entry("job", "jr_0")
    assert (now["RunId"], now["PreviousRunId"], now["JobBookmark"]) == ("jr_1", "jr_0", '{"after": 1}')
    assert (before["RunId"], before["JobBookmark"], before["Attempt"]) == ("jr_0", '{"after": 0}', 0)
    for call in (backend.bookmark_entry, backend.reset_bookmark):
        with pytest.raises(EntityNotFoundException, match="Continuation for job job not found"):
            call("job", "jr_none")


@pytest.mark.parametrize(("run_id", "left"), [(None, "{}"), ("jr_0", '{"after": 0}')])
def test_resetting_a_bookmark_returns_the_new_entry(backend: LocalGlueBackend, run_id: str | None, left: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ResetJobBookmark.html"""
    backend.define_job(CREATE)
    job = backend.find_job("job")
    for number in range(2):
        job.bookmark.commit(JobRun("job", f"jr_{number}", {}, {}), {"after": number})
    entry = backend.reset_bookmark("job", run_id)
    assert (entry["JobBookmark"], entry["Version"]) == (left, 3)
    assert backend.bookmark_entry("job", None) == entry
