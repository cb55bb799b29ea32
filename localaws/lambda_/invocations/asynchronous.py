"""Asynchronous invocations: accepted durably, run, retried, and on failure sent to a dead-letter queue or destination.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
AWS waits one minute before the first retry and two minutes before the second. Here LOCALAWS_FUNCTION_RETRY_DELAYS sets
the delays (in seconds, "1,2" by default), because a lesson should not take three minutes.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from localaws.core.database import open_database
from localaws.lambda_.invocations.pool import WORKERS

log = logging.getLogger(__name__)

MAXIMUM_RETRIES = 2
MAXIMUM_AGE = 21_600.0  # seconds
_SCHEMA = """
create table if not exists events (
    request_id text primary key, function_arn text not null, payload blob not null,
    accepted real not null, attempts integer not null, due real not null
) without rowid
"""


def retry_delays() -> tuple[float, ...]:
    """Return the seconds to wait before each retry."""
    return tuple(float(delay) for delay in os.environ.get("LOCALAWS_FUNCTION_RETRY_DELAYS", "1,2").split(","))


@dataclass(frozen=True)
class Event:
    """An accepted asynchronous invocation. Times are Unix times."""

    request_id: str
    function_arn: str
    payload: bytes
    accepted: float
    attempts: int = 0
    due: float = 0.0

    @property
    def age(self) -> float:
        """Seconds since the event was accepted."""
        return time.time() - self.accepted


def backoff(event: Event) -> float:
    """Return the seconds until an event that could not run is retried: from one second up to five minutes."""
    return min(300.0, 1.0 + event.age)


class EventQueue:
    """Keeps events on disk until they are done, and calls `handle` when they are due.

    `handle(event)` returns when to retry (Unix time) and whether this try counts as an attempt, or None if the event
    is done.
    """

    def __init__(self, file: Path, handle: Callable[[Event], tuple[float, bool] | None]) -> None:
        self._handle = handle
        self._database = open_database(file)
        self._database.execute(_SCHEMA)
        self._database_lock = threading.Lock()
        self._heap: list[tuple[float, int, Event]] = []
        self._order = itertools.count()
        self._change = threading.Condition()
        self._stopping = False
        # Each function has its own threads: a slow function with many events must not delay the others.
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._thread = threading.Thread(target=self._run, name="function-events", daemon=True)

    def start(self) -> None:
        """Start to call `handle`, also for the events that an earlier server left."""
        with self._database_lock:
            rows = self._database.execute(
                "select request_id, function_arn, payload, accepted, attempts, due from events order by due"
            ).fetchall()
        for row in rows:
            self._push(Event(*row))
        self._thread.start()

    def stop(self) -> None:
        """Stop calling `handle`. Waiting events are kept until the next start."""
        with self._change:
            self._stopping = True
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def add(self, event: Event) -> None:
        """Accept `event`. It is on disk when this returns."""
        self._write(event)
        self._push(event)

    def _push(self, event: Event) -> None:
        with self._change:
            heapq.heappush(self._heap, (event.due, next(self._order), event))
            self._change.notify()

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._stopping and (not self._heap or self._heap[0][0] > time.time()):
                    self._change.wait(self._heap[0][0] - time.time() if self._heap else None)
                if self._stopping:
                    return
                _, _, event = heapq.heappop(self._heap)
            pool = self._pools.get(event.function_arn)
            if pool is None:
                pool = self._pools[event.function_arn] = ThreadPoolExecutor(WORKERS, "function-events")
            pool.submit(self._try, event)

    def _try(self, event: Event) -> None:
        try:
            again = self._handle(event)
        except RuntimeError as error:
            if self._stopping:  # no child processes are started any more: keep the event
                log.info("Event %s waits for the next start: %s", event.request_id, error)
                return
            again = self._after_trouble(event)
        except Exception:
            again = self._after_trouble(event)
        if self._stopping and again is not None:
            return
        if again is None:
            with self._database_lock:
                self._database.execute("delete from events where request_id = ?", (event.request_id,))
            return
        due, counts = again
        event = replace(event, due=due, attempts=event.attempts + counts)
        self._write(event)
        self._push(event)

    @staticmethod
    def _after_trouble(event: Event) -> tuple[float, bool] | None:
        """Retry the event until it is too old, as Lambda does after an internal error."""
        if event.age >= MAXIMUM_AGE:
            log.exception("Event %s of %s is lost", event.request_id, event.function_arn)
            return None
        log.exception(
            "Event %s of %s could not be handled, and will be tried again", event.request_id, event.function_arn
        )
        return time.time() + backoff(event), False

    def _write(self, event: Event) -> None:
        with self._database_lock:
            self._database.execute(
                "insert or replace into events values (?, ?, ?, ?, ?, ?)",
                (event.request_id, event.function_arn, event.payload, event.accepted, event.attempts, event.due),
            )
