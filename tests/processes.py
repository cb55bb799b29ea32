"""The descendants of a process and their listening ports; any of them may end while a test looks at it."""

from __future__ import annotations

import contextlib
import platform
import sys
import time
from collections.abc import Collection, Iterable
from typing import TypeVar

import psutil

from localaws.core.processes import has_ended

# The number of Linux's call that ends one thread only.
_EXIT = {"x86_64": 60, "aarch64": 93}.get(platform.machine()) if sys.platform == "linux" else None
FIRST_THREAD_ENDS = (
    f"""
import ctypes, sys, threading
threading.Thread(target=sys.stdin.read).start()
ctypes.CDLL(None).syscall(ctypes.c_long({_EXIT}), ctypes.c_long(0))
"""
    if _EXIT is not None
    else None
)
"""A program whose first thread ends at once, and whose second one reads the standard input; None where nobody can."""

_Which = TypeVar("_Which", psutil.Process, int)


def family(parent: psutil.Process | int | None) -> list[psutil.Process]:
    """The process and all below it."""
    assert parent is not None, "no process to look at"
    parent = parent if isinstance(parent, psutil.Process) else psutil.Process(parent)
    return [parent, *parent.children(recursive=True)]


def listening(processes: Iterable[psutil.Process]) -> set[tuple[str, int]]:
    """The address and port of each TCP socket that one of the processes listens on."""
    addresses = set()
    for process in processes:
        try:
            addresses |= {
                (connection.laddr.ip, connection.laddr.port)
                for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }
        except psutil.NoSuchProcess:
            pass
        except psutil.AccessDenied:  # what a process that has ended had open is root's business
            if is_running(process):
                raise
    return addresses


def is_running(process: psutil.Process | int) -> bool:
    """Whether any of it still runs; what has ended and was not collected yet doesn't."""
    try:
        return not has_ended(process if isinstance(process, psutil.Process) else psutil.Process(process))
    except psutil.NoSuchProcess:
        return False


def outliving(processes: Collection[_Which], timeout: float = 15) -> list[_Which]:
    """Those that still run after `timeout` seconds; it returns as soon as none does."""
    deadline = time.monotonic() + timeout
    while (alive := [process for process in processes if is_running(process)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return alive


def wait_for_zombie(process: psutil.Process) -> None:
    """Return when the first thread of `process` has ended."""
    deadline = time.monotonic() + 30
    while process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "its first thread lives"
        time.sleep(0.01)


def kill(processes: Iterable[psutil.Process]) -> int:
    """Kill them, all at once, and return how many there still were."""
    killed = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
            killed += 1
    return killed


def kill_all(parent: psutil.Process | int | None) -> None:
    """Kill the process and all below it, and wait until they are gone."""
    everyone = family(parent)
    kill(everyone)
    assert outliving(everyone) == []
