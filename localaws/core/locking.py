"""Locks on files of a home: held by a process while it lives, and released by the kernel, whatever ends it.

A wipe removes the file while it holds the lock. So whoever gets the lock must check that the file still exists.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_PATIENCE = 0.3  # seconds; a process that only checks whether a lock is held has it for a moment


def hold(file: Path) -> IO[str]:
    """Lock `file`, and make it if it is missing. Closing the returned stream, or the process's end, releases the lock.

    Raises:
        BlockingIOError: another process has the lock.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        stream = file.open("a")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(file, stream):
                return stream
            stream.close()
        except BaseException as error:
            stream.close()
            if not isinstance(error, BlockingIOError) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def is_held(file: Path) -> bool:
    """Whether a process holds the lock of `file`. The file is not changed."""
    try:
        with file.open("r") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


@contextlib.contextmanager
def held(file: Path) -> Iterator[bool]:
    """Lock `file` inside the context. Yield False if another process has the lock."""
    try:
        stream = hold(file)
    except BlockingIOError:
        yield False
        return
    with stream:
        yield True


def _is_still(file: Path, stream: IO[str]) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(stream.fileno()), file.stat())
    return False
