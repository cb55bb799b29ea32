"""The bus delivers in order, and holds back what must wait for an answer."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from localaws.core.events import Bus, CrawlFinished, JobRunFinished, response_scope


@pytest.fixture
def bus() -> Iterator[Bus]:
    made = Bus()
    made.start()
    yield made
    made.stop()


def finished(name: str) -> CrawlFinished:
    return CrawlFinished("us-east-1", name, "id", "SUCCEEDED")


def test_events_arrive_in_order_and_by_type(bus: Bus) -> None:
    seen: queue.Queue[str] = queue.Queue()
    bus.subscribe(CrawlFinished, lambda event: seen.put(event.crawler))
    bus.subscribe(JobRunFinished, lambda event: seen.put(event.job))
    bus.publish(finished("one"))
    bus.publish(JobRunFinished("us-east-1", "two", "id", "SUCCEEDED"))
    bus.publish(finished("three"))
    assert [seen.get(timeout=5) for _ in range(3)] == ["one", "two", "three"]


def test_a_handler_that_raises_does_not_stop_the_others(bus: Bus) -> None:
    seen: queue.Queue[str] = queue.Queue()
    bus.subscribe(CrawlFinished, lambda event: 1 / 0)
    bus.subscribe(CrawlFinished, lambda event: seen.put(event.crawler))
    bus.publish(finished("one"))
    assert seen.get(timeout=5) == "one"


def test_actions_that_a_call_triggers_wait_until_the_call_is_answered(bus: Bus) -> None:
    seen: queue.Queue[str] = queue.Queue()
    with response_scope() as waiting:
        bus.after_response(lambda: seen.put("after"))
        bus.publish(finished("nothing listens"))
        seen.put("answer")
    assert seen.get(timeout=5) == "answer"
    assert seen.empty()
    bus.release(waiting)
    assert seen.get(timeout=5) == "after"
