"""Files of the lab for a program that can't reach them: put where it can, and readable, but not writable, for it.

A Glue job asks for the objects that it reads by their files (s3/local_files.py). It does not see the store, and
runs as another user. So the server links each file into a directory that the program sees; where the program runs as
the user who owns the store, and could change the file, it gets a copy.
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
    """Where a program sees what it is given: `directory`, where only the server writes; `account` is its user."""

    directory: Path
    account: Account | None

    def put(self, files: Sequence[Path | None]) -> list[Path | None]:
        """Put these files there, each under a name of its own; None for what is not there any more.

        The program may move them from where they are then.
        """
        made = Path(tempfile.mkdtemp(dir=self.directory))
        put = [self._put(file, made / str(number)) for number, file in enumerate(files)]
        if self.account is not None:
            # Only now: from here on, what lies in it may be something else.
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
        # The store lies in a directory that its owner alone can enter.
        os.chown(name, -1, self.account.group)
        os.chmod(name, 0o640)
        return name


_places: dict[str, Place] = {}


@contextlib.contextmanager
def given_to(access_key_id: str, place: Place) -> Iterator[None]:
    """Meanwhile, who signs with this key is given files in `place`."""
    place.directory.mkdir(mode=0o711, exist_ok=True)
    _places[access_key_id] = place
    try:
        yield
    finally:
        _places.pop(access_key_id, None)
        shutil.rmtree(place.directory, ignore_errors=True)


def place_of(access_key_id: str | None) -> Place | None:
    """Where who signs with this key is given files; None where that is nowhere."""
    return _places.get(access_key_id or "")
