"""What an earlier life of a lab left running, and its end.

A server ends its children, and its reaper does where it can't. Where both were killed, PostgreSQL, the front or a JVM
live on: they hold a port or the lock of a data directory, and may still write. So a start, and a stop too, look for
them first. They are found by

- the list of what the server started (processes.py), with what these started in turn,
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
    """A process of an earlier life."""

    name: str
    pid: int

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"


def find(home: Home) -> list[LeftOver]:
    """What runs of `home`, except for this process and those that it was started by."""
    return [LeftOver(name, process.pid) for process, name in _find(home).items()]


def end(home: Home) -> list[LeftOver]:
    """End what runs of `home`, and return what that was; only for who holds the home's lock.

    Raises:
        NotEnded: something is still there.
    """
    ended: list[LeftOver] = []
    # Whoever was about to start another process has ended after the first look.
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
    """The processes of `home` with their names, those that started others before these."""
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
    # Its sessions and helpers end with it.
    postmasters = [process for process, name in found.items() if name == "PostgreSQL"]
    below = {child for postmaster in postmasters for child in _children(postmaster)}
    return {process: name for process, name in found.items() if process not in below}


def postmaster_of(data: Path) -> psutil.Process | None:
    """The PostgreSQL that runs on a data directory, by its lock file and where it works; None where none does."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        at_work = process.name() == "postgres" and os.path.samefile(process.cwd(), data)
    except (OSError, ValueError, psutil.Error):
        return None
    return process if at_work and _alive(process) else None


def _own_name(home: Home, command: list[str]) -> str:
    """What a process is, by the command line that only this package's own have; empty for any other."""
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
    """PostgreSQL's "fast" shutdown, which rolls back what is open; killed if that takes too long."""
    postmaster = processes[0]
    for number, seconds in ((signal.SIGINT, _GRACE), (signal.SIGQUIT, 1.0)):
        with contextlib.suppress(psutil.Error):
            postmaster.send_signal(number)
            postmaster.send_signal(signal.SIGCONT)  # a suspended one could not even hear that
        if not _wait(processes, seconds):
            return
    _kill(processes)


def _wait(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run after `seconds`."""
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if _alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return alive
