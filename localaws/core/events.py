"""The events that engines send each other, and the bus that delivers them.

Engines react to events, they don't poll: object created → function → workflow run → crawl finished → job.
"""

from __future__ import annotations

import contextvars
import logging
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

log = logging.getLogger(__name__)


Predecessors = tuple[tuple[str, str], ...]
"""The job and the run id of each job run that made a conditional trigger fire."""


@dataclass(frozen=True)
class WorkflowRef:
    """The workflow run, and the trigger in it, that an action belongs to.

    `name` and `run_id` are empty if the trigger does not belong to a workflow.
    """

    name: str
    run_id: str
    trigger: str


@dataclass(frozen=True)
class CrawlStarted:
    region: str
    crawler: str
    crawl_id: str
    workflow: WorkflowRef | None = None


@dataclass(frozen=True)
class CrawlFinished:
    """`state` is SUCCEEDED, FAILED or CANCELLED."""

    region: str
    crawler: str
    crawl_id: str
    state: str
    workflow: WorkflowRef | None = None


@dataclass(frozen=True)
class JobRunStarted:
    region: str
    job: str
    run_id: str
    workflow: WorkflowRef | None = None


@dataclass(frozen=True)
class JobRunFinished:
    """`state` is a JobRunState of Glue; `final` is False if a retry follows."""

    region: str
    job: str
    run_id: str
    state: str
    final: bool = True
    workflow: WorkflowRef | None = None


Event = TypeVar("Event")
_deferred: contextvars.ContextVar[list[Callable[[], Any]] | None] = contextvars.ContextVar("deferred", default=None)


class Bus:
    """Delivers events from the thread that publishes them to handlers on one thread, in order."""

    def __init__(self) -> None:
        self._handlers: dict[type[Any], list[Callable[[Any], None]]] = defaultdict(list)
        self._queue: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="bus", daemon=True)

    def start(self) -> None:
        """Start to deliver. Events published earlier are kept until then."""
        self._thread.start()

    def stop(self) -> None:
        """Deliver the queued events, then end."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def subscribe(self, event_type: type[Event], handler: Callable[[Event], None]) -> None:
        """Call `handler` with each event of `event_type`. Handlers must be short."""
        self._handlers[event_type].append(handler)

    def publish(self, event: Any) -> None:
        """Queue `event` for its handlers."""
        for handler in self._handlers[type(event)]:
            self._queue.put(partial(handler, event))

    def after_response(self, action: Callable[[], Any]) -> None:
        """Queue `action` on the bus once the current HTTP response is sent; immediately if there is none."""
        waiting = _deferred.get()
        if waiting is None:
            self._queue.put(action)
        else:
            waiting.append(action)

    def release(self, actions: list[Callable[[], Any]]) -> None:
        """Queue the actions that waited for a response."""
        for action in actions:
            self._queue.put(action)

    def _run(self) -> None:
        while (action := self._queue.get()) is not None:
            try:
                action()
            except Exception:
                # One broken handler must not stop the others. Its author finds the error in the log.
                log.exception("An event's handler failed")


@contextmanager
def response_scope() -> Iterator[list[Callable[[], Any]]]:
    """Collect the actions given to `after_response` while one request is handled."""
    actions: list[Callable[[], Any]] = []
    token = _deferred.set(actions)
    try:
        yield actions
    finally:
        _deferred.reset(token)
