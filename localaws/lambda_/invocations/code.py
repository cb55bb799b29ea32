"""Functions' code on disk. Each zip is kept once, by the SHA-256 of its bytes, and unpacked when it first runs."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from localaws.core import context
from localaws.core.home import Home, write_durably

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
UNPACKED_LIMIT = 262_144_000  # bytes, layers included


class BadZip(Exception):
    """The bytes are not a zip that Lambda accepts."""


class TooLarge(BadZip):
    """The zip's unpacked files are larger than Lambda allows."""


class CodeStore:
    """The directory of deployed code."""

    def __init__(self, home: Home) -> None:
        self._root = home.state / "functions"
        self._root.mkdir(mode=0o700, exist_ok=True)
        # Apart from the state, because another user must read running code, and nothing else of the lab.
        self._unpacked = home.cache / "functions"
        self._unpacked.mkdir(mode=0o711, parents=True, exist_ok=True)

    def add(self, content: bytes) -> str:
        """Keep the zip `content`, durably. Return its digest.

        Raises:
            BadZip: it can't be unpacked.
            TooLarge: its files are over Lambda's limit.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) >= UNPACKED_LIMIT:
                    raise TooLarge(f"Unzipped size must be smaller than {UNPACKED_LIMIT} bytes")
                if not all(_is_inside(entry.filename) for entry in archive.infolist()):
                    raise BadZip("an entry's path leads out of the zip")
        except zipfile.BadZipFile as error:
            raise BadZip(str(error)) from error
        digest = hashlib.sha256(content).hexdigest()
        if not self.file(digest).exists():
            write_durably(self.file(digest), content)
        return digest

    def file(self, digest: str) -> Path:
        """Return the path of the zip."""
        return self._root / f"{digest}.zip"

    def unpacked(self, digest: str) -> Path:
        """Return the directory with the zip's files, all of them read-only.

        Raises:
            FileNotFoundError: there is no such code.
            OSError: the disk refused.
        """
        directory = self._unpacked / digest
        if directory.is_dir():
            return directory
        building = Path(tempfile.mkdtemp(prefix=f".{digest}-", dir=self._unpacked))
        with zipfile.ZipFile(self.file(digest)) as archive:
            for entry in archive.infolist():
                archive.extract(entry, building)
                mode = entry.external_attr >> 16
                target = building / entry.filename
                if not stat.S_ISDIR(mode) and target.is_file():
                    target.chmod((mode & 0o555) | 0o444)
        try:
            for directory_of_zip in (building, *(path for path in building.rglob("*") if path.is_dir())):
                directory_of_zip.chmod(0o755)
            os.rename(building, directory)
        except OSError:
            # Another thread has unpacked the same code in the meantime: use that.
            shutil.rmtree(building)
            if not directory.is_dir():
                raise
        return directory

    def forget(self, keep: set[str]) -> None:
        """Remove all code except that with the digests in `keep`."""
        for path in (*self._root.iterdir(), *self._unpacked.iterdir()):
            if path.name.removesuffix(".zip") in keep:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def code_store() -> CodeStore:
    """Return the code store of this process's server."""
    return context.current().part(CodeStore)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts
