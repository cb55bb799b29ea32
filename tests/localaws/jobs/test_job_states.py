"""What a job's state lets a call do, and what a run takes from its job: without a server.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-runs.html
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from moto.glue.exceptions import (
    AlreadyExistsException,
    ConcurrentRunsExceededException,
    EntityNotFoundException,
    InvalidInputException,
    JobNotFoundException,
    JobRunNotFoundException,
)

from localaws import engines
from localaws.events import WorkflowRef
from localaws.services.glue import job_definitions
from localaws.services.glue.job_runs import KEPT_RUNS, JobRun, JobRunState
from localaws.services.glue.jobs import Job, JobRunNotRunning
from localaws.services.glue.models import LocalGlueBackend

ACCOUNT = "123456789012"
OVER = (JobRunState.STOPPED, JobRunState.SUCCEEDED, JobRunState.FAILED, JobRunState.TIMEOUT, JobRunState.ERROR)
RUNNING = (JobRunState.STARTING, JobRunState.RUNNING, JobRunState.STOPPING)
CREATE = {"Name": "job", "Role": "role", "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/k"}}
TRIGGER = WorkflowRef("flow", "wr_1", "begin")


def make_job(limit: int = 1, **definition: Any) -> Job:
    """A job as CreateJob makes it, with MaxConcurrentRuns `limit`."""
    defaults = {
        "DefaultArguments": {},
        "ExecutionProperty": {"MaxConcurrentRuns": limit},
        "MaxRetries": 0,
        "Timeout": 480,
        "GlueVersion": "5.1",
        "ExecutionClass": "STANDARD",
        "MaxCapacity": 10.0,
        "AllocatedCapacity": 10,
    }
    return Job("job", "arn:job", {**defaults, **definition})


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

    def stop(self, region: str, run_id: str, *, job_name: str) -> None:
        run = self.backend.find_job(job_name).find_run(run_id)
        if not run.under_way:
            raise JobRunNotRunning(run)
        run.move_to(JobRunState.STOPPING)


@pytest.fixture
def jobs_engine(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    engine = Jobs()
    monkeypatch.setattr(engines, "_running", SimpleNamespace(jobs=engine))
    monkeypatch.setattr(job_definitions, "can_assume", lambda role, account_id: True)
    return engine


@pytest.fixture
def backend(jobs_engine: Jobs) -> LocalGlueBackend:
    """Glue without jobs."""
    made = LocalGlueBackend("us-east-1", ACCOUNT)
    jobs_engine.backend = made
    return made


@pytest.mark.parametrize("state", RUNNING)
def test_a_run_that_starts_runs_or_stops_takes_one_of_the_concurrent_runs(state: JobRunState) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ExecutionProperty.html"""
    job = make_job()
    job.new_run({}, None).move_to(state)
    assert job.is_full
    with pytest.raises(ConcurrentRunsExceededException, match="Concurrent runs exceeded for job"):
        job.new_run({}, None)
    assert len(job.job_runs) == 1


@pytest.mark.parametrize("state", [*OVER, JobRunState.WAITING])
def test_a_run_that_is_over_or_waits_takes_none(state: JobRunState) -> None:
    job = make_job()
    job.new_run({}, None).move_to(state)
    assert not job.is_full
    assert job.new_run({}, None).state is JobRunState.STARTING


def test_as_many_runs_are_under_way_as_max_concurrent_runs_says() -> None:
    job = make_job(limit=3)
    for _ in range(3):
        assert not job.is_full
        job.new_run({}, None)
    with pytest.raises(ConcurrentRunsExceededException):
        job.new_run({}, None)
    job.job_runs[1].move_to(JobRunState.SUCCEEDED)
    job.new_run({}, None)


def test_a_triggers_run_too_many_is_a_failed_run_that_says_why() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    job = make_job()
    job.new_run({}, None)
    with pytest.raises(ConcurrentRunsExceededException):
        job.new_run({}, TRIGGER)
    failed = job.job_runs[-1].as_dict()
    assert (failed["JobRunState"], failed["ErrorMessage"]) == ("FAILED", "Concurrent runs exceeded for job")
    assert (failed["TriggerName"], failed["CompletedOn"]) == ("begin", failed["LastModifiedOn"])


def test_with_queuing_a_run_too_many_waits_and_says_why() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    job = make_job(JobRunQueuingEnabled=True)
    first, second = job.new_run({}, None), job.new_run({}, TRIGGER)
    assert (first.state, second.state) == (JobRunState.STARTING, JobRunState.WAITING)
    assert second.as_dict()["StateDetail"] == "Concurrent runs exceeded for job"
    assert "CompletedOn" not in second.as_dict()
    assert job.take_waiting() == []


