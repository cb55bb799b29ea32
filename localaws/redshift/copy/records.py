"""What the readers of the file formats return to the loader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from localaws.redshift.copy.load_errors import Problem

CHUNK = 256 * 1024  # approximate number of bytes that PostgreSQL gets at a time
_OVERLAP = 1024  # bytes; no match of a pattern is longer


class NotFast(Exception):
    """A file can't be loaded the fast way after all."""


@dataclass(frozen=True)
class FastCopy:
    """A file as PostgreSQL can read it: options for its COPY, and the bytes. After any error, read it row by row."""

    options: str
    chunks: Iterator[bytes]
    truncate: bool = False  # whether to truncate decimals: some may have more digits than their columns


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file: its (last) line number, its text, and either its fields as text or what is wrong with it."""

    line: int
    raw: str
    values: list[str | None]
    problem: Problem | None = None


class Reader(Protocol):
    """Reads files of one format in two ways: `fast` for speed, `records` to find each row's line and problem."""

    def fast(self, path: Path) -> FastCopy | None:
        """Return the file for PostgreSQL, or None if PostgreSQL would not load the same rows as Redshift."""

    def records(self, path: Path) -> Iterator[Record]:
        """Yield the rows of the file."""


def in_chunks(pieces: Iterator[str]) -> Iterator[bytes]:
    """Encode the pieces, and join them into chunks of a good size."""
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
