"""A run from its start to its end: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-runs.html"""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

WAIT_FOR_MARK = """
import boto3, time
from botocore.exceptions import ClientError
deadline = time.monotonic() + 120
while time.monotonic() < deadline:
    try:
        boto3.client("s3").head_object(Bucket="{bucket}", Key="{key}")
        break
    except ClientError:
        time.sleep(0.05)
"""


@pytest.mark.simplified("Glue jobs", "of Glue's packages, those that a pipeline of this kind uses can be imported")
@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import labkit", "ModuleNotFoundError: No module named 'labkit'"),
        ("import faker", "ModuleNotFoundError: No module named 'faker'"),
        ("def broken(:", "SyntaxError: invalid syntax"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        (
            "from awsglue.transforms import *; Relationalize.apply(None)",
            "awsglue.transforms.Relationalize is not supported",
        ),
    ],
)
def test_an_exception_or_a_nonzero_exit_status_fails_the_run_with_that_message(
    jobs: Any, script: str, message: str
) -> None:
    """A script sees what is installed on AWS, and nothing of the lab:
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html
    """
    run = jobs.run(jobs.make(script))
    assert run["JobRunState"] == "FAILED"
    assert message in run["ErrorMessage"]


def test_an_exit_with_status_0_is_a_success(jobs: Any) -> None:
    assert jobs.succeed(jobs.make("import sys; print('done'); sys.exit(0)")) == ["done"]


@pytest.mark.as_on_aws("Glue jobs")
def test_only_a_flex_run_reports_its_dpu_seconds(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_JobRun.html"""
    script = "import time; time.sleep(0.2)"
    workers = {"WorkerType": "G.2X", "NumberOfWorkers": 3}
    flex = jobs.run(jobs.make(script, ExecutionClass="FLEX", **workers))
    assert 6 * 0.2 <= flex["DPUSeconds"] <= 6 * (flex["ExecutionTime"] + 1)
    assert "DPUSeconds" not in jobs.run(jobs.make(script, **workers))


def test_a_missing_script_fails_the_run_and_is_named_in_the_error(jobs: Any) -> None:
    name = jobs.make("print(1)")
    jobs.aws("s3").delete_object(Bucket=jobs.bucket, Key=f"scripts/{name}.py")
    run = jobs.run(name)
    assert run["JobRunState"] == "FAILED"
    assert f"s3://{jobs.bucket}/scripts/{name}.py is not there" in run["ErrorMessage"]


@pytest.mark.as_on_aws("Glue jobs")
def test_a_failed_run_is_retried_up_to_MaxRetries_times_with_a_new_run_for_each_attempt(jobs: Any) -> None:
    """With Attempt and PreviousRunId: https://docs.aws.amazon.com/glue/latest/webapi/API_JobRun.html. GetJobRuns gives
    the newest first, in pages: https://docs.aws.amazon.com/glue/latest/webapi/API_GetJobRuns.html
    """
    glue = jobs.aws("glue")
    name = jobs.make("import sys; print(sys.argv[sys.argv.index('--size') + 1]); raise RuntimeError()", MaxRetries=2)
    first = jobs.run(name, size="7")["Id"]
    jobs.wait(name, f"{first}_attempt_1")
    jobs.wait(name, f"{first}_attempt_2")
    pages = glue.get_paginator("get_job_runs").paginate(JobName=name, PaginationConfig={"PageSize": 2})
    runs = [page["JobRuns"] for page in pages]
    assert [len(page) for page in runs] == [2, 1]
    assert [(run["Attempt"], run["JobRunState"], run.get("PreviousRunId")) for page in runs for run in page] == [
        (2, "FAILED", f"{first}_attempt_1"),
        (1, "FAILED", first),
        (0, "FAILED", None),
    ]
    assert jobs.log(f"{first}_attempt_2") == ["7"]
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_job_run(JobName=name, RunId="jr_none")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.start_job_run(JobName=name, JobRunId="jr_none")


@pytest.mark.as_on_aws("Glue jobs")
def test_BatchStopJobRun_stops_runs_and_lists_those_that_it_cannot_stop(jobs: Any) -> None:
    """From STOPPING to STOPPED, without a retry: https://docs.aws.amazon.com/glue/latest/webapi/API_BatchStopJobRun.html"""
    glue = jobs.aws("glue")
    name = jobs.make("import time; print('up', flush=True); time.sleep(300)", MaxRetries=1)
    run_id = jobs.start(name)
    jobs.wait(name, run_id, ("RUNNING",))
    answer = glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id, "jr_none"])
    assert answer["SuccessfulSubmissions"] == [{"JobName": name, "JobRunId": run_id}]
    assert [error["ErrorDetail"]["ErrorCode"] for error in answer["Errors"]] == ["EntityNotFoundException"]
    run = jobs.wait(name, run_id)
    assert run["JobRunState"] == "STOPPED"
    assert len(glue.get_job_runs(JobName=name)["JobRuns"]) == 1
    again = glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id])
    assert [error["ErrorDetail"]["ErrorCode"] for error in again["Errors"]] == ["InvalidInputException"]
    jobs.rewrite(name, "print('fine')")
    assert jobs.succeed(name) == ["fine"]


