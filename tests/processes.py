"""What runs below a process, and what it listens on: any of it may end while a test looks at it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable
from typing import TypeVar

import psutil

from localaws.processes import has_ended

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
