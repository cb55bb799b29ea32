"""Find and end the processes that an earlier server of a lab left running.

A server ends its children; if it can't, its reaper does. If both were killed, PostgreSQL, the front or a JVM keep
running: they hold a port or the lock of a data directory, and may still write. So every start and every stop looks for
them first. They are found by

- the list of processes that the server started (processes.py), with those that these started in turn,
- the command lines that only this package's own processes have,
- the lock file of each cluster's data directory.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from localaws.core.errors import NotEnded
from localaws.core.home import Home
from localaws.core.processes import ProcessList, has_ended

_GRACE = 3.0  # seconds that PostgreSQL has to write everything down
_LIMIT = 3.0  # seconds in which a process that was killed is gone


@dataclass(frozen=True)
class LeftOver:
    """A process that an earlier server left running."""

    name: str
    pid: int

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"


def find(home: Home) -> list[LeftOver]:
    """Return the running processes of `home`, except for this process and its ancestors."""
    return [LeftOver(name, process.pid) for process, name in _find(home).items()]


def end(home: Home) -> list[LeftOver]:
    """End the running processes of `home`, and return them. The caller must hold the home's lock.

    Raises:
        NotEnded: a process is still there.
    """
    ended: list[LeftOver] = []
    # Look again: a process may have started another one before it was ended.
    while found := _find(home):
        ended += [LeftOver(name, process.pid) for process, name in found.items()]
        servers = [process for process, name in found.items() if name == "PostgreSQL"]
        _end([process for process in found if process not in servers], _kill)
        for postmaster in servers:
            _end([postmaster, *_children(postmaster)], _shut_down)
        stubborn = [(name, process.pid) for process, name in found.items() if _alive(process)]
        if stubborn:
            raise NotEnded(stubborn)
    ProcessList(home.process_list).clear()
    return ended


def _find(home: Home) -> dict[psutil.Process, str]:
    """Return the processes of `home` with their names, parents before their children."""
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found: dict[psutil.Process, str] = {}

    def add(process: psutil.Process, name: str) -> None:
        if process.pid not in spared and process not in found and _alive(process):
            found[process] = name
            for child in _children(process):
                add(child, name)

    known = ProcessList(home.process_list).read()
    for one in known:
        if one.alive():
            with contextlib.suppress(psutil.Error):
                add(psutil.Process(one.pid), "PostgreSQL" if one.name.startswith("postgres-") else one.name)
    orphans = {one.pid: one for one in known if not one.alive()}
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if name := _own_name(home, command):
            add(process, name)
        elif orphans and (leader := orphans.get(_session(process.pid))) and leader.could_have_left(process):
            add(process, leader.name)
    for data in home.clusters.glob("*/data"):
        if (postmaster := postmaster_of(data)) is not None:
            add(postmaster, "PostgreSQL")
    # A PostgreSQL's sessions and helpers end with it.
    postmasters = [process for process, name in found.items() if name == "PostgreSQL"]
    below = {child for postmaster in postmasters for child in _children(postmaster)}
    return {process: name for process, name in found.items() if process not in below}


def postmaster_of(data: Path) -> psutil.Process | None:
    """Return the PostgreSQL that runs on a data directory, by lock file and working directory; None if none does."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        at_work = process.name() == "postgres" and os.path.samefile(process.cwd(), data)
    except (OSError, ValueError, psutil.Error):
        return None
    return process if at_work and _alive(process) else None


def _own_name(home: Home, command: list[str]) -> str:
    """Return what a process is, by a command line that only this package's processes have; empty for any other."""
    match command:
        case [_, "-m", "localaws.server", root, *_] if root == str(home.root):
            return "server"
        case [_, "-m", "localaws.redshift.front", file, *_] if file.startswith(f"{home.clusters}/"):
            return "front"
    return ""


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = process.children(recursive=True)
    except psutil.Error:
        return []
    return found


def _alive(process: psutil.Process) -> bool:
    try:
        return not has_ended(process)
    except psutil.Error:
        return False


def _end(processes: list[psutil.Process], how: Callable[[list[psutil.Process]], None]) -> None:
    if processes:
        how(processes)
        _wait(processes, _LIMIT)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _shut_down(processes: list[psutil.Process]) -> None:
    """Shut PostgreSQL down in "fast" mode, which rolls back open transactions. Kill it if that takes too long."""
    postmaster = processes[0]
    for number, seconds in ((signal.SIGINT, _GRACE), (signal.SIGQUIT, 1.0)):
        with contextlib.suppress(psutil.Error):
            postmaster.send_signal(number)
            postmaster.send_signal(signal.SIGCONT)  # a suspended process can't handle the first signal
        if not _wait(processes, seconds):
            return
    _kill(processes)


def _wait(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Return those that still run after `seconds`."""
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if _alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return alive
