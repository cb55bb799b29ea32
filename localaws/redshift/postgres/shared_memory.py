"""Removes the System V shared memory segment (56 bytes) with which PostgreSQL locks its data.

A killed PostgreSQL leaves it behind, and its next start removes it. If there is no next start, it stays until the
machine is rebooted.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

_IPC_RMID = 0


def remove(data: Path) -> None:
    """Remove the segment that the lock file in `data` names; call it only if no PostgreSQL runs on `data`."""
    try:
        key, identifier = map(int, (data / "postmaster.pid").read_text().splitlines()[6].split())
    except (OSError, ValueError, IndexError):
        return  # PostgreSQL was shut down properly
    libc = ctypes.CDLL(None)
    if libc.shmget(ctypes.c_int(key), ctypes.c_size_t(0), 0) == identifier:  # else it is gone, or another program's
        libc.shmctl(ctypes.c_int(identifier), _IPC_RMID, None)
