"""`labkit logs -f`: a log's last lines, and then what is written to it, until Ctrl-C."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NoReturn

from labkit.data import logs
from labkit.lab import Lab

READ = 1000
"""How many lines are read again each time. A part that writes more between two looks loses the oldest."""
LEAST_SECONDS = 1.0


def tail(lab: Lab, what: str, lines: int, say: Callable[[str], None]) -> NoReturn:
    """Print the last lines of a log, and then each new line.

    Raises:
        LabError: there is no such log.
    """
    pause = max(lab.config.poll_seconds, LEAST_SECONDS)
    following = _file(lab, lines) if what == "server" else _events(lab, what, lines)
    for new in following:
        for line in new:
            say(line.rstrip("\n"))
        time.sleep(pause)
    raise AssertionError("a log that is followed has no end")


def _events(lab: Lab, what: str, lines: int) -> Iterator[list[str]]:
    """The lines of CloudWatch Logs, those of the first look and then those that were not there before."""
    seen: Counter[tuple[int, str]] = Counter()
    first = True
    while True:
        now = [(moment, line) for moment, _, line in logs.events(lab.session, what, READ)]
        left = seen.copy()
        new = []
        for event in now:
            if left[event]:
                left[event] -= 1
            else:
                new.append(event[1])
        seen = Counter(now)
        yield new[-lines:] if first else new
        first = False


def _file(lab: Lab, lines: int) -> Iterator[list[str]]:
    """The lines of the local AWS's own log file."""
    last = logs.read(lab.session, "server", lines)
    with open(lab.session.status().log_file, encoding="utf-8", errors="replace") as stream:
        stream.seek(0, 2)
        yield last
        while True:
            yield stream.readlines()
