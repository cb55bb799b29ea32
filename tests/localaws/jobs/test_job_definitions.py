"""Which job definitions are valid: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "JobsTestsGlueRole"
COMMAND = {"Name": "glueetl", "ScriptLocation": "s3://b/k"}


def refused(call: Callable[[], Any], code: str = "InvalidInputException") -> str:
    """The message with which `call` is refused."""
    with pytest.raises(ClientError) as refusal:
        call()
    assert refusal.value.response["Error"]["Code"] == code
    return str(refusal.value.response["Error"]["Message"])


def create(jobs: Any, **settings: Any) -> Any:
    """CreateJob of a job that could be, but for `settings`."""
    return jobs.aws("glue").create_job(**{"Name": jobs.unique("job"), "Role": ROLE, "Command": COMMAND, **settings})


@pytest.mark.as_on_aws("Glue jobs")
def test_a_job_has_the_defaults_of_its_glue_version(jobs: Any) -> None:
    """Glue 5.1, 480 minutes, no retries, one run at a time.

    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html
    """
    name = jobs.make("print(1)", WorkerType="G.1X", NumberOfWorkers=3)
    job = jobs.aws("glue").get_job(JobName=name)["Job"]
    assert (job["GlueVersion"], job["Timeout"], job["MaxRetries"]) == ("5.1", 480, 0)
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert (job["MaxCapacity"], job["JobMode"], job["ExecutionClass"]) == (3.0, "SCRIPT", "STANDARD")


@pytest.mark.as_on_aws("Glue jobs")
def test_CreateJob_and_UpdateJob_need_a_role_that_glue_can_assume(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/glue-troubleshooting-errors.html"""
    stranger = jobs.unique("stranger")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = jobs.aws("iam").create_role(RoleName=stranger, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    wanted = "should be given assume role permissions for Glue Service."
    assert refused(lambda: create(jobs, Role=arn)) == f"Role {arn} {wanted}"
    assert refused(lambda: create(jobs, Role="nobody")) == f"Role nobody {wanted}"
    name = jobs.make("print(1)")
    update = {"Role": "nobody", "Command": COMMAND}
    assert wanted in refused(lambda: jobs.aws("glue").update_job(JobName=name, JobUpdate=update))


@pytest.mark.as_on_aws("Glue jobs")
def test_UpdateJob_replaces_the_whole_definition(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateJob.html: "completely overwritten"."""
    glue = jobs.aws("glue")
    name = jobs.make("print(1)", Description="old", arguments={"--a": "1"})
    glue.update_job(JobName=name, JobUpdate={"Role": ROLE, "Command": COMMAND, "MaxRetries": 1})
    job = glue.get_job(JobName=name)["Job"]
    assert (job["MaxRetries"], job.get("Description"), job["DefaultArguments"]) == (1, None, {})


@pytest.mark.as_on_aws("Glue jobs")
def test_DeleteJob_does_not_fail_for_a_missing_job_and_other_calls_do(jobs: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_DeleteJob.html: "no exception is thrown"."""
    glue = jobs.aws("glue")
    name = jobs.make("print(1)", Tags={"lab": "x"})
    assert refused(lambda: create(jobs, Name=name), "AlreadyExistsException")
    assert name in glue.list_jobs(Tags={"lab": "x"})["JobNames"]
    pages = glue.get_paginator("get_jobs").paginate()
    assert name in [job["Name"] for page in pages for job in page["Jobs"]]
    both = glue.batch_get_jobs(JobNames=[name, "nobody"])
    assert ([job["Name"] for job in both["Jobs"]], both["JobsNotFound"]) == ([name], ["nobody"])
    assert glue.delete_job(JobName=name)["JobName"] == name
    assert glue.delete_job(JobName=name)["JobName"] == name
    update = {"Role": ROLE, "Command": COMMAND}
    for call in (
        lambda: glue.get_job(JobName=name),
        lambda: glue.start_job_run(JobName=name),
        lambda: glue.get_job_runs(JobName=name),
        lambda: glue.update_job(JobName=name, JobUpdate=update),
        lambda: glue.get_job_bookmark(JobName=name),
        lambda: glue.reset_job_bookmark(JobName=name),
    ):
        refused(call, "EntityNotFoundException")


@pytest.mark.as_on_aws("Glue jobs")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Command": {"Name": "glueetl", "ScriptLocation": "/tmp/x.py"}}, "ScriptLocation"),
        ({"WorkerType": "G.1X"}, "Number of Workers"),
        ({"WorkerType": "G.1X", "NumberOfWorkers": 3, "MaxCapacity": 3.0}, "Max Capacity"),
        ({"WorkerType": "Standard", "NumberOfWorkers": 3}, "Worker Type Standard"),
        ({"MaxRetries": 11}, "MaxRetries"),
        ({"Timeout": 10081}, "10080"),
        ({"ExecutionProperty": {"MaxConcurrentRuns": 0}}, "MaxConcurrentRuns"),
        ({"DefaultArguments": {"--job-bookmark-option": "yes"}}, "--job-bookmark-option"),
        ({"DefaultArguments": {"--job-bookmark-from": "jr_1"}}, "given together"),
        ({"DefaultArguments": {"--custom-logGroup-prefix": "a:b"}}, "neither ':' nor"),
        ({"DefaultArguments": {"--a": "x" * 266_241}}, "260 KB"),
        ({"JobRunQueuingEnabled": True, "MaxRetries": 1}, "queuing"),
        ({"JobRunQueuingEnabled": True, "ExecutionClass": "FLEX"}, "queuing"),
    ],
)
def test_an_invalid_job_definition_is_refused(jobs: Any, change: dict[str, Any], message: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html and, for arguments,
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
    """
    assert message in refused(lambda: create(jobs, **change))


@pytest.mark.parametrize("length", [255, 256])
def test_a_job_name_has_at_most_255_characters(jobs: Any, length: int) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_CreateJob.html"""
    name = jobs.unique("job").ljust(length, "n")
    if length > 255:
        message = refused(lambda: create(jobs, Name=name), "ValidationException")
        assert "length less than or equal to 255" in message
    else:
        assert create(jobs, Name=name)["Name"] == name


@pytest.mark.refused("Glue jobs")
@pytest.mark.parametrize(
    "change",
    [
        {"GlueVersion": "4.0"},
        {"GlueVersion": "6.0"},
        {"Command": {"Name": "pythonshell", "ScriptLocation": "s3://b/k"}},
        {"Command": {"Name": "gluestreaming", "ScriptLocation": "s3://b/k"}},
        {"Command": {"Name": "glueray", "ScriptLocation": "s3://b/k"}},
        {"MaintenanceWindow": "Sun:10"},
    ],
)
def test_other_glue_versions_and_jobs_other_than_spark_batch_jobs_are_refused(
    jobs: Any, change: dict[str, Any]
) -> None:
    assert "not supported by the embedded AWS" in refused(lambda: create(jobs, **change))


@pytest.mark.refused("Glue jobs")
@pytest.mark.parametrize(
    "argument",
    [
        {"--extra-jars": "s3://b/x.jar"},
        {"--datalake-formats": "iceberg"},
        {"--job-language": "scala"},
        {"--customer-driver-env-vars": "CUSTOMER_A=1"},
        {"--enable-lakeformation-fine-grained-access": "true"},
        {"--extra-py-files": "s3://b/x.py,s3://aws-glue-studio-transforms-1-prod-us-east-1/gs_split.py"},
        {"--additional-python-modules": "scikit-learn==1.5.0"},
        {"--additional-python-modules": "numpy==0.1"},
        {"--additional-python-modules": "s3://b/wheel.whl"},
    ],
    ids=lambda argument: "".join(argument),
)
def test_arguments_for_jars_table_formats_scala_and_python_modules_to_install_are_refused(
    jobs: Any, argument: dict[str, str]
) -> None:
    ((name, value),) = argument.items()
    name = "gs_split.py" if "gs_" in value else name
    assert name in (message := refused(lambda: create(jobs, DefaultArguments=argument)))
    assert "not supported by the embedded AWS" in message
    create(jobs, DefaultArguments={"--additional-python-modules": "numpy, pandas>=1"})
