"""Serves one small WSGI application with the HTTP server that is named. Prints the port, and serves until it is ended.

Usage: serve.py localaws|cheroot|waitress. localaws runs in the lab's environment, the others in .venv-bench/.
"""

import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any

THREADS = 64
"""Of the servers with a fixed number of threads. localaws starts a thread for each connection."""
LARGE = 16 << 20  # bytes
_PART = b"x" * (1 << 20)


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Read the request's body, and answer with `LARGE` bytes for /large, else with a short text."""
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left:
        left -= len(environ["wsgi.input"].read(min(left, len(_PART))))
    large = environ["PATH_INFO"] == "/large"
    parts = [_PART] * (LARGE // len(_PART)) if large else [b'{"ok": true}']
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(sum(map(len, parts))))])
    return parts


def with_localaws(listener: socket.socket) -> None:
    """Werkzeug's server with localaws's request handler, as localaws/server/process.py starts it."""
    from werkzeug.serving import make_server

    from localaws.server.http import RequestHandler

    port = listener.getsockname()[1]
    make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=RequestHandler, fd=listener.fileno()
    ).serve_forever()


def with_cheroot(listener: socket.socket) -> None:
    """https://cheroot.cherrypy.dev"""
    from cheroot.wsgi import Server

    port = listener.getsockname()[1]
    listener.close()
    Server(("127.0.0.1", port), application, numthreads=THREADS).start()


def with_waitress(listener: socket.socket) -> None:
    """https://docs.pylonsproject.org/projects/waitress"""
    import waitress

    waitress.serve(application, sockets=[listener], threads=THREADS, clear_untrusted_proxy_headers=True)


if __name__ == "__main__":
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(listening.getsockname()[1], flush=True)
    {"localaws": with_localaws, "cheroot": with_cheroot, "waitress": with_waitress}[sys.argv[1]](listening)
