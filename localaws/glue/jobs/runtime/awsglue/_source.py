"""Copies what a source over S3 reads to local files: the objects under its paths that the bookmark does not know."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from awsglue import _bookmarks, _folders, _run, _s3
from awsglue._errors import NotSupportedLocally

# The bookmark's name for all paths that are objects themselves.
_NAMED = ""
ENDINGS = {"gzip": ".gz", "bzip2": ".bz2"}
NAME_LENGTH = 13
# A path, and its place among the paths of the source.
_Path = tuple[int, str]


@dataclass(frozen=True)
class Fetched:
    """Local copies: the file NNNNNNNN* of `directory` is `objects[NNNNNNNN]`; names have NAME_LENGTH characters."""

    directory: Path
    objects: list[_s3.S3Object]
    origins: list[int]
    """For each object, the index of the source's path under which it was found."""

    def uri(self, file: Path) -> str:
        """Return the address of the object that `file` is a copy of."""
        return str(self.objects[int(file.name[:8])].uri)


def fetch_unread(
    paths: Sequence[str],
    context: str,
    *,
    recurse: bool,
    compression: str = "",
    excluded: Callable[[_s3.S3Object], bool] | None = None,
) -> Fetched:
    """Copy the objects that the bookmark of the transformation_ctx `context` does not know.

    A path that is an object costs one GET, and no listing; any other is a "folder". A path that is neither is not an
    error. Glue's log then says "Skipping Partition … no new files detected … or path does not exist"; so does the log
    here.
    """
    if compression and compression not in ENDINGS:
        raise NotSupportedLocally(f"compressionType={compression!r}", ENDINGS)
    with _Source(context, excluded) as source:
        folders = source.fetch_named(list(enumerate(paths)))
        distinct = {path: (place, path) for place, path in reversed(folders)}
        source.fetch_folders(sorted(distinct.values()), recurse=recurse)
        return source.fetched(compression)


def fetch_partitions(
    locations: Sequence[str], context: str, excluded: Callable[[_s3.S3Object], bool] | None = None
) -> Fetched:
    """Do the same for the locations of partitions: nearly all are folders, and one that is given twice is read twice.

    A location is tried as an object only if it turns out not to be a folder.
    """
    with _Source(context, excluded) as source:
        missing = source.fetch_folders(list(enumerate(locations)), recurse=True)
        source.fetch_named([(place, location) for place, location in missing if not location.endswith("/")])
        return source.fetched()


class _Source:
    def __init__(self, context: str, excluded: Callable[[_s3.S3Object], bool] | None) -> None:
        self._context = context
        self._excluded = excluded
        self._copies: list[tuple[int, _s3.S3Object, Path]] = []
        self._asked = 0
        self._empty: list[_Path] = []
        self._directory = _run.new_directory("source")
        self._pool = ThreadPoolExecutor(_s3.THREADS)

    def __enter__(self) -> _Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def fetch_named(self, paths: Sequence[_Path]) -> list[_Path]:
        """Copy those of `paths` that are objects; return the others."""
        began = datetime.datetime.now(datetime.UTC)
        named = [path for path in paths if _s3.split(path[1])[1] and not path[1].endswith("/")]
        unread = self._unread(_NAMED)
        found = self._fetch([(place, *_s3.split(path)) for place, path in named], unread)
        items = [item for item in found if item is not None]
        if items:
            self._remember(_NAMED, began, [item for item in items if unread(item)])
        objects = {path for path, item in zip(named, found, strict=True) if item is not None and item.size}
        self._empty = [path for path in self._empty if path not in objects]
        return [path for path in paths if path not in objects]

    def fetch_folders(self, folders: Sequence[_Path], *, recurse: bool) -> list[_Path]:
        """Copy the unread objects under each folder; return the folders with no objects at all, read or unread."""
        began = datetime.datetime.now(datetime.UTC)
        listed = _folders.objects_in([folder for _, folder in folders], recurse=recurse) if folders else []
        wanted = [list(filter(self._unread(path), items)) for (_, path), items in zip(folders, listed, strict=True)]
        addresses = [
            (place, item.bucket, item.key)
            for (place, _), items in zip(folders, wanted, strict=True)
            for item in items
        ]  # fmt: skip
        # An object that was overwritten since it was listed is still unread.
        found = iter(self._fetch(addresses, lambda item: item.size > 0))
        for (_, folder), items in zip(folders, wanted, strict=True):
            read = [next(found) for _ in items]
            self._remember(folder, began, [item for item in read if item is not None])
        self._empty += [folder for folder, items in zip(folders, wanted, strict=True) if not items]
        return [folder for folder, items in zip(folders, listed, strict=True) if not items]

    def fetched(self, compression: str = "") -> Fetched:
        """Return everything that was copied, under its final names; the error log names paths with nothing to copy."""
        _warn([path for _, path in self._empty])
        for index, (_, item, file) in enumerate(self._copies):
            ending = ENDINGS.get(compression) or _ending(item.key)
            file.rename(self._directory / f"{index:08d}{ending:->{NAME_LENGTH - 8}}")
        return Fetched(
            self._directory, [item for _, item, _ in self._copies], [origin for origin, _, _ in self._copies]
        )

    def _fetch(
        self, addresses: Sequence[tuple[int, str, str]], wanted: Callable[[_s3.S3Object], bool]
    ) -> list[_s3.S3Object | None]:
        files = [self._directory / f".fetching-{self._asked + index}" for index in range(len(addresses))]
        self._asked += len(addresses)
        found: list[_s3.S3Object | None] = _s3.fetch_all(
            [(bucket, key) for _, bucket, key in addresses], files, wanted, self._pool
        )
        self._copies += [
            (origin, item, file)
            for (origin, _, _), item, file in zip(addresses, found, files, strict=True)
            if item and file.exists()
        ]
        return found

    def _unread(self, path: str) -> Callable[[_s3.S3Object], bool]:
        excluded = self._excluded or (lambda item: False)
        if not _bookmarks.current.applies_to(self._context):
            return lambda item: item.size > 0 and not excluded(item)
        return lambda item: (
            item.size > 0 and not excluded(item) and _bookmarks.current.is_unread(self._context, path, item)
        )

    def _remember(self, path: str, began: datetime.datetime, read: list[_s3.S3Object]) -> None:
        if _bookmarks.current.applies_to(self._context):
            _bookmarks.current.remember(self._context, path, began, read)


def _warn(empty: Sequence[str]) -> None:
    if empty:
        more = f", and {len(empty) - 3} more" if len(empty) > 3 else ""
        text = f"no new files detected @ {', '.join(empty[:3])}{more}, or the path does not exist"
        print(f"WARN HadoopDataSource: Skipping: {text}", file=_run.current.error_log)


def _ending(key: str) -> str:
    # The ending tells Spark the compression.
    return next((ending for ending in ENDINGS.values() if key.endswith(ending)), ".data")
