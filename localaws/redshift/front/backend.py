"""A PostgreSQL session over its unix socket, for blocking code: logins, and statements that run for a client."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path

from localaws.redshift.errors import Notice, SqlError
from localaws.redshift.front import wire
from localaws.redshift.sql.statements import CopyOutcome

RECEIVE = 256 * 1024
PROBE = "localaws_probe"
CANNOT_CONNECT_NOW = "57P03"
COMES_BACK_WITHIN = 10.0  # seconds; PostgreSQL needs less than one, or a few on a busy machine
ANSWERS_WITHIN = 30.0  # seconds that a login may take
CANCELLED = "canceling statement due to user request"

_NO_DATA = wire.message(wire.COPY_FAIL, wire.string("no data here"))


class Backend:
    """One session over its socket; implements `ClientSession`.

    `unasked` keeps messages that PostgreSQL sends on its own (a changed parameter), as the client must get them.
    """

    def __init__(self, connection: socket.socket, directory: Path, *, user: str, database: str) -> None:
        self._connection = connection
        self._directory = directory
        self.buffer = bytearray()
        self._notices: list[Notice] = []
        self._user = user
        self._database = database
        self.key = b""  # with it a CancelRequest cancels the session's statement; the body of BackendKeyData
        self.status = wire.IDLE
        self.unasked = bytearray()
        self.cancelled = threading.Event()
        self.abandoned = threading.Event()

    @property
    def process_id(self) -> int:
        return int.from_bytes(self.key[:4], "big")

    @property
    def user(self) -> str:
        return self._user

    @property
    def database(self) -> str:
        return self._database

    def check_cancelled(self) -> None:
        """Raise if the client cancelled or went away."""
        if self.abandoned.is_set():
            raise ConnectionError("the client has closed the connection")
        if self.cancelled.is_set():
            raise SqlError("57014", CANCELLED)

    def execute(self, sql: str) -> str:
        """Run one statement and return its command tag."""
        tag = ""
        for kind, body in self._run(sql):
            if kind == wire.COMMAND_COMPLETE:
                tag = body[:-1].decode()
        return tag

    def query(self, sql: str) -> list[tuple[str | None, ...]]:
        """Run one query and return its rows as text."""
        return [wire.parse_data_row(body) for kind, body in self._run(sql) if kind == wire.DATA_ROW]

    def copy_in(self, sql: str, chunks: Iterable[bytes]) -> CopyOutcome:
        """Run `COPY … FROM STDIN` with these chunks."""
        self.check_cancelled()
        self._notices = []
        self._send(wire.query(sql))
        if not self._await_copy(wire.COPY_IN_RESPONSE):
            raise SqlError("XX000", f"not a COPY FROM STDIN: {sql}")
        try:
            for chunk in chunks:
                self.check_cancelled()
                self._exchange(wire.message(wire.COPY_DATA, chunk))
                if self._has_failed():
                    break  # PostgreSQL would ignore further data
        except ConnectionError:
            raise
        except BaseException as failure:
            # The source of the chunks failed: tell PostgreSQL, so that the session stays usable.
            reason = str(failure).encode(errors="replace").replace(b"\0", b"") or b"no more data"
            self._send(wire.message(wire.COPY_FAIL, reason + b"\0"))
            with contextlib.suppress(SqlError):
                self._finish()
            raise
        self._send(wire.message(wire.COPY_DONE))
        rows = 0
        for kind, body in self._until_ready():
            if kind == wire.COMMAND_COMPLETE:
                rows = int(body[:-1].split()[-1])
        return CopyOutcome(rows, tuple(self._notices))

    def copy_out(self, sql: str) -> Generator[bytes, None, None]:
        """Run `COPY … TO STDOUT` and yield its rows. Read the generator to its end, or close it."""
        self.check_cancelled()
        self._notices = []
        self._send(wire.query(sql))
        if not self._await_copy(wire.COPY_OUT_RESPONSE):
            raise SqlError("XX000", f"not a COPY TO STDOUT: {sql}")
        try:
            for kind, body in self._until_ready():
                if kind == wire.COPY_DATA:
                    yield body
        except GeneratorExit:  # the caller stopped early: end the query, so that the session stays usable
            self.cancel()
            with contextlib.suppress(SqlError, ConnectionError):
                self._finish()
            raise

    def prepare(self, sql: str, types: bytes) -> None:
        """Let PostgreSQL parse a statement, without keeping it; an error does not abort an open transaction.

        `types` is the end of a Parse message: the number of parameter types and the types.
        """
        inside = self.status == wire.IN_TRANSACTION
        if inside:
            self.execute(f"savepoint {PROBE}")
        try:
            self.check_cancelled()
            name = wire.string(PROBE)
            self._send(
                wire.message(wire.PARSE, name + wire.string(sql) + types)
                + wire.message(wire.CLOSE, b"S" + name)
                + wire.message(wire.SYNC)
            )
            self._finish()
        finally:
            if inside:
                self.execute(f"rollback to savepoint {PROBE}")
                self.execute(f"release savepoint {PROBE}")

    def cancel(self) -> None:
        """Make PostgreSQL cancel the session's current statement."""
        cancel(self._directory, self.key)

    def close(self) -> None:
        """End the session."""
        with contextlib.suppress(OSError):
            self._connection.sendall(wire.message(wire.TERMINATE))
        self._connection.close()

    def _run(self, sql: str) -> Iterator[tuple[bytes, bytes]]:
        self.check_cancelled()
        self._notices = []
        self._send(wire.query(sql))
        return self._until_ready()

    def _await_copy(self, wanted: bytes) -> bool:
        """Read up to the response that opens a copy; return False if the statement ends without one."""
        while True:
            kind, body = self._message()
            if kind == wanted:
                return True
            if kind == wire.ERROR_RESPONSE:
                failure = wire.parse_error(body)
                self._finish()
                raise failure
            if kind == wire.COPY_IN_RESPONSE:
                self._send(_NO_DATA)
            if kind == wire.READY_FOR_QUERY:
                self.status = body
                return False

    def _until_ready(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the messages up to ReadyForQuery; then raise the first error among them. The session is ready again."""
        failure: SqlError | None = None
        while True:
            kind, body = self._message()
            if kind == wire.READY_FOR_QUERY:
                self.status = body
                if failure is not None:
                    raise failure
                return
            if kind == wire.ERROR_RESPONSE:
                failure = failure or wire.parse_error(body)
            elif kind == wire.COPY_IN_RESPONSE:
                self._send(_NO_DATA)
            else:
                yield kind, body

    def _finish(self) -> None:
        for _ in self._until_ready():
            pass

    def _message(self) -> tuple[bytes, bytes]:
        while True:
            for kind, start, end in wire.split_messages(self.buffer):
                whole = bytes(self.buffer[start:end])
                del self.buffer[:end]
                if kind == wire.NOTICE_RESPONSE:
                    self._notices.append(wire.parse_notice(whole[5:]))
                elif kind == wire.PARAMETER_STATUS:
                    self.unasked += whole
                else:
                    return kind, whole[5:]
                break
            else:
                data = self._connection.recv(RECEIVE)
                if not data:
                    raise ConnectionError("PostgreSQL has closed the connection")
                self.buffer += data

    def _send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def _exchange(self, data: bytes) -> None:
        """Send data, and meanwhile receive: if both directions were full, both sides would wait forever."""
        remaining = memoryview(data)
        while remaining:
            readable, writable, _ = select.select([self._connection], [self._connection], [])
            if readable:
                received = self._connection.recv(RECEIVE)
                if not received:
                    raise ConnectionError("PostgreSQL has closed the connection")
                self.buffer += received
            if writable:
                remaining = remaining[self._connection.send(remaining[:RECEIVE]) :]

    def _has_failed(self) -> bool:
        return any(kind == wire.ERROR_RESPONSE for kind, _, _ in wire.split_messages(self.buffer))


class LoginRefused(Exception):
    """PostgreSQL refused a login; `response` is its complete ErrorResponse."""

    def __init__(self, response: bytes) -> None:
        error = wire.parse_error(response[5:])
        super().__init__(str(error))
        self.response = response
        self.sqlstate = error.sqlstate


class Login:
    """A new session: its backend, the key that cancels its statements, and the parameters that PostgreSQL reported."""

    def __init__(self, backend: Backend, connection: socket.socket, key: bytes, parameters: Mapping[str, str]) -> None:
        self.backend = backend
        self.connection = connection
        self.key = key
        self.parameters = parameters


def log_in(socket_directory: Path, parameters: dict[str, str]) -> Login:
    """Open a session. PostgreSQL trusts everyone who can reach its socket, so check the password before.

    While PostgreSQL restarts after a crash, this waits, so that a client that reconnects immediately does not fail.

    Raises:
        LoginRefused: PostgreSQL refused the user, the database or a parameter.
        OSError: PostgreSQL can't be reached.
    """
    deadline = time.monotonic() + COMES_BACK_WITHIN
    while True:
        try:
            return _log_in(socket_directory, parameters)
        except LoginRefused as refused:
            if refused.sqlstate != CANNOT_CONNECT_NOW or time.monotonic() > deadline:
                raise
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _log_in(socket_directory: Path, parameters: dict[str, str]) -> Login:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(ANSWERS_WITHIN)
        connection.connect(str(socket_directory / ".s.PGSQL.5432"))
        connection.sendall(wire.startup(parameters))
        backend = Backend(connection, socket_directory, user=parameters["user"], database=parameters["database"])
        said = {}
        while True:
            kind, body = backend._message()
            if kind == wire.ERROR_RESPONSE:
                raise LoginRefused(wire.message(kind, body))
            if kind == wire.BACKEND_KEY_DATA:
                backend.key = body
            if kind == wire.READY_FOR_QUERY:
                break
        for _, start, end in wire.split_messages(backend.unasked):
            name, value, _ = bytes(backend.unasked[start + 5 : end]).split(b"\0")
            said[name.decode()] = value.decode()
        backend.unasked.clear()
        return Login(backend, connection, backend.key, said)
    except BaseException:
        connection.close()
        raise


def cancel(socket_directory: Path, key: bytes) -> None:
    """Ask PostgreSQL to cancel the current statement of the session with this key."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(str(socket_directory / ".s.PGSQL.5432"))
        connection.sendall(wire.cancel_request(key))
        connection.recv(1)  # PostgreSQL closes the connection when it has sent the signal
