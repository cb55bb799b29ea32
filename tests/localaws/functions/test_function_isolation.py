"""A function can't reach the lab's key or files of other functions, and none of its processes outlives it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import localaws
from tests.processes import is_running, outliving

Deploy = Callable[..., str]
Call = Callable[..., tuple[Any, dict[str, Any]]]

# Looks for the event's words in what it can read of any process: what it starts with, and what it has open.
LOOKS = """
import glob, os

def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""

def handler(event, context):
    words = [word.encode() for word in event["words"]]
    seen = [path for kind in ("environ", "cmdline") for path in glob.glob(f"/proc/[0-9]*/{kind}")
            if any(word in read(path) for word in words)]
    held = [os.readlink(path) for path in glob.glob("/proc/self/fd/*") if os.path.lexists(path)]
    return {"seen": seen, "files": [path for path in event["files"] if read(path)], "held": held, "user": os.getuid()}
"""
APPENDS = """
import os, tempfile

def handler(event, context):
    with open(os.path.join(event or tempfile.gettempdir(), "NAME"), "a+") as file:
        file.write("row\\n")
        file.seek(0)
        return len(file.readlines())
"""
# Three ways to be rid of one's parent; each child says in the log who it is.
DETACHES = """
import os, subprocess, sys

SLEEPS = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]

def twice(pipe):
    if os.fork() == 0:
        os.setsid()
        child = os.fork()
        if child:
            os.write(pipe, str(child).encode())
            os._exit(0)
        os.closerange(0, 256)
        os.execve(SLEEPS[0], SLEEPS, {})

def handler(event, context):
    quiet = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
    of_session = subprocess.Popen(SLEEPS, start_new_session=True, **quiet)
    in_background = subprocess.run(f"'{SLEEPS[0]}' -S -c 'import time; time.sleep(600)' >/dev/null 2>&1 & echo $!",
                                   shell=True, capture_output=True, text=True).stdout
    reader, writer = os.pipe()
    twice(writer)
    pids = [of_session.pid, int(in_background), int(os.read(reader, 20))]
    if event == "dies":
        print(pids, flush=True)
        os._exit(3)
    return pids
"""


@pytest.fixture(scope="module")
def protection(stack: localaws.Status) -> localaws.Protection:
    return localaws.protection(stack.home)


def test_no_function_can_read_the_lab_s_own_key_from_a_process_or_a_file(
    deploy: Deploy, call: Call, stack: localaws.Status, protection: localaws.Protection
) -> None:
    words = [stack.access_key_id, stack.secret_access_key]
    files = [str(stack.home / name) for name in ("credentials.json", "tls/server.key", "state/iam.pickle")]
    found, _ = call(deploy(LOOKS), {"words": words, "files": files})
    assert found["seen"] == []
    assert [held for held in found["held"] if str(stack.home) in held] == []
    if protection.other_user:
        assert found["user"] != os.geteuid()
    if protection.other_user or protection.own_view:
        assert found["files"] == []


def test_a_lab_that_runs_as_root_runs_functions_as_another_user(
    protection: localaws.Protection,
) -> None:
    if not (protection.other_user or protection.own_view):
        pytest.skip("this system has neither mount namespaces for us nor another user who can run this Python")
    assert protection.other_user == (os.geteuid() == 0)


@pytest.mark.as_on_aws("Lambda")
def test_a_function_has_its_own_tmp_directory_and_keeps_it_while_it_is_warm(
    deploy: Deploy, call: Call, aws: Any
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""
    one, other = deploy(APPENDS), deploy(APPENDS)
    assert [call(one)[0], call(one)[0], call(other)[0]] == [1, 2, 1]
    aws("lambda").update_function_configuration(FunctionName=one, Environment={"Variables": {"NEXT": "environment"}})
    assert call(one)[0] == 1


@pytest.mark.as_on_aws("Lambda")
def test_files_that_functions_write_to_tmp_do_not_appear_in_the_machine_s_tmp(
    deploy: Deploy, call: Call, unique: Callable[[str], str], protection: localaws.Protection
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html"""
    if not protection.own_view:
        pytest.skip("this system gives us no mount namespace: TMPDIR is all that a function has for itself")
    rows = unique("rows")
    one, other = (deploy(APPENDS.replace("NAME", rows)) for _ in range(2))
    for place in ("/tmp", "/var/tmp", "/dev/shm"):
        assert [call(one, place)[0], call(one, place)[0], call(other, place)[0]] == [1, 2, 1]
        assert not Path(place, rows).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a process the orphans below it")
def test_a_process_that_a_function_detaches_ends_with_its_environment(deploy: Deploy, call: Call, aws: Any) -> None:
    name = deploy(DETACHES, Timeout=30)
    pids, _ = call(name)
    assert all(is_running(pid) for pid in pids)
    aws("lambda").delete_function(FunctionName=name)
    assert outliving(pids) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a process the orphans below it")
def test_a_process_that_a_function_detaches_ends_when_the_function_dies(
    deploy: Deploy, call: Call, logged: Any
) -> None:
    name = deploy(DETACHES, Timeout=30)
    error, _ = call(name, "dies")
    assert "exit status 3" in error["errorMessage"]
    line = next(message for message in logged(name, "[") if message.startswith("["))
    assert outliving([int(word) for word in line.strip("[]\n").split(",")]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a process the orphans below it")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_a_function_detaches_ends_with_the_server(
    tmp_path: Path, client_of: Any, make_role: Any, deploy_to: Any, how: signal.Signals
) -> None:
    status = localaws.start(tmp_path)
    try:
        functions = client_of(status, "lambda")
        deploy_to(functions, "f", make_role(client_of(status, "iam"), "r"), DETACHES, Timeout=30)
        answer = functions.invoke(FunctionName="f")["Payload"].read()
        pids = [int(word) for word in answer.decode().strip("[]").split(",")]
        assert all(is_running(pid) for pid in pids)
        assert status.pid is not None
        server = psutil.Process(status.pid)
        server.send_signal(how)
        assert outliving([server, *map(psutil.Process, pids)]) == []
    finally:
        localaws.stop(tmp_path)


def test_a_worker_s_scratch_directory_is_removed_with_the_worker(
    deploy: Deploy, call: Call, aws: Any, stack: localaws.Status
) -> None:
    name = deploy(APPENDS)
    before = set((stack.home / "work" / "functions").glob("*"))
    call(name)
    made = set((stack.home / "work" / "functions").glob("*")) - before
    assert len(made) == 1
    aws("lambda").delete_function(FunctionName=name)
    deadline = time.monotonic() + 10
    while any(directory.exists() for directory in made):
        assert time.monotonic() < deadline
        time.sleep(0.02)
