"""One script's process: requests it from a warm Spark's Python process, and follows it to its result.

The process is a fork of the warm Python process (worker.py). It is sent what to run, and three descriptors: for its
stdout and stderr, for Glue's own messages about it, and a channel on which it commits bookmarks and reports how it
ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from localaws.core.confinement import Account

_END_LIMIT = 30.0  # seconds that a script's Spark context may take to close


class SparkFailed(RuntimeError):
    """Spark did not start, or died."""


class ScriptGone(Exception):
    """The script's process ended without a result."""


class RunTimedOut(Exception):
    """The run did not end in time; it is killed then."""


class Log(StrEnum):
    """Which of a run's logs a line belongs to."""

    OUTPUT = "output"
    """What the script and what it starts print, on stdout or stderr."""
    ERROR = "error"
    """Glue's own messages: GlueContext's logger, and the traceback of a script that raised."""


@dataclass(frozen=True)
class RunRequest:
    """The request that a job run's process gets."""

    job_name: str
    run_id: str
    argv: list[str]
    arguments: dict[str, str]
    script: str
    """s3:// address; for the warm-up, a local file."""
    environment: dict[str, str]
    bookmark: dict[str, Any] = field(default_factory=dict)
    bookmark_to: dict[str, Any] | None = None
    """The bookmark state up to which the run reads, if it has --job-bookmark-to."""
    extra_py_files: list[str] = field(default_factory=list)
    extra_files: list[str] = field(default_factory=list)
    spark_properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `error` is None for a success, else the exception's message as Glue shows it."""

    error: str | None
    insight: dict[str, Any] | None = None
    """Where in the script a failure happened, as Glue's job run insights show it."""


class ScriptProcess:
    """A run's process, from the moment it is requested."""

    def __init__(
        self,
        request: RunRequest,
        directory: Path,
        account: Account | None,
        environment: dict[str, str],
        control: socket.socket,
        on_line: Callable[[Log, str], None],
    ) -> None:
        """Ask the Python process behind `control` to fork it.

        `directory` belongs to the process, and is deleted with it; `account` is the user that it runs as.

        Raises:
            OSError: the Python process is gone.
        """
        self._directory = directory
        (directory / "scratch").mkdir()
        content = {
            **asdict(request),
            "directory": str(directory),
            "environment": {**request.environment, **environment},
        }
        file = directory / "request.json"
        file.write_text(json.dumps(content))
        if account is not None:
            # The directory last: from then on, its owner can replace what is in it.
            account.own(file, directory / "scratch", directory)
        self._channel, channel_theirs = socket.socketpair()
        self._messages = _Messages(self._channel)
        pipes = {log: os.pipe() for log in Log}
        self._readers = [
            threading.Thread(target=_read_lines, args=(reading, log, on_line), name=f"job-{log}", daemon=True)
            for log, (reading, _) in pipes.items()
        ]
        theirs = [pipes[Log.OUTPUT][1], pipes[Log.ERROR][1], channel_theirs.fileno()]
        try:
            socket.send_fds(control, [str(file).encode()], theirs)
        finally:
            for descriptor in theirs[:2]:
                os.close(descriptor)
            channel_theirs.close()
            for reader in self._readers:
                reader.start()

    def follow(self, on_bookmark: Callable[[dict[str, Any]], None], timeout: float) -> tuple[Outcome, bool]:
        """Answer the process's messages until its result; return it, and whether the JVM may be spoiled.

        Raises:
            RunTimedOut: it took more than `timeout` seconds.
            ScriptGone: the process ended without a result.
        """
        deadline = time.monotonic() + timeout
        while True:
            message = self._messages.next(deadline)
            if message is None:
                self._await_readers(1)
                raise ScriptGone
            if message["type"] == "bookmark":
                answer = {}
                try:
                    on_bookmark(message["state"])
                except Exception as error:
                    answer = {"error": str(error)}
                with contextlib.suppress(ConnectionError):  # the process was killed: no further message comes
                    self._channel.sendall(json.dumps(answer).encode() + b"\n")
            elif message["type"] == "result":
                # A process that the script left behind may hold the pipes open: don't wait for its output.
                self._await_readers(2)
                return Outcome(message["error"], message["insight"]), message["suspect"]

    def await_end(self) -> bool:
        """Wait for the process to close its Spark context, as it does after its result; return whether it did."""
        try:
            message = self._messages.next(time.monotonic() + _END_LIMIT)
        except (RunTimedOut, OSError):
            message = None
        self.abandon()
        shutil.rmtree(self._directory, ignore_errors=True)
        return message is not None

    def abandon(self) -> None:
        """Close the channel to the process."""
        self._channel.close()

    def _await_readers(self, seconds: float) -> None:
        for reader in self._readers:
            reader.join(seconds)


class _Messages:
    """JSON messages, one per line, from a socket."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._buffer = b""

    def next(self, deadline: float) -> dict[str, Any] | None:
        """Return the next message; None if the other side is gone.

        Raises:
            RunTimedOut: `deadline` (of time.monotonic) has passed.
        """
        while b"\n" not in self._buffer:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self._channel], [], [], remaining)[0]:
                raise RunTimedOut
            try:
                received = self._channel.recv(1 << 16)
            except ConnectionError:
                received = b""
            if not received:
                return None
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message


def _read_lines(descriptor: int, log: Log, on_line: Callable[[Log, str], None]) -> None:
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            on_line(log, line.rstrip("\n"))
