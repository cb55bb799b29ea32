"""What can go wrong with the embedded AWS as a whole.

::

    LocalAwsError
    ├── NotRunning         something was asked of a lab whose server is down
    ├── StartFailed        the server did not come up; the message quotes its log
    ├── PortTaken          another program listens on a port that this home keeps
    ├── StateRefused       the home's saved state is of another version
    └── StateDamaged       the home's saved state can't be read
"""

from __future__ import annotations

from pathlib import Path


class LocalAwsError(Exception):
    """Base of all errors of the embedded AWS itself (AWS's own errors are AWS-shaped)."""


class NotRunning(LocalAwsError):
    """Nothing serves this home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        super().__init__(f"The embedded AWS of {home} is not running. Start it with: labkit up")


class StartFailed(LocalAwsError):
    """The server process ended, or stayed silent, before it was ready."""

    def __init__(self, home: Path, reason: str, log_file: Path) -> None:
        self.home = home
        self.reason = reason
        self.log_file = log_file
        super().__init__(f"The embedded AWS of {home} did not start: {reason} Its log is {log_file}")


class PortTaken(LocalAwsError):
    """The port that addresses in this lab's secrets and terminals name is in use."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(
            f"Port {port} of 127.0.0.1, which this lab keeps, is in use by another program. End that program, or start "
            "with new ports and no data: labkit down --wipe."
        )


class StateRefused(LocalAwsError):
    """The home was written by another version, and reading it could lose or bend what it holds."""

    def __init__(self, file: Path, found: str, wanted: str) -> None:
        self.file = file
        self.found = found
        self.wanted = wanted
        super().__init__(
            f"{file} holds state of version {found}; this is version {wanted}. Nothing was changed. "
            "Use the version that wrote it, or forget the lab's data with: labkit down --wipe"
        )


class StateDamaged(LocalAwsError):
    """A state file is cut short, or holds what this version can't make sense of."""

    def __init__(self, file: Path, cause: Exception) -> None:
        self.file = file
        self.cause = cause
        super().__init__(
            f"{file} can't be read ({type(cause).__name__}: {cause}). Nothing was changed. Put back a sound copy, "
            "move it away to go on without what it held, or forget all of the lab's data with: labkit down --wipe"
        )


class UnsupportedOperation(NotImplementedError):
    """An AWS operation that is not there; callers get it AWS-shaped (server/application.py)."""

    def __init__(self, operation: str) -> None:
        self.operation = operation
        super().__init__(f"{operation} is not implemented")
