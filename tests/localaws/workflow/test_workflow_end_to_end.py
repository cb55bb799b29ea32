"""A workflow on the whole embedded AWS: a real crawl, then a real job on Spark."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

import localaws

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

# Reads what the crawl found, and tells it by the run's properties: "a job can modify the properties for the next jobs".
SCRIPT = """
import sys
import boto3
from awsglue.context import GlueContext
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

args = getResolvedOptions(sys.argv, ["WORKFLOW_NAME", "WORKFLOW_RUN_ID", "database", "table"])
glue_context = GlueContext(SparkContext.getOrCreate())
frame = glue_context.create_dynamic_frame.from_catalog(database=args["database"], table_name=args["table"])
boto3.client("glue").put_workflow_run_properties(
    Name=args["WORKFLOW_NAME"], RunId=args["WORKFLOW_RUN_ID"], RunProperties={"rows": str(frame.count())}
)
"""

SLOW_SCRIPT = "import time; time.sleep(600)"


@dataclass(frozen=True)
class Pipeline:
    """A bucket, its crawler, a job, and the workflow that runs the one after the other."""

    glue: Any
    s3: Any
    bucket: str
    crawler: str
    job: str
    workflow: str

    def start(self) -> str:
        run_id: str = self.glue.start_workflow_run(Name=self.workflow)["RunId"]
        return run_id

    def run(self, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.glue.get_workflow_run(Name=self.workflow, RunId=run_id, IncludeGraph=True)["Run"]
        return run

    def wait(self, run_id: str, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The run, once `holds(run)`."""
        deadline = time.monotonic() + 180
        while not holds(run := self.run(run_id)):
            assert time.monotonic() < deadline, run
            time.sleep(0.05)
        return run

    def ended(self, run_id: str) -> dict[str, Any]:
        return self.wait(run_id, lambda run: run["Status"] not in ("RUNNING", "STOPPING"))


@pytest.fixture
def make_pipeline(aws: Callable[..., Any], unique: Callable[[str], str]) -> Callable[..., Pipeline]:
    return lambda script, **settings: build(aws, unique, script, **settings)


def build(aws: Callable[..., Any], unique: Callable[[str], str], script: str, **settings: Any) -> Pipeline:
    """The pipeline, made by the API as anybody would make it."""
    glue, s3 = aws("glue"), aws("s3")
    bucket, database, crawler, job, workflow, role = map(unique, ("flow-", "db", "crawler", "job", "flow", "role"))
    make_role(aws("iam"), role)
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="rows/one.json", Body=b'{"id": 1}\n{"id": 2}\n{"id": 3}\n')
    s3.put_object(Bucket=bucket, Key="scripts/job.py", Body=script.encode())
    glue.create_database(DatabaseInput={"Name": database})
    glue.create_crawler(
        Name=crawler, Role=role, DatabaseName=database, Targets={"S3Targets": [{"Path": f"s3://{bucket}/rows/"}]}
    )
    glue.create_job(
        Name=job,
        Role=role,
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/scripts/job.py", "PythonVersion": "3"},
        GlueVersion="5.1",
        WorkerType="G.1X",
        NumberOfWorkers=2,
    )
    glue.create_workflow(Name=workflow, **settings)
    start = {"Name": f"{workflow}-start", "WorkflowName": workflow, "Type": "ON_DEMAND"}
    glue.create_trigger(**start, Actions=[{"CrawlerName": crawler}])
    crawled = {"LogicalOperator": "EQUALS", "CrawlerName": crawler, "CrawlState": "SUCCEEDED"}
    glue.create_trigger(
        Name=f"{workflow}-crawled",
        WorkflowName=workflow,
        Type="CONDITIONAL",
        StartOnCreation=True,
        Predicate={"Logical": "ANY", "Conditions": [crawled]},
        Actions=[{"JobName": job, "Arguments": {"--database": database, "--table": "rows"}}],
    )
    return Pipeline(glue, s3, bucket, crawler, job, workflow)


def make_role(iam: Any, name: str) -> None:
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    everything = {"Effect": "Allow", "Action": ["s3:*", "glue:*", "logs:*"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [everything]}
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(policy))


