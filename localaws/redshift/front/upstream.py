"""The PostgreSQL side of one client's session: keeps track of requests and responses, and lends the session to COPY."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from localaws.redshift.dialect import Rewritten
from localaws.redshift.errors import SqlError
from localaws.redshift.front import backend, wire
from localaws.redshift.front.workers import Workers

HIGH_WATER = 1 << 20  # bytes that may wait for a slow client; then PostgreSQL has to wait, too
FOREVER = 10.0**6  # seconds: with a timeout, unlike with none, the socket stays non-blocking for the event loop
CLOSED = "the session with PostgreSQL is closed"
REDSHIFT_VERSION = "8.0.2"

T = TypeVar("T")


@dataclass
class Pending:
    """A request without a response so far: a Parse, or a message that PostgreSQL answers with ReadyForQuery."""

    ends: bool  # whether the response ends in ReadyForQuery
    source: Rewritten | None = None  # for the positions in errors
    swallow: bool = False  # the client did not ask for this ReadyForQuery, and does not get it


class Upstream:
    """One PostgreSQL session, relayed to `writer`.

    A callback of the event loop passes responses on, in bulk. It looks only at messages that are needed to track the
    session's state, or that differ on Redshift.
    """

    def __init__(
        self,
        workers: Workers,
        opened: backend.Login,
        writer: asyncio.StreamWriter,
        *,
        is_redshift_driver: bool,
        on_lost: Callable[[], None],
    ) -> None:
        self._workers = workers
        self._backend = opened.backend
        self._socket = opened.connection
        self.key = opened.key
        self._writer = writer
        self._is_redshift_driver = is_redshift_driver
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._outgoing = bytearray()
        self._pending: deque[Pending] = deque()
        self._drained = asyncio.Event()
        self._unsynced = False
        self._busy = False
        self._closed = False
        self._is_broken = False
        self._slow_client: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        self.status = wire.IDLE
        self.failed = False  # an error since the client's last Sync or Query
        self.backslash_escapes = True
        self._greet(opened)
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._readable)

    @property
    def outgoing(self) -> int:
        """Bytes that wait for `flush`."""
        return len(self._outgoing)

    @property
    def active(self) -> bool:
        """Whether PostgreSQL is working for the client."""
        return self._busy or bool(self._pending)

    # --- to PostgreSQL ------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send part of an extended query."""
        self._unsynced = True
        self._outgoing += data

    def send_parse(self, data: bytes, source: Rewritten | None) -> None:
        """Send a Parse."""
        self._pending.append(Pending(ends=False, source=source))
        self.send(data)

    def send_ending(self, data: bytes, *, source: Rewritten | None = None, swallow: bool = False) -> None:
        """Send a message that PostgreSQL answers with ReadyForQuery: a Query, a FunctionCall or a Sync."""
        self._pending.append(Pending(ends=True, source=source, swallow=swallow))
        self._drained.clear()
        self._unsynced = False
        self._outgoing += data

    def synchronize(self) -> None:
        """Send a Sync if the client did not end its extended query: after an error, PostgreSQL skips to the Sync."""
        if self._unsynced:
            self.send_ending(wire.message(wire.SYNC), swallow=True)

    async def flush(self) -> None:
        """Send the bytes that wait in the buffer."""
        if not self._outgoing:
            return
        if self._closed:
            raise ConnectionError(CLOSED)
        data, self._outgoing = self._outgoing, bytearray()
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent == len(data):
            return
        self._sending = self._loop.create_task(self._loop.sock_sendall(self._socket, data[sent:]))
        try:
            await self._sending
        except asyncio.CancelledError:
            if not self._closed:
                raise
            raise ConnectionError(CLOSED) from None
        finally:
            self._sending = None

    async def barrier(self) -> None:
        """Wait until PostgreSQL has answered everything that was sent, and the client has got the responses."""
        self.synchronize()
        await self.flush()
        while self._pending and not self._closed:
            await self._drained.wait()
        if self._closed:
            raise ConnectionError(CLOSED)

    async def exclusively(self, work: Callable[[backend.Backend], T]) -> T:
        """Run `work` in a thread, with exclusive use of the session; call `barrier` first."""
        self._loop.remove_reader(self._socket)
        self._socket.settimeout(FOREVER)
        self._backend.status = self.status
        self._backend.cancelled.clear()
        self._busy = True
        try:
            return await self._workers.run_statement(work, self._backend)
        finally:
            self._busy = False
            self.status = self._backend.status
            if self._backend.unasked:
                self._pass_on(self._backend.unasked)
                self._backend.unasked.clear()
            self._socket.setblocking(False)
            if not self._closed and not self._is_broken:
                self._loop.add_reader(self._socket, self._readable)

    def cancelled(self) -> None:
        """Note that the client cancelled the current statement. (`Shared.cancel` also cancels it in PostgreSQL.)"""
        self._backend.cancelled.set()

    def close(self) -> None:
        """End the session; its current statement is cancelled and rolled back."""
        if self._closed:
            return
        self._closed = True
        self._drained.set()
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        for waiting in (self._slow_client, self._sending):
            if waiting is not None:
                waiting.cancel()
        self._backend.abandoned.set()
        if self._busy:
            # A thread is using the socket: it stops when it notices this.
            with contextlib.suppress(OSError):
                self._socket.shutdown(2)
            return
        with contextlib.suppress(OSError):
            if not self.active:
                self._socket.send(wire.message(wire.TERMINATE))
        self._socket.close()

    # --- from PostgreSQL ----------------------------------------------------------------------------------------

    def _greet(self, opened: backend.Login) -> None:
        answers = [wire.parameter_status(name, value) for name, value in opened.parameters.items()]
        self._writer.write(wire.authentication(wire.AUTHENTICATION_OK))
        self._pass_on(bytearray(b"".join(answers)))
        self._writer.write(wire.message(wire.BACKEND_KEY_DATA, opened.key) + wire.ready(wire.IDLE))

    def _readable(self) -> None:
        try:
            data = self._socket.recv(backend.RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        self._backend.buffer += data
        self._pass_on(self._backend.buffer)
        if self._writer.transport.get_write_buffer_size() > HIGH_WATER:
            self._loop.remove_reader(self._socket)
            self._slow_client = self._loop.create_task(self._wait_for_client())

    async def _wait_for_client(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()
            if not self._closed and not self._busy:
                self._loop.add_reader(self._socket, self._readable)

    def _pass_on(self, data: bytearray) -> None:
        """Write the complete messages in `data` to the client, and remove them from `data`."""
        begin = done = 0
        for kind, start, end in wire.split_messages(data):
            if kind in b"EZS1G":
                replacement = self._look_at(kind, data, start, end)
                if replacement is not None:
                    self._writer.write(bytes(data[begin:start]) + replacement)
                    begin = end
            done = end
            if self._is_broken:
                break
        if begin < done:
            self._writer.write(bytes(data[begin:done]))
        del data[:done]

    def _look_at(self, kind: bytes, data: bytearray, start: int, end: int) -> bytes | None:
        """Update the state; return what the client gets instead of the message, or None to pass it on unchanged."""
        if kind == wire.READY_FOR_QUERY:
            self.status = bytes(data[start + 5 : end])
            swallow = self._ended()
            return b"" if swallow else None
        if kind == wire.PARSE_COMPLETE:
            if self._pending and not self._pending[0].ends:
                self._pending.popleft()
            return None
        if kind == wire.COPY_IN_RESPONSE:
            # A COPY that we did not recognise. PostgreSQL would wait for data that never comes.
            return self._broken("0A000", "COPY FROM STDIN is not supported by this embedded Redshift")
        body = bytes(data[start + 5 : end])
        if kind == wire.ERROR_RESPONSE:
            self.failed = True
            return self._with_position(body)
        return self._parameter(body)

    def _ended(self) -> bool:
        while self._pending:
            head = self._pending.popleft()
            if head.ends:
                if not head.swallow:
                    self.failed = False
                if not self._pending:
                    self._drained.set()
                return head.swallow
        return False

    def _with_position(self, body: bytes) -> bytes | None:
        """Return the error with its position in the client's own text; None if there is no position to change."""
        source = self._pending[0].source if self._pending else None
        fields = wire.parse_fields(body)
        if "P" not in fields or source is None:
            return None
        position = source.original_position(int(fields["P"]))
        theirs, ours = f"\0P{fields['P']}\0".encode(), f"\0P{position}\0".encode()
        return wire.message(wire.ERROR_RESPONSE, body.replace(theirs, ours))

    def _parameter(self, body: bytes) -> bytes | None:
        name, value, _ = body.split(b"\0")
        if name == b"is_superuser" and value == b"on":
            return self._broken("28000", "permission denied")  # should never happen; if it does, the session ends
        if name == b"standard_conforming_strings":
            self.backslash_escapes = value == b"off"
        if name == b"server_version" and self._is_redshift_driver:
            # For a later version, the driver looks for a row count in the command tag COPY, and fails.
            return wire.parameter_status("server_version", REDSHIFT_VERSION)
        return None

    def _broken(self, sqlstate: str, message: str) -> bytes:
        """End the session, and return the error that the client gets as its last message."""
        self._is_broken = True
        self._loop.remove_reader(self._socket)
        self._loop.call_soon(self._lost)
        return wire.error(SqlError(sqlstate, message, severity="FATAL"))

    def _lost(self) -> None:
        """Handle the end of the PostgreSQL session: it was terminated, or PostgreSQL died."""
        self.close()
        self._on_lost()
