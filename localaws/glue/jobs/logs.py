"""A run's logs in CloudWatch Logs, where Glue 5 has them: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html

/aws-glue/jobs/output holds what the script prints, on stdout or stderr. /aws-glue/jobs/error holds Glue's own messages:
its logger's lines and the traceback of a script that raised. Each run has its own stream in both.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from localaws.glue.jobs.script import Log

log = logging.getLogger(__name__)

GROUP = "/aws-glue/jobs"
_EVERY = 1.0  # seconds between two deliveries while a run lasts
_LARGEST = 200_000  # characters in a delivery; PutLogEvents takes 1 MB
_LONGEST = 100_000  # characters of a line; an event may have 256 kB


class RunLog:
    """Gathers a run's lines and delivers them."""

    def __init__(
        self, logs: Any, run_id: str, arguments: Mapping[str, str], may_log: Callable[[str, str], bool]
    ) -> None:
        """Start the log of run `run_id`; its `arguments` may name another group and stream than Glue's own.

        `may_log(group, stream)` tells whether the job's role may write there: if not, lines are lost, as on AWS.
        """
        self._logs = logs
        self._may_log = may_log
        group = arguments.get("--custom-logGroup-prefix") or GROUP
        prefix = arguments.get("--custom-logStream-prefix")
        stream = f"{prefix}-driver" if prefix else run_id
        self._places = {log: (f"{group}/{log}", stream) for log in Log}
        self._insights = f"{group}/{Log.ERROR}", f"{run_id}-job-insights-rca-driver"
        self._lines: dict[Log, list[tuple[int, str]]] = {log: [] for log in Log}
        self._made: set[tuple[str, str]] = set()
        self._refused: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._delivery = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._deliver_regularly, name="job-log", daemon=True).start()

    def write(self, log: Log, line: str) -> None:
        """Add one line, to be delivered later."""
        with self._lock:
            self._lines[log].append((_now(), line[:_LONGEST]))

    def explain(self, insight: Mapping[str, Any]) -> None:
        """Deliver Glue's job run insights about a failure, to their own stream."""
        text = json.dumps({**insight, "Timestamp": _now()})
        with self._delivery:
            self._put(self._insights, [(_now(), f"[Glue Exception Analysis] {text}"[:_LARGEST])])

    def close(self) -> None:
        """Deliver the remaining lines, and stop."""
        self._closed.set()
        self._deliver()

    def _deliver_regularly(self) -> None:
        while not self._closed.wait(_EVERY):
            self._deliver()

    def _deliver(self) -> None:
        with self._delivery:
            for log, place in self._places.items():
                with self._lock:
                    lines, self._lines[log] = self._lines[log], []
                while lines:
                    self._put(place, _shift(lines))

    def _put(self, place: tuple[str, str], lines: list[tuple[int, str]]) -> None:
        group, stream = place
        if place in self._refused or not self._may_log(group, stream):
            return
        if place not in self._made:
            try:
                self._make(group, stream)
            except self._logs.exceptions.InvalidParameterException:
                log.warning(
                    "Log lines of a job are lost: its arguments lead to the log group %s, stream %s",
                    group,
                    stream,
                    exc_info=True,
                )
                self._refused.add(place)
                return
            self._made.add(place)
        # An event may not be empty: a blank line is a space.
        events = [{"timestamp": stamp, "message": line or " "} for stamp, line in lines]
        try:
            self._logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            self._made.discard(place)  # somebody deleted the group during the run
            self._put(place, lines)

    def _make(self, group: str, stream: str) -> None:
        for make, names in (
            (self._logs.create_log_group, {"logGroupName": group}),
            (self._logs.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
        ):
            with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                make(**names)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _shift(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Remove and return as many lines from the front as one call may carry."""
    size = count = 0
    while count < len(lines) and (count == 0 or size + len(lines[count][1]) + 26 <= _LARGEST):
        size += len(lines[count][1]) + 26
        count += 1
    taken = lines[:count]
    del lines[:count]
    return taken
