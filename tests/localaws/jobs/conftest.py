"""Fixtures for tests of jobs: a bucket, jobs made from a script's text, and waiting for runs."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redshift_target import Target, make_target

import localaws.glue.jobs

UNDER_WAY = ("WAITING", "STARTING", "RUNNING", "STOPPING")
ROLE = "JobsTestsGlueRole"
# The beginning of every script that Glue Studio writes.
PREAMBLE = """
import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.job import Job
args = getResolvedOptions(sys.argv, ["JOB_NAME"])
glueContext = GlueContext(SparkContext())
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)
"""


@dataclass
class Jobs:
    """Jobs of one embedded AWS."""

    aws: Callable[..., Any]
    unique: Callable[[str], str]
    bucket: str

    def make(self, script: str, *, arguments: dict[str, str] | None = None, **settings: Any) -> str:
        """A job that runs `script`; its name."""
        name = self.unique("job")
        key = f"scripts/{name}.py"
        self.put(key, textwrap.dedent(script))
        self.aws("glue").create_job(
            **{
                "Name": name,
                "Role": ROLE,
                "Command": {"Name": "glueetl", "ScriptLocation": f"s3://{self.bucket}/{key}"},
                "DefaultArguments": {"--TempDir": f"s3://{self.bucket}/temp/", **(arguments or {})},
                **settings,
            }
        )
        return name

    def rewrite(self, name: str, script: str) -> None:
        """Put another script in the place of job `name`'s."""
        self.put(f"scripts/{name}.py", textwrap.dedent(script))

    def start(self, name: str, **arguments: str) -> str:
        """Start a run; its id. `name_x="v"` is the argument --name-x."""
        given = {f"--{key.replace('_', '-')}": value for key, value in arguments.items()}
        return str(self.aws("glue").start_job_run(JobName=name, Arguments=given)["JobRunId"])

    def wait(self, name: str, run_id: str, until: Iterable[str] | None = None, limit: float = 120) -> dict[str, Any]:
        """The run, once it has ended, or is in one of the states `until`."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            run: dict[str, Any] = self.aws("glue").get_job_run(JobName=name, RunId=run_id)["JobRun"]
            state = run["JobRunState"]
            if state in until if until else state not in UNDER_WAY:
                return run
            time.sleep(0.03)
        raise AssertionError(f"the run is still {state} after {limit} s")

    def run(self, name: str, **arguments: str) -> dict[str, Any]:
        """Start a run and wait for its end."""
        return self.wait(name, self.start(name, **arguments))

    def succeed(self, name: str, **arguments: str) -> list[str]:
        """What a run that must succeed printed."""
        run = self.run(name, **arguments)
        assert run["JobRunState"] == "SUCCEEDED", (run, self.log(run["Id"], "error"))
        return self.log(run["Id"])

    def log(self, run_id: str, kind: str = "output") -> list[str]:
        """The lines of a run's log."""
        logs = self.aws("logs")
        try:
            answer = logs.get_log_events(
                logGroupName=f"/aws-glue/jobs/{kind}", logStreamName=run_id, startFromHead=True
            )
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in answer["events"]]

    def put(self, key: str, body: str | bytes) -> None:
        """Put an object into the tests' bucket."""
        self.aws("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def objects(self, prefix: str) -> dict[str, str]:
        """The objects under `prefix`, by key."""
        s3 = self.aws("s3")
        found = s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {
            item["Key"]: s3.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read().decode() for item in found
        }

    def table(self, columns: dict[str, str], prefix: str, classification: str = "json", **extra: Any) -> str:
        """A catalog table over `prefix` in the database of the tests; its name."""
        name = self.unique("table")
        self.aws("glue").create_table(
            DatabaseName=self.bucket,
            TableInput={
                "Name": name,
                "Parameters": {"classification": classification},
                "StorageDescriptor": {
                    "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
                    "Location": f"s3://{self.bucket}/{prefix}",
                },
                **extra,
            },
        )
        return name


def make_role(iam: Any) -> None:
    """The role of the tests' jobs: Glue may assume it, and it may do everything."""
    trust = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName=ROLE, PolicyName="everything", PolicyDocument=policy)


@pytest.fixture(scope="session")
def jobs_bucket(aws: Callable[..., Any]) -> str:
    """A bucket, and a Glue database of the same name; and the role that jobs run as."""
    make_role(aws("iam"))
    aws("s3").create_bucket(Bucket="jobs-tests")
    aws("glue").create_database(DatabaseInput={"Name": "jobs-tests"})
    return "jobs-tests"


@pytest.fixture
def jobs(aws: Callable[..., Any], unique: Callable[[str], str], jobs_bucket: str) -> Jobs:
    """Jobs of the embedded AWS of all tests."""
    return Jobs(aws, unique, jobs_bucket)


def json_lines(rows: Iterable[dict[str, Any]]) -> str:
    """`rows`, one JSON object a line."""
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture(name="json_lines")
def _json_lines() -> Callable[[Iterable[dict[str, Any]]], str]:
    return json_lines


@pytest.fixture
def preamble() -> str:
    """What every script of Glue Studio's begins with."""
    return PREAMBLE


@pytest.fixture(scope="session")
def jobs_cluster(aws: Callable[..., Any], stack: Any) -> Iterator[Target]:
    """A Redshift cluster with Glue connections to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(stack.ca_bundle))
        yield make_target(aws)


@pytest.fixture
def jobs_of(unique: Callable[[str], str]) -> Callable[..., Jobs]:
    """`jobs_of(aws, bucket)` is the same for another embedded AWS than the one that all tests share."""

    def make(aws: Callable[..., Any], bucket: str) -> Jobs:
        make_role(aws("iam"))
        aws("s3").create_bucket(Bucket=bucket)
        return Jobs(aws, unique, bucket)

    return make


@pytest.fixture(scope="module")
def awsglue() -> Iterator[None]:
    """The local ``awsglue`` can be imported in the tests' own process."""
    runtime = str(Path(localaws.glue.jobs.__file__).with_name("runtime"))
    sys.path.insert(0, runtime)
    yield
    sys.path.remove(runtime)
    for name in [name for name in sys.modules if name.partition(".")[0] == "awsglue"]:
        del sys.modules[name]
