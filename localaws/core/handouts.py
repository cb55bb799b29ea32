"""Hand files of the lab to a program that can't reach them, so that it can read them, but not write to them.

A Glue job asks for the files of the objects that it reads (s3/local_files.py). It does not see the store, and runs as
another user. So the server links each file into a directory that the program sees. If the program runs as the user who
owns the store, it could change the file, so it gets a copy.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from localaws.core.confinement import Account


@dataclass(frozen=True)
class Place:
    """Where a program gets its files. Only the server writes to `directory`; `account` is the program's own user."""

    directory: Path
    account: Account | None

    def put(self, files: Sequence[Path | None]) -> list[Path | None]:
        """Put these files there, each under a name of its own, and return the new paths; None for a file that is gone.

        After that, the program may move the files.
        """
        made = Path(tempfile.mkdtemp(dir=self.directory))
        put = [self._put(file, made / str(number)) for number, file in enumerate(files)]
        if self.account is not None:
            # Not earlier: from here on, the program can replace what is in this directory.
            self.account.own(made)
        return put

    def _put(self, file: Path | None, name: Path) -> Path | None:
        if file is None:
            return None
        try:
            if self.account is None:
                shutil.copyfile(file, name)
                return name
            os.link(file, name)
        except FileNotFoundError:  # overwritten since
            return None
        # The link shares its mode with the store's file, which lies in a directory that only its owner can enter.
        os.chown(name, -1, self.account.group)
        os.chmod(name, 0o640)
        return name


_places: dict[str, Place] = {}


@contextlib.contextmanager
def given_to(access_key_id: str, place: Place) -> Iterator[None]:
    """Inside the context, callers that sign with this key get files in `place`."""
    place.directory.mkdir(mode=0o711, exist_ok=True)
    _places[access_key_id] = place
    try:
        yield
    finally:
        _places.pop(access_key_id, None)
        shutil.rmtree(place.directory, ignore_errors=True)


def place_of(access_key_id: str | None) -> Place | None:
    """Return where callers that sign with this key get files; None if nowhere."""
    return _places.get(access_key_id or "")
