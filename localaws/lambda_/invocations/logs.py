"""Sends the output of functions to CloudWatch Logs."""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.logs.models import logs_backends

from localaws.core.context import Context
from localaws.iam.service_roles import ServiceRole

log = logging.getLogger(__name__)

TAIL = 4096  # bytes, https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
_EVENT_LIMIT = 262_118  # bytes of one log event


@dataclass
class LogStream:
    """The log stream of one worker."""

    role: ServiceRole
    group: str
    name: str
    waiting: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of_worker(cls, role: ServiceRole, group: str, version: str) -> LogStream:
        """Return a new stream, named as Lambda names it."""
        day = time.strftime("%Y/%m/%d", time.gmtime())
        return cls(role, group, f"{day}/[{version}]{uuid.uuid4().hex}")

    def add(self, message: str) -> None:
        """Add an event, to be sent by `LogShipper.ship`."""
        self.waiting.append({"timestamp": int(time.time() * 1000), "message": message[:_EVENT_LIMIT]})


class LogShipper:
    """Writes log events to the logs' backend, on its own thread, so that invocations don't wait for it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._queue: queue.SimpleQueue[tuple[LogStream, list[dict[str, Any]]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="function-logs", daemon=True)
        self._thread.start()

    def ship(self, stream: LogStream) -> None:
        """Send the events that `stream` has gathered."""
        events, stream.waiting = stream.waiting, []
        if events:
            self._queue.put((stream, events))

    def stop(self) -> None:
        """Send the remaining events, and end the thread."""
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        going = True
        while going:
            gathered, going = self._waiting()
            for stream, events in gathered:
                try:
                    self._put(stream, events)
                except Exception:
                    log.exception("Log lines of %s are lost", stream.group)
            if gathered:
                self._context.state.save_soon("logs")

    def _waiting(self) -> tuple[list[tuple[LogStream, list[dict[str, Any]]]], bool]:
        """Wait for events. Return all that have arrived, grouped by stream, and whether more may follow.

        Many events arrive together in a burst. The grouping checks only once per stream whether its role may write.
        """
        gathered: dict[int, tuple[LogStream, list[dict[str, Any]]]] = {}
        batch = self._queue.get()
        while batch is not None:
            stream, events = batch
            gathered.setdefault(id(stream), (stream, []))[1].extend(events)
            try:
                batch = self._queue.get_nowait()
            except queue.Empty:
                return list(gathered.values()), True
        return list(gathered.values()), False

    @staticmethod
    def _put(stream: LogStream, events: list[dict[str, Any]]) -> None:
        if not stream.role.may_log(stream.group, stream.name):
            return  # as on AWS: the function runs, and its output is lost
        backend = logs_backends[stream.role.account_id][stream.role.region]
        backend.ensure_log_group(stream.group)
        if stream.name not in backend.groups[stream.group].streams:
            backend.create_log_stream(stream.group, stream.name)
        backend.put_log_events(stream.group, stream.name, events)
