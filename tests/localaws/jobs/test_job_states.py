"""Which calls a job's state allows, and which settings a run takes from its job, without a server.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-runs.html
"""

from __future__ import annotations

from typing import Any

import pytest
from moto.glue.exceptions import (
    ConcurrentRunsExceededException,
    InvalidInputException,
    JobRunNotFoundException,
)

from localaws.core.events import WorkflowRef
from localaws.glue.jobs.backend import Job
from localaws.glue.jobs.runs import KEPT_RUNS, JobRunState

OVER = (JobRunState.STOPPED, JobRunState.SUCCEEDED, JobRunState.FAILED, JobRunState.TIMEOUT, JobRunState.ERROR)
RUNNING = (JobRunState.STARTING, JobRunState.RUNNING, JobRunState.STOPPING)
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


@pytest.mark.parametrize("state", RUNNING)
def test_a_starting_running_or_stopping_run_counts_towards_the_concurrent_runs(state: JobRunState) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ExecutionProperty.html"""
    job = make_job()
    job.new_run({}, None).move_to(state)
    assert job.is_full
    with pytest.raises(ConcurrentRunsExceededException, match="Concurrent runs exceeded for job"):
        job.new_run({}, None)
    assert len(job.job_runs) == 1


@pytest.mark.parametrize("state", [*OVER, JobRunState.WAITING])
def test_a_finished_or_waiting_run_does_not_count_towards_the_concurrent_runs(state: JobRunState) -> None:
    job = make_job()
    job.new_run({}, None).move_to(state)
    assert not job.is_full
    assert job.new_run({}, None).state is JobRunState.STARTING


def test_at_most_MaxConcurrentRuns_runs_are_active() -> None:
    job = make_job(limit=3)
    for _ in range(3):
        assert not job.is_full
        job.new_run({}, None)
    with pytest.raises(ConcurrentRunsExceededException):
        job.new_run({}, None)
    job.job_runs[1].move_to(JobRunState.SUCCEEDED)
    job.new_run({}, None)


def test_a_trigger_s_run_over_the_limit_is_a_failed_run_that_says_why() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    job = make_job()
    job.new_run({}, None)
    with pytest.raises(ConcurrentRunsExceededException):
        job.new_run({}, TRIGGER)
    failed = job.job_runs[-1].as_dict()
    assert (failed["JobRunState"], failed["ErrorMessage"]) == ("FAILED", "Concurrent runs exceeded for job")
    assert (failed["TriggerName"], failed["CompletedOn"]) == ("begin", failed["LastModifiedOn"])


def test_with_queuing_a_run_over_the_limit_waits_and_says_why() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    job = make_job(JobRunQueuingEnabled=True)
    first, second = job.new_run({}, None), job.new_run({}, TRIGGER)
    assert (first.state, second.state) == (JobRunState.STARTING, JobRunState.WAITING)
    assert second.as_dict()["StateDetail"] == "Concurrent runs exceeded for job"
    assert "CompletedOn" not in second.as_dict()
    assert job.take_waiting() == []


def test_as_many_waiting_runs_as_fit_are_started_with_the_oldest_first() -> None:
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


def test_a_waiting_run_that_was_stopped_is_not_started() -> None:
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
def test_a_run_s_queuing_setting_overrides_its_job_s(
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


def test_a_run_cannot_queue_if_its_job_has_retries() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    with pytest.raises(InvalidInputException, match="queuing is not supported for jobs with MaxRetries"):
        make_job(MaxRetries=1).new_run({"JobRunQueuingEnabled": True}, None)


def test_run_arguments_override_job_defaults_and_non_overridable_arguments_override_both() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_Job.html"""
    job = make_job(DefaultArguments={"--a": "job", "--b": "job"}, NonOverridableArguments={"--c": "fixed"})
    run = job.new_run({"Arguments": {"--b": "run", "--c": "run"}}, None)
    assert run.arguments == {"--a": "job", "--b": "run", "--c": "fixed"}


def test_a_run_has_its_job_s_settings_unless_it_sets_its_own() -> None:
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
def test_the_capacity_of_a_run_replaces_its_job_s(asked: dict[str, Any], capacity: dict[str, Any]) -> None:
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
def test_a_run_with_invalid_settings_is_refused_and_not_recorded(request_: dict[str, Any], message: str) -> None:
    job = make_job()
    with pytest.raises(InvalidInputException, match=message):
        job.new_run(request_, None)
    assert job.job_runs == []


@pytest.mark.parametrize("minutes", [1, 10080])
def test_a_run_s_timeout_is_between_one_minute_and_seven_days(minutes: int) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html"""
    assert make_job().new_run({"Timeout": minutes}, None).settings["Timeout"] == minutes


def test_a_run_may_name_only_a_previous_run_of_the_same_job() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html: JobRunId, "to retry"."""
    job = make_job(limit=2)
    first = job.new_run({}, None)
    assert first.previous_run_id is None
    assert job.new_run({"JobRunId": first.job_run_id}, None).previous_run_id == first.job_run_id
    with pytest.raises(JobRunNotFoundException):
        job.new_run({"JobRunId": "jr_none"}, None)


def test_a_run_id_is_jr_and_64_hexadecimal_digits() -> None:
    run_id = make_job().new_run({}, None).job_run_id
    assert run_id.startswith("jr_")
    assert len(run_id) == 3 + 64
    assert int(run_id[3:], 16) >= 0


def test_each_attempt_has_the_next_number_and_names_the_previous_attempt() -> None:
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


@pytest.mark.parametrize(
    ("execution_class", "state", "told"),
    [
        ("FLEX", JobRunState.SUCCEEDED, 60.4),
        ("FLEX", JobRunState.FAILED, 60.4),
        ("FLEX", JobRunState.RUNNING, None),
        ("FLEX", JobRunState.WAITING, None),
        ("STANDARD", JobRunState.SUCCEEDED, None),
    ],
)
def test_a_finished_flex_run_reports_its_dpu_seconds(
    execution_class: str, state: JobRunState, told: float | None
) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_JobRun.html"""
    run = make_job(ExecutionClass=execution_class, MaxCapacity=6.0).new_run({}, None)
    run.execution_seconds = 10.06
    run.move_to(state)
    assert (run.as_dict().get("DPUSeconds"), run.as_dict()["ExecutionTime"]) == (told, 10)


def test_a_new_run_has_no_execution_time_and_shows_its_predecessors_only_on_request() -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_GetJobRun.html: PredecessorsIncluded."""
    run = make_job().new_run({}, TRIGGER, (("before", "jr_b"),))
    assert (run.as_dict()["ExecutionTime"], run.as_dict()["PredecessorRuns"]) == (0, [])


def test_a_run_is_found_by_its_id() -> None:
    job = make_job(limit=2)
    runs = [job.new_run({}, None), job.new_run({}, None)]
    assert [job.find_run(run.job_run_id) for run in runs] == runs
    with pytest.raises(JobRunNotFoundException):
        job.find_run("jr_none")


def test_the_last_500_runs_and_all_active_runs_are_kept() -> None:
    """The lab keeps this many; AWS keeps the runs of ninety days."""
    job = make_job(limit=2)
    oldest = job.new_run({}, None)
    ended = []
    for _ in range(KEPT_RUNS + 3):
        ended.append(job.new_run({}, None))
        ended[-1].move_to(JobRunState.SUCCEEDED)
    assert KEPT_RUNS == 500
    assert job.job_runs == [oldest, *ended[4:]]
