"""The HTTP side of the server: werkzeug's request handler, with connections that are kept.

werkzeug closes the connection after each answer, and waits a hundredth of a second before it does. An SDK, which keeps
its connections, then needs a new connection, and a new thread here, for every call.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from email import errors
from email.message import Message
from io import BufferedIOBase
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

from localaws.server.envelope import HEADERS

log = logging.getLogger(__name__)

_CHUNK = 1 << 20  # bytes
# https://www.rfc-editor.org/rfc/rfc9110#section-5.5
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_DEFECTS = (
    errors.FirstHeaderLineIsContinuationDefect,
    errors.InvalidHeaderDefect,
    errors.MisplacedEnvelopeHeaderDefect,
    errors.MissingHeaderBodySeparatorDefect,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class RequestHandler(MotoRequestHandler):
    """Serves the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    # The second segment of an answer must not wait for the acknowledgement of the first one.
    disable_nagle_algorithm = True
    timeout = 300  # seconds that a connection is kept without a request
    stopping = False  # set on the class: take no more requests on open connections

    def handle_one_request(self) -> None:
        """Wait for a request, and answer it."""
        super().handle_one_request()
        if self.stopping:
            self.close_connection = True

    def run_wsgi(self) -> None:
        """Answer the request whose head was read."""
        if self.stopping:
            self.close_connection = True
            return
        if (problem := _malformed(self.headers) or _framing(self.headers.items())) is not None:
            # It is unclear where this request ends and the next begins, so nothing more is read from this connection.
            self.close_connection = True
            self.send_error(400, problem)
            return
        environ = self.make_environ()
        environ[HEADERS] = self.headers.items()
        body: Any = environ["wsgi.input"]
        if not environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"] = _Body(self.rfile, int(environ.get("CONTENT_LENGTH") or 0))
        answer = _Answer(self)
        try:
            parts = self.server.app(environ, answer.start)
            try:
                answer.send(parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
            # Read what an early refusal left unread: the next request comes after it.
            while body.read(_CHUNK):
                pass
        except (ConnectionError, TimeoutError) as error:
            self.close_connection = True
            self.connection_dropped(error, environ)
        except Exception:
            # The client must not take what was sent for a complete answer.
            self.close_connection = True
            log.exception("%s %s could not be answered", self.command, self.path)

    def log_request(self, *_: Any) -> None:
        """Don't log requests."""

    def log_error(self, *_: Any) -> None:
        """Don't log that a client went away, or sent no further request."""


def _malformed(headers: Message) -> str | None:
    """Return what is wrong with the headers' syntax; None if nothing. Python's parser accepts and drops a lot."""
    if any(isinstance(each, _DEFECTS) for each in headers.defects) or not all(map(_NAME.fullmatch, headers)):
        return "A header must have a name and a colon"
    if any(_CONTROL.search(value) for value in headers.values()):
        return "A header must not have control characters"
    return None


def _framing(headers: Iterable[tuple[str, str]]) -> str | None:
    """Return what is wrong with the headers that give the body's length; None if nothing."""
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    codings = [value for name, value in headers if name.lower() == "transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        return "Content-Length or Transfer-Encoding must be given only once"
    if lengths and not (lengths[0].isascii() and lengths[0].strip().isdigit()):
        return "Content-Length must be a number"
    if codings and codings[0].strip().lower() != "chunked":
        return "Transfer-Encoding must be chunked"
    return None


class _Body:
    """The `left` bytes of a request's body. Reading stops before the next request."""

    def __init__(self, stream: BufferedIOBase, left: int) -> None:
        self._stream = stream
        self._left = left

    def read(self, size: int | None = -1) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        return self._took(self._stream.read(wanted)) if wanted else b""

    def readline(self, size: int | None = -1) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        return self._took(self._stream.readline(wanted)) if wanted else b""

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: self._left]
        if not len(view):
            return 0
        count: int = self._stream.readinto(view)
        self._count(count)
        return count

    def _took(self, data: bytes) -> bytes:
        self._count(len(data))
        return data

    def _count(self, read: int) -> None:
        if not read:
            raise ConnectionAbortedError("the client went away in the middle of a request")
        self._left -= read


class _Answer:
    """Sends one answer: its head together with the first part of its body."""

    def __init__(self, handler: RequestHandler) -> None:
        self._handler = handler
        self._status = ""
        self._headers: list[tuple[str, str]] = []

    def start(self, status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
        """WSGI's start_response."""
        self._status, self._headers = status, headers
        return self._handler.wfile.write

    def send(self, parts: Iterable[bytes]) -> None:
        """Send the answer that was started, with the body `parts`."""
        handler = self._handler
        code, _, phrase = self._status.partition(" ")
        bodiless = handler.command == "HEAD" or code in ("204", "304")
        length = next((int(value) for name, value in self._headers if name.lower() == "content-length"), None)
        chunked = not bodiless and length is None and handler.request_version >= "HTTP/1.1"
        if not bodiless and length is None and not chunked:
            handler.close_connection = True
        handler.send_response(int(code), phrase)
        for name, value in self._headers:
            handler.send_header(name, value)
        if chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        if handler.close_connection or handler.stopping:
            handler.send_header("Connection", "close")
        elif handler.request_version < "HTTP/1.1":
            handler.send_header("Connection", "keep-alive")
        head = self._head()
        sent = 0
        for part in parts:
            if part and not bodiless:
                sent += len(part)
                content = b"%x\r\n%b\r\n" % (len(part), part) if chunked else part
                handler.wfile.write(head + content if head else content)
                head = b""
        if chunked:
            head += b"0\r\n\r\n"
        if head:
            handler.wfile.write(head)
        if not bodiless and length is not None and sent != length:
            handler.close_connection = True  # the client waits for more, or would take the rest for the next answer

    def _head(self) -> bytes:
        buffer: list[bytes] = self._handler._headers_buffer
        head = b"".join(buffer) + b"\r\n"
        buffer.clear()
        return head
