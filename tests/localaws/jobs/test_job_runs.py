"""A run from its start to its end: arguments, states, messages, logs, attempts, stop, limits."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

WAIT_FOR_MARK = """
import boto3, time
from botocore.exceptions import ClientError
deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    try:
        boto3.client("s3").head_object(Bucket="{bucket}", Key="{key}")
        break
    except ClientError:
        time.sleep(0.05)
"""


def test_a_script_runs_with_the_arguments_that_glue_gives(jobs: Any) -> None:
    name = jobs.make(
        "import sys; print(__name__, sys.argv[1:])", arguments={"--color": "red", "--size": "1"}, Timeout=3
    )
    run = jobs.run(name, size="2")
    (line,) = jobs.log(run["Id"])
    words = eval(line.removeprefix("__main__ "))
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given == {
        "--TempDir": f"s3://{jobs.bucket}/temp/",
        "--color": "red",
        "--size": "2",
        "--JOB_NAME": name,
        "--JOB_RUN_ID": run["Id"],
        "--JOB_ID": given["--JOB_ID"],
        "--job-bookmark-option": "job-bookmark-disable",
    }
    assert run["JobRunState"] == "SUCCEEDED"
    assert (run["Attempt"], run["Timeout"], run["GlueVersion"]) == (0, 3, "5.1")
    assert run["StartedOn"] <= run["CompletedOn"]
    assert "ErrorMessage" not in run


def test_what_a_job_says_cannot_be_overridden_is_not(jobs: Any) -> None:
    name = jobs.make("import sys; print('--color red' in ' '.join(sys.argv))")
    command = jobs.aws("glue").get_job(JobName=name)["Job"]["Command"]
    update = {"Role": "JobsTestsGlueRole", "Command": command, "NonOverridableArguments": {"--color": "red"}}
    jobs.aws("glue").update_job(JobName=name, JobUpdate=update)
    assert jobs.succeed(name, color="blue") == ["True"]


def test_a_script_that_raises_is_failed_with_its_message_and_its_traceback_in_the_error_log(jobs: Any) -> None:
    name = jobs.make("print('before')\ndef load():\n    raise ValueError('no such booth')\nload()\n")
    run = jobs.run(name)
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: no such booth")
    assert jobs.log(run["Id"]) == ["before"]
    error_log = jobs.log(run["Id"], "error")
    assert error_log[0] == "Traceback (most recent call last):"
    assert "in load" in "".join(error_log)
    assert error_log[-1] == "ValueError: no such booth"
    assert "worker.py" not in "".join(error_log)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import labkit", "ModuleNotFoundError: No module named 'labkit'"),
        ("import localaws", "ModuleNotFoundError: No module named 'localaws'"),
        ("import faker", "ModuleNotFoundError: No module named 'faker'"),
        ("def broken(:", "SyntaxError: invalid syntax"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("from awsglue.transforms import Relationalize", "awsglue.transforms.Relationalize is not supported"),
        ("import os; os._exit(0)", "ended in the middle of the run"),
    ],
)
def test_a_script_that_cannot_succeed_here_says_why(jobs: Any, script: str, message: str) -> None:
    run = jobs.run(jobs.make(script))
    assert run["JobRunState"] == "FAILED"
    assert message in run["ErrorMessage"]


def test_leaving_with_status_0_is_a_success(jobs: Any) -> None:
    assert jobs.succeed(jobs.make("import sys; print('done'); sys.exit(0)")) == ["done"]


def test_a_script_that_is_not_there_fails_the_run_by_name(jobs: Any) -> None:
    name = jobs.make("print(1)")
    jobs.aws("s3").delete_object(Bucket=jobs.bucket, Key=f"scripts/{name}.py")
    run = jobs.run(name)
    assert run["JobRunState"] == "FAILED"
    assert f"s3://{jobs.bucket}/scripts/{name}.py is not there" in run["ErrorMessage"]


def test_a_failed_run_is_tried_again_as_often_as_the_job_says(jobs: Any) -> None:
    name = jobs.make("raise RuntimeError('again')", MaxRetries=2)
    first = jobs.run(name)
    jobs.wait(name, f"{first['Id']}_attempt_1")
    last = jobs.wait(name, f"{first['Id']}_attempt_2")
    runs = jobs.aws("glue").get_job_runs(JobName=name)["JobRuns"]
    assert [(run["Attempt"], run["JobRunState"]) for run in runs] == [(2, "FAILED"), (1, "FAILED"), (0, "FAILED")]
    assert last["PreviousRunId"] == f"{first['Id']}_attempt_1"


def test_a_running_job_is_stopped_for_real_and_the_next_run_works(jobs: Any) -> None:
    name = jobs.make("import time; print('up', flush=True); time.sleep(300)", MaxRetries=1)
    run_id = jobs.start(name)
    jobs.wait(name, run_id, ("RUNNING",))
    answer = jobs.aws("glue").batch_stop_job_run(JobName=name, JobRunIds=[run_id, "jr_none"])
    assert answer["SuccessfulSubmissions"] == [{"JobName": name, "JobRunId": run_id}]
    assert [error["ErrorDetail"]["ErrorCode"] for error in answer["Errors"]] == ["EntityNotFoundException"]
    run = jobs.wait(name, run_id)
    assert run["JobRunState"] == "STOPPED"
    assert len(jobs.aws("glue").get_job_runs(JobName=name)["JobRuns"]) == 1
    again = jobs.aws("glue").batch_stop_job_run(JobName=name, JobRunIds=[run_id])
    assert [error["ErrorDetail"]["ErrorCode"] for error in again["Errors"]] == ["InvalidInputException"]
    jobs.rewrite(name, "print('fine')")
    assert jobs.succeed(name) == ["fine"]


def test_one_run_too_many_is_refused_and_a_second_job_runs_beside_the_first(jobs: Any) -> None:
    mark = jobs.unique("mark")
    waiting = jobs.make(WAIT_FOR_MARK.format(bucket=jobs.bucket, key=mark))
    first = jobs.start(waiting)
    with pytest.raises(ClientError) as refused:
        jobs.start(waiting)
    assert refused.value.response["Error"]["Code"] == "ConcurrentRunsExceededException"
    assert jobs.succeed(jobs.make("print('beside')")) == ["beside"]
    jobs.put(mark, "go")
    assert jobs.wait(waiting, first)["JobRunState"] == "SUCCEEDED"


def test_declared_modules_can_be_imported_in_the_script_and_in_sparks_workers(jobs: Any, preamble: str) -> None:
    jobs.put("modules/one.py", "def double(n): return 2 * n\n")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("two/__init__.py", "def triple(n): return 3 * n\n")
    jobs.put("modules/two.zip", archive.getvalue())
    script = preamble + (
        "import one, two\n"
        "frame = DynamicFrame.fromDF(spark.range(5), glueContext, 'f')\n"
        "mapped = frame.map(lambda row: {'n': two.triple(one.double(row['id']))})\n"
        "print(sorted(row['n'] for row in mapped.toDF().collect()))"
    )
    files = f"s3://{jobs.bucket}/modules/one.py,s3://{jobs.bucket}/modules/two.zip"
    assert jobs.succeed(jobs.make(script, arguments={"--extra-py-files": files})) == ["[0, 6, 12, 18, 24]"]


def test_a_run_leaves_no_spark_context_behind_for_the_next(jobs: Any) -> None:
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"GlueVersion": "4.0"}, "GlueVersion 4.0 is not supported"),
        ({"Command": {"Name": "pythonshell", "ScriptLocation": "s3://b/k"}}, "pythonshell"),
        ({"Command": {"Name": "glueetl", "ScriptLocation": "/tmp/x.py"}}, "ScriptLocation"),
        ({"WorkerType": "G.1X"}, "Number of Workers"),
        ({"WorkerType": "G.1X", "NumberOfWorkers": 3, "MaxCapacity": 3.0}, "Max Capacity"),
        ({"WorkerType": "Standard", "NumberOfWorkers": 3}, "Worker Type Standard"),
        ({"MaxRetries": 11}, "MaxRetries"),
        ({"ExecutionProperty": {"MaxConcurrentRuns": 0}}, "MaxConcurrentRuns"),
        ({"DefaultArguments": {"--extra-jars": "s3://b/x.jar"}}, "--extra-jars is not supported"),
        ({"DefaultArguments": {"--job-bookmark-option": "yes"}}, "--job-bookmark-option"),
        ({"JobRunQueuingEnabled": True}, "JobRunQueuingEnabled"),
    ],
)
def test_a_job_that_cannot_run_is_refused_by_name(jobs: Any, change: dict[str, Any], message: str) -> None:
    request = {
        "Name": "n",
        "Role": "JobsTestsGlueRole",
        "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/k"},
        **change,
    }
    with pytest.raises(ClientError, match=message) as refused:
        jobs.aws("glue").create_job(**request)
    assert refused.value.response["Error"]["Code"] == "InvalidInputException"


def test_a_job_can_be_described_listed_updated_and_deleted(jobs: Any) -> None:
    glue = jobs.aws("glue")
    name = jobs.make("print(1)", WorkerType="G.1X", NumberOfWorkers=3, Description="old", Tags={"lab": "x"})
    job = glue.get_job(JobName=name)["Job"]
    assert (job["MaxCapacity"], job["GlueVersion"], job["Timeout"], job["MaxRetries"]) == (3.0, "5.1", 480, 0)
    assert name in glue.list_jobs(Tags={"lab": "x"})["JobNames"]
    assert name in [job["Name"] for job in glue.get_jobs()["Jobs"]]
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_job(Name=name, Role=job["Role"], Command=job["Command"])
    glue.update_job(JobName=name, JobUpdate={"Role": job["Role"], "Command": job["Command"], "MaxRetries": 1})
    job = glue.get_job(JobName=name)["Job"]
    assert (job["Role"], job["MaxRetries"], job.get("Description"), job["DefaultArguments"]) == (
        "JobsTestsGlueRole",
        1,
        None,
        {},
    )
    assert glue.delete_job(JobName=name)["JobName"] == name
    assert glue.delete_job(JobName=name)["JobName"] == name
    for call in (
        lambda: glue.get_job(JobName=name),
        lambda: glue.start_job_run(JobName=name),
        lambda: glue.update_job(JobName=name, JobUpdate={"Role": job["Role"], "Command": job["Command"]}),
        lambda: glue.get_job_bookmark(JobName=name),
    ):
        _refused(call, glue)


def _refused(call: Callable[[], Any], glue: Any) -> None:
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        call()
