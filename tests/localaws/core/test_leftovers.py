"""Processes that outlive their server are found and ended by a start, a stop and a wipe."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

import localaws
from localaws.core import leftovers
from localaws.core.home import Home
from localaws.core.processes import ProcessList
from tests.processes import (
    FIRST_THREAD_ENDS,
    family,
    is_running,
    kill,
    listening,
    outliving,
    wait_for_zombie,
)

LONGEST_START = 60.0
"""Seconds; it is two or three on a quiet machine, also after a kill."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lab"
    localaws.stop(tmp_path / "lab")


def client(status: localaws.Status, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=status.endpoint_url,
        region_name=status.region,
        aws_access_key_id=status.access_key_id,
        aws_secret_access_key=status.secret_access_key,
    )


def make_cluster(status: localaws.Status) -> None:
    redshift = client(status, "redshift")
    redshift.create_cluster(
        ClusterIdentifier="c",
        NodeType="dc2.large",
        MasterUsername="admin",
        MasterUserPassword="Passw0rd!",
        DBName="dev",
    )
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier="c", WaiterConfig={"Delay": 1})


def make_job(status: localaws.Status) -> None:
    """A Glue job, for which a JVM is started."""
    trust = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client(status, "iam").create_role(RoleName="r", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    command = {"Name": "glueetl", "ScriptLocation": "s3://bucket/job.py"}
    client(status, "glue").create_job(Name="j", Role=role, Command=command, GlueVersion="5.1")
    deadline = time.monotonic() + 60
    while not list(status.home.glob("work/glue/*/local/gateway")):
        assert time.monotonic() < deadline, "no JVM"
        time.sleep(0.1)


def query(status: localaws.Status, sql: str) -> list[Any]:
    data = client(status, "redshift-data")
    statement = data.execute_statement(ClusterIdentifier="c", Database="dev", DbUser="admin", Sql=sql)["Id"]
    deadline = time.monotonic() + 60
    while (found := data.describe_statement(Id=statement))["Status"] not in ("FINISHED", "FAILED", "ABORTED"):
        assert time.monotonic() < deadline, found
    assert found["Status"] == "FINISHED", found
    return data.get_statement_result(Id=statement)["Records"] if found["HasResultSet"] else []


def kind(process: psutil.Process) -> str:
    line = process.cmdline()
    if line and (line[0].startswith("postgres:") or line[0].endswith("/postgres")):
        return "PostgreSQL"
    text = " ".join(line)
    return "front" if "redshift.front" in text else "reaper" if "reaper.py" in text else "server"


def kill_all_but(status: localaws.Status, *spared: str) -> list[psutil.Process]:
    """What is spared, when the others are gone."""
    everyone = family(status.pid)
    left = [process for process in everyone if kind(process) in spared]
    # The reaper first: seeing the server die, it ends in no time what it is here to end.
    others = sorted((each for each in everyone if each not in left), key=lambda each: kind(each) != "reaper")
    kill(others)
    assert outliving(others) == []
    return left


@pytest.mark.parametrize(
    "spared",
    [
        ("PostgreSQL", "front"),
        *(pytest.param((one,), marks=pytest.mark.nightly) for one in ("PostgreSQL", "front", "reaper")),
    ],
)
def test_a_start_ends_leftover_processes_and_is_as_fast_and_complete_as_any_other(
    home: Path, spared: tuple[str, ...]
) -> None:
    first = localaws.start(home)
    make_cluster(first)
    query(first, "create table kept (a int)")
    query(first, "insert into kept values (7)")
    everyone = family(first.pid)
    left = kill_all_but(first, *spared)

    began = time.monotonic()
    second = localaws.start(home)
    assert time.monotonic() - began < LONGEST_START
    assert second.problems == ()
    assert outliving(left) == []
    assert query(second, "select a from kept") == [[{"longValue": 7}]]

    everyone += family(second.pid)
    listened = listening(everyone)
    assert localaws.stop(home).server
    assert outliving(everyone) == []
    for address in listened:
        with socket.socket() as probe:
            assert probe.connect_ex(address) != 0


@pytest.mark.parametrize("wipe", [pytest.param(False, marks=pytest.mark.nightly), True])
def test_a_stop_and_a_wipe_end_leftover_processes_and_report_them(home: Path, wipe: bool) -> None:
    first = localaws.start(home)
    make_cluster(first)
    left = kill_all_but(first, "PostgreSQL", "front")
    assert {process.name for process in localaws.status(home).left_over} == {"PostgreSQL", "redshift-c-front"}
    stopped = localaws.wipe(home) if wipe else localaws.stop(home)
    assert not stopped.server
    assert {process.name for process in stopped.left_over} == {"PostgreSQL", "redshift-c-front"}
    assert outliving(left) == []
    assert not localaws.stop(home)
    assert home.exists() is not wipe


@pytest.mark.skipif(FIRST_THREAD_ENDS is None, reason="a call of Linux")
def test_a_process_counts_as_running_while_one_of_its_threads_runs() -> None:
    assert FIRST_THREAD_ENDS is not None
    process = psutil.Popen([sys.executable, "-c", FIRST_THREAD_ENDS], stdin=subprocess.PIPE)
    wait_for_zombie(process)
    assert is_running(process)
    process.stdin.close()
    assert outliving([process]) == []
    process.wait()


def test_leftover_processes_are_found_by_their_data_and_command_line_without_a_process_list(home: Path) -> None:
    first = localaws.start(home)
    make_cluster(first)
    left = kill_all_but(first, "PostgreSQL", "front")
    Home.of(home).process_list.unlink()
    assert {process.name for process in localaws.stop(home).left_over} == {"PostgreSQL", "front"}
    assert outliving(left) == []


def test_a_server_whose_home_directory_was_removed_is_ended(home: Path) -> None:
    everyone = family(localaws.start(home).pid)
    shutil.rmtree(home)
    assert "server" in {process.name for process in localaws.wipe(home).left_over}
    assert outliving(everyone) == []


def test_a_program_that_reuses_the_process_id_of_an_ended_process_is_left_alone(home: Path) -> None:
    lab = Home.at(home)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        lab.process_list.write_text(f"+ {other.pid} 12345 postgres-c\n+ {other.pid}\nx\n")
        (lab.clusters / "c" / "data").mkdir(parents=True)
        (lab.clusters / "c" / "data" / "postmaster.pid").write_text(f"{other.pid}\n")
        assert leftovers.end(lab) == []
        assert is_running(other.pid)
        ProcessList(lab.process_list).add(other.pid, "one of ours")
        assert leftovers.end(lab) == [localaws.LeftOver("one of ours", other.pid)]
        assert not is_running(other.pid)


def test_children_of_a_listed_process_are_ended_even_if_the_process_itself_has_ended(home: Path) -> None:
    lab = Home.at(home)
    script = "import subprocess, sys; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as leader:
        assert leader.stdout is not None
        child = int(leader.stdout.readline())
        ProcessList(lab.process_list).add(leader.pid, "leader")
        leader.kill()
        leader.wait()
        assert leftovers.end(lab) == [localaws.LeftOver("leader", child)]
        assert outliving([child]) == []


@pytest.mark.nightly
def test_a_cluster_whose_port_is_taken_is_reported_and_starts_when_the_port_is_free(home: Path) -> None:
    first = localaws.start(home)
    make_cluster(first)
    port = dict(localaws.status(home).ports)["redshift:c"]
    localaws.stop(home)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        for _ in range(2):
            (problem,) = localaws.start(home).problems
            assert problem.what == "Redshift cluster c"
            assert f"Port {port}" in problem.why
            assert "labkit up" in problem.why
    healed = localaws.start(home)
    assert healed.problems == ()
    assert query(healed, "select 1 as a") == [[{"longValue": 1}]]


def test_reading_the_status_changes_nothing(home: Path) -> None:
    status = localaws.status(home)
    assert not status.running
    assert not localaws.stop(home)
    assert not localaws.wipe(home)
    assert not home.exists()


def test_a_directory_without_a_lab_is_not_wiped(home: Path) -> None:
    (home / "work").mkdir(parents=True)
    (home / "work" / "mine").write_text("")
    assert not localaws.wipe(home).wiped
    assert (home / "work" / "mine").exists()


EVERYTHING = """
import json, sys, os
from pathlib import Path
sys.path.insert(0, {root!r})
import localaws
from tests.localaws.core.test_leftovers import client, kill_all_but, make_cluster, make_job, query

def seen():
    places = [Path(place) for place in ("/tmp", "/var/tmp", "/dev/shm", os.environ["HOME"])]
    memory = Path("/proc/sysvipc/shm").read_text().splitlines()
    return [*memory, *(str(file) for place in places for file in place.rglob("*"))]

before, home = seen(), Path("/tmp/lab")
for kills in (False, True):
    status = localaws.start(home)
    make_cluster(status)
    query(status, "select 1 as a")
    client(status, "s3").create_bucket(Bucket="bucket")
    make_job(status)
    if kills:
        kill_all_but(status)
    localaws.wipe(home)
    print(json.dumps(sorted(set(seen()) - set(before))))
"""


@pytest.mark.nightly
@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs a /tmp of its own")
def test_a_wipe_leaves_no_files_anywhere(root: Path, tmp_path: Path) -> None:
    script = tmp_path / "everything.py"
    script.write_text(EVERYTHING.format(root=str(root)))
    inside = (
        f"exec 3<{script}; for place in /tmp /var/tmp /dev/shm; do mount -t tmpfs none $place || exit 77; done; "
        f"mkdir /tmp/home; HOME=/tmp/home exec {sys.executable} -B /dev/fd/3"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--ipc", "sh", "-c", inside], capture_output=True, text=True, timeout=240, check=False
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this system does not allow mounts")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [[], []]
