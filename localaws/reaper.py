"""Ends the server's children when the server is gone, whatever ended it.

Runs as a process of its own, started by children.py. It reads "+PID" and "-PID" lines from its standard
input, a pipe whose other end only the server holds; when the pipe closes it kills the process groups still
on its list. A process that is killed with SIGKILL closes its pipes too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        group = int(line[1:])
        groups.add(group) if line.startswith(b"+") else groups.discard(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