def test_waiting_runs_are_taken_the_oldest_first_as_many_as_there_is_room_for() -> None:
    job = make_job(limit=2, JobRunQueuingEnabled=True)
    runs = [job.new_run({}, None) for _ in range(5)]
    for run in runs[:2]:
        run.move_to(JobRunState.SUCCEEDED)
    assert job.take_waiting() == runs[2:4]
    assert [run.state for run in runs[2:]] == [JobRunState.STARTING, JobRunState.STARTING, JobRunState.WAITING]
    assert "StateDetail" not in runs[2].as_dict()
    runs[4].move_to(JobRunState.STOPPED)
    runs[2].move_to(JobRunState.SUCCEEDED)
    assert job.take_waiting() == []


def test_a_waiting_run_that_was_stopped_is_passed_over() -> None:
    job = make_job(JobRunQueuingEnabled=True)
    runs = [job.new_run({}, None) for _ in range(3)]
    runs[0].move_to(JobRunState.SUCCEEDED)
    runs[1].move_to(JobRunState.STOPPED)
    assert job.take_waiting() == [runs[2]]


@pytest.mark.parametrize(
    ("definition", "request_", "queues"),
    [
        ({}, {}, False),
        ({}, {"JobRunQueuingEnabled": True}, True),
        ({"JobRunQueuingEnabled": True}, {}, True),
        ({"JobRunQueuingEnabled": True}, {"JobRunQueuingEnabled": False}, False),
    ],
)
def test_what_a_run_says_of_queuing_goes_before_what_its_job_says(
    definition: dict[str, Any], request_: dict[str, Any], queues: bool
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html"""
    job = make_job(**definition)
    job.new_run({}, None)
    if queues:
        assert job.new_run(request_, None).state is JobRunState.WAITING
    else:
        with pytest.raises(ConcurrentRunsExceededException):
            job.new_run(request_, None)


def test_a_run_cannot_queue_where_its_job_is_retried() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    with pytest.raises(InvalidInputException, match="queuing is not supported for jobs with MaxRetries"):
        make_job(MaxRetries=1).new_run({"JobRunQueuingEnabled": True}, None)


def test_the_arguments_of_a_run_go_before_its_jobs_and_those_that_cannot_be_overridden_before_both() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Job.html"""
    job = make_job(DefaultArguments={"--a": "job", "--b": "job"}, NonOverridableArguments={"--c": "fixed"})
    run = job.new_run({"Arguments": {"--b": "run", "--c": "run"}}, None)
    assert run.arguments == {"--a": "job", "--b": "run", "--c": "fixed"}


def test_a_run_has_its_jobs_settings_except_those_that_it_was_given() -> None:
    job = make_job(Timeout=60)
    given = {"Timeout": 5, "ExecutionClass": None}
    assert job.new_run(given, None).settings == {
        "Timeout": 5,
        "GlueVersion": "5.1",
        "ExecutionClass": "STANDARD",
        "MaxCapacity": 10.0,
        "AllocatedCapacity": 10,
    }


@pytest.mark.parametrize(
    ("asked", "capacity"),
    [
        ({"MaxCapacity": 4.0}, {"MaxCapacity": 4.0, "AllocatedCapacity": 4}),
        ({"AllocatedCapacity": 4}, {"MaxCapacity": 4.0, "AllocatedCapacity": 4}),
        (
            {"WorkerType": "G.2X", "NumberOfWorkers": 3},
            {"WorkerType": "G.2X", "NumberOfWorkers": 3, "MaxCapacity": 6.0, "AllocatedCapacity": 6},
        ),
        ({}, {"WorkerType": "G.1X", "NumberOfWorkers": 5, "MaxCapacity": 5.0, "AllocatedCapacity": 5}),
    ],
)
def test_the_capacity_that_a_run_asks_for_replaces_its_jobs(asked: dict[str, Any], capacity: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html"""
    job = make_job(WorkerType="G.1X", NumberOfWorkers=5, MaxCapacity=5.0, AllocatedCapacity=5)
    settings = job.new_run(asked, None).settings
    names = ("WorkerType", "NumberOfWorkers", "MaxCapacity", "AllocatedCapacity")
    assert {name: settings[name] for name in names if name in settings} == capacity


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"Timeout": 0}, "Timeout must be between 1 and 10080"),
        ({"Timeout": 10081}, "Timeout must be between 1 and 10080"),
        ({"WorkerType": "G.1X"}, "both Worker Type and Number of Workers"),
        ({"NumberOfWorkers": 2}, "both Worker Type and Number of Workers"),
        ({"MaxCapacity": 2.0, "WorkerType": "G.1X", "NumberOfWorkers": 2}, "do not set Max Capacity"),
        ({"SecurityConfiguration": "s"}, "SecurityConfiguration is not supported"),
        ({"NotificationProperty": {"NotifyDelayAfter": 1}}, "NotificationProperty is not supported"),
        ({"Arguments": {"--job-bookmark-option": "on"}}, "--job-bookmark-option must be one of"),
    ],
)
def test_a_run_that_asks_for_what_cannot_be_is_refused_and_is_no_run(request_: dict[str, Any], message: str) -> None:
    job = make_job()
    with pytest.raises(InvalidInputException, match=message):
        job.new_run(request_, None)
    assert job.job_runs == []


@pytest.mark.parametrize("minutes", [1, 10080])
def test_a_run_may_take_from_a_minute_to_seven_days(minutes: int) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html"""
    assert make_job().new_run({"Timeout": minutes}, None).settings["Timeout"] == minutes


def test_a_run_may_name_a_previous_run_of_the_job_and_no_other() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html: JobRunId, "to retry"."""
    job = make_job(limit=2)
    first = job.new_run({}, None)
    assert first.previous_run_id is None
    assert job.new_run({"JobRunId": first.job_run_id}, None).previous_run_id == first.job_run_id
    with pytest.raises(JobRunNotFoundException):
        job.new_run({"JobRunId": "jr_none"}, None)


def test_a_new_runs_id_is_jr_and_64_hexadecimal_digits() -> None:
    run_id = make_job().new_run({}, None).job_run_id
    assert run_id.startswith("jr_")
    assert len(run_id) == 3 + 64
    assert int(run_id[3:], 16) >= 0


def test_each_attempt_counts_up_and_names_the_one_before() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_JobRun.html"""
    job = make_job(DefaultArguments={"--a": "1"})
    runs = [job.new_run({}, TRIGGER, (("before", "jr_b"),))]
    for _ in range(2):
        runs.append(job.new_attempt(runs[-1]))
    first = runs[0].job_run_id
    assert [run.job_run_id for run in runs] == [first, f"{first}_attempt_1", f"{first}_attempt_2"]
    assert [run.attempt for run in runs] == [0, 1, 2]
    assert [run.previous_run_id for run in runs] == [None, first, f"{first}_attempt_1"]
    last = runs[-1].as_dict(with_predecessors=True)
    assert (last["TriggerName"], last["Arguments"], last["PredecessorRuns"]) == (
        "begin",
        {"--a": "1"},
        [{"JobName": "before", "RunId": "jr_b"}],
    )


def test_a_run_is_found_by_its_id() -> None:
    job = make_job(limit=2)
    runs = [job.new_run({}, None), job.new_run({}, None)]
    assert [job.find_run(run.job_run_id) for run in runs] == runs
    with pytest.raises(JobRunNotFoundException):
        job.find_run("jr_none")


def test_the_last_500_runs_are_kept_and_all_that_are_under_way() -> None:
    """A lab keeps that many, where AWS keeps ninety days of them."""
    job = make_job(limit=2)
    oldest = job.new_run({}, None)
    ended = []
    for _ in range(KEPT_RUNS + 3):
        ended.append(job.new_run({}, None))
        ended[-1].move_to(JobRunState.SUCCEEDED)
    assert KEPT_RUNS == 500
    assert job.job_runs == [oldest, *ended[4:]]


def test_creating_a_job_warms_spark_up_and_a_second_one_of_the_name_is_refused(
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


def test_deleting_a_job_ends_its_runs_under_way_and_takes_its_tags_along(
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


def test_an_update_keeps_a_jobs_runs_and_bookmark(backend: LocalGlueBackend) -> None:
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


def test_of_several_runs_to_stop_each_one_is_told_of_by_itself(backend: LocalGlueBackend) -> None:
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


def test_a_bookmark_is_shown_as_it_is_or_as_a_run_left_it(backend: LocalGlueBackend) -> None:
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
def test_resetting_a_bookmark_tells_what_is_left_of_it(
    backend: LocalGlueBackend, run_id: str | None, left: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ResetJobBookmark.html"""
    backend.define_job(CREATE)
    job = backend.find_job("job")
    for number in range(2):
        job.bookmark.commit(JobRun("job", f"jr_{number}", {}, {}), {"after": number})
    entry = backend.reset_bookmark("job", run_id)
    assert (entry["JobBookmark"], entry["Version"]) == (left, 3)
    assert backend.bookmark_entry("job", None) == entry
