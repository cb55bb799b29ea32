"""Starting, finding and stopping a lab's server, from outside.

The server holds a lock on a file of its home while it lives, so "does it run" is asked of the kernel, never guessed
from a process id that another program may have by now.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from localaws import health
from localaws.context import ACCOUNT_ID, REGION
from localaws.errors import LocalAwsError, StartFailed
from localaws.home import Home

START_TIMEOUT = 90.0  # seconds; a first start on a slow disk unpacks databases
STOP_TIMEOUT = 20.0
HEALTH_TIMEOUT = 5.0
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class ChildStatus:
    """A process that the server runs."""

    name: str
    pid: int


@dataclass(frozen=True)
class Status:
    """The embedded AWS of one home. `healthy` means that it runs and answers."""

    home: Path
    running: bool
    healthy: bool
    pid: int | None
    endpoint_url: str
    region: str
    account_id: str
    access_key_id: str
    secret_access_key: str
    ca_bundle: Path
    log_file: Path
    enforce_iam: bool
    verify_signatures: bool = True
    children: tuple[ChildStatus, ...] = ()
    ports: tuple[tuple[str, int], ...] = ()
    """The loopback ports that the home keeps: "http", and "redshift:CLUSTER" for each cluster."""


class _ServerProcess(subprocess.Popen[bytes]):
    """A process that is meant to outlive whoever started it: leaving it running is no leak to warn of."""

    def __del__(self) -> None: ...


def start(home: Path | str, *, enforce_iam: bool | None = None, verify_signatures: bool | None = None) -> Status:
    """Start the embedded AWS of `home` and return when it is ready.

    On a sound one this does nothing; one that is locked but doesn't answer is ended and started afresh.
    `enforce_iam` says whether IAM's policies are enforced, and `verify_signatures` whether requests must be signed with
    their key's secret, also by one that runs; without them, the home's last word (at first: yes) holds.

    Raises:
        StartFailed: it did not come up; the message says why and names the log.
    """
    lab = Home.at(home)
    lab.keep_settings(enforce_iam=enforce_iam, verify_signatures=verify_signatures)
    if _locked(lab):
        found = _wait_until_healthy(lab)
        if found.healthy:
            return _agreed(lab, found)
        stop(lab.root)
    # Kept over restarts; chosen here so that a clash is told apart from a slow start.
    lab.port("http")
    lab.credentials()
    reader, writer = os.pipe()
    with lab.log_file.open("ab") as log, os.fdopen(reader, "rb") as answer:
        process = _ServerProcess(
            [sys.executable, "-m", "localaws.server", str(lab.root), str(writer)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=lab.root,
            env=_environment(),
            pass_fds=[writer],
            start_new_session=True,
        )
        os.close(writer)
        try:
            message = _read_answer(answer.fileno(), START_TIMEOUT)
        except BaseException:
            # Interrupted, or too slow: nothing half-started is left behind.
            process.kill()
            process.wait()
            raise
    if message == "ready":
        return status(lab.root)
    process.kill()
    process.wait()
    if message is not None and message.startswith("BlockingIOError"):
        # Another `up` was faster: its server is ours too.
        found = _wait_until_healthy(lab, START_TIMEOUT)
        if found.healthy:
            return found
    if message is None:
        raise StartFailed(lab.root, f"it was not ready after {START_TIMEOUT:.0f} seconds.", lab.log_file)
    raise StartFailed(lab.root, message or "the process ended without a word.", lab.log_file)


def stop(home: Path | str) -> bool:
    """Stop the embedded AWS of `home` and everything it runs; its data stay. False where none ran.

    Raises:
        LocalAwsError: it is still there after being killed.
    """
    lab = Home.at(home)
    if not _locked(lab):
        return False
    process = _process(lab)
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)  # a suspended one could not even hear that
            try:
                process.wait(STOP_TIMEOUT)
            except psutil.TimeoutExpired:
                process.kill()  # the reaper ends its children
                process.wait(STOP_TIMEOUT)
    deadline = time.monotonic() + STOP_TIMEOUT
    while _locked(lab):
        if time.monotonic() > deadline:
            raise LocalAwsError(f"The server of {lab.root} does not end. Look at {lab.log_file}")
        time.sleep(0.05)
    lab.server_file.unlink(missing_ok=True)
    return True


def status(home: Path | str) -> Status:
    """What runs in `home`, without changing it."""
    lab = Home.at(home)
    running = _locked(lab)
    found = _health(lab) if running else None
    credentials = lab.credentials()
    return Status(
        home=lab.root,
        running=running,
        healthy=found is not None,
        pid=found["pid"] if found else None,
        endpoint_url=f"http://127.0.0.1:{lab.port('http')}",
        region=found["region"] if found else REGION,
        account_id=found["account_id"] if found else ACCOUNT_ID,
        access_key_id=credentials.access_key_id,
        secret_access_key=credentials.secret_access_key,
        ca_bundle=lab.ca_bundle,
        log_file=lab.log_file,
        enforce_iam=found["enforce_iam"] if found else lab.enforces_iam,
        verify_signatures=found["verify_signatures"] if found else lab.verifies_signatures,
        children=tuple(ChildStatus(**child) for child in found["children"]) if found else (),
        ports=tuple(lab.ports().items()),
    )


def wipe(home: Path | str) -> None:
    """Stop the embedded AWS of `home` and forget its data: objects, catalog, runs, rows, logs, ports.

    Raises:
        LocalAwsError: it does not stop.
    """
    stop(home)
    lab = Home.at(home)
    for directory in (lab.state, lab.objects, lab.clusters, lab.work, lab.cache, lab.tls, lab.logs):
        shutil.rmtree(directory, ignore_errors=True)
    for name in ("ports.json", "credentials.json", "settings.json"):
        (lab.root / name).unlink(missing_ok=True)


def _agreed(lab: Home, found: Status) -> Status:
    """The status of a server that runs, once it does as the home's settings say."""
    deadline = time.monotonic() + HEALTH_TIMEOUT
    wanted = (lab.enforces_iam, lab.verifies_signatures)
    if (found.enforce_iam, found.verify_signatures) != wanted and found.pid is not None:
        os.kill(found.pid, signal.SIGHUP)
    while (found.enforce_iam, found.verify_signatures) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
        found = status(lab.root)
    return found


