"""The directory of a PostgreSQL's unix socket: in /tmp, since in a deep home its path would be too long (107 bytes).

A link in the cluster's directory remembers it, made first, so that no kill leaves a directory that nobody knows.
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
    """A new directory of ours alone, in place of what an earlier server left.

    Raises:
        RuntimeError: there is no place for it.
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
    """Remove the directory that `make` made last, if it is there."""
    link = _link(cluster)
    if link.is_symlink():
        directory = Path(os.readlink(link))
        if directory.name.startswith(_PREFIX):
            shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            link.unlink()


def _link(cluster: Path) -> Path:
    return cluster / "socket"
