"""What a start function's log says about landed files: whether it was invoked, and which run it has started."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from datetime import datetime

from labkit.calls import found
from labkit.session import Session
from labkit.show.pipeline import Box, State

STARTED = re.compile(r"started (?:[\w-]+, )?run (?P<run>wr_\w+),? for (?P<keys>.*)")
NO_EVENT = "waiting for S3's event"
SECONDS_BETWEEN_LOOKS = 1.0


def started_runs(session: Session, function: str, since: datetime) -> dict[str, str]:
    """Run → the keys that the function has started it for, as its log names them, since this time."""
    lines = _lines(session, function, since, '"started "')
    return {match["run"]: match["keys"].strip("[]'\n ") for line in lines if (match := STARTED.search(line))}


class StartFunctionLog:
    """The start function's box while files are followed. It reads the log at most once a second."""

    def __init__(self, session: Session, function: str, keys: Sequence[str], landed: datetime) -> None:
        self._session, self._function = session, function
        self._keys, self._landed = keys, landed
        self._looked = -math.inf
        self._read: list[str] = []

    def before_a_run(self) -> Box:
        """Whether the function was invoked, and what it did."""
        return told(self._lines(), self._keys)

    def in_run(self, run: str) -> Box:
        """Whether the function has started this run. Until its log says so, anybody may have started it."""
        has_started = _names_run(self._read, run) or _names_run(self._lines(), run)
        return Box("function", State.DONE if has_started else State.WAITING)

    def _lines(self) -> list[str]:
        if time.monotonic() - self._looked >= SECONDS_BETWEEN_LOOKS:
            self._read = _lines(self._session, self._function, self._landed)
            self._looked = time.monotonic()
        return self._read


def _names_run(lines: Sequence[str], run: str) -> bool:
    return any(match["run"] == run for line in lines if (match := STARTED.search(line)))


def told(lines: Sequence[str], keys: Sequence[str]) -> Box:
    """The function's box, from its log since the files landed. The last line that says something counts."""
    box = Box("function", State.WAITING, reason=NO_EVENT)
    for line in (line.strip() for line in lines):
        said = " ".join(line.split("\t")[-1].split())[:200]
        if STARTED.search(line) and any(key in line for key in keys):
            box = Box("function", State.DONE)
        elif line.startswith("refused for"):
            box = Box("function", State.FAILED, reason=said)
        elif line.startswith(("not started", "not done yet")):
            box = Box("function", State.WAITING, reason=said)
        elif line.startswith(("given up", "[ERROR]")) or "Task timed out" in line:
            box = Box("function", State.FAILED, reason=said)
        elif line.startswith(("START ", "INIT_START")) and box.state is State.WAITING and box.reason == NO_EVENT:
            box = Box("function", State.RUNNING)
    return box


def _lines(session: Session, function: str, since: datetime, pattern: str = "") -> list[str]:
    """The function's log since this time, oldest first; empty if it was never invoked."""
    asked = {"logGroupName": f"/aws/lambda/{function}", "startTime": int(since.timestamp() * 1000)}
    asked |= {"filterPattern": pattern} if pattern else {}
    pages = session.client("logs").get_paginator("filter_log_events")  # AWS's pages may be empty although more follow
    events = found(lambda: [event for page in pages.paginate(**asked) for event in page["events"]]) or []
    return [str(event["message"]) for event in sorted(events, key=lambda event: event["timestamp"])]
