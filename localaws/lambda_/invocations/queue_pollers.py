"""Event source mappings: messages of a queue become invocations of a function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
A message that arrives wakes its queue's poller: nothing is looked at in intervals. A batch is hidden from others for
the queue's visibility timeout, as on AWS, and deleted when the function succeeds; what fails comes back after that.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends

from localaws.lambda_.invocations.batches import failed_items, record_of
from localaws.sqs.messages import StoredMessage
from localaws.sqs.queues import LocalQueue
from localaws.sqs.receipts import Receipt
from localaws.sqs.store import messages

log = logging.getLogger(__name__)

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
CONCURRENT_BATCHES = 5
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: of an invocation, with room for the records
_PAYLOAD_BYTES = 6_291_456 * 3 // 4
_LATER = 1.0  # seconds until something that is in the way is looked at again, if nothing is heard of it


class NotNow(Exception):
    """The function can't be invoked at the moment: it is throttled."""


class Unavailable(Exception):
    """The function, its queue, or its permission to read it is not there."""


class Interrupted(Exception):
    """The server stops: what was invoked did not end by itself."""


@dataclass(frozen=True)
class QueueMapping:
    """What a poller needs to know of an event source mapping. `window` is in seconds."""

    uuid: str
    queue_arn: str
    function_arn: str
    batch_size: int
    window: int
    reports_failures: bool
    concurrency: int = CONCURRENT_BATCHES


# Runs the function that an ARN names with a payload: its answer, or None where it failed.
# Raises NotNow, Unavailable, and Interrupted.
Invoke = Callable[[str, bytes], bytes | None]
# Raises Unavailable where the mapping can't be served at the moment.
Check = Callable[[QueueMapping], None]


class Mappings:
    """The pollers of all enabled mappings."""

    def __init__(self, wanted: Callable[[], Iterable[QueueMapping]], invoke: Invoke, check: Check) -> None:
        """`wanted` tells the mappings that there are."""
        self._wanted = wanted
        self._invoke = invoke
        self._check = check
        self._pollers: dict[str, _Poller] = {}
        self._lock = threading.Lock()
        self._running = False

    def start(self) -> None:
        """Begin to poll."""
        self._running = True
        self.refresh()

    def refresh(self) -> None:
        """Poll for the mappings that there are now, and for nothing else: one that changed gets another poller."""
        if not self._running:
            return
        with self._lock:
            mappings = {mapping.uuid: mapping for mapping in self._wanted()}
            for uuid, poller in list(self._pollers.items()):
                if mappings.get(uuid) != poller.mapping:
                    self._pollers.pop(uuid).stop()
            for uuid, mapping in mappings.items():
                if uuid not in self._pollers:
                    self._pollers[uuid] = _Poller(mapping, self._invoke, self._check)

    def stop(self) -> None:
        """Poll no more; batches that run are not waited for."""
        self._running = False
        with self._lock:
            for poller in self._pollers.values():
                poller.stop()
            self._pollers.clear()


class _Poller:
    """Reads one queue for one mapping, on a thread of its own; its batches run on some more."""

    def __init__(self, mapping: QueueMapping, invoke: Invoke, check: Check) -> None:
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
        messages().wake(self.mapping.queue_arn)
        self._batches.shutdown(wait=False)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._free.acquire()
            batch: list[StoredMessage] = []
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
            except RuntimeError:  # stopped meanwhile: the next poller, or the next server, has them
                messages().give_back(batch)

    def _next_batch(self) -> list[StoredMessage]:
        """Wait for messages, and gather a batch; empty where there is something to be looked at again."""
        arn = self.mapping.queue_arn
        seen = messages().changes(arn)
        try:
            self._check(self.mapping)
            queue = _queue(arn)
        except Unavailable:
            messages().wait_for_change(arn, seen, _LATER)
            return []
        batch = self._receive(queue, self.mapping.batch_size, _PAYLOAD_BYTES)
        if not batch:
            messages().wait(arn, seen, None)
        elif self.mapping.window:
            self._gather(queue, batch)
        return batch

    def _gather(self, queue: LocalQueue, batch: list[StoredMessage]) -> None:
        """Add to `batch` what arrives until the batching window is over or the batch is full."""
        deadline = time.monotonic() + self.mapping.window
        while not self._stopped.is_set():
            size = sum(len(message.body) for message in batch)
            missing, left = self.mapping.batch_size - len(batch), deadline - time.monotonic()
            if missing <= 0 or left <= 0 or size >= _PAYLOAD_BYTES:
                return
            seen = messages().changes(queue.queue_arn)
            more = self._receive(queue, missing, _PAYLOAD_BYTES - size)
            batch += more
            if not more:
                messages().wait(queue.queue_arn, seen, left)

    def _receive(self, queue: LocalQueue, limit: int, most_bytes: int) -> list[StoredMessage]:
        return messages().receive(
            queue.queue_arn, limit, queue.reading(), most_bytes=most_bytes, holder=self.mapping.uuid
        )

    def _handle(self, batch: list[StoredMessage]) -> None:
        try:
            failed = self._failed(batch)
            messages().delete(
                [Receipt(each.receipt or "", each.queue, each.number) for each in batch if each.id not in failed]
            )
            messages().let_go([each for each in batch if each.id in failed])
        except Interrupted:
            log.info("A batch of %s waits for the next start", self.mapping.queue_arn)
        except Exception:
            # They come back when they become visible, as after any failure.
            log.exception("A batch of %s failed", self.mapping.queue_arn)
            messages().let_go(batch)
        finally:
            self._free.release()

    def _failed(self, batch: list[StoredMessage]) -> set[str]:
        """Invoke the function; the ids of the messages that are not done."""
        everything = {message.id for message in batch}
        payload = json.dumps({"Records": [record_of(message) for message in batch]}).encode()
        hidden_until = min(message.visible for message in batch) / 1000
        pause = 0.05
        while True:
            try:
                answer = self._invoke(self.mapping.function_arn, payload)
            except NotNow:
                # Lambda tries again until the messages become visible.
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


def _queue(arn: str) -> LocalQueue:
    region, account_id, name = arn.split(":")[3:6]
    try:
        queue = sqs_backends[account_id][region].get_queue(name)
    except QueueDoesNotExist as error:
        raise Unavailable(f"{arn} is gone") from error
    if not isinstance(queue, LocalQueue):
        raise Unavailable(f"{arn} is a FIFO queue")
    return queue
