"""Ends the server's children when the server is gone, whatever ended it.

Runs as a process of its own, started by children.py. It reads "+PID" and "-PID" lines from its standard
input, a pipe whose other end only the server holds; when the pipe closes it kills the process groups still
on its list. A process that is killed with SIGKILL closes its pipes too.

It ends when they are gone. Until then it holds a lock that the next server waits for (children.py): work that the last
server began must not go on beside the next server's work.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localaws.core import family
else:
    import family  # beside this script

_LIMIT = 3.0  # seconds; a process that is killed may still have a write to finish


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        group = int(line[1:])
        groups.add(group) if line.startswith(b"+") else groups.discard(group)
    # Detached processes are found through their parents, so look before these are killed.
    detached = family.descendants(*groups)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for pid in detached:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _LIMIT
    while any(map(_exists, groups)) and time.monotonic() < deadline:
        time.sleep(0.005)


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


if __name__ == "__main__":
    main()
