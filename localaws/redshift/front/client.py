"""Receives what a client sends: first its startup packets, then its messages, which are read ahead."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import struct

from localaws.redshift.front import wire

READ_AHEAD = 1000  # messages of a client that are read before they are handled
READ_AHEAD_BYTES = 16 << 20  # no further message is read when the queue has more bytes
CHECK_INTERVAL = 1.0  # seconds between checks whether a client that is not being read has gone
ONE_RECORD = 16 * 1024  # bytes: TLS splits longer messages
LONGEST_STARTUP = 10_000  # bytes, as in PostgreSQL
LONGEST_PASSWORD = 65_535

Message = tuple[bytes, bytes]


class Client:
    """The incoming side of one client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.encrypted = False
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue(READ_AHEAD)
        self._ahead = 0  # bytes in _messages
        self._taken = asyncio.Event()

    async def startup(self, tls: ssl.SSLContext) -> tuple[int, bytes] | None:
        """Encrypt the connection if the client asks for it, and read up to a StartupMessage or CancelRequest.

        Returns the packet's code (the CancelRequest's, or a protocol version) and what follows the code; None if its
        length is not valid, so that this is not a PostgreSQL client.

        Raises:
            SqlError: the client broke the protocol.
        """
        asked: set[int] = set()
        while True:
            (length,) = struct.unpack("!I", await self._reader.readexactly(4))
            if not 8 <= length <= LONGEST_STARTUP:
                return None
            body = await self._reader.readexactly(length - 4)
            (code,) = struct.unpack_from("!I", body)
            if code in (wire.SSL_REQUEST, wire.GSSENC_REQUEST) and code not in asked and not self.encrypted:
                asked.add(code)
                await self._no_more_clear_text("SSL" if code == wire.SSL_REQUEST else "GSSAPI encryption")
                self._writer.write(b"S" if code == wire.SSL_REQUEST else b"N")
                if code == wire.SSL_REQUEST:
                    await self._writer.start_tls(tls)
                    self.encrypted = True
            else:
                return code, body[4:]

    async def _no_more_clear_text(self, request: str) -> None:
        """Check that no data came after a request for encryption: it would be taken for part of the encrypted data.

        Raises:
            SqlError: there is such data (08P01, as in PostgreSQL since CVE-2021-23214).
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await self._reader.read(1)
                raise wire.violation(f"received unencrypted data after {request} request")

    async def read_message(self, longest: int = wire.MAX_MESSAGE) -> Message:
        """Read one message.

        Raises:
            ConnectionError, IncompleteReadError: the client left, or sent something that is not a message.
        """
        kind, length = struct.unpack("!cI", await self._reader.readexactly(5))
        if not 4 <= length <= longest:
            raise ConnectionError(f"the client sent a message of {length} bytes")
        if length > ONE_RECORD:
            self._acknowledge()
        return kind, await self._reader.readexactly(length - 4)

    def _acknowledge(self) -> None:
        """Acknowledge the received part of a message immediately. A client that uses Nagle's algorithm, such as
        redshift_connector, does not send the rest before that, and Linux would delay the acknowledgement by 40 ms."""
        if hasattr(socket, "TCP_QUICKACK"):
            connection = self._writer.get_extra_info("socket")
            with contextlib.suppress(OSError):  # the connection is closed: the next read reports it
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    async def listen(self) -> None:
        """Read the client's messages into the queue until it leaves."""
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                await self._take_in(await self.read_message())

    def left(self) -> None:
        """Note that the client has left: `next` returns None after the messages in the queue."""
        if self._messages.full():
            self._messages.get_nowait()
        self._messages.put_nowait(None)

    @property
    def quiet(self) -> bool:
        """Whether `next` would have to wait for a message."""
        return self._messages.empty()

    async def _take_in(self, message: Message) -> None:
        """Add a message to the queue; wait while there are too many messages or bytes in it."""
        while self._messages.full() or self._ahead > READ_AHEAD_BYTES:
            self._taken.clear()
            try:
                async with asyncio.timeout(CHECK_INTERVAL):
                    await self._taken.wait()
            except TimeoutError:
                if _has_gone(self._writer.get_extra_info("socket")):
                    raise ConnectionError("the client has closed the connection") from None
        self._ahead += len(message[1])
        self._messages.put_nowait(message)

    async def next(self) -> Message | None:
        """Return the next message; None after the last one."""
        received = await self._messages.get()
        if received is not None:
            self._ahead -= len(received[1])
        self._taken.set()
        return received


def _has_gone(connection: socket.socket) -> bool:
    """Whether the other end is closed, even if data from it is still unread. Only Linux can tell; elsewhere, False."""
    if not hasattr(select, "POLLRDHUP"):
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))
