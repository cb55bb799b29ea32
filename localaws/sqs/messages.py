"""The messages of all standard queues in one SQLite file, and waiting for changes of a queue.

A message is a row from SendMessage to DeleteMessage, so each call costs the same whether a queue holds ten messages or
ten thousand. Sends and deletes are synced to the disk before the call is answered. Receives are written, but not
synced: they survive a killed server, but after a power cut the message is delivered again, as SQS may do
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html).
"""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from localaws.core import context
from localaws.core.database import open_database, transaction
from localaws.core.errors import StateRefused
from localaws.core.state import VERSION
from localaws.sqs.receipts import Receipt

_SCHEMA = """
create table if not exists messages (
    number integer primary key autoincrement,
    queue text not null, id text not null, body text not null, attributes text not null, sender text not null,
    trace text,
    sent integer not null, first_received integer, received integer not null, visible integer not null,
    receipt text, latest integer, source text, holder text
);
create index if not exists messages_by_queue on messages (queue, visible, number, received, sent);
create table if not exists version (version text not null);
"""
_COLUMNS = (
    "number, queue, id, body, attributes, sender, trace, sent, first_received, received, visible, receipt, source"
)


def now_ms() -> int:
    """The Unix time in milliseconds: the unit of all times here."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class StoredMessage:
    """A message. Times are Unix times in milliseconds; `attributes` are the API's, as JSON."""

    number: int
    queue: str  # ARN
    id: str
    body: str
    attributes: str
    sender: str
    trace: str | None
    sent: int
    first_received: int | None
    received: int  # how often
    visible: int  # from this time on
    receipt: str | None
    source: str | None  # ARN of the source queue, if this is a dead letter

    @property
    def receipt_handle(self) -> str:
        """The handle with which the latest receiver deletes the message."""
        return Receipt(self.receipt or "", self.queue, self.number).handle


@dataclass(frozen=True)
class NewMessage:
    """A message to be sent."""

    id: str
    body: str
    attributes: str
    delay: int  # seconds
    sender: str
    trace: str | None = None


@dataclass(frozen=True)
class Reading:
    """How a queue is read. Times are in seconds; `dead_letters` is the ARN of the dead-letter queue."""

    visibility: int
    retention: int
    dead_letters: str | None = None
    maximum_receives: int = 0


@dataclass(frozen=True)
class Counts:
    """How many messages a queue has, by what receivers can see of them."""

    visible: int
    in_flight: int
    delayed: int


@dataclass(frozen=True)
class Moved:
    """How many messages were sent again, and whether one was found that has no queue to go to."""

    count: int
    homeless: bool


class Hidden(Enum):
    """Whether a message was hidden, and why not."""

    YES = 0
    GONE = 1  # deleted, or received again since
    NOT_IN_FLIGHT = 2
    TOO_LONG = 3  # more than 12 hours from when it was received


_LONGEST = 43_200_000  # ms that a message can be hidden


