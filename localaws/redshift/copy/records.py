"""What a reader of a file format gives to the loader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from localaws.redshift.copy.load_errors import Problem

CHUNK = 256 * 1024  # bytes given to PostgreSQL at once, about
_OVERLAP = 1024  # bytes; no match that is searched for is longer


class NotFast(Exception):
    """The fast way does not apply to a file after all."""


@dataclass(frozen=True)
class FastCopy:
    """A file as PostgreSQL can read it: options for its COPY, and the bytes. Any error means: read it exactly."""

    options: str
    chunks: Iterator[bytes]
    truncate: bool = False  # some decimals may have more digits than their columns, and are to be truncated


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file: its (last) line, the line's text, and either its fields as text or what is wrong with it."""

    line: int
    raw: str
    values: list[str | None]
    problem: Problem | None = None


class Reader(Protocol):
    """A format: two ways to read a file, one for speed and one that knows each row's place and fault."""

    def fast(self, path: Path) -> FastCopy | None:
        """The file for PostgreSQL, or None where that would not load what Redshift loads."""

    def records(self, path: Path) -> Iterator[Record]:
        """The file row by row."""


def in_chunks(pieces: Iterator[str]) -> Iterator[bytes]:
    """The pieces, encoded, in chunks of a good size."""
    gathered: list[str] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= CHUNK:
            yield "".join(gathered).encode()
            gathered, size = [], 0
    if gathered:
        yield "".join(gathered).encode()


def file_matches(path: Path, pattern: re.Pattern[bytes]) -> bool:
    """Whether `pattern` is found anywhere in the file."""
    kept = b""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK * 4):
            if pattern.search(kept + chunk):
                return True
            kept = (kept + chunk)[-_OVERLAP:]
    return False
