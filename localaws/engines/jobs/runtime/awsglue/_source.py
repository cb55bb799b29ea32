"""What a source over S3 reads: the objects under its paths that the bookmark does not know, as local files."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from awsglue import _bookmarks, _run, _s3
from awsglue._errors import NotSupportedLocally

# The bookmark's name for all paths that are objects themselves.
_NAMED = ""
ENDINGS = {"gzip": ".gz", "bzip2": ".bz2"}
NAME_LENGTH = 13


@dataclass(frozen=True)
class Fetched:
    """Local copies: the file NNNNNNNN* of `directory` is `objects[NNNNNNNN]`; names are of NAME_LENGTH characters."""

    directory: Path
    objects: list[_s3.S3Object]


def fetch_unread(paths: Sequence[str], context: str, *, recurse: bool, compression: str = "") -> Fetched:
    """Copy what the bookmark of the transformation_ctx `context` does not know.

    A path that is an object costs one GET, and no listing; any other is a "folder". One that is neither is no error:
    Glue's log says "Skipping Partition … no new files detected … or path does not exist", and so does this one's.
    """
    if compression and compression not in ENDINGS:
        raise NotSupportedLocally(f"compressionType={compression!r}", ENDINGS)
    directory = _run.new_directory("source")
    with ThreadPoolExecutor(_s3.THREADS) as pool:
        source = _Source(directory, context, pool)
        folders = source.fetch_named(paths)
        source.fetch_folders(folders, recurse=recurse)
    for index, (item, file) in enumerate(source.copies):
        ending = ENDINGS.get(compression) or _ending(item.key)
        file.rename(directory / f"{index:08d}{ending:->{NAME_LENGTH - 8}}")
    return Fetched(directory, [item for item, _ in source.copies])


class _Source:
    def __init__(self, directory: Path, context: str, pool: ThreadPoolExecutor) -> None:
        self.copies: list[tuple[_s3.S3Object, Path]] = []
        self._directory = directory
        self._context = context
        self._pool = pool

    def fetch_named(self, paths: Sequence[str]) -> list[str]:
        """Copy those of `paths` that are objects; the others."""
        began = datetime.datetime.now(datetime.UTC)
        named = [path for path in paths if _s3.split(path)[1] and not path.endswith("/")]
        unread = self._unread(_NAMED)
        found = self._fetch([_s3.split(path) for path in named], unread)
        items = [item for item in found if item is not None]
        if items:
            self._remember(_NAMED, began, [item for item in items if unread(item)])
        missing = {path for path, item in zip(named, found, strict=True) if item is None or not item.size}
        return [path for path in dict.fromkeys(paths) if path in missing or path not in named]

    def fetch_folders(self, folders: Iterable[str], *, recurse: bool) -> None:
        """Copy what is under each folder."""
        empty = []
        for folder in folders:
            began = datetime.datetime.now(datetime.UTC)
            listed = _s3.listing(folder, recurse=recurse)
            unread = self._unread(folder)
            wanted = [item for item in listed if unread(item)]
            # An object that was overwritten since it was listed is as unread as it was.
            found = self._fetch([(item.bucket, item.key) for item in wanted], lambda item: item.size > 0)
            self._remember(folder, began, [item for item in found if item is not None])
            if not wanted:
                empty.append(folder)
        if empty:
            more = f", and {len(empty) - 3} more" if len(empty) > 3 else ""
            text = f"no new files detected @ {', '.join(empty[:3])}{more}, or the path does not exist"
            print(f"WARN HadoopDataSource: Skipping: {text}", file=_run.current.error_log)

    def _fetch(
        self, addresses: Sequence[tuple[str, str]], wanted: Callable[[_s3.S3Object], bool]
    ) -> list[_s3.S3Object | None]:
        start = len(self.copies)
        files = [self._directory / f".fetching-{start + index}" for index in range(len(addresses))]
        found: list[_s3.S3Object | None] = _s3.fetch_all(addresses, files, wanted, self._pool)
        self.copies += [(item, file) for item, file in zip(found, files, strict=True) if item and file.exists()]
        return found

    def _unread(self, path: str) -> Callable[[_s3.S3Object], bool]:
        if not _bookmarks.current.applies_to(self._context):
            return lambda item: item.size > 0
        return lambda item: item.size > 0 and _bookmarks.current.is_unread(self._context, path, item)

    def _remember(self, path: str, began: datetime.datetime, read: list[_s3.S3Object]) -> None:
        if _bookmarks.current.applies_to(self._context):
            _bookmarks.current.remember(self._context, path, began, read)


def _ending(key: str) -> str:
    # It tells Spark the compression.
    return next((ending for ending in ENDINGS.values() if key.endswith(ending)), ".data")
