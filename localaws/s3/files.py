"""Bodies of S3 objects: one file each, whole or absent, never half-written.

A body is written to a temporary file, synced, renamed to a name of its own and never changed again. The index
(index.py) says which bodies are in use. The others are removed when the server starts.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import threading
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from localaws.core.errors import LocalAwsError
from localaws.core.home import sync_directory

log = logging.getLogger(__name__)

CHUNK = 1 << 20  # bytes read and sent at a time


@dataclass(frozen=True)
class Body:
    """A stored body: its name in the store, its length in bytes and its MD5 in hex."""

    name: str
    size: int
    md5: str


class BodyDamaged(LocalAwsError):
    """A body is not what was stored: the disk, or somebody, lost or changed it."""

    def __init__(self, file: Path, reason: str) -> None:
        self.file = file
        super().__init__(
            f"{file} {reason}, so the object can't be read. Put back a sound copy, or delete or overwrite the object."
        )


class _Discarded(threading.local):
    def __init__(self) -> None:
        self.names: list[str] = []


class BodyStore:
    """The directory of all bodies, in 256 sub-directories by the first two letters of their names."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True, mode=0o700)
        for number in range(256):
            (root / f"{number:02x}").mkdir(exist_ok=True, mode=0o700)
        sync_directory(root)
        self._discarded = _Discarded()
        # Bodies of an earlier server that `_verify` has not yet read.
        self._unread: set[str] = set()

    def write(self, parts: Iterable[bytes]) -> Body:
        """Store the concatenation of `parts`, durably.

        Raises:
            OSError: the disk refused. Then nothing is kept.
        """
        name = uuid.uuid4().hex
        incoming = self._incoming / name
        digest = hashlib.md5(usedforsecurity=False)
        size = 0
        try:
            with incoming.open("wb") as stream:
                for part in parts:
                    stream.write(part)
                    digest.update(part)
                    size += len(part)
                stream.flush()
                os.fsync(stream.fileno())
            self._keep(incoming, name)
        except BaseException:
            incoming.unlink(missing_ok=True)
            raise
        return Body(name, size, digest.hexdigest())

    def copy(self, body: Body) -> Body:
        """Return a second body with the same content and its own lifetime. It costs no space (a hard link).

        Raises:
            BodyDamaged: `body` is not what was stored.
        """
        self._verify(body)
        name = uuid.uuid4().hex
        try:
            os.link(self._file(body.name), self._file(name))
        except OSError:  # a file system without hard links
            return self.write(self.chunks(self.open(body)))
        sync_directory(self._file(name).parent)
        return Body(name, body.size, body.md5)

    def open(self, body: Body) -> IO[bytes]:
        """Open `body` for reading. The stream stays readable if the object is deleted meanwhile.

        Raises:
            BodyDamaged: it is not what was stored.
            FileNotFoundError: the object was overwritten or deleted a moment ago.
        """
        return self.file(body).open("rb")

    def file(self, body: Body) -> Path:
        """Return the path of `body`, for callers that link it immediately.

        The file must not be changed, and is removed with its object.

        Raises:
            BodyDamaged: it is not what was stored.
            FileNotFoundError: the object was overwritten or deleted a moment ago.
        """
        self._verify(body)
        return self._file(body.name)

    def read(self, body: Body) -> bytes:
        """Return all of `body`. Raise the same errors as `open`."""
        with self.open(body) as stream:
            return stream.read()

    @staticmethod
    def chunks(stream: IO[bytes]) -> Iterator[bytes]:
        """Yield the rest of `stream`, a megabyte at a time, and close it at the end."""
        with stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    def discard(self, body: Body) -> None:
        """Mark `body` for this thread's next `remove_discarded`. The index must forget it before it is removed."""
        self._discarded.names.append(body.name)

    def keep_discarded(self) -> None:
        """Keep what this thread discarded, because the index could not forget it."""
        self._discarded.names = []

    def remove_discarded(self) -> None:
        """Remove what this thread discarded."""
        names, self._discarded.names = self._discarded.names, []
        for name in names:
            self._unread.discard(name)
            self._file(name).unlink(missing_ok=True)

    def has_bodies(self) -> bool:
        """Whether there is a body of an earlier server."""
        return next(self._root.glob("??/*"), None) is not None

    def sweep(self, known: dict[str, Body]) -> None:
        """Remove all bodies that are not in `known` (a killed server leaves such). Log which known ones are damaged.

        Only existence and size are checked here. The content is verified when a body is read for the first time.
        """
        self._unread = set(known)
        missing = set(known)
        for number in range(256):
            with os.scandir(self._root / f"{number:02x}") as shard:
                for file in shard:
                    body = known.get(file.name)
                    if body is None:
                        os.unlink(file)
                        continue
                    missing.discard(file.name)
                    if file.stat().st_size != body.size:
                        log.error("%s should have %d bytes, and has %d", file.path, body.size, file.stat().st_size)
        for name in missing:
            log.error("%s is missing", self._file(name))

    def _verify(self, body: Body) -> None:
        if body.name not in self._unread:
            return
        file = self._file(body.name)
        digest = hashlib.md5(usedforsecurity=False)
        try:
            with file.open("rb") as stream:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
        except FileNotFoundError:
            if body.name in self._unread:  # not removed by another call meanwhile
                raise BodyDamaged(file, "is missing") from None
            raise
        if digest.hexdigest() != body.md5:
            raise BodyDamaged(file, f"does not have the MD5 of the stored object, {body.md5}")
        self._unread.discard(body.name)

    def _keep(self, incoming: Path, name: str) -> None:
        file = self._file(name)
        os.rename(incoming, file)
        sync_directory(file.parent)

    def _file(self, name: str) -> Path:
        return self._root / name[:2] / name


class BodyReader:
    """An opened body with ``len()`` and slices, as bytes have them. Only what is asked for is read."""

    def __init__(self, stream: IO[bytes], size: int, start: int = 0) -> None:
        self._stream = stream
        self._size = size
        self._start = start

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, wanted: slice) -> BodyReader:
        begin, end, _ = wanted.indices(self._size)
        return BodyReader(self._stream, max(0, end - begin), self._start + begin)

    def __iter__(self) -> Iterator[bytes]:
        self._stream.seek(self._start)
        left = self._size
        while left and (chunk := self._stream.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
