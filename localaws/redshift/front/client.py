"""What a client sends: its startup packets, then its messages, which are taken in before they are due."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import struct

from localaws.redshift.front import wire

READ_AHEAD = 1000  # messages of a client that are taken in before they are due
READ_AHEAD_BYTES = 16 << 20  # beyond this, one more
CHECK_INTERVAL = 1.0  # seconds after which a client that is not listened to is looked for
ONE_RECORD = 16 * 1024  # bytes: TLS sends a longer message in pieces
LONGEST_STARTUP = 10_000  # bytes, as PostgreSQL's
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
        """Encrypt the connection where the client asks for it, and read up to the packet that begins something.

        Returns the packet's code (of a CancelRequest or a protocol version) and what follows it; None for no client.

        Raises:
            SqlError: it broke the protocol.
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
        """Make sure that nothing came behind a request for encryption: it would pass for part of what is encrypted.

        Raises:
            SqlError: something did (08P01, as PostgreSQL's answer since CVE-2021-23214).
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await self._reader.read(1)
                raise wire.violation(f"received unencrypted data after {request} request")

    async def read_message(self, longest: int = wire.MAX_MESSAGE) -> Message:
        """One message.

        Raises:
            ConnectionError, IncompleteReadError: the client left, or sends what no message is.
        """
        kind, length = struct.unpack("!cI", await self._reader.readexactly(5))
        if not 4 <= length <= longest:
            raise ConnectionError(f"the client sent a message of {length} bytes")
        if length > ONE_RECORD:
            self._acknowledge()
        return kind, await self._reader.readexactly(length - 4)

    def _acknowledge(self) -> None:
        """Acknowledge what came of a message at once: a client with Nagle's algorithm on, as redshift_connector, holds
        the rest back until then, and Linux would let it wait for 40 ms."""
        if hasattr(socket, "TCP_QUICKACK"):
            connection = self._writer.get_extra_info("socket")
            with contextlib.suppress(OSError):  # it is closed: the read that follows says so
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    async def listen(self) -> None:
        """Take in the client's messages until it leaves; `next` then gives None."""
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                await self._take_in(await self.read_message())

    def left(self) -> None:
        """Have `next` give None after what is there: the client has left."""
        if self._messages.full():
            self._messages.get_nowait()
        self._messages.put_nowait(None)

    @property
    def quiet(self) -> bool:
        """Whether there is no message that `next` would give without waiting."""
        return self._messages.empty()

    async def _take_in(self, message: Message) -> None:
        """Keep a message until it is due; wait while there are many, or large ones, already."""
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
        """The next message that is due; None after the last."""
        received = await self._messages.get()
        if received is not None:
            self._ahead -= len(received[1])
        self._taken.set()
        return received


def _has_gone(connection: socket.socket) -> bool:
    """Whether the other end is closed, though what it sent before is not yet read; only Linux can tell."""
    if not hasattr(select, "POLLRDHUP"):
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))
