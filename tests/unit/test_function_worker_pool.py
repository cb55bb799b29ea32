"""Which workers a burst of invocations starts. The workers are made up: each is ready when the test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, cast

import pytest

from localaws.lambda_.invocations import pool as pools
from localaws.lambda_.invocations.pool import Pool

LIMIT = 10.0  # seconds


class MadeUp:
    """A worker that has loaded its module when `ready` is set."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.alive = True
        self.idle_since = 0.0

    def await_init(self) -> None:
        assert self.ready.wait(LIMIT)

    def stop(self) -> None:
        self.alive = False


class Burst:
    """Many invocations at the same time; `started` are the workers that they have started so far."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._changed = threading.Condition()
        self.started: list[MadeUp] = []
        self.pool = Pool(cast(Any, None), cast(Any, self._start))

    def _start(self, _spec: object) -> MadeUp:
        worker = MadeUp()
        with self._changed:
            self.started.append(worker)
            self._changed.notify_all()
        return worker

    def invoke(self, times: int, work: Callable[[], object] = int) -> list[Future[None]]:
        def one() -> None:
            with self.pool.worker():
                work()

        return [self._executor.submit(one) for _ in range(times)]

    def has_started(self, count: int, limit: float = LIMIT) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.started) >= count, limit)


@pytest.fixture
def burst() -> Any:
    with ThreadPoolExecutor(12) as executor:
        made = Burst(executor)
        yield made
        for worker in made.started:
            worker.ready.set()


def test_a_burst_starts_no_more_workers_at_the_same_time_than_the_machine_can_start(
    burst: Burst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "STARTS", 2)
    invoked = burst.invoke(12)
    assert burst.has_started(2)
    assert not burst.has_started(3, limit=3 * pools.PATIENCE)
    for worker in burst.started:
        worker.ready.set()
    for one in invoked:
        one.result(LIMIT)
    assert len(burst.started) == 2, "they were ready, and did all the work"


def test_more_workers_are_started_if_the_first_ones_are_ready_and_stay_busy(
    burst: Burst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "STARTS", 1)
    go_on = threading.Event()
    invoked = burst.invoke(3, lambda: go_on.wait(LIMIT))
    for count in (1, 2, 3):
        assert burst.has_started(count)
        burst.started[-1].ready.set()
    go_on.set()
    for one in invoked:
        one.result(LIMIT)


def test_workers_that_start_for_a_long_time_do_not_hold_up_others(
    burst: Burst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "STARTS", 1)
    monkeypatch.setattr(pools, "STUCK", 0.2)
    burst.invoke(2)
    assert burst.has_started(2)


def test_a_worker_that_can_not_be_started_leaves_its_place_to_the_next(
    burst: Burst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "STARTS", 1)
    start = burst.pool._start
    monkeypatch.setattr(burst.pool, "_start", _fails)
    with pytest.raises(OSError, match="no memory"):
        burst.invoke(1)[0].result(LIMIT)
    monkeypatch.setattr(burst.pool, "_start", start)
    invoked = burst.invoke(1)
    assert burst.has_started(1, limit=1)
    burst.started[0].ready.set()
    invoked[0].result(LIMIT)


def _fails(_spec: object) -> MadeUp:
    raise OSError("no memory")
