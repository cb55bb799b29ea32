"""What a run prints, in CloudWatch Logs: /aws-glue/jobs/output and /aws-glue/jobs/error, a stream for each run.

https://docs.aws.amazon.com/glue/latest/dg/monitor-debug-capacity.html and …/monitor-continuous-logging.html
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

from botocore.exceptions import ClientError

GROUPS = {"stdout": "/aws-glue/jobs/output", "stderr": "/aws-glue/jobs/error"}
_EVERY = 1.0  # seconds between two deliveries of a run that goes on
_LARGEST = 200_000  # characters in a delivery; PutLogEvents takes 1 MB
_LONGEST = 100_000  # characters of a line; an event may have 256 kB


class RunLog:
    """Gathers a run's lines and delivers them."""

    def __init__(self, logs: Any, run_id: str) -> None:
        self._logs = logs
        self._run_id = run_id
        self._lines: dict[str, list[tuple[int, str]]] = {"stdout": [], "stderr": []}
        self._made: set[str] = set()
        self._lock = threading.Lock()
        self._delivery = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._deliver_regularly, name="job-log", daemon=True).start()

    def write(self, stream: str, line: str) -> None:
        """Take one line of "stdout" or "stderr"."""
        with self._lock:
            self._lines[stream].append((time.time_ns() // 1_000_000, line[:_LONGEST]))

    def close(self) -> None:
        """Deliver what is left."""
        self._closed.set()
        self._deliver()

    def _deliver_regularly(self) -> None:
        while not self._closed.wait(_EVERY):
            self._deliver()

    def _deliver(self) -> None:
        with self._delivery:
            for stream, group in GROUPS.items():
                with self._lock:
                    lines, self._lines[stream] = self._lines[stream], []
                while lines:
                    self._put(group, _shift(lines))

    def _put(self, group: str, lines: list[tuple[int, str]]) -> None:
        if group not in self._made:
            for make, names in (
                (self._logs.create_log_group, {"logGroupName": group}),
                (self._logs.create_log_stream, {"logGroupName": group, "logStreamName": self._run_id}),
            ):
                with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                    make(**names)
            self._made.add(group)
        # An event may not be empty: a blank line is a space.
        events = [{"timestamp": stamp, "message": line or " "} for stamp, line in lines]
        try:
            self._logs.put_log_events(logGroupName=group, logStreamName=self._run_id, logEvents=events)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            self._made.discard(group)  # somebody deleted the group in the middle of the run
            self._put(group, lines)


def _shift(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Take as many lines from the front as one call may carry."""
    size = count = 0
    while count < len(lines) and (count == 0 or size + len(lines[count][1]) + 26 <= _LARGEST):
        size += len(lines[count][1]) + 26
        count += 1
    taken = lines[:count]
    del lines[:count]
    return taken
