"""Errors of the embedded AWS as a whole.

::

    LocalAwsError
    ├── NotRunning         the call needs the lab's server, which is down
    ├── StartFailed        the server did not come up; the message quotes its log
    ├── HomeUnusable       the home can't be read or written: the disk is full, or it is somebody else's
    ├── NotEnded           a process that an earlier start left can't be ended
    ├── PortTaken          another program listens on a port that this home keeps
    ├── StateRefused       the home's saved state is of another version
    └── StateDamaged       the home's saved state can't be read
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
from collections.abc import Iterable
from pathlib import Path


class LocalAwsError(Exception):
    """Base of all errors of the embedded AWS itself. (AWS's own errors have AWS's shape.)"""


class NotRunning(LocalAwsError):
    """No server runs for this home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        super().__init__(f"The embedded AWS of {home} is not running. Start it with: labkit up")


class StartFailed(LocalAwsError):
    """The server process ended, or did not answer, before it was ready."""

    def __init__(self, home: Path, reason: str, log_file: Path) -> None:
        self.home = home
        self.reason = reason
        self.log_file = log_file
        super().__init__(f"The embedded AWS of {home} did not start: {reason} Its log is {log_file}")


class HomeUnusable(LocalAwsError):
    """The system refuses to read or write the home."""

    def __init__(self, home: Path, error: OSError) -> None:
        self.home = home
        self.error = error
        super().__init__(f"The lab's home {home} can't be used: {_refusal(home, error)}")


def _refusal(home: Path, error: OSError) -> str:
    """Return why the system refuses, and what to do."""
    elsewhere = "set LABKIT_HOME to a directory of yours."
    place = _nearest(Path(error.filename) if isinstance(error.filename, str) else home)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full. Free some space there, then: labkit up. Or {elsewhere}"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{place} is a file, not a directory. Move it away, or {elsewhere}"
    if error.errno == errno.EROFS:
        return f"its file system is read-only. Make it writable, or {elsewhere}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{place} belongs to {_owner(place)}, and you are {_user(os.geteuid())}. To go on, {elsewhere}"
    return f"{error}. Look at the disk, or {elsewhere}"


def _nearest(home: Path) -> Path:
    """Return the home, or the nearest directory above it that exists and is accessible."""
    for place in (home, *home.parents):
        with contextlib.suppress(OSError):
            place.stat()
            return place
    return home


def _owner(place: Path) -> str:
    try:
        return _user(place.stat().st_uid)
    except OSError:
        return "somebody else"


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


class NotEnded(LocalAwsError):
    """A process that an earlier start left can't be ended."""

    def __init__(self, processes: Iterable[tuple[str, int]]) -> None:
        self.processes = tuple(processes)
        named = ", ".join(f"{name} (process {pid})" for name, pid in self.processes)
        pids = " ".join(str(pid) for _, pid in self.processes)
        super().__init__(
            f"An earlier start left {named}, which can't be ended from here: it belongs to another user, or hangs in "
            f"the system. End it: sudo kill -9 {pids}"
        )


class PortTaken(LocalAwsError):
    """Another program listens on a port of this lab, which addresses in its secrets and terminals name."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(
            f"Port {port} of 127.0.0.1, which this lab keeps, is in use by another program. End that program (labkit "
            "doctor names it), then: labkit up. Or start with new ports and no data: labkit down --wipe."
        )


class StateRefused(LocalAwsError):
    """The home was written by another version, and reading it could lose or distort data."""

    def __init__(self, file: Path, found: str, wanted: str) -> None:
        self.file = file
        self.found = found
        self.wanted = wanted
        super().__init__(
            f"{file} holds state of version {found}; this is version {wanted}. Nothing was changed. "
            "Use the version that wrote it, or forget the lab's data with: labkit down --wipe"
        )


class StateDamaged(LocalAwsError):
    """A state file is truncated, or this version can't read its content."""

    def __init__(self, file: Path, cause: Exception) -> None:
        self.file = file
        self.cause = cause
        super().__init__(
            f"{file} can't be read ({type(cause).__name__}: {cause}). Nothing was changed. Put back a sound copy, "
            "move it away to go on without what it held, or forget all of the lab's data with: labkit down --wipe"
        )


class UnsupportedOperation(NotImplementedError):
    """An AWS operation that is not supported. Callers get an error of AWS's shape (server/application.py)."""

    def __init__(self, operation: str) -> None:
        self.operation = operation
        super().__init__(f"{operation} is not implemented")
