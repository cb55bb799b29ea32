"""Event source mappings: messages of a queue become invocations of a function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
A message that arrives wakes its queue's poller; there is no polling at intervals. As on AWS, a batch is hidden from
other receivers for the queue's visibility timeout, and deleted when the function succeeds. Failed messages become
visible again after the timeout.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from localaws.core.ports import QueueMessage, Queues, QueueUnavailable
from localaws.lambda_.invocations.batches import failed_items, record_of

log = logging.getLogger(__name__)

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
CONCURRENT_BATCHES = 5
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: an invocation's limit, less room for records
_PAYLOAD_BYTES = 6_291_456 * 3 // 4
_LATER = 1.0  # seconds until an obstacle is checked again, if no change is announced before


class NotNow(Exception):
    """The function can't be invoked at the moment: it is throttled."""


class Unavailable(Exception):
    """The function does not exist, or has no permission to read the queue."""


class Interrupted(Exception):
    """The server is stopping, and it ended the invocation."""


@dataclass(frozen=True)
class QueueMapping:
    """What a poller needs to know about an event source mapping. `window` is in seconds."""

    uuid: str
    queue_arn: str
    function_arn: str
    batch_size: int
    window: int
    reports_failures: bool
    concurrency: int = CONCURRENT_BATCHES


# Runs the function that an ARN names with a payload. Returns its answer, or None if it failed.
# Raises NotNow, Unavailable or Interrupted.
Invoke = Callable[[str, bytes], bytes | None]
# Raises Unavailable if the mapping can't be served at the moment.
Check = Callable[[QueueMapping], None]


class Mappings:
    """The pollers of all enabled mappings."""

    def __init__(
        self,
        queues: Callable[[], Queues],
        wanted: Callable[[], Iterable[QueueMapping]],
        invoke: Invoke,
        check: Check,
    ) -> None:
        """`wanted` returns the enabled mappings. `queues` is called when a poller is made."""
        self._queues = queues
        self._wanted = wanted
        self._invoke = invoke
        self._check = check
        self._pollers: dict[str, _Poller] = {}
        self._lock = threading.Lock()
        self._running = False

    def start(self) -> None:
        """Start to poll."""
        self._running = True
        self.refresh()

    def refresh(self) -> None:
        """Poll for exactly the mappings that exist now. A changed mapping gets a new poller."""
        if not self._running:
            return
        with self._lock:
            mappings = {mapping.uuid: mapping for mapping in self._wanted()}
            for uuid, poller in list(self._pollers.items()):
                if mappings.get(uuid) != poller.mapping:
                    self._pollers.pop(uuid).stop()
            for uuid, mapping in mappings.items():
                if uuid not in self._pollers:
                    self._pollers[uuid] = _Poller(self._queues(), mapping, self._invoke, self._check)

    def stop(self) -> None:
        """Stop polling. This does not wait for running batches."""
        self._running = False
        with self._lock:
            for poller in self._pollers.values():
                poller.stop()
            self._pollers.clear()


class _Poller:
    """Reads one queue for one mapping, on its own thread. Its batches run on further threads."""

    def __init__(self, queues: Queues, mapping: QueueMapping, invoke: Invoke, check: Check) -> None:
        self._queues = queues
        self.mapping = mapping
        self._invoke = invoke
        self._check = check
        self._stopped = threading.Event()
        self._free = threading.Semaphore(mapping.concurrency)
        self._batches = ThreadPoolExecutor(mapping.concurrency, "queue-batch")
        threading.Thread(target=self._run, name="queue-poller", daemon=True).start()

    def stop(self) -> None:
        """Take no more messages."""
        self._stopped.set()
        self._queues.wake(self.mapping.queue_arn)
        self._batches.shutdown(wait=False)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._free.acquire()
            batch: list[QueueMessage] = []
            try:
                batch = self._next_batch()
            except Exception:
                log.exception("Reading %s failed", self.mapping.queue_arn)
                self._stopped.wait(_LATER)
            if not batch:
                self._free.release()
                continue
            try:
                self._batches.submit(self._handle, batch)
            except RuntimeError:  # stopped meanwhile: the next poller, or the next server, gets the messages
                self._queues.give_back(batch)

    def _next_batch(self) -> list[QueueMessage]:
        """Wait for messages, and gather a batch. Return an empty one if the caller should try again."""
        arn = self.mapping.queue_arn
        seen = self._queues.changes(arn)
        try:
            self._check(self.mapping)
            batch = self._receive(self.mapping.batch_size, _PAYLOAD_BYTES)
        except (Unavailable, QueueUnavailable):
            self._queues.wait_for_change(arn, seen, _LATER)
            return []
        if not batch:
            self._queues.wait(arn, seen, None)
        elif self.mapping.window:
            self._gather(batch)
        return batch

    def _gather(self, batch: list[QueueMessage]) -> None:
        """Add messages to `batch` until the batching window is over or the batch is full."""
        arn, deadline = self.mapping.queue_arn, time.monotonic() + self.mapping.window
        while not self._stopped.is_set():
            size = sum(len(message.body) for message in batch)
            missing, left = self.mapping.batch_size - len(batch), deadline - time.monotonic()
            if missing <= 0 or left <= 0 or size >= _PAYLOAD_BYTES:
                return
            seen = self._queues.changes(arn)
            more = self._receive(missing, _PAYLOAD_BYTES - size)
            batch += more
            if not more:
                self._queues.wait(arn, seen, left)

    def _receive(self, limit: int, most_bytes: int) -> list[QueueMessage]:
        return list(self._queues.receive(self.mapping.queue_arn, limit, most_bytes, self.mapping.uuid))

    def _handle(self, batch: list[QueueMessage]) -> None:
        try:
            failed = self._failed(batch)
            self._queues.delete([each for each in batch if each.id not in failed])
            self._queues.let_go([each for each in batch if each.id in failed])
        except Interrupted:
            log.info("A batch of %s waits for the next start", self.mapping.queue_arn)
        except Exception:
            # The messages become visible again after their timeout, as after any failure.
            log.exception("A batch of %s failed", self.mapping.queue_arn)
            self._queues.let_go(batch)
        finally:
            self._free.release()

    def _failed(self, batch: list[QueueMessage]) -> set[str]:
        """Invoke the function. Return the ids of the messages that are not done."""
        everything = {message.id for message in batch}
        payload = json.dumps(
            {"Records": [record_of(self._queues.described(message), message.queue) for message in batch]}
        ).encode()
        hidden_until = min(message.visible for message in batch) / 1000
        pause = 0.05
        while True:
            try:
                answer = self._invoke(self.mapping.function_arn, payload)
            except NotNow:
                # Lambda retries until the messages become visible.
                if time.time() + pause >= hidden_until or self._stopped.wait(pause):
                    return everything
                pause = min(2 * pause, _LATER)
                continue
            except Unavailable as error:
                log.info("A batch of %s waits: %s", self.mapping.queue_arn, error)
                return everything
            if answer is None:
                return everything
            return failed_items(answer, everything) if self.mapping.reports_failures else set()
