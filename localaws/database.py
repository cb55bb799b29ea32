"""SQLite files of a home: write-ahead mode with full syncs, and never read where they are damaged.

A commit is on disk when it returns. A write that a kill or a power cut tore is in the write-ahead log, whose frames
carry checksums: SQLite drops it when the file is opened next. Damage to what was committed is found here.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from localaws.errors import StateDamaged


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


def check_databases(directory: Path) -> None:
    """Look through all of `directory`'s SQLite files before anything is loaded from one of them.

    Raises:
        StateDamaged: one is not whole.
    """
    for file in sorted(directory.glob("*.sqlite")):
        open_database(file).close()
