"""The lines of a failed run's log that say what went wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from labkit.calls import found
from labkit.data.logs import CRAWLERS, ERRORS
from labkit.session import Session

MOST = 8
READ = 200
FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line \d+')
TRACEBACK = "Traceback (most recent call last):"


def of_a_job(session: Session, job_run: str, files: Sequence[str]) -> tuple[str, ...]:
    """The lines of a job run's error log that matter. `files` are the names of the job's script and its modules."""
    return that_matter(_log(session, ERRORS, job_run), files)


def of_a_crawl(session: Session, crawler: str, since: datetime) -> tuple[str, ...]:
    """A crawler's errors since this time."""
    began = int(since.timestamp() * 1000)
    lines = _log(session, CRAWLERS, crawler, lambda event: event["timestamp"] >= began)
    return tuple([line for line in lines if "ERROR" in line][-MOST:])


def that_matter(lines: Sequence[str], files: Sequence[str]) -> tuple[str, ...]:
    """Of a log with a traceback: the frames of the job's own files, and the exception. Otherwise the last lines."""
    starts = [number for number, line in enumerate(lines) if line.strip() == TRACEBACK]
    if not starts:
        return tuple([line for line in lines if line.strip()][-MOST:])
    chosen: list[str] = []
    own = False
    for line in lines[starts[-1] + 1 :]:
        if frame := FRAME.match(line):
            name = frame["file"].replace("\\", "/").rpartition("/")[2]
            own = name in files
            line = line.replace(frame["file"], name)
        elif not line.startswith(" "):
            own = True  # the exception, after all frames
        if own and line.strip(" ^~"):
            chosen.append(line)
    return tuple(chosen[-MOST:])


def fix_of(message: str) -> str:
    """What to do about a failed run, from AWS's error message; empty if it says nothing that the lab knows."""
    if "stl_load_errors" in message:
        return "lab.query.load_errors() shows the rows that Redshift refused, and why."
    return ""


def _log(
    session: Session, group: str, stream: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True
) -> list[str]:
    """The last lines of a stream; empty if there is none."""
    get = session.client("logs").get_log_events
    answer = found(get, logGroupName=group, logStreamName=stream, limit=READ, startFromHead=False)
    events = answer["events"] if answer else []
    return [line for event in events if wanted(event) for line in event["message"].rstrip("\n").split("\n")]