def _locked(lab: Home) -> bool:
    with lab.lock_file.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _process(lab: Home) -> psutil.Process | None:
    """The process that holds the home's lock."""
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        if "localaws.server" in command and str(lab.root) in command:
            return process
    return None


def _health(lab: Home) -> dict[str, Any] | None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{lab.port('http')}{health.PATH}",
        headers={health.HEADER: health.proof(lab.credentials().secret_access_key)},
    )
    try:
        with _NO_PROXY.open(request, timeout=HEALTH_TIMEOUT) as response:
            found: dict[str, Any] = json.load(response)
    except (OSError, ValueError):
        return None
    return found if "pid" in found else None  # else another lab's server has the port


def _wait_until_healthy(lab: Home, timeout: float | None = None) -> Status:
    """The status, once the server that holds the lock has finished starting."""
    deadline = time.monotonic() + (HEALTH_TIMEOUT if timeout is None else timeout)
    while True:
        found = status(lab.root)
        if (found.healthy and lab.server_file.exists()) or not found.running or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def _read_answer(descriptor: int, timeout: float) -> str | None:
    """All that the server writes before it closes the pipe; None if it stays silent."""
    deadline = time.monotonic() + timeout
    answer = b""
    while True:
        readable, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            return None
        chunk = os.read(descriptor, 65536)
        if not chunk:
            return answer.decode()
        answer += chunk


def _environment() -> dict[str, str]:
    """The server's environment: the caller's, less what would send its own calls elsewhere."""
    unwanted = ("AWS_", "MOTO_", "PG", "SPARK_", "PYSPARK_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment["PYTHONUNBUFFERED"] = "1"
    # glibc keeps a heap for each of many threads, and what was freed: a tenth of the server's memory.
    environment.setdefault("MALLOC_ARENA_MAX", "2")
    environment.setdefault("MALLOC_TRIM_THRESHOLD_", "131072")
    # The server must be able to import this package wherever it was started from.
    package_root = str(Path(__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH", "")]))
    return environment
