"""Creates, starts and stops one embedded PostgreSQL server: only a unix socket, durable, never as root.

PostgreSQL refuses to run as root, so if we are root, it runs as `nobody`. Two places may then be out of its reach. The
first is the data directory, under a home that is private to root: PostgreSQL uses it through its working directory
(`/proc/self/cwd`), which a process keeps whatever the permissions of the directories above. The second is the directory
of the programs: see programs.py.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg

from localaws.core.children import Child, Children
from localaws.redshift.postgres import roles, sockets
from localaws.redshift.postgres.programs import account, installation, reachable_installation

log = logging.getLogger(__name__)

START_TIMEOUT = 60.0  # seconds; a crash recovery may be long
HELD_TIMEOUT = 5.0  # seconds for which killed processes may still hold the data directory
_HELD = ("still in use", '"postmaster.pid" already exists')
STOP_TIMEOUT = 10.0

# One sync call for the whole file system, not one for each of a thousand files: four times faster on a busy disk.
_SYNC = ("--sync-method", "syncfs") if sys.platform == "linux" else ()

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # In the data directory, not in /dev/shm, where a killed server would leave it behind.
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "210",
    # For the server's own connections, and for the front's: logins and the load history.
    "superuser_reserved_connections": "10",
    "reserved_connections": "10",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Notice within a second that a client has gone, even if the front was killed.
    "client_connection_check_interval": "1000",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "ISO, MDY",
    # Redshift's defaults: floats with their standard digits; backslashes are escapes in plain strings.
    "extra_float_digits": "0",
    "standard_conforming_strings": "off",
    "escape_string_warning": "off",
    "backslash_quote": "on",
    # The front checks md5 responses against these hashes; all Redshift drivers support md5.
    "password_encryption": "md5",
    "md5_password_warnings": "off",
    # The creator of a user may use that user's objects as an owner, as Redshift's superusers may.
    "createrole_self_grant": "set, inherit",
}


class Postgres:
    """The PostgreSQL of one cluster."""

    def __init__(
        self,
        name: str,
        data: Path,
        log_file: Path,
        children: Children,
        *,
        programs: Path | None = None,
        on_death: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.data = data
        self.account = account()
        self.programs = reachable_installation(programs or installation(), self.account, data)
        self._log_file = log_file
        self._children = children
        self._on_death = on_death
        self._child: Child | None = None
        self._given_up = threading.Event()
        self._socket_directory: Path | None = None

    @property
    def socket_directory(self) -> Path:
        """The directory of the unix socket; it belongs to PostgreSQL's user and stays the same until `stop`."""
        if self._socket_directory is None:
            directory = sockets.make(self.data.parent)
            self._own(directory)
            self._socket_directory = directory
        return self._socket_directory

    @property
    def pid(self) -> int | None:
        """The postmaster's process id; None while it is not running."""
        return self._child.pid if self._child is not None and self._child.alive else None

    def initialise(self) -> None:
        """Create the data directory.

        Raises:
            RuntimeError: initdb failed; its output is the message.
        """
        self.data.mkdir(mode=0o700)
        self._own(self.data)
        command = [str(self.programs / "bin" / "initdb"), "--username", roles.SUPERUSER, "--auth", "trust"]
        done = subprocess.run(
            [*command, *_SYNC, "--locale", "C", "--encoding", "UTF8", "-D", self._data_argument()],
            cwd=self.data,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self._identity(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed with status {done.returncode}: {done.stdout}{done.stderr}".strip())

    def start(self) -> None:
        """Start the server, and return when it accepts connections.

        Raises:
            RuntimeError: the server did not start; the message has the last lines of its log.
        """
        self._given_up.clear()
        deadline, held_until = time.monotonic() + START_TIMEOUT, time.monotonic() + HELD_TIMEOUT
        while True:
            self._forget_dead_postmaster()
            child = self._spawn()
            while child.alive and time.monotonic() < deadline and not self._given_up.is_set():
                try:
                    self.connect().close()
                    self._child = child
                    return
                except psycopg.OperationalError:
                    time.sleep(0.01)
            # A postmaster that was killed, or its backends, may hold the data directory for a moment longer.
            held = any(sign in self._log_tail() for sign in _HELD)
            if not held or child.alive or time.monotonic() >= held_until or self._given_up.is_set():
                child.stop(STOP_TIMEOUT, first=signal.SIGINT)
                if self._given_up.is_set():
                    raise RuntimeError(f"PostgreSQL of {self.name} was stopped while it started")
                raise RuntimeError(f"PostgreSQL of {self.name} did not start: {self._log_tail()}")
            time.sleep(0.1)

    def _forget_dead_postmaster(self) -> None:
        """Remove the lock file of a killed postmaster that is still a zombie, or whose process id was reused.

        PostgreSQL would take that process for another server on this data. There can't be one: our server holds the
        lock of this home.
        """
        lock_file = self.data / "postmaster.pid"
        try:
            process = psutil.Process(int(lock_file.read_text().split("\n", 1)[0]))
            dead = process.status() == psutil.STATUS_ZOMBIE or process.name() != "postgres"
        except psutil.NoSuchProcess:
            return  # PostgreSQL handles this case itself
        except (FileNotFoundError, ValueError):
            return
        if dead:
            lock_file.unlink(missing_ok=True)

    def give_up(self) -> None:
        """Make a `start` that is under way in another thread end with an error."""
        self._given_up.set()

    def stop(self) -> None:
        """Shut down: open transactions are rolled back, and everything is written to disk."""
        if self._child is not None:
            self._child.stop(STOP_TIMEOUT, first=signal.SIGINT)  # PostgreSQL's "fast" shutdown
            self._child = None
        if self._socket_directory is not None:
            sockets.remove(self.data.parent)
            self._socket_directory = None

    def connect(self, database: str = roles.DATABASE) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as the superuser, in autocommit."""
        return psycopg.connect(
            host=str(self.socket_directory),
            port=5432,
            user=roles.SUPERUSER,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
            options=roles.OPTIONS,
        )

    def _spawn(self) -> Child:
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with self._log_file.open("ab") as output:
            return self._children.spawn(
                f"postgres-{self.name}",
                [
                    self.programs / "bin" / "postgres",
                    *("-D", self._data_argument(), "-k", self.socket_directory, "-p", "5432"),
                    *settings,
                ],
                env=self._environment(),
                cwd=self.data,
                stdout=output,
                stderr=subprocess.STDOUT,
                on_exit=self._died,
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
            )

    def _died(self, child: Child, returncode: int) -> None:
        if self._child is child and self._on_death is not None:
            self._child = None
            self._on_death()

    def _data_argument(self) -> str:
        return str(self.data) if self.account is None else "/proc/self/cwd/"

    def _identity(self) -> dict[str, Any]:
        if self.account is None:
            return {}
        return {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}

    def _own(self, directory: Path) -> None:
        if self.account is not None:
            os.chown(directory, self.account.uid, self.account.gid)

    def _environment(self) -> dict[str, str]:
        # None of our own variables: PostgreSQL would follow a PG* variable of the user's shell.
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}

    def _log_tail(self) -> str:
        try:
            return " / ".join(self._log_file.read_text(errors="replace").splitlines()[-5:])
        except FileNotFoundError:
            return "it wrote no log"
