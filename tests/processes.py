"""Finds the processes below a process, and the ports that they listen on. They may end at any time."""

from __future__ import annotations

import contextlib
import platform
import sys
import time
from collections.abc import Collection, Iterable
from typing import TypeVar

import psutil

from localaws.core.processes import has_ended

# The number of Linux's system call that ends only one thread.
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
"""A program whose first thread ends immediately, while its second thread reads stdin; None if this is impossible."""

_Which = TypeVar("_Which", psutil.Process, int)


def family(parent: psutil.Process | int | None) -> list[psutil.Process]:
    """Return the process and all processes below it."""
    assert parent is not None, "no process to look at"
    parent = parent if isinstance(parent, psutil.Process) else psutil.Process(parent)
    return [parent, *parent.children(recursive=True)]


def listening(processes: Iterable[psutil.Process]) -> set[tuple[str, int]]:
    """Return the address and port of each TCP socket that one of the processes listens on."""
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
        except psutil.AccessDenied:  # only root may read the connections of a process that has ended
            if is_running(process):
                raise
    return addresses


def is_running(process: psutil.Process | int) -> bool:
    """Whether any thread of the process still runs; a process that has ended but was not reaped doesn't run."""
    try:
        return not has_ended(process if isinstance(process, psutil.Process) else psutil.Process(process))
    except psutil.NoSuchProcess:
        return False


def outliving(processes: Collection[_Which], timeout: float = 15) -> list[_Which]:
    """Return the processes that still run after `timeout` seconds; return earlier if none runs any more."""
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
    """Kill the processes, and return how many still existed."""
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
