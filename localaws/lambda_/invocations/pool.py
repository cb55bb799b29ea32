"""The warm workers of one version of one function."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from localaws.lambda_.invocations.spec import FunctionSpec
from localaws.lambda_.invocations.worker import Worker

# Concurrent workers of one version; on AWS, an account has a thousand. More workers than the machine can run are only
# started if the others make no progress, because they wait for something.
WORKERS = 8
BUSY_WORKERS = max(4, 2 * (os.cpu_count() or 1))
PATIENCE = 0.1  # seconds that a call waits for a busy worker before another one is started
# Workers that start at the same time. More would not be ready sooner, and by then the first ones have done the work.
STARTS = os.cpu_count() or 1
STUCK = 3.0  # seconds without a returned worker, after which the busy ones are taken to wait for something
IDLE_SECONDS = 300.0


class Pool:
    """The workers of one specification. A changed function gets a new pool."""

    def __init__(self, spec: FunctionSpec, start: Callable[[FunctionSpec], Worker]) -> None:
        self.spec = spec
        self._start = start
        self._idle: list[Worker] = []
        self._count = 0
        self._starting = 0
        self._retired = False
        self._last_start = self._last_ready = self._last_return = 0.0
        self._change = threading.Condition()

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """Borrow a worker: an idle one, a new one, or, at the limit, the next one that becomes free.

        Raises:
            OSError: a worker can't be started.
        """
        worker = self._take()
        try:
            if worker is None:
                worker = self._started()
            yield worker
        finally:
            self._give_back(worker)

    def stop_idle(self, older_than: float = IDLE_SECONDS) -> None:
        """End the workers that were idle for `older_than` seconds."""
        limit = time.monotonic() - older_than
        with self._change:
            old = [worker for worker in self._idle if worker.idle_since < limit or not worker.alive]
            self._idle = [worker for worker in self._idle if worker not in old]
            self._count -= len(old)
        for worker in old:
            worker.stop()

    def retire(self) -> None:
        """End the idle workers now, and the busy ones when they are done."""
        self._retired = True
        self.stop_idle(older_than=-1)

    def _started(self) -> Worker:
        """A new worker, which has loaded the function's module, or failed to."""
        try:
            worker = self._start(self.spec)
            worker.await_init()
            return worker
        finally:
            with self._change:
                self._starting -= 1
                self._last_ready = time.monotonic()
                self._change.notify_all()

    def _take(self) -> Worker | None:
        # Most invocations end sooner than a new worker could start.
        began = time.monotonic()
        with self._change:
            while True:
                while self._idle:
                    worker = self._idle.pop()
                    if worker.alive:
                        return worker
                    self._count -= 1  # it died while it was idle
                    worker.stop()
                if self._starting >= STARTS:
                    until = self._last_start + STUCK
                elif self._count < BUSY_WORKERS:
                    until = max(began, self._last_ready) + PATIENCE
                else:
                    until = max(began, self._last_return) + STUCK
                left = until - time.monotonic()
                if self._count < WORKERS and (left <= 0 or self._count == 0):
                    self._count += 1
                    self._starting += 1
                    self._last_start = time.monotonic()
                    return None
                self._change.wait(left if self._count < WORKERS else None)

    def _give_back(self, worker: Worker | None) -> None:
        with self._change:
            self._last_return = time.monotonic()
            keep = worker is not None and worker.alive and not self._retired
            if keep and worker is not None:
                self._idle.append(worker)
            else:
                self._count -= 1
            self._change.notify()
        if worker is not None and not keep:
            worker.stop()
