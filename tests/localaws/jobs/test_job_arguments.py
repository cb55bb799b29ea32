"""A job's arguments: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest


@pytest.mark.as_on_aws("Glue jobs")
def test_a_script_gets_the_runs_arguments_over_the_jobs_defaults_and_those_that_cannot_be_overridden_over_both(
    jobs: Any,
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html; Glue adds its own."""
    name = jobs.make(
        "import sys; print(__name__, sys.argv[1:])",
        arguments={"--color": "red", "--size": "1", "--fixed": "default"},
        NonOverridableArguments={"--fixed": "fixed"},
        Timeout=3,
    )
    started = jobs.aws("glue").start_job_run(
        JobName=name, Arguments={"--size": "2", "--fixed": "mine", "--JOB_NAME": "mine"}, Timeout=2
    )
    run = jobs.wait(name, started["JobRunId"])
    (line,) = jobs.log(run["Id"])
    words = eval(line.removeprefix("__main__ "))
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given == {
        "--TempDir": f"s3://{jobs.bucket}/temp/",
        "--color": "red",
        "--size": "2",
        "--fixed": "fixed",
        "--JOB_NAME": name,
        "--JOB_RUN_ID": run["Id"],
        "--JOB_ID": given["--JOB_ID"],
        "--job-bookmark-option": "job-bookmark-disable",
    }
    assert (run["JobRunState"], run["Attempt"], run["Timeout"], run["GlueVersion"]) == ("SUCCEEDED", 0, 2, "5.1")
    assert run["StartedOn"] <= run["CompletedOn"]
    assert "ErrorMessage" not in run


@pytest.mark.as_on_aws("Glue jobs")
def test_extra_py_files_from_s3_can_be_imported_in_the_script_and_in_sparks_workers(jobs: Any, preamble: str) -> None:
    """One .py and one .zip: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html"""
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


@pytest.mark.simplified("Glue jobs", "memory and cores are the machine's, whatever the configuration says")
def test_a_run_has_its_script_its_files_and_its_spark_configuration_from_its_arguments(jobs: Any) -> None:
    """--scriptLocation, --extra-files and --conf, for this run only:
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
    """
    name = jobs.make("raise SystemExit('the wrong script')", arguments={"--a": "b"})
    jobs.put("other/settings.json", "a setting")
    jobs.put(
        "other/script.py",
        "from pyspark.context import SparkContext\nconf = SparkContext().getConf()\n"
        "print(open('settings.json').read(), conf.get('spark.mine', 'no'), conf.get('spark.sql.session.timeZone'))\n",
    )
    arguments = {
        "--scriptLocation": f"s3://{jobs.bucket}/other/script.py",
        "--extra-files": f"s3://{jobs.bucket}/other/settings.json",
    }
    conf = {"--conf": "spark.mine=1 --conf spark.sql.session.timeZone=Asia/Tokyo"}
    glue = jobs.aws("glue")
    for given, printed in ((conf, "a setting 1 Asia/Tokyo"), ({}, "a setting no None")):
        run = jobs.wait(name, glue.start_job_run(JobName=name, Arguments={**arguments, **given})["JobRunId"])
        assert jobs.log(run["Id"]) == [printed], run
    with pytest.raises(glue.exceptions.InvalidInputException, match=r"--conf takes spark\.name=value"):
        glue.start_job_run(JobName=name, Arguments={"--conf": "timeZone=UTC"})


@pytest.mark.simplified("Glue jobs", "the message is not AWS's")
def test_a_run_of_a_job_whose_connection_is_gone_fails(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/glue-troubleshooting-errors.html"""
    name = jobs.make("print(1)", Connections={"Connections": ["no-such-connection"]})
    run = jobs.run(name)
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "EntityNotFoundException: Connection no-such-connection not found."
