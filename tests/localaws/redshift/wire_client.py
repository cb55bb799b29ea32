"""A client that sends any message, well-formed or not."""

from __future__ import annotations

import hashlib
import socket
import ssl
import struct
from pathlib import Path
from types import TracebackType

from localaws.redshift.front import wire

PATIENCE = 30.0  # seconds: who is not answered within these is taken to wait for ever


class WireClient:
    """One connection to a front; every wait ends with an error after `PATIENCE`."""

    def __init__(self, port: int, ca_file: Path | None = None, *, tls: bool = True) -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        if tls:
            self.socket.sendall(struct.pack("!II", 8, wire.SSL_REQUEST))
            assert self.socket.recv(1) == b"S"
            context = ssl.create_default_context(cafile=str(ca_file))
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self) -> WireClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def log_in(self, user: str, password: str, database: str = "dev", **parameters: str) -> None:
        self.send(wire.startup({"user": user, "database": database, **parameters}))
        kind, body = self.message()
        assert (kind, body[:4]) == (wire.AUTHENTICATION, struct.pack("!I", wire.AUTHENTICATION_MD5))
        stored = hashlib.md5((password + user).encode()).hexdigest().encode()
        self.send(wire.message(wire.PASSWORD, b"md5" + hashlib.md5(stored + body[4:]).hexdigest().encode() + b"\0"))
        self.until_ready()

    def message(self) -> tuple[bytes, bytes]:
        """The next message; raises EOFError where the connection is closed."""
        kind, length = struct.unpack("!cI", self._exactly(5))
        return kind, self._exactly(length - 4)

    def until_ready(self) -> list[tuple[bytes, bytes]]:
        """The messages up to ReadyForQuery."""
        messages = [self.message()]
        while messages[-1][0] != wire.READY_FOR_QUERY:
            messages.append(self.message())
        return messages

    def until_closed(self) -> list[tuple[bytes, bytes]]:
        """The messages up to the end of the connection."""
        messages = []
        try:
            while True:
                messages.append(self.message())
        except (EOFError, ConnectionError, ssl.SSLError):
            return messages

    def query(self, sql: str) -> list[tuple[bytes, bytes]]:
        self.send(wire.query(sql))
        return self.until_ready()

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            received = self.socket.recv(count - len(data))
            if not received:
                raise EOFError("the front has closed the connection")
            data += received
        return data


def errors(messages: list[tuple[bytes, bytes]]) -> list[str]:
    """SQLSTATEs of the errors among messages."""
    return [wire.parse_error(body).sqlstate for kind, body in messages if kind == wire.ERROR_RESPONSE]
