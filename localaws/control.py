"""Start, find and stop a lab's server, from another process.

While it runs, the server holds a lock on a file in its home, so the kernel knows whether it runs. A process id would
only be a guess: another program may have it by now.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from localaws import wiping
from localaws.core import health, leftovers, locking
from localaws.core.context import ACCOUNT_ID, REGION
from localaws.core.errors import HomeUnusable, LocalAwsError, StartFailed
from localaws.core.home import Credentials, Home
from localaws.core.leftovers import LeftOver
from localaws.core.problems import Problem
from localaws.core.settings import Settings

START_TIMEOUT = 90.0  # seconds; a first start on a slow disk unpacks databases
STOP_TIMEOUT = 20.0
HEALTH_TIMEOUT = 5.0
HEAL_TIMEOUT = 90.0  # as long as a start
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class ChildStatus:
    """A process that the server runs."""

    name: str
    pid: int


@dataclass(frozen=True)
class Status:
    """The state of the embedded AWS of one home.

    `healthy` means that the server runs and answers. Even then, `problems` can list parts that don't work. Values that
    don't exist yet are empty, such as the ports and the access key of a home that was never started.
    """

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
    allow_unproven: bool = False
    children: tuple[ChildStatus, ...] = ()
    ports: tuple[tuple[str, int], ...] = ()
    """The loopback ports that the home keeps: "http", and "redshift:CLUSTER" for each cluster."""
    problems: tuple[Problem, ...] = ()
    left_over: tuple[LeftOver, ...] = ()
    """Processes that an earlier server left running. Empty while a server runs."""


@dataclass(frozen=True)
class Stopped:
    """What a stop ended. Falsy if nothing was running."""

    server: bool
    left_over: tuple[LeftOver, ...] = ()
    """Processes that an earlier server had left running."""
    wiped: bool = False
    """Whether the lab's data were removed."""

    def __bool__(self) -> bool:
        return self.server or bool(self.left_over)


class _ServerProcess(subprocess.Popen[bytes]):
    """A process that is meant to outlive its parent, so Popen must not warn that it is still running."""

    def __del__(self) -> None: ...


def start(
    home: Path | str,
    *,
    enforce_iam: bool | None = None,
    verify_signatures: bool | None = None,
    allow_unproven: bool | None = None,
    warm_jobs: bool = False,
) -> Status:
    """Start the embedded AWS of `home` and return when it is ready.

    A healthy server keeps running, and its failed parts are started again. A server that holds the lock but doesn't
    answer is ended and started again. What an earlier server left running is ended. `problems` of the returned status
    lists what still does not work.

    The settings (see `Settings`) apply to a running server, too. None leaves a setting as the home has it. With
    `warm_jobs`, Spark starts in the background, if none is running: otherwise it starts when it is likely to be needed.

    Raises:
        HomeUnusable: the home can't be read or written.
        StartFailed: the server did not come up; the message says why and names the log.
    """
    with _usable(home):
        lab = Home.at(home)
        lab.keep_settings(enforce_iam=enforce_iam, verify_signatures=verify_signatures, allow_unproven=allow_unproven)
        return _start(lab, warm_jobs)


def _start(lab: Home, warm_jobs: bool) -> Status:
    if locking.is_held(lab.lock_file):
        found = _wait_until_healthy(lab)
        if found.healthy:
            _agreed(lab, found)
            return _status(lab, _health(lab, heal=True, warm_jobs=warm_jobs))
        stop(lab.root)
    # The port is kept over restarts. It is chosen here, so that a port clash does not look like a slow start.
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
            # Interrupted: don't leave a half-started server behind.
            process.kill()
            process.wait()
            raise
    if message == "ready":
        return _status(lab, _health(lab, warm_jobs=warm_jobs))
    process.kill()
    process.wait()
    if message is not None and message.startswith("BlockingIOError"):
        # Another `up` was faster: use its server.
        found = _wait_until_healthy(lab, START_TIMEOUT)
        if found.healthy:
            return found
    if message is None:
        raise StartFailed(lab.root, f"it was not ready after {START_TIMEOUT:.0f} seconds.", lab.log_file)
    raise StartFailed(lab.root, message or "the process ended without an error message.", lab.log_file)