class MessageStore:
    """The opened file."""

    def __init__(self, file: Path) -> None:
        """Open or create `file`, and release the messages that pollers of an earlier server held.

        Raises:
            StateRefused: it is of another version.
            StateDamaged: it is not a valid SQLite file.
        """
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._changes: Counter[str] = Counter()
        self._database = open_database(file)
        self._database.executescript(_SCHEMA)
        row = self._database.execute("select version from version").fetchone()
        if row is None:
            self._database.execute("insert into version values (?)", (VERSION,))
        elif row[0] != VERSION:
            raise StateRefused(file, row[0], VERSION)
        # A batch whose server died was not handled: make it visible, and don't count it as received.
        self._database.execute(
            "update messages set holder = null, visible = ?, received = received - 1 where holder is not null",
            (now_ms(),),
        )

    # Writing

    def add(self, queue: str, messages: Sequence[NewMessage]) -> None:
        """Put `messages` into `queue`, all or none. They are on disk when this returns."""
        now = now_ms()
        with self._transaction(synced=True):
            self._database.executemany(
                "insert into messages (queue, id, body, attributes, sender, trace, sent, received, visible)"
                " values (?, ?, ?, ?, ?, ?, ?, 0, ?)",
                [
                    (queue, each.id, each.body, each.attributes, each.sender, each.trace, now, now + each.delay * 1000)
                    for each in messages
                ],
            )
        self._announce(queue)

    def receive(
        self, queue: str, limit: int, reading: Reading, *, most_bytes: int | None = None, holder: str | None = None
    ) -> list[StoredMessage]:
        """Take up to `limit` visible messages of `queue`, and hide them. Drop expired messages, and move dead letters.

        Args:
            most_bytes: take at most so many bytes of bodies (but at least one message).
            holder: the poller of this server that takes them, if one does: they are given back if the server dies.
        """
        now = now_ms()
        with self._transaction(synced=False):
            taken, moved = self._take(queue, limit, reading, now, most_bytes)
            received = [
                replace(
                    each,
                    first_received=each.first_received or now,
                    received=each.received + 1,
                    visible=now + reading.visibility * 1000,
                    receipt=uuid.uuid4().hex,
                )
                for each in taken
            ]
            self._database.executemany(
                "update messages set first_received = ?, received = ?, visible = ?, receipt = ?, latest = ?, holder = ?"
                " where number = ?",
                [(m.first_received, m.received, m.visible, m.receipt, now, holder, m.number) for m in received],
            )
        if moved and reading.dead_letters:
            self._announce(reading.dead_letters)
        return received

    def _take(
        self, queue: str, limit: int, reading: Reading, now: int, most_bytes: int | None
    ) -> tuple[list[StoredMessage], bool]:
        taken: list[StoredMessage] = []
        moved, size = False, 0
        while len(taken) < limit:
            # The messages taken so far still come first, because they are updated only later. The offset skips them.
            rows = self._database.execute(
                f"select {_COLUMNS} from messages where queue = ? and visible <= ? order by visible, number"
                " limit ? offset ?",
                (queue, now, limit - len(taken), len(taken)),
            ).fetchall()
            if not rows:
                break
            for message in (StoredMessage(*row) for row in rows):
                if message.sent + reading.retention * 1000 <= now:
                    self._database.execute("delete from messages where number = ?", (message.number,))
                elif reading.dead_letters and message.received >= reading.maximum_receives:
                    self._database.execute(
                        "update messages set queue = ?, source = ?, visible = ?, receipt = null where number = ?",
                        (reading.dead_letters, queue, now, message.number),
                    )
                    moved = True
                else:
                    size += len(message.body)
                    if most_bytes is not None and taken and size > most_bytes:
                        return taken, moved
                    taken.append(message)
        return taken, moved

    def delete(self, receipts: Sequence[Receipt]) -> None:
        """Delete the messages whose latest receipt is in `receipts`. An older receipt deletes nothing."""
        with self._transaction(synced=True):
            self._database.executemany(
                "delete from messages where number = ? and queue = ? and receipt = ?",
                [(each.number, each.queue, each.secret) for each in receipts],
            )

    def hide(self, receipt: Receipt, seconds: int) -> Hidden:
        """Hide a message in flight for `seconds` from now."""
        now = now_ms()
        until = now + seconds * 1000
        with self._transaction(synced=False):
            row = self._database.execute(
                "select visible, latest from messages where number = ? and queue = ? and receipt = ?",
                (receipt.number, receipt.queue, receipt.secret),
            ).fetchone()
            if row is None:
                return Hidden.GONE
            if row[0] <= now:
                return Hidden.NOT_IN_FLIGHT
            if until - row[1] > _LONGEST:
                return Hidden.TOO_LONG
            self._database.execute("update messages set visible = ? where number = ?", (until, receipt.number))
        self._announce(receipt.queue)
        return Hidden.YES

    def let_go(self, messages: Sequence[StoredMessage]) -> None:
        """Release `messages` from their poller. They can be received again when they become visible."""
        with self._transaction(synced=False):
            self._database.executemany(
                "update messages set holder = null where number = ? and receipt = ?",
                [(each.number, each.receipt) for each in messages],
            )

    def give_back(self, messages: Sequence[StoredMessage]) -> None:
        """Undo the receive of `messages` by a poller."""
        with self._transaction(synced=False):
            self._database.executemany(
                "update messages set holder = null, visible = ?, received = received - 1"
                " where number = ? and receipt = ?",
                [(now_ms(), each.number, each.receipt) for each in messages],
            )
        for queue in {each.queue for each in messages}:
            self._announce(queue)

    def move(self, source: str, destination: str | None, known: set[str], limit: int) -> Moved:
        """Send up to `limit` visible messages of `source` again: to `destination`, or each to the queue it came from.

        A message that came from none of the `known` queues (ARNs) stays, and so do the messages behind it.
        """
        now = now_ms()
        targets: list[str] = []
        homeless = False
        with self._transaction(synced=True):
            rows = self._database.execute(
                "select number, coalesce(?, source) from messages where queue = ? and visible <= ?"
                " order by visible, number limit ?",
                (destination, source, now, limit),
            ).fetchall()
            for number, target in rows:
                if target not in known:
                    homeless = True
                    break
                targets.append(target)
                self._database.execute(
                    "update messages set queue = ?, id = ?, sent = ?, first_received = null, received = 0,"
                    " visible = ?, receipt = null, source = null where number = ?",
                    (target, str(uuid.uuid4()), now, now, number),
                )
        for target in set(targets):
            self._announce(target)
        return Moved(len(targets), homeless)

    def clear(self, queue: str) -> None:
        """Delete all messages of `queue`."""
        with self._transaction(synced=True):
            self._database.execute("delete from messages where queue = ?", (queue,))
        self._announce(queue)

    # Looking

    def counts(self, queue: str, retention: int) -> Counts:
        """Count the messages of `queue` that are younger than `retention` seconds."""
        now = now_ms()
        with self._lock:
            row = self._database.execute(
                "select coalesce(sum(visible <= ?1), 0), coalesce(sum(visible > ?1 and received > 0), 0),"
                " coalesce(sum(visible > ?1 and received = 0), 0) from messages where queue = ?2 and sent > ?3",
                (now, queue, now - retention * 1000),
            ).fetchone()
        return Counts(*row)

    def next_visible(self, queue: str) -> int | None:
        """When the next message of `queue` can be received (ms); None if there are no messages."""
        with self._lock:
            row = self._database.execute("select min(visible) from messages where queue = ?", (queue,)).fetchone()
        return None if row[0] is None else int(row[0])

    # Waiting

    def changes(self, queue: str) -> int:
        """A counter that grows when a message of `queue` may have become receivable sooner."""
        with self._changed:
            return self._changes[queue]

    def wait(self, queue: str, seen: int, seconds: float | None) -> None:
        """Wait until `changes(queue)` is not `seen`, or a hidden message becomes visible, or `seconds` have passed."""
        due = self.next_visible(queue)
        if due is not None:
            until_due = max(0.0, (due - now_ms()) / 1000) + 0.001
            seconds = until_due if seconds is None else min(seconds, until_due)
        self.wait_for_change(queue, seen, seconds)

    def wait_for_change(self, queue: str, seen: int, seconds: float | None) -> None:
        """Wait until `changes(queue)` is not `seen`, or `seconds` have passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._changes[queue] != seen, seconds)

    def wake(self, queue: str) -> None:
        """Wake all threads that wait for `queue`, so that they look again."""
        self._announce(queue)

    def _announce(self, queue: str) -> None:
        with self._changed:
            self._changes[queue] += 1
            self._changed.notify_all()

    @contextmanager
    def _transaction(self, *, synced: bool) -> Iterator[None]:
        with self._lock:
            self._database.execute(f"pragma synchronous = {'full' if synced else 'normal'}")
            with transaction(self._database):
                yield


def messages() -> MessageStore:
    """The messages of this process's server."""
    return context.current().part(MessageStore)


def encode_attributes(attributes: dict[str, Any] | None) -> str:
    """Message attributes as JSON; bytes as {"base64": …}."""
    return json.dumps(
        {
            name: {
                key: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
                for key, value in attribute.items()
            }
            for name, attribute in (attributes or {}).items()
        }
    )


def decode_attributes(text: str) -> dict[str, dict[str, Any]]:
    """The reverse of `encode_attributes`."""
    return {
        name: {
            key: base64.b64decode(value["base64"]) if isinstance(value, dict) else value
            for key, value in attribute.items()
        }
        for name, attribute in json.loads(text).items()
    }
