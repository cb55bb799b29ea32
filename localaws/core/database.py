"""SQLite files of a home, in write-ahead mode with full syncs. A damaged file is refused.

A commit is on disk when it returns. A write that was torn by a kill or a power cut is in the write-ahead log, whose
frames carry checksums: SQLite drops it when it opens the file next. Damage to committed data is found here.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from localaws.core.errors import StateDamaged


def open_database(file: Path) -> sqlite3.Connection:
    """Open or make `file`. Several threads may use the connection, under a lock of the caller's.

    Raises:
        StateDamaged: `file` is not an intact SQLite file.
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
    """Commit what is written inside at the end of the context, or roll all of it back after an exception.

    Nobody else may use `database` meanwhile.

    Raises:
        sqlite3.Error: the disk refused the write; nothing was written.
    """
    database.execute("begin immediate")
    try:
        yield
        database.execute("commit")
    except BaseException:
        if database.in_transaction:  # if the disk was full, SQLite has ended the transaction itself
            database.execute("rollback")
        raise


def check_databases(directory: Path) -> None:
    """Check all SQLite files in `directory`, before anything is loaded from one of them.

    Raises:
        StateDamaged: one of them is not intact.
    """
    for file in sorted(directory.glob("*.sqlite")):
        open_database(file).close()
