"""How schedules are waited for, with timers that tests control."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from localaws.glue.workflows import timetable
from localaws.glue.workflows.timetable import Timetable

NOON = "cron(0 12 * * ? *)"
KEY = ("us-east-1", "noon")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC)


class Timer:
    """A timer that rings by hand."""

    def __init__(self, delay: float, ring: Callable[[], None]) -> None:
        self.delay, self.ring = delay, ring
        self.daemon = self.started = self.cancelled = False
        self.name = ""

    def start(self) -> None:
        self.started = True

    def cancel(self) -> None:
        self.cancelled = True


class Clockwork:
    """A clock, the timers, and what became due when."""

    def __init__(self, now: str) -> None:
        self.now = at(now)
        self.timers: list[Timer] = []
        self.ringing: Timer | None = None
        self.due: list[tuple[tuple[str, str], datetime]] = []
        self.timetable = Timetable(lambda: self.now, lambda key: self.due.append((key, self.now)))

    def timer(self, delay: float, ring: Callable[[], None]) -> Timer:
        self.timers.append(Timer(delay, ring))
        return self.timers[-1]

    def waiting(self) -> list[Timer]:
        return [timer for timer in self.timers if timer.started and not timer.cancelled]

    def ring(self, timer: Timer, later: float | None = None) -> None:
        """Let `timer` ring after its delay, or after `later` seconds."""
        self.timers.remove(timer)
        self.now += timedelta(seconds=timer.delay if later is None else later)
        self.ringing = timer
        timer.ring()

    def run_until(self, end: str) -> None:
        while self.waiting() and self.now + timedelta(seconds=self.waiting()[0].delay) <= at(end):
            self.ring(self.waiting()[0])


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Clockwork]:
    """`start("22 10:00")`: a clockwork at that time of November."""

    def make(now: str) -> Clockwork:
        clockwork = Clockwork(now)
        fake: Any = SimpleNamespace(
            Lock=threading.Lock, Timer=clockwork.timer, current_thread=lambda: clockwork.ringing
        )
        monkeypatch.setattr(timetable, "threading", fake)
        return clockwork

    return make


def test_a_schedule_is_due_exactly_once_at_each_of_its_times(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 10:00")
    clockwork.timetable.put(KEY, NOON)
    clockwork.run_until("22 11:59:59")
    assert clockwork.due == []
    clockwork.run_until("24 13:00")
    assert clockwork.due == [(KEY, at(f"{day} 12:00")) for day in (22, 23, 24)]


def test_the_timer_checks_the_clock_at_least_every_hour(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 09:30")
    clockwork.timetable.put(KEY, NOON)
    delays = []
    while not clockwork.due:
        (timer,) = clockwork.waiting()
        delays.append(timer.delay)
        clockwork.ring(timer)
    assert delays == [3600, 3600, 1800]


def test_a_time_that_passed_while_the_machine_slept_is_due_once_on_wake_up(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 11:30")
    clockwork.timetable.put(KEY, NOON)
    (timer,) = clockwork.waiting()
    clockwork.ring(timer, later=2 * 24 * 3600)
    assert clockwork.due == [(KEY, at("24 11:30"))]
    clockwork.run_until("24 12:30")
    assert clockwork.due[1:] == [(KEY, at("24 12:00"))]


def test_a_timer_that_fires_early_waits_for_the_remaining_time(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 11:30")
    clockwork.timetable.put(KEY, NOON)
    clockwork.ring(clockwork.waiting()[0], later=1799)
    assert clockwork.due == []
    (timer,) = clockwork.waiting()
    assert timer.delay == 1
    clockwork.ring(timer)
    assert clockwork.due == [(KEY, at("22 12:00"))]


def test_a_time_that_passes_while_the_timer_is_created_is_due_at_once(
    start: Callable[[str], Clockwork],
) -> None:
    clockwork = start("22 11:59:59")
    moments = iter([at("22 11:59:59"), at("22 12:00:01")])
    table = Timetable(lambda: next(moments), lambda key: None)
    table.put(KEY, NOON)
    assert [timer.delay for timer in clockwork.waiting()] == [0]


def test_a_new_schedule_replaces_the_old_one(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 10:00")
    clockwork.timetable.put(KEY, NOON)
    clockwork.timetable.put(KEY, "cron(0 11 * * ? *)")
    clockwork.run_until("22 23:00")
    assert clockwork.due == [(KEY, at("22 11:00"))]


def test_each_key_has_a_schedule_of_its_own(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 11:30")
    other = ("us-west-2", "noon")
    for key in (KEY, other):
        clockwork.timetable.put(key, NOON)
    assert len(clockwork.waiting()) == 2
    clockwork.timetable.put(KEY, None)
    clockwork.run_until("22 13:00")
    assert clockwork.due == [(other, at("22 12:00"))]


def test_removing_a_schedule_cancels_its_timer(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 10:00")
    clockwork.timetable.put(KEY, NOON)
    clockwork.timetable.put(KEY, None)
    clockwork.timetable.put(("us-east-1", "unknown"), None)
    assert clockwork.waiting() == []


def test_clearing_the_timetable_cancels_all_timers(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 10:00")
    for name in ("one", "two"):
        clockwork.timetable.put(("us-east-1", name), NOON)
    clockwork.timetable.clear()
    assert clockwork.waiting() == []


def test_a_timer_that_fires_just_after_it_was_replaced_or_cancelled_does_nothing(
    start: Callable[[str], Clockwork],
) -> None:
    clockwork = start("22 11:30")
    for replacement in (NOON, None):
        clockwork.timetable.put(KEY, NOON)
        (timer,) = clockwork.waiting()
        clockwork.timetable.put(KEY, replacement)
        waiting = clockwork.waiting()
        clockwork.ring(timer, later=0)
        assert (clockwork.due, clockwork.waiting()) == ([], waiting)


def test_a_schedule_whose_years_are_past_has_no_timer(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 10:00")
    clockwork.timetable.put(KEY, "cron(0 12 * * ? 2020)")
    assert clockwork.waiting() == []


def test_a_schedule_ends_after_its_last_time(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 11:30")
    clockwork.timetable.put(KEY, "cron(0 12 22 11 ? 2026)")
    clockwork.run_until("30 12:00")
    assert (clockwork.due, clockwork.waiting()) == ([(KEY, at("22 12:00"))], [])


def test_a_waiting_timer_does_not_keep_the_process_alive(start: Callable[[str], Clockwork]) -> None:
    clockwork = start("22 11:30")
    clockwork.timetable.put(KEY, NOON)
    assert [(timer.daemon, timer.name) for timer in clockwork.waiting()] == [(True, "trigger noon")]
