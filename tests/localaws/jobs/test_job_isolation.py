"""A job can't reach the lab's key or files of another run, and none of its processes outlives its run."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import pytest

import localaws
from tests.processes import outliving

LOOKS = """
import glob, json, os, sys
from pyspark.context import SparkContext

def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""

words, files = WORDS, FILES
seen = [path for kind in ("environ", "cmdline") for path in glob.glob(f"/proc/[0-9]*/{kind}")
        if any(word.encode() in read(path) for word in words)]
java = SparkContext()._jvm.System
java = [*dict(java.getenv()).values(), *dict(java.getProperties()).values()]
seen += [value for value in java if any(word in str(value) for word in words)]
held = [os.readlink(path) for path in glob.glob("/proc/self/fd/*") if os.path.lexists(path)]
print(json.dumps({"seen": seen, "files": [path for path in files if read(path)], "held": held, "user": os.getuid()}))
"""
APPENDS = """
import os, sys, tempfile
from pyspark.context import SparkContext
from pyspark.sql import SparkSession

place = sys.argv[sys.argv.index("--place") + 1]
file = os.path.join(tempfile.gettempdir() if place == "default" else place, "NAME")
with open(file, "a") as rows:
    rows.write("row\\n")
print(SparkSession(SparkContext()).read.text(f"file://{file}").count())
"""
DETACHES = """
import os, subprocess, sys
from pyspark.context import SparkContext

SLEEPS = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]

def detach(_=None):
    quiet = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
    return subprocess.Popen(SLEEPS, start_new_session=True, **quiet).pid

reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if child := os.fork():
        os.write(writer, str(child).encode())
        os._exit(0)
    os.closerange(0, 256)
    os.execve(SLEEPS[0], SLEEPS, {})
# Also from where Spark runs functions.
of_spark = SparkContext().parallelize([1], 1).map(detach).collect()
print(detach(), int(os.read(reader, 20)), *of_spark, flush=True)
"""


@pytest.fixture(scope="module")
def protection(stack: localaws.Status) -> localaws.Protection:
    return localaws.protection(stack.home)


def test_no_job_can_read_the_lab_s_own_key_from_a_process_or_from_java(
    jobs: Any, stack: localaws.Status, protection: localaws.Protection
) -> None:
    words = [stack.access_key_id, stack.secret_access_key]
    files = [str(stack.home / name) for name in ("credentials.json", "tls/server.key", "state/iam.pickle")]
    script = LOOKS.replace("WORDS", repr(words)).replace("FILES", repr(files))
    found = json.loads(jobs.succeed(jobs.make(script))[-1])
    assert found["seen"] == []
    assert [held for held in found["held"] if str(stack.home) in held] == []
    if protection.other_user:
        assert found["user"] != os.geteuid()
    if protection.other_user or protection.own_view:
        assert found["files"] == []


def test_each_run_has_its_own_tmp_directory_that_its_spark_also_uses(
    jobs: Any, unique: Any, protection: localaws.Protection
) -> None:
    rows = unique("rows")
    one, other = (jobs.make(APPENDS.replace("NAME", rows)) for _ in range(2))
    for place in ("default", "/tmp") if protection.own_view else ("default",):
        counts = [jobs.succeed(name, place=place)[-1] for name in (one, one, other)]
        assert counts == ["1", "1", "1"]
    assert not os.path.exists(f"/tmp/{rows}")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a process the orphans below it")
def test_a_process_that_a_run_detaches_ends_with_the_run(jobs: Any) -> None:
    pids = [int(word) for word in jobs.succeed(jobs.make(DETACHES))[-1].split()]
    assert len(pids) == 3
    assert outliving(pids) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a process the orphans below it")
def test_a_process_that_a_run_detaches_ends_when_the_run_is_stopped(jobs: Any, aws: Any) -> None:
    name = jobs.make(f"{DETACHES}\nimport time\ntime.sleep(600)\n")
    run_id = jobs.start(name)
    deadline = time.monotonic() + 120
    while not (lines := jobs.log(run_id)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    aws("glue").batch_stop_job_run(JobName=name, JobRunIds=[run_id])
    assert jobs.wait(name, run_id)["JobRunState"] == "STOPPED"
    assert outliving([int(word) for word in lines[-1].split()]) == []


@pytest.mark.as_on_aws("Glue jobs")
def test_a_run_fails_if_its_role_no_longer_trusts_glue(jobs: Any, aws: Any, unique: Any) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/glue-troubleshooting-errors.html"""

    def trust(service: str) -> str:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    role = unique("role")
    aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=trust("glue.amazonaws.com"))
    name = jobs.make("print(1)", Role=role)
    aws("iam").update_assume_role_policy(RoleName=role, PolicyDocument=trust("ec2.amazonaws.com"))
    run = jobs.run(name)
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == (
        f"JobName:{name} and JobRunId:{run['Id']} failed to execute with exception"
        f" Role {role} should be given assume role permissions for Glue Service."
    )
