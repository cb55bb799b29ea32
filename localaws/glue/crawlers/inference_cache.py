"""A cache of the looks at objects, by bucket, key and ETag: in memory, and on disk for the next start.

An object is read again only when it has changed, as on AWS: "The crawler doesn't read files that were read in the
previous crawler run" (https://repost.aws/knowledge-center/long-running-glue-crawler).
"""

from __future__ import annotations

import logging
import pickle
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from localaws.core.ports import ObjectEntry
from localaws.glue.crawlers.formats import Look

log = logging.getLogger(__name__)

# Increased whenever the same bytes may give a different look: the looks on disk are then discarded.
VERSION = 2
_REMEMBERED = 200_000  # objects per bucket
_INTERNED = 10_000
_SCHEMA = """
create table if not exists shapes (id integer primary key, look blob not null unique);
create table if not exists looks (
    bucket text not null, key text not null, etag text not null, shape integer not null, records integer not null,
    unreadable integer not null, primary key (bucket, key)
) without rowid;
"""


class InferenceCache:
    """The looks of all crawls. The file on disk may be lost, and is replaced if it is damaged."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._buckets: dict[str, dict[str, tuple[str, Look]]] = {}
        self._unsaved: dict[tuple[str, str], tuple[str, Look] | None] = {}  # None: delete it
        self._interned: dict[Look, Look] = {}

    def get(self, item: ObjectEntry) -> Look | None:
        """Return the cached look at `item`, or None."""
        with self._lock:
            etag, look = self._of(item.bucket).get(item.key, ("", None))
            return look if etag == item.etag else None

    def put(self, item: ObjectEntry, look: Look) -> Look:
        """Cache `look`, and drop the oldest if there are too many; return the copy that equal looks share."""
        with self._lock:
            look, bucket = self._intern(look), self._of(item.bucket)
            if len(bucket) >= _REMEMBERED:
                self._forget(item.bucket, next(iter(bucket)))
            bucket[item.key] = self._unsaved[item.bucket, item.key] = item.etag, look
            return look

    def forget(self, bucket: str, keys: Iterable[str]) -> None:
        """Drop the looks at objects that are gone."""
        with self._lock:
            for key in keys:
                self._forget(bucket, key)

    def save(self) -> None:
        """Write new looks to disk. A failure there only costs time at the next start."""
        with self._lock:
            unsaved, self._unsaved = self._unsaved, {}
        if not unsaved:
            return
        shapes: dict[Look, int] = {}
        try:
            with self._saving, self._database() as database:
                for (bucket, key), known in unsaved.items():
                    if known is None:
                        database.execute("delete from looks where bucket = ? and key = ?", (bucket, key))
                        continue
                    etag, look = known
                    if look.shape not in shapes:
                        shapes[look.shape] = _number_of(database, look.shape)
                    row = (bucket, key, etag, shapes[look.shape], look.records, look.unreadable)
                    database.execute("insert or replace into looks values (?, ?, ?, ?, ?, ?)", row)
        except sqlite3.Error:
            log.warning("The inference cache could not be saved", exc_info=True)
            self._file.unlink(missing_ok=True)

    def _intern(self, look: Look) -> Look:
        if len(self._interned) >= _INTERNED:
            self._interned.clear()
        return self._interned.setdefault(look, look)

    def _forget(self, bucket: str, key: str) -> None:
        if self._of(bucket).pop(key, None):
            self._unsaved[bucket, key] = None

    def _of(self, bucket: str) -> dict[str, tuple[str, Look]]:
        if bucket not in self._buckets:
            self._buckets[bucket] = self._load(bucket)
        return self._buckets[bucket]

    def _load(self, bucket: str) -> dict[str, tuple[str, Look]]:
        if not self._file.exists():
            return {}
        try:
            with self._database() as database:
                shapes = {id_: pickle.loads(look) for id_, look in database.execute("select id, look from shapes")}
                rows = database.execute(
                    "select key, etag, shape, records, unreadable from looks where bucket = ? limit ?",
                    (bucket, _REMEMBERED),
                ).fetchall()
            return self._decoded(shapes, rows)
        except (sqlite3.Error, pickle.UnpicklingError, AttributeError, ImportError, KeyError):
            log.warning(
                "The inference cache of earlier crawls can't be read: objects are looked at again", exc_info=True
            )
            self._file.unlink(missing_ok=True)
            return {}

    def _decoded(
        self, shapes: dict[int, Look], rows: list[tuple[str, str, int, int, int]]
    ) -> dict[str, tuple[str, Look]]:
        seen: dict[tuple[int, int, int], Look] = {}
        found = {}
        for key, etag, shape, records, unreadable in rows:
            numbers = shape, records, unreadable
            if numbers not in seen:
                seen[numbers] = self._intern(replace(shapes[shape], records=records, unreadable=unreadable))
            found[key] = etag, seen[numbers]
        return found

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=2)) as database:
            # No sync: a power cut may damage the file. That is noticed, and all objects are looked at again.
            database.execute("pragma synchronous = off")
            if database.execute("pragma user_version").fetchone()[0] != VERSION:
                database.executescript("drop table if exists looks; drop table if exists shapes;" + _SCHEMA)
                database.execute(f"pragma user_version = {VERSION}")
            with database:
                yield database


def _number_of(database: sqlite3.Connection, shape: Look) -> int:
    """Return the id under which a format with its columns is kept; most files share one."""
    pickled = pickle.dumps(shape)
    database.execute("insert or ignore into shapes (look) values (?)", (pickled,))
    return int(database.execute("select id from shapes where look = ?", (pickled,)).fetchone()[0])
