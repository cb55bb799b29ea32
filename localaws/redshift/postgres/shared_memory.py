"""The System V segment of 56 bytes by which PostgreSQL locks its data: one that was killed leaves it to the next start.

Where there is no next start, it stays until the machine is rebooted.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

_IPC_RMID = 0


def remove(data: Path) -> None:
    """Remove the segment that the lock file of `data` names; only where no PostgreSQL runs on it."""
    try:
        key, identifier = map(int, (data / "postmaster.pid").read_text().splitlines()[6].split())
    except (OSError, ValueError, IndexError):
        return  # it ended in order
    libc = ctypes.CDLL(None)
    if libc.shmget(ctypes.c_int(key), ctypes.c_size_t(0), 0) == identifier:  # else it is gone, or another's
        libc.shmctl(ctypes.c_int(identifier), _IPC_RMID, None)