def stop(home: Path | str) -> Stopped:
    """Stop the embedded AWS of `home` and everything it runs, or what an earlier server left. Its data stay.

    Raises:
        HomeUnusable: the home can't be read.
        LocalAwsError: a process is still there after being killed.
    """
    return _end(home, wiped=False)


def status(home: Path | str) -> Status:
    """Return what runs in `home`, without changing anything.

    Raises:
        HomeUnusable: the home can't be read.
    """
    lab = Home.of(home)
    with _usable(home):
        return _status(lab, _health(lab) if locking.is_held(lab.lock_file) else None)


def wipe(home: Path | str) -> Stopped:
    """Stop the embedded AWS of `home`, and remove everything that it wrote, including files outside of the home.

    Files that are shared with other labs are removed with the last of these. Files that somebody else put into the
    home stay.

    Raises:
        HomeUnusable: something can't be removed.
        LocalAwsError: the server does not stop.
    """
    return _end(home, wiped=True)


def _end(home: Path | str, *, wiped: bool) -> Stopped:
    lab = Home.of(home)
    with _usable(home):
        if not _was_used(lab):
            return Stopped(server=False)
        ran = _stop_server(lab)
        with _alone(lab) as left_over:
            if wiped:
                wiping.wipe(lab)
        return Stopped(ran, left_over, wiped)


def _was_used(lab: Home) -> bool:
    """Whether a lab has used this directory. Nothing is removed from one that only has the right name."""
    if lab.root.exists() and not lab.root.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(lab.root))
    if any(file.exists() for file in (lab.lock_file, lab.home_lock, lab.process_list)):
        return True
    return bool(leftovers.find(lab))  # somebody removed the files of a running lab


def _status(lab: Home, told: dict[str, Any] | None) -> Status:
    kept = lab.credentials() if lab.has_credentials else Credentials("", "")
    ports = lab.ports()
    running = told is not None or locking.is_held(lab.lock_file)
    settings = lab.settings
    if told is not None:
        settings = Settings(**{name: told.get(name, value) for name, value in asdict(settings).items()})
    return Status(
        home=lab.root,
        running=running,
        healthy=told is not None,
        pid=told["pid"] if told else None,
        endpoint_url=f"http://127.0.0.1:{ports['http']}" if "http" in ports else "",
        region=told["region"] if told else REGION,
        account_id=told["account_id"] if told else ACCOUNT_ID,
        access_key_id=kept.access_key_id,
        secret_access_key=kept.secret_access_key,
        ca_bundle=lab.ca_bundle,
        log_file=lab.log_file,
        enforce_iam=settings.enforce_iam,
        verify_signatures=settings.verify_signatures,
        allow_unproven=settings.allow_unproven,
        children=tuple(ChildStatus(**child) for child in told["children"]) if told else (),
        ports=tuple(ports.items()),
        problems=tuple(Problem(**problem) for problem in told["problems"]) if told else (),
        left_over=() if running else tuple(leftovers.find(lab)),
    )


def _stop_server(lab: Home) -> bool:
    """End the server. Return False if none ran."""
    if not locking.is_held(lab.lock_file):
        return False
    process = _process(lab)
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)  # a suspended process can't handle SIGTERM
            try:
                process.wait(STOP_TIMEOUT)
            except psutil.TimeoutExpired:
                process.kill()  # the reaper ends its children
                process.wait(STOP_TIMEOUT)
    deadline = time.monotonic() + STOP_TIMEOUT
    while locking.is_held(lab.lock_file):
        if time.monotonic() > deadline:
            raise LocalAwsError(f"The server of {lab.root} does not stop. Look at its log: {lab.log_file}")
        time.sleep(0.05)
    lab.server_file.unlink(missing_ok=True)
    return True