@pytest.mark.as_on_aws("Glue workflows")
def test_a_job_can_read_and_set_the_properties_of_its_workflow_run(make_pipeline: Callable[..., Pipeline]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflow-run-properties-code.html"""
    pipeline = make_pipeline(SCRIPT)
    run = pipeline.ended(pipeline.start())
    counts = {name: count for name, count in run["Statistics"].items() if count}
    assert (run["Status"], counts) == ("COMPLETED", {"TotalActions": 2, "SucceededActions": 2}), run
    assert run["WorkflowRunProperties"] == {"rows": "3"}

    nodes = {node["Name"]: node for node in run["Graph"]["Nodes"]}
    (crawl,) = nodes[pipeline.crawler]["CrawlerDetails"]["Crawls"]
    (history,) = pipeline.glue.list_crawls(CrawlerName=pipeline.crawler)["Crawls"]
    assert (crawl["State"], crawl["StartedOn"]) == ("SUCCEEDED", history["StartTime"])
    (job_run,) = nodes[pipeline.job]["JobDetails"]["JobRuns"]
    assert job_run == pipeline.glue.get_job_run(JobName=pipeline.job, RunId=job_run["Id"])["JobRun"]
    assert job_run["TriggerName"] == f"{pipeline.workflow}-crawled"


def test_a_job_that_raises_leaves_the_run_completed_with_a_failed_action(
    make_pipeline: Callable[..., Pipeline],
) -> None:
    pipeline = make_pipeline("raise ValueError('no such toll')")
    run = pipeline.ended(pipeline.start())
    assert (run["Status"], run["Statistics"]["FailedActions"]) == ("COMPLETED", 1)
    (job_run,) = next(n["JobDetails"]["JobRuns"] for n in run["Graph"]["Nodes"] if n["Type"] == "JOB")
    assert "no such toll" in job_run["ErrorMessage"]


@pytest.mark.as_on_aws("Glue workflows")
def test_stopping_a_workflow_run_ends_its_job(make_pipeline: Callable[..., Pipeline]) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/workflow-stopping.html"""
    pipeline = make_pipeline(SLOW_SCRIPT)
    run_id = pipeline.start()
    pipeline.wait(run_id, lambda run: any(job_runs(run)))
    pipeline.glue.stop_workflow_run(Name=pipeline.workflow, RunId=run_id)
    run = pipeline.ended(run_id)
    assert (run["Status"], run["Statistics"]["StoppedActions"]) == ("STOPPED", 1)
    assert [one["JobRunState"] for one in job_runs(run)] == ["STOPPED"]


def test_a_second_run_over_the_limit_is_refused(make_pipeline: Callable[..., Pipeline]) -> None:
    pipeline = make_pipeline(SLOW_SCRIPT, MaxConcurrentRuns=1)
    run_id = pipeline.start()
    with pytest.raises(pipeline.glue.exceptions.ConcurrentRunsExceededException):
        pipeline.start()
    pipeline.glue.stop_workflow_run(Name=pipeline.workflow, RunId=run_id)
    pipeline.ended(run_id)


def test_a_job_over_its_concurrency_limit_is_a_failed_job_run_that_GetJobRun_returns(
    make_pipeline: Callable[..., Pipeline],
) -> None:
    pipeline = make_pipeline(SLOW_SCRIPT)
    by_hand = pipeline.glue.start_job_run(JobName=pipeline.job)["JobRunId"]
    run = pipeline.ended(pipeline.start())
    assert (run["Status"], run["Statistics"]["FailedActions"]) == ("COMPLETED", 1)
    (job_run,) = job_runs(run)
    assert job_run["ErrorMessage"] == f"Concurrent runs exceeded for {pipeline.job}"
    assert job_run == pipeline.glue.get_job_run(JobName=pipeline.job, RunId=job_run["Id"])["JobRun"]
    pipeline.glue.batch_stop_job_run(JobName=pipeline.job, JobRunIds=[by_hand])


@pytest.mark.nightly
@pytest.mark.simplified(
    "Glue workflows",
    "jobs and crawls that the killed server interrupted are failed at the next start",
)
def test_a_workflow_run_that_the_killed_server_interrupted_ends_after_the_next_start(
    tmp_path: Path, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/resuming-workflow.html"""

    def client(service: str) -> Any:
        at = localaws.status(tmp_path)
        session = boto3.Session(at.access_key_id, at.secret_access_key, region_name=at.region)
        return session.client(service, endpoint_url=at.endpoint_url)

    localaws.start(tmp_path)
    try:
        pipeline = build(client, unique, SLOW_SCRIPT)
        run_id = pipeline.start()
        pipeline.wait(run_id, lambda run: any("Id" in one for one in job_runs(run)))
        pid = localaws.status(tmp_path).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        localaws.start(tmp_path)
        run = pipeline.ended(run_id)
        counts = {name: count for name, count in run["Statistics"].items() if count}
        assert (run["Status"], counts) == ("COMPLETED", {"TotalActions": 2, "SucceededActions": 1, "FailedActions": 1})
        assert [one["JobRunState"] for one in job_runs(run)] == ["FAILED"]
    finally:
        localaws.stop(tmp_path)


def job_runs(run: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for node in run["Graph"]["Nodes"] for one in node.get("JobDetails", {}).get("JobRuns", [])]