@pytest.mark.nightly
@pytest.mark.as_on_aws("Glue jobs")
def test_a_run_over_MaxConcurrentRuns_is_refused_and_other_jobs_still_run(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_ExecutionProperty.html. A trigger's run is FAILED then:
    https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
    """
    glue, mark = jobs.aws("glue"), jobs.unique("mark")
    waiting = jobs.make(WAIT_FOR_MARK.format(bucket=jobs.bucket, key=mark))
    first = jobs.start(waiting)
    with pytest.raises(ClientError) as refused:
        jobs.start(waiting)
    assert refused.value.response["Error"]["Code"] == "ConcurrentRunsExceededException"
    trigger = jobs.unique("trigger")
    glue.create_trigger(Name=trigger, Type="ON_DEMAND", Actions=[{"JobName": waiting}])
    with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
        glue.start_trigger(Name=trigger)
    triggered = glue.get_job_runs(JobName=waiting)["JobRuns"][0]
    assert (triggered["TriggerName"], triggered["JobRunState"]) == (trigger, "FAILED")
    assert triggered["ErrorMessage"] == f"Concurrent runs exceeded for {waiting}"
    assert jobs.succeed(jobs.make("print('beside')")) == ["beside"]
    jobs.put(mark, "go")
    assert jobs.wait(waiting, first)["JobRunState"] == "SUCCEEDED"


@pytest.mark.simplified(
    "Glue jobs", "a waiting run starts when another ends, not at AWS's next try; after 15 minutes it fails"
)
def test_with_job_run_queuing_a_run_over_the_limit_waits_until_it_can_start(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    glue, mark = jobs.aws("glue"), jobs.unique("mark")
    name = jobs.make(WAIT_FOR_MARK.format(bucket=jobs.bucket, key=mark), JobRunQueuingEnabled=True)
    first, second, third = (jobs.start(name) for _ in range(3))
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName=name, JobRunQueuingEnabled=False)
    queued = glue.get_job_run(JobName=name, RunId=second)["JobRun"]
    assert (queued["JobRunState"], queued["StateDetail"]) == ("WAITING", f"Concurrent runs exceeded for {name}")
    assert glue.batch_stop_job_run(JobName=name, JobRunIds=[second])["Errors"] == []
    assert jobs.wait(name, second)["JobRunState"] == "STOPPED"
    jobs.put(mark, "go")
    assert [jobs.wait(name, run_id)["JobRunState"] for run_id in (first, third)] == ["SUCCEEDED", "SUCCEEDED"]


@pytest.mark.nightly
@pytest.mark.simplified("Glue jobs", "AWS does not document this; here the run is stopped")
def test_deleting_a_job_ends_its_run_and_frees_its_name(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_DeleteJob.html"""
    glue = jobs.aws("glue")
    name = jobs.make("import time; print('up', flush=True); time.sleep(300)")
    jobs.wait(name, jobs.start(name), ("RUNNING",))
    definition = glue.get_job(JobName=name)["Job"]
    glue.delete_job(JobName=name)
    glue.create_job(Name=name, Role=definition["Role"], Command=definition["Command"])
    assert glue.get_job_runs(JobName=name)["JobRuns"] == []
    jobs.rewrite(name, "print('anew')")
    assert jobs.succeed(name) == ["anew"]


def test_a_run_does_not_leave_a_spark_context_for_the_next_run(jobs: Any) -> None:
    name = jobs.make(
        """
        from pyspark.context import SparkContext
        from pyspark.sql import SparkSession
        spark = SparkSession(SparkContext(appName="mine"))
        print(spark.catalog.tableExists("left"), spark.range(3).count())
        spark.range(1).createOrReplaceTempView("left")
        """
    )
    assert jobs.succeed(name) == ["False 3"]
    assert jobs.succeed(name) == ["False 3"]


@pytest.mark.as_on_aws("Glue jobs")
@pytest.mark.parametrize("in_workflow", [True, False])
def test_GetJobRun_returns_the_predecessor_runs_on_request(jobs: Any, in_workflow: bool) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-runs.html (Predecessor, GetJobRun)"""
    glue, first, second, name = jobs.aws("glue"), jobs.make(""), jobs.make(""), jobs.unique("flow")
    within = {"WorkflowName": name} if in_workflow else {}
    if in_workflow:
        glue.create_workflow(Name=name)
    glue.create_trigger(Name=f"{name}-start", Type="ON_DEMAND", Actions=[{"JobName": first}], **within)
    ended = {"LogicalOperator": "EQUALS", "JobName": first, "State": "SUCCEEDED"}
    glue.create_trigger(
        Name=f"{name}-then",
        Type="CONDITIONAL",
        StartOnCreation=True,
        Predicate={"Logical": "ANY", "Conditions": [ended]},
        Actions=[{"JobName": second}],
        **within,
    )
    glue.start_trigger(Name=f"{name}-start")
    deadline = time.monotonic() + 60
    while not (runs := glue.get_job_runs(JobName=second)["JobRuns"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    before = glue.get_job_runs(JobName=first)["JobRuns"]

    def predecessors(job: str, run: dict[str, Any], included: bool) -> list[dict[str, str]]:
        asked = glue.get_job_run(JobName=job, RunId=run["Id"], PredecessorsIncluded=included)
        return list(asked["JobRun"]["PredecessorRuns"])

    assert predecessors(second, runs[0], True) == [{"JobName": first, "RunId": before[0]["Id"]}]
    assert predecessors(second, runs[0], False) == []
    assert predecessors(first, before[0], True) == []
    jobs.wait(second, runs[0]["Id"])