@contextlib.contextmanager
def _alone(lab: Home) -> Iterator[tuple[LeftOver, ...]]:
    """Keep servers out and end what an earlier one left. Yield the processes that it had left."""
    if not lab.root.exists():
        yield tuple(leftovers.end(lab))
        return
    with locking.held(lab.lock_file) as ours:
        if not ours:
            raise LocalAwsError(f"{lab.root} was started again in the meantime. Stop it again: labkit down")
        yield tuple(leftovers.end(lab))


@contextlib.contextmanager
def _usable(home: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        root = Home.of(home).root
        place = Path(error.filename) if isinstance(error.filename, str) else root
        if place.is_relative_to(root) or root.is_relative_to(place):
            raise HomeUnusable(root, error) from error
        raise LocalAwsError(f"The system refuses access to {place}: {error.strerror}.") from error


def _agreed(lab: Home, found: Status) -> Status:
    """Make a running server follow the home's settings, and return its status once it does."""
    deadline = time.monotonic() + HEALTH_TIMEOUT
    if not _agrees(lab, found) and found.pid is not None:
        os.kill(found.pid, signal.SIGHUP)
    while not _agrees(lab, found) and time.monotonic() < deadline:
        time.sleep(0.02)
        found = status(lab.root)
    return found


def _agrees(lab: Home, found: Status) -> bool:
    return all(getattr(found, name) == value for name, value in asdict(lab.settings).items())


def _process(lab: Home) -> psutil.Process | None:
    """Return the server process of the home."""
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        if "localaws.server" in command and str(lab.root) in command:
            return process
    return None


def _health(lab: Home, *, heal: bool = False, warm_jobs: bool = False) -> dict[str, Any] | None:
    if not lab.has_credentials:
        return None
    wishes = "&".join(wish for wish, wanted in {health.HEAL: heal, health.WARM_JOBS: warm_jobs}.items() if wanted)
    request = urllib.request.Request(
        f"http://127.0.0.1:{lab.ports().get('http', 0)}{health.PATH}?{wishes}",
        headers={health.HEADER: health.proof(lab.credentials().secret_access_key)},
    )
    try:
        with _NO_PROXY.open(request, timeout=HEAL_TIMEOUT if heal else HEALTH_TIMEOUT) as response:
            found: dict[str, Any] = json.load(response)
    except (OSError, ValueError):
        return None
    return found if "pid" in found else None  # else another lab's server has the port


def _wait_until_healthy(lab: Home, timeout: float | None = None) -> Status:
    """Return the status once the server that holds the lock has finished starting, or `timeout` seconds have passed."""
    deadline = time.monotonic() + (HEALTH_TIMEOUT if timeout is None else timeout)
    while True:
        found = status(lab.root)
        if (found.healthy and lab.server_file.exists()) or not found.running or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def _read_answer(descriptor: int, timeout: float) -> str | None:
    """Return everything that the server writes before it closes the pipe; None if that takes over `timeout` seconds."""
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
    """Return the server's environment: the caller's, without what would send the server's own calls elsewhere."""
    unwanted = ("AWS_", "MOTO_", "PG", "SPARK_", "PYSPARK_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment["PYTHONUNBUFFERED"] = "1"
    # The user's AWS profile and files, which may be missing or unreadable, must not affect the embedded AWS.
    environment["AWS_CONFIG_FILE"] = environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    # By default glibc keeps a heap for each of many threads, and freed memory: a tenth of the server's memory.
    environment.setdefault("MALLOC_ARENA_MAX", "2")
    environment.setdefault("MALLOC_TRIM_THRESHOLD_", "131072")
    # The server must be able to import this package wherever it was started from.
    package_root = str(Path(__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH", "")]))
    return environment
