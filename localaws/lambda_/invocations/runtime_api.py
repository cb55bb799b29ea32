"""Lambda's runtime API for one worker: a small HTTP server on its own port.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from localaws.lambda_.invocations.spec import Invocation

_PREFIX = "/2018-06-01/runtime/"


class Host(Protocol):
    """Handles a worker's requests and answers. Called from the server's threads."""

    def next_invocation(self) -> tuple[Invocation, float] | None:
        """Wait for an invocation. Return it with its deadline (Unix time), or None if there will be no more."""

    def answered(self, request_id: str, payload: bytes) -> None:
        """The function returned `payload`."""

    def failed(self, request_id: str, payload: bytes) -> None:
        """The function raised; `payload` is the error."""

    def init_failed(self, payload: bytes) -> None:
        """The function's module could not be loaded."""


class RuntimeApi:
    """Serves one worker."""

    def __init__(self, host: Host) -> None:
        class Handler(_Handler):
            worker = host

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._serve, name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def close(self) -> None:
        """Stop serving soon. This does not wait until the server has stopped."""
        threading.Thread(target=self._server.shutdown, name="runtime-api-close", daemon=True).start()

    def _serve(self) -> None:
        with self._server:
            self._server.serve_forever(poll_interval=1.0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # No thread may go on serving the worker of a killed server, and closing must not wait for connections.
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: a killed worker breaks its connection, which is not worth a message."""


class _Handler(BaseHTTPRequestHandler):
    worker: Host
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for status, headers and body

    def do_GET(self) -> None:
        if self.path != f"{_PREFIX}invocation/next":
            return self._answer(404)
        work = self.worker.next_invocation()
        if work is None:
            self.close_connection = True
            return None
        invocation, deadline = work
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            # awslambdaric's client waits forever if one of these is missing.
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
            "Lambda-Runtime-Invocation-Id": invocation.request_id,
            "Content-Type": "application/json",
        }
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return self._answer(200, invocation.payload, headers)

    def do_POST(self) -> None:
        body = self._body()
        subject, _, action = self.path.removeprefix(_PREFIX).rpartition("/")
        if (subject, action) == ("init", "error"):
            self._answer(202)
            return self.worker.init_failed(body)
        request_id = subject.removeprefix("invocation/")
        if action == "response":
            self._answer(202)
            return self.worker.answered(request_id, body)
        if action == "error":
            self._answer(202)
            return self.worker.failed(request_id, body)
        return self._answer(404)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(body)

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None: ...


def deadline_in(seconds: float) -> float:
    """Return the Unix time `seconds` from now."""
    return time.time() + seconds
