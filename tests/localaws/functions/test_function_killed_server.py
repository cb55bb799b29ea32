"""Events and functions after the server, or a worker, was killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

import localaws

SOURCE = (
    "import boto3, os, time\n"
    "def handler(event, context):\n"
    "    s3 = boto3.client('s3')\n"
    "    s3.put_object(Bucket='marks', Key='begun/' + context.aws_request_id)\n"
    "    time.sleep(event['seconds'])\n"
    "    s3.put_object(Bucket='marks', Key='done/' + context.aws_request_id)\n"
    "    return 'done'\n"
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lab"
    localaws.stop(tmp_path / "lab")


def _clients(status: localaws.Status) -> Callable[[str], Any]:
    session = boto3.Session(status.access_key_id, status.secret_access_key, region_name=status.region)
    return lambda service: session.client(service, endpoint_url=status.endpoint_url)


def _wait_for_key(s3: Any, prefix: str) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = s3.list_objects_v2(Bucket="marks", Prefix=prefix).get("Contents", [])
        if found:
            return str(found[0]["Key"]).removeprefix(prefix)
        time.sleep(0.05)
    raise AssertionError(f"no key starts with {prefix}")


@pytest.mark.as_on_aws("Lambda")
def test_an_accepted_event_runs_again_after_the_server_was_killed_and_no_worker_outlives_it(
    home: Path, make_role: Callable[..., str], deploy_to: Callable[..., None]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html"""
    status = localaws.start(home)
    aws = _clients(status)
    aws("s3").create_bucket(Bucket="marks")
    role = make_role(aws("iam"), "r")
    deploy_to(aws("lambda"), "slow", role, SOURCE, Timeout=60)
    aws("lambda").invoke(FunctionName="slow", InvocationType="Event", Payload=b'{"seconds": 3}')
    request_id = _wait_for_key(aws("s3"), "begun/")
    server = psutil.Process(status.pid)
    workers = [child for child in server.children() if "bootstrap.py" in " ".join(child.cmdline())]
    assert len(workers) == 1
    os.kill(server.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []

    aws = _clients(localaws.start(home))
    assert _wait_for_key(aws("s3"), "done/") == request_id
    answer = aws("lambda").invoke(FunctionName="slow", Payload=b'{"seconds": 0}')
    assert json.loads(answer["Payload"].read()) == "done"


@pytest.mark.as_on_aws("Lambda")
def test_a_worker_killed_at_work_is_an_error_and_the_event_is_tried_again(
    home: Path, make_role: Callable[..., str], deploy_to: Callable[..., None]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
    status = localaws.start(home)
    aws = _clients(status)
    aws("s3").create_bucket(Bucket="marks")
    role = make_role(aws("iam"), "r")
    deploy_to(aws("lambda"), "slow", role, SOURCE, Timeout=60)
    aws("lambda").invoke(FunctionName="slow", InvocationType="Event", Payload=b'{"seconds": 2}')
    request_id = _wait_for_key(aws("s3"), "begun/")
    server = psutil.Process(status.pid)
    for worker in server.children():
        if "bootstrap.py" in " ".join(worker.cmdline()):
            worker.kill()
    assert _wait_for_key(aws("s3"), "done/") == request_id
