"""Where one lab keeps its state: paths, ports and credentials.

Two homes are two labs, side by side on one machine. Everything that must stay the same after a restart (addresses in
secrets, in JDBC URLs, in open terminals) is kept here.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from localaws.core.errors import StateDamaged
from localaws.core.settings import Settings

_TEMPORARY = ".torn"  # suffix of a file that is being written
_lock = threading.Lock()


@dataclass(frozen=True)
class Credentials:
    """The access key that a lab generates at its first start."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True)
class Home:
    """The directory of one lab."""

    root: Path

    @classmethod
    def at(cls, root: Path | str) -> Home:
        """Open `root`. Make it and its sub-directories (mode 0700) if they are missing."""
        home = cls.of(root)
        for directory in (home.root, home.state, home.objects, home.tls, home.clusters, home.work, home.logs):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return home

    @classmethod
    def of(cls, root: Path | str) -> Home:
        """Return the home at `root`, whether it exists or not. Nothing is made or changed."""
        return cls(Path(root).expanduser().resolve())

    @property
    def state(self) -> Path:
        """Saved backends, one file per service."""
        return self.root / "state"

    @property
    def objects(self) -> Path:
        """Bodies of S3 objects."""
        return self.root / "objects"

    @property
    def clusters(self) -> Path:
        """Data directories of Redshift clusters."""
        return self.root / "clusters"

    @property
    def statements(self) -> Path:
        """Results of the Data API's statements, one file each."""
        return self.root / "statements"

    @property
    def work(self) -> Path:
        """Scratch space of engines, emptied at each start of the server."""
        return self.root / "work"

    @property
    def cache(self) -> Path:
        """Files that can be made again, at some cost of time: package links, JVM archives."""
        return self.root / "cache"

    @property
    def logs(self) -> Path:
        """Logs of the server and its children."""
        return self.root / "logs"

    @property
    def log_file(self) -> Path:
        return self.logs / "localaws.log"

    @property
    def tls(self) -> Path:
        return self.root / "tls"

    @property
    def ca_file(self) -> Path:
        """The local CA's certificate (PEM)."""
        return self.tls / "ca.pem"

    @property
    def ca_bundle(self) -> Path:
        """The public CAs plus the local one (PEM): for SSL_CERT_FILE and AWS_CA_BUNDLE."""
        return self.tls / "bundle.pem"

    @property
    def tls_certificate(self) -> Path:
        """The server certificate for localhost and 127.0.0.1 (PEM)."""
        return self.tls / "server.pem"

    @property
    def tls_key(self) -> Path:
        return self.tls / "server.key"

    @property
    def server_file(self) -> Path:
        """What the running server says about itself (JSON); see control.py."""
        return self.root / "server.json"

    @property
    def lock_file(self) -> Path:
        """Held (flock) by the running server: at most one per home, released by the kernel."""
        return self.root / "server.lock"

    @property
    def home_lock(self) -> Path:
        """Held (flock) for a moment by a process that changes one of the files beside it."""
        return self.root / "home.lock"

    @property
    def children_lock(self) -> Path:
        """Held (flock) by the running server and its reaper: free when no child of theirs lives."""
        return self.root / "children.lock"

    @property
    def process_list(self) -> Path:
        """The processes that the server has started; see processes.py."""
        return self.root / "processes"

    def port(self, name: str) -> int:
        """Return the loopback port kept for `name`. The first call chooses a free one.

        Raises:
            OSError: no port is free.
            StateDamaged: the file of the kept ports can't be read.
        """
        if (kept := self.ports().get(name)) is not None:
            return kept
        with self._alone():
            ports = self.ports()
            if name not in ports:
                ports[name] = _free_port(avoid=set(ports.values()))
                write_durably(self.root / "ports.json", json.dumps(ports, indent=1).encode())
            return ports[name]

    def forget_port(self, name: str) -> None:
        """Release the port of `name`, for example when its cluster is deleted."""
        with self._alone():
            ports = self.ports()
            if ports.pop(name, None) is not None:
                write_durably(self.root / "ports.json", json.dumps(ports, indent=1).encode())

    def ports(self) -> dict[str, int]:
        """Return the loopback ports that this home keeps, by name.

        Raises:
            StateDamaged: the file of the kept ports can't be read.
        """
        file = self.root / "ports.json"
        if not file.exists():
            return {}
        ports = _read_object(file)
        if not all(type(port) is int and 0 < port < 65536 for port in ports.values()):
            raise StateDamaged(file, ValueError("not all of its values are port numbers"))
        return ports

    @property
    def settings(self) -> Settings:
        """The settings that `keep_settings` saved last, else the defaults."""
        try:
            kept = json.loads(self._settings_file.read_text())
        except FileNotFoundError:
            return Settings()
        return Settings(**{name: bool(value) for name, value in kept.items() if name in Settings.__dataclass_fields__})

    def keep_settings(self, **changed: bool | None) -> Settings:
        """Save settings, so that restarts keep them, and return all settings. None leaves a setting as it is."""
        wanted = replace(self.settings, **{name: value for name, value in changed.items() if value is not None})
        if wanted != self.settings:
            write_durably(self._settings_file, json.dumps(asdict(wanted)).encode())
        return wanted

    @property
    def _settings_file(self) -> Path:
        return self.root / "settings.json"

    @property
    def has_credentials(self) -> bool:
        """Whether the access key has been generated."""
        return (self.root / "credentials.json").exists()

    def credentials(self) -> Credentials:
        """Return the lab's access key. It is generated on first use, and its file is readable by its owner only.

        Raises:
            StateDamaged: its file can't be read.
        """
        file = self.root / "credentials.json"
        if not file.exists():
            with self._alone():
                if not file.exists():
                    write_durably(file, json.dumps(_new_key()).encode(), mode=0o600)
        try:
            return Credentials(**_read_object(file))
        except TypeError as error:
            raise StateDamaged(file, error) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep out this process's other threads, and all other processes that use this home."""
        with _lock, self.home_lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def write_durably(file: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace `file` so that a crash at any moment leaves the old or the new content, never a part.

    Raises:
        OSError: the disk refused the write; the old content stays.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}{_TEMPORARY}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(file.parent)


def remove_torn_writes(directory: Path) -> None:
    """Remove what `write_durably` left in `directory` when it was killed. Nobody else may write there meanwhile."""
    for temporary in directory.glob(f".*{_TEMPORARY}"):
        temporary.unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Make a rename in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _new_key() -> dict[str, str]:
    alphabet = string.ascii_uppercase + "234567"
    return {
        "access_key_id": "AKIA" + "".join(secrets.choice(alphabet) for _ in range(16)),
        "secret_access_key": secrets.token_urlsafe(30),
    }


def _read_object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text())
        if not isinstance(content, dict):
            raise ValueError("it is not a JSON object")
    except ValueError as error:
        raise StateDamaged(file, error) from error
    return content


def _free_port(avoid: set[int]) -> int:
    # Below the ephemeral range (32768 and up on Linux): there, an outgoing connection of any program could
    # be sitting on a kept port at the next start.
    for _ in range(500):
        candidate = 20000 + secrets.randbelow(12000)
        if candidate in avoid:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return candidate
    raise OSError("no free port on 127.0.0.1 between 20000 and 32000")
