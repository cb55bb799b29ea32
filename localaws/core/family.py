"""Find the descendants of a process, by parent process ids, and end them.

Used by the server, its reaper and its launchers (launcher.py). The last two are scripts of their own, so this imports
nothing but the standard library.

A process that is detached (`setsid`, a double fork) leaves its group and its session. When its parent ends, it leaves
its family, too: it becomes a child of the system's first process. On Linux it becomes a child of the launcher instead.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

TYPE_CHECKING = False  # in place of typing's: importing typing takes longer than the rest of a launcher's start
if TYPE_CHECKING:
    from collections.abc import Collection

_LIMIT = 3.0  # seconds; a process that is killed may still have a write to finish

_EMPTY_LOOKS = 2


def descendants(*pids: int) -> list[int]:
    """Return the running processes that `pids` have started, directly or indirectly."""
    children: dict[int, list[tuple[int, bool]]] = {}
    for child, parent, runs in _processes():
        children.setdefault(parent, []).append((child, runs))
    found, waiting = [], list(pids)
    while waiting:
        for child, runs in children.get(waiting.pop(), ()):
            waiting.append(child)
            if runs:
                found.append(child)
    return found


def end_descendants(pid: int, keep: Collection[int] = ()) -> None:
    """Kill all descendants of `pid` except `keep`. Return when they have ended, or when the time limit has passed.

    This looks twice: if a parent ends while /proc is being read, its child can be missed.
    """
    deadline = time.monotonic() + _LIMIT
    empty = 0
    while empty < _EMPTY_LOOKS:
        left = [each for each in descendants(pid) if each not in keep]
        empty = 0 if left else empty + 1
        for each in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(each, signal.SIGKILL)
        if time.monotonic() > deadline:
            return
        if left:
            time.sleep(0.002)


def runs(pid: int) -> bool:
    """Whether the process exists and has not ended."""
    if sys.platform != "linux":
        return any(pid == each and runs for each, _, runs in _processes())
    try:
        return _status(pid)[1]
    except OSError:
        return False


def _processes() -> list[tuple[int, int, bool]]:
    """Return all processes: id, parent's id, and whether it runs (if not, it is a zombie)."""
    if sys.platform != "linux":
        import subprocess

        listing = subprocess.run(["/bin/ps", "-axo", "pid=,ppid=,stat="], capture_output=True, text=True, check=False)
        words = (line.split() for line in listing.stdout.splitlines())
        return [(int(pid), int(parent), not state.startswith("Z")) for pid, parent, state in words]
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                found.append((int(name), *_status(int(name))))
    return found


def _status(pid: int) -> tuple[int, bool]:
    """Return a process's parent, and whether it runs. Raise OSError if there is no such process."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        # The name, in parentheses, may contain any character.
        fields = file.read().rpartition(b")")[2].split()
    state, parent, threads = fields[0], int(fields[1]), int(fields[17])
    # The first thread may have ended while others go on.
    return parent, state not in (b"Z", b"X") or threads > 1
