"""The directory of a PostgreSQL's unix socket: in /tmp, as in a deep home its path could be too long (107 bytes).

A link in the cluster's directory points to it. The link is created first, so that a kill can't leave a directory to
which no link points.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

PLACES = ("/tmp", "/var/tmp", "/dev/shm")
_PREFIX = "localaws-pg-"


def make(cluster: Path) -> Path:
    """Create a new directory that only we can use, and remove the one that an earlier server left.

    Raises:
        RuntimeError: it can't be created in any of PLACES.
    """
    remove(cluster)
    refusals = []
    for place in PLACES:
        directory = Path(place, _PREFIX + secrets.token_hex(8))
        _link(cluster).symlink_to(directory)
        try:
            directory.mkdir(mode=0o700)
        except OSError as error:
            _link(cluster).unlink()
            refusals.append(f"{place}: {error.strerror}")
        else:
            return directory
    raise RuntimeError(
        f"PostgreSQL needs a directory with a short path for its socket ({', '.join(refusals)}). Make /tmp writable."
    )


def remove(cluster: Path) -> None:
    """Remove the directory that the last `make` created, if it is there."""
    link = _link(cluster)
    if link.is_symlink():
        directory = Path(os.readlink(link))
        if directory.name.startswith(_PREFIX):
            shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            link.unlink()


def _link(cluster: Path) -> Path:
    return cluster / "socket"
