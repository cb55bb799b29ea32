"""Removing all that a lab wrote: in its home, and the little that it needs outside.

What somebody else put into the home, such as settings, stays.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from localaws.core.home import Home
from localaws.redshift.postgres import programs, shared_memory, sockets

_FILES = ("ports.json", "credentials.json", "settings.json", "server.json", "processes", "home.lock", "children.lock")


def wipe(home: Home) -> None:
    """Remove what the lab of `home` wrote; only for who holds its lock, which goes last.

    Raises:
        OSError: something can't be removed.
    """
    for cluster in home.clusters.glob("*"):
        sockets.remove(cluster)
        shared_memory.remove(cluster / "data")
    programs.release(home.root)
    for directory in _directories(home):
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(directory)
    for file in (*(home.root / name for name in _FILES), *home.root.glob(".*.torn"), home.lock_file):
        file.unlink(missing_ok=True)
    # Not empty where there is something of somebody else's.
    with contextlib.suppress(OSError):
        home.root.rmdir()


def _directories(home: Home) -> tuple[Path, ...]:
    return (
        home.state,
        home.statements,
        home.objects,
        home.clusters,
        home.work,
        home.cache,
        home.tls,
        home.logs,
    )
