"""Remove everything that a lab wrote: in its home, and the few files that it needs outside.

Files that somebody else put into the home, such as settings, stay.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from localaws.core.home import Home
from localaws.redshift.postgres import programs, shared_memory, sockets

_FILES = ("ports.json", "credentials.json", "settings.json", "server.json", "processes", "home.lock", "children.lock")


def wipe(home: Home) -> None:
    """Remove what the lab of `home` wrote. The caller must hold its lock; the lock file is removed last.

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
    # Fails if the home still has somebody else's files: then it stays.
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
