"""How much time the HTTP server of localaws takes for a request, compared to two well-kept WSGI servers."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.measure import Report, Result, beside, seconds_of
from bench.peers import run as peers
from bench.peers import serve
from bench.sizes import Sizes

PEERS = ("cheroot", "waitress")
REQUESTS = 1_000  # in one measurement of short requests
CONNECTIONS = 8
BODY = b"x" * serve.LARGE
PATIENCE = 20  # seconds


def measure(report: Report, sizes: Sizes) -> None:
    """Measure short requests, and large bodies in both directions, each over connections that are kept."""
    report.title("HTTP: the same WSGI application behind three servers")
    servers = {"localaws": sys.executable}
    try:
        peers.install()
        servers |= dict.fromkeys(PEERS, str(peers.PYTHON))
    except peers.NoPeer as problem:
        report.skip(" and ".join(PEERS), str(problem))
    short, large = (1_000_000 / REQUESTS, "µs"), (1_000, "ms")
    measures: dict[str, tuple[Callable[[int], None], tuple[float, str]]] = {
        "a short request, one connection": (_short, short),
        f"a short request, {CONNECTIONS} connections at a time": (_at_once, short),
        "PUT of 16 MiB": (partial(_large, "PUT", BODY), large),
        "GET of 16 MiB": (partial(_large, "GET", None), large),
    }
    for name, (action, (factor, unit)) in measures.items():
        results: dict[str, Result] = {}
        for server, python in servers.items():
            with _serving(server, python) as port:
                action(port)  # the first time, imports and caches are not ready
                times = seconds_of(partial(action, port), sizes.runs)
                results[server] = Result(f"  {server}", tuple(factor * each for each in times), unit)
        ours = results.pop("localaws")
        label = f"{name}: localaws"
        for server, result in results.items():
            report.add(beside(label, ours.values, result, server), result)
            label = "  localaws"
        if not results:
            report.add(Result(label, ours.values, unit))


@contextmanager
def _serving(server: str, python: str) -> Iterator[int]:
    """Run `server` in a process of its own, and give its port."""
    command = [python, "-m", "bench.peers.serve", server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            _wait_for(port)
            yield port
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    """Raises ConnectionRefusedError if nothing answers."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return _ask(_connect(port), "GET", "/")
        except (ConnectionRefusedError, ConnectionResetError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)


def _ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> None:
    connection.request(method, path, body)
    response = connection.getresponse()
    if response.status != 200 or not response.read():
        raise RuntimeError(f"{method} {path} was answered with {response.status}")


def _short(port: int, requests: int = REQUESTS) -> None:
    connection = _connect(port)
    for _ in range(requests):
        _ask(connection, "GET", "/")
    connection.close()


def _at_once(port: int) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda _: _short(port, REQUESTS // CONNECTIONS), range(CONNECTIONS)))


def _large(method: str, body: bytes | None, port: int) -> None:
    connection = _connect(port)
    _ask(connection, method, "/large" if method == "GET" else "/", body)
    connection.close()
