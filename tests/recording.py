"""A pytest plugin that records which test made which AWS calls. `pytest -p tests.recording --calls DIRECTORY …`

botocore can report each attempt by UDP ("client-side monitoring"), also in processes that a test
starts. Each of pytest's processes writes one JSON file: lists of test, service (botocore's service ID), operation, HTTP
status and how often. `tests/operation_proofs.py` compares the tables of operations with them.
"""

from __future__ import annotations

import collections
import json
import os
import socket
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_TEST = "Test"
_QUIET = 0.5  # seconds after which no more calls are on their way


class Recorder:
    """Listens to botocore, and knows which test runs."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._test = ""
        self._calls: collections.Counter[tuple[str, str, str, int]] = collections.Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while data := self._socket.recv(1 << 16):
            told = json.loads(data)
            if told["Type"] == _TEST:
                self._test = told["Name"]
            elif told["Type"] == "ApiCallAttempt":
                self._calls[self._test, told["Service"], told["Api"], told.get("HttpStatusCode", 0)] += 1

    def _ask(self) -> None:
        os.environ.update(
            AWS_CSM_ENABLED="true", AWS_CSM_HOST="127.0.0.1", AWS_CSM_PORT=str(self._socket.getsockname()[1])
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self) -> Generator[None, Any, Any]:
        """Ask again: a fixture removes AWS's variables from the environment."""
        self._ask()
        made = yield
        self._ask()
        return made

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """The next test begins: said where calls are told, so that those of the last test are counted as its own."""
        self._socket.sendto(json.dumps({"Type": _TEST, "Name": nodeid}).encode(), self._socket.getsockname())

    def pytest_sessionfinish(self) -> None:
        """Write down what was heard."""
        self._thread.join(_QUIET)
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()
        calls = [[*call, number] for call, number in self._calls.items()]
        (self._directory / f"calls-{os.getpid()}.json").write_text(json.dumps(calls))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--calls`."""
    parser.addoption("--calls", type=Path, required=True, help="a directory for the calls that tests have made")


def pytest_configure(config: pytest.Config) -> None:
    """Record in each process that runs tests."""
    # botocore leaves the socket of its monitor to the garbage collector.
    config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")
    config.addinivalue_line("filterwarnings", "ignore:unclosed <socket:ResourceWarning")
    config.pluginmanager.register(Recorder(config.getoption("--calls").resolve()))
