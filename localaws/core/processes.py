"""A file that lists the processes which a lab has started. If nobody is left to end them, the next server does.

A process id alone means little, since another program may have it by now. So the list also has the moment when each
process began, as the kernel counts it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import psutil

log = logging.getLogger(__name__)

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Known:
    """A process in the list. It is alive only if the process that now has this id began at this moment."""

    pid: int
    began: str
    name: str

    def alive(self) -> bool:
        """Whether it still exists, if only as a zombie."""
        return began(self.pid) == self.began

    def could_have_left(self, process: psutil.Process) -> bool:
        """Whether this process may have led the session of `process`, and has ended."""
        return self.began.startswith(_boot()) and process.pid != self.pid and not psutil.pid_exists(self.pid)


class ProcessList:
    """The file of one home: a line when a process begins, and one when it has ended."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, pid: int, name: str) -> None:
        """Note a process that has just begun."""
        self._write(f"+ {pid} {began(pid)} {name}\n")

    def remove(self, pid: int) -> None:
        """Note that a process has ended."""
        self._write(f"- {pid}\n")

    def clear(self) -> None:
        """Forget all processes. The caller must have ended them."""
        self._file.unlink(missing_ok=True)

    def read(self) -> list[Known]:
        """Return the processes that have begun and not ended, according to the file. A truncated line is ignored."""
        found: dict[int, Known] = {}
        try:
            lines = self._file.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        for line in lines:
            match line.split(" ", 3):
                case ["+", pid, moment, name] if pid.isdigit():
                    found[int(pid)] = Known(int(pid), moment, name)
                case ["-", pid] if pid.isdigit():
                    found.pop(int(pid), None)
        return list(found.values())

    def _write(self, line: str) -> None:
        try:
            with self._file.open("a") as stream:
                stream.write(line)
        except OSError as error:
            # A full disk must not keep a dead child from being started again. The reaper knows the child anyway.
            log.warning("%s could not be written: %s", self._file, error)


def has_ended(process: psutil.Process) -> bool:
    """Whether all threads of a process have ended, whether it was reaped or not.

    Its first thread can be a zombie while others still hold the process's files, locks and ports.
    """
    try:
        if not process.is_running():
            return True
        return bool(process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1)
    except psutil.NoSuchProcess:
        return True


def began(pid: int) -> str:
    """Return when a process began, in the kernel's own count if it has one; empty if there is no such process."""
    try:
        # Ticks since the boot: unlike a time of day they don't move when the clock is set.
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{_boot()}{ticks}"
    except (OSError, IndexError):
        pass
    try:
        return f"{_boot()}{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return ""


def _boot() -> str:
    """Return the kernel's id of this boot, else a constant."""
    try:
        return f"{_BOOT.read_text().strip()}:"
    except OSError:
        return "since-1970:"
