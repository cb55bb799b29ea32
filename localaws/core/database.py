"""SQLite files of a home: write-ahead mode with full syncs, and never read where they are damaged.

A commit is on disk when it returns. A write that a kill or a power cut tore is in the write-ahead log, whose frames
carry checksums: SQLite drops it when the file is opened next. Damage to what was committed is found here.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from localaws.core.errors import StateDamaged


def open_database(file: Path) -> sqlite3.Connection:
    """Open or make `file`, for use by several threads that hold a lock of the caller's.

    Raises:
        StateDamaged: it is not a whole SQLite file.
    """
    database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        (found,) = database.execute("pragma quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
    except sqlite3.DatabaseError as error:
        database.close()
        raise StateDamaged(file, error) from error
    return database


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All or nothing of what is written inside, on disk at the end; for who alone uses `database`.

    Raises:
        sqlite3.Error: the disk refused; nothing was written.
    """
    database.execute("begin immediate")
    try:
        yield
        database.execute("commit")
    except BaseException:
        if database.in_transaction:  # SQLite has ended it itself where the disk was full
            database.execute("rollback")
        raise


def check_databases(directory: Path) -> None:
    """Look through all of `directory`'s SQLite files before anything is loaded from one of them.

    Raises:
        StateDamaged: one is not whole.
    """
    for file in sorted(directory.glob("*.sqlite")):
        open_database(file).close()
