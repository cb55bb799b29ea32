"""Runs the schedules: one timer per scheduled trigger."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from localaws.glue.workflows.schedule import Schedule

Key = tuple[str, str]  # region, trigger

# Timers drift from the wall clock, and a laptop sleeps: check the wall clock again this often.
_LOOK_AGAIN_SECONDS = 3600.0


class Timetable:
    """Calls `due(key)` in a separate thread each time the schedule of `key` is due."""

    def __init__(self, clock: Callable[[], datetime], due: Callable[[Key], None]) -> None:
        self._clock = clock
        self._due = due
        self._lock = threading.Lock()
        self._timers: dict[Key, threading.Timer] = {}

    def put(self, key: Key, expression: str | None) -> None:
        """Set or replace the schedule of `key`; None removes it."""
        with self._lock:
            self._cancel(key)
            if expression is not None:
                schedule = Schedule.parse(expression)
                self._wait(key, schedule, schedule.next_after(self._clock()))

    def clear(self) -> None:
        """Remove all schedules."""
        with self._lock:
            for key in list(self._timers):
                self._cancel(key)

    def _cancel(self, key: Key) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()

    def _wait(self, key: Key, schedule: Schedule, moment: datetime | None) -> None:
        if moment is None:
            return  # the schedule is never due again
        delay = (moment - self._clock()).total_seconds()
        timer = threading.Timer(max(0.0, min(delay, _LOOK_AGAIN_SECONDS)), lambda: self._ring(key, schedule, moment))
        timer.daemon = True
        timer.name = f"trigger {key[1]}"
        self._timers[key] = timer
        timer.start()

    def _ring(self, key: Key, schedule: Schedule, moment: datetime) -> None:
        with self._lock:
            if self._timers.get(key) is not threading.current_thread():
                return  # the timer was cancelled or replaced at the last moment
            now = self._clock()
            due = now >= moment
            self._wait(key, schedule, schedule.next_after(now) if due else moment)
        if due:
            self._due(key)
