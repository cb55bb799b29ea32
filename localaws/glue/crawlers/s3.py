"""Crawls S3 targets: lists the objects, looks at the beginning of each, and returns the files as a tree.

An object that was looked at before is not read again, and the last listing of a target is kept. So a crawl costs one
listing, which is compared with the last one by identity, and one look at each new object.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from localaws.core.children import Children
from localaws.core.ports import ObjectArchived, ObjectEntry, ObjectGone
from localaws.glue.crawlers.errors import CrawlFailed
from localaws.glue.crawlers.files import File, FileTree
from localaws.glue.crawlers.formats import FIRST_BYTES, MOST_BYTES, UNKNOWN, Look, look_at
from localaws.glue.crawlers.inference_cache import InferenceCache
from localaws.glue.crawlers.inference_worker import InferenceWorker
from localaws.glue.crawlers.objects import CrawledObjects
from localaws.glue.crawlers.targets import S3Target
from localaws.iam import AccessDenied

_LISTINGS = 16  # targets whose last listing is kept
_LONGEST_LISTING = 200_000  # objects

Listed = list[Any]  # S3's record of each object, see CrawledObjects.current; its `name` is the key


@dataclass
class Listing:
    """What a crawl saw of a target: S3's record of each key at that time, and the files."""

    seen: dict[str, Any] = field(default_factory=dict)
    tree: FileTree = field(default_factory=FileTree)


class Listings:
    """The last listings, by crawler and target."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], Listing] = {}
        self._lock = threading.Lock()

    def take(self, key: tuple[object, ...]) -> Listing:
        """Remove and return the listing of `key`, or an empty one: a crawl that fails leaves no partial listing."""
        with self._lock:
            return self._kept.pop(key, None) or Listing()

    def keep(self, key: tuple[object, ...], listing: Listing) -> None:
        """Keep a complete listing, unless it is very long; drop the oldest if there are too many."""
        if len(listing.seen) > _LONGEST_LISTING:
            return
        with self._lock:
            self._kept[key] = listing
            if len(self._kept) > _LISTINGS:
                del self._kept[next(iter(self._kept))]


class S3Reader:
    """Reads the files of S3 targets for one crawl."""

    def __init__(
        self,
        objects: CrawledObjects,
        looks: InferenceCache,
        listings: Listings,
        log: Callable[[str], None],
        check_stopped: Callable[[], None],
        children: Children,
    ) -> None:
        self._objects = objects
        self._worker = InferenceWorker(objects, {})
        self._looks = looks
        self._listings = listings
        self._log = log
        self._check_stopped = check_stopped
        self._children = children

    def resolve(self, target: S3Target) -> S3Target:
        """Return `target` as a folder or as a single object, whichever its include path is.

        An object without content counts as a folder, as it does for jobs.

        Raises:
            CrawlFailed: the bucket does not exist, or the role may not list it.
        """
        if target.path and not target.path.endswith("/"):
            listed = self._objects.current(target.bucket, target.path)
            if listed and listed[0].name == target.path and listed[0].size:
                return target.as_object()
        return target.as_folder()

    def _list(self, target: S3Target, folder: str = "") -> Listed:
        """Return the objects of a resolved target, or those below one of its folders."""
        if not target.name:
            return self._objects.current(target.bucket, target.prefix + folder)
        return [one for one in self._objects.current(target.bucket, target.path) if one.name == target.path]

    def everything(self, target: S3Target, crawler: tuple[str, str]) -> FileTree:
        """Return all files of a resolved target; `crawler` is the region and name of the crawler.

        Raises:
            CrawlFailed: the bucket does not exist, or the role may not list it.
        """
        listed = self._list(target)
        self._check_stopped()
        if target.sample_size is not None:
            return self._sampled(target, listed)
        key = (*crawler, target.bucket, target.prefix, target.name, target.exclusions.patterns)
        listing = self._listings.take(key)
        self._bring_up_to_date(listing, target, listed)
        self._listings.keep(key, listing)
        return listing.tree

    def new_folders(self, target: S3Target, known: Iterable[str]) -> FileTree:
        """Return the files of a resolved target in folders that are not `known` (as s3://bucket/folder/).

        Raises:
            CrawlFailed: the bucket does not exist, or the role may not list it.
        """
        skipped = {folder[len(target.location) :] for folder in known if folder.startswith(target.location)}
        start = len(target.prefix)
        listed = self._list(target)
        wanted = [one for one in listed if _folder_of(one.name[start:]) not in skipped]
        if target.sample_size is not None:
            return self._sampled(target, wanted)
        listing = Listing()
        self._bring_up_to_date(listing, target, wanted)
        return listing.tree

    def changed_folders(self, target: S3Target, crawler: tuple[str, str], folders: Iterable[str]) -> FileTree | None:
        """Return all files of a resolved target, but list only those directly in `folders`.

        Args:
            target: the target, whose last listing is brought up to date.
            crawler: region and name of the crawler.
            folders: relative to the target, ending in "/" unless empty.

        Returns:
            None if the last listing is not known (any more), or if the target is sampled.

        Raises:
            CrawlFailed: the bucket does not exist, or the role may not list it.
        """
        key = (*crawler, target.bucket, target.prefix, target.name, target.exclusions.patterns)
        listing = self._listings.take(key)
        if not listing.seen or target.sample_size is not None:
            return None
        start = len(target.prefix)
        for folder in sorted(set(folders)):
            self._check_stopped()
            inside = self._list(target, folder)
            listed = [one for one in inside if _folder_of(one.name[start:]) == folder]
            self._forget_gone(listing, target, {target.prefix + path for path in listing.tree.paths_in(folder)}, listed)
            self._look_at_all(listing, target, [one for one in listed if listing.seen.get(one.name) is not one])
        self._listings.keep(key, listing)
        return listing.tree

    def _bring_up_to_date(self, listing: Listing, target: S3Target, listed: Listed) -> None:
        seen = listing.seen
        changed = [one for one in listed if seen.get(one.name) is not one]
        if len(seen) + sum(one.name not in seen for one in changed) != len(listed):
            self._forget_gone(listing, target, seen, listed)
        self._look_at_all(listing, target, changed)

    def _forget_gone(self, listing: Listing, target: S3Target, known: Iterable[str], listed: Listed) -> None:
        gone = set(known) - {one.name for one in listed}
        for key in gone:
            listing.tree.remove(key[len(target.prefix) :])
            listing.seen.pop(key, None)
        self._looks.forget(target.bucket, gone)

    def _look_at_all(self, listing: Listing, target: S3Target, changed: Listed) -> None:
        seen, start = listing.seen, len(target.prefix)
        items = {one.name: self._objects.listed(one) for one in changed if target.wants(one.name[start:])}
        unknown = {key: item for key, item in items.items() if self._looks.get(item) is None}
        self._worker = InferenceWorker(self._objects, unknown)
        with self._worker.looking(self._children):
            for one in changed:
                if item := items.get(one.name):
                    look = self._look(item)
                    if look is None:  # just deleted, or the role may not read it
                        listing.tree.remove(one.name[start:])
                        seen.pop(one.name, None)
                        continue
                    listing.tree.put(File(one.name[start:], item.size, look))
                seen[one.name] = one

    def _sampled(self, target: S3Target, listed: Listed) -> FileTree:
        """Return the files. Only the first of each folder are looked at; the others are assumed to be like them."""
        start, limit = len(target.prefix), target.sample_size or 0
        files: list[File] = []
        unseen: list[tuple[str, int]] = []
        taken: dict[str, int] = {}
        for one in listed:
            path = one.name[start:]
            if not target.wants(path) or not one.size:
                continue
            folder = _folder_of(path)
            taken[folder] = taken.get(folder, 0) + 1
            if taken[folder] > limit:
                unseen.append((path, one.size))
            elif look := self._look(self._objects.listed(one)):
                files.append(File(path, one.size, look))
        examples: dict[str, File] = {}
        for file in files:
            if file.look.classification != UNKNOWN:
                examples.setdefault(file.folder, file)
        for path, size in unseen:
            if example := examples.get(_folder_of(path)) or next(iter(examples.values()), None):
                records = round(size * example.look.records / example.size)
                files.append(File(path, size, replace(example.look.shape, records=records)))
        return FileTree(files)

    def _look(self, item: ObjectEntry) -> Look | None:
        """Return the look at an object; None if it has been deleted, or if the role may not read it.

        Raises:
            CrawlFailed: it is in a format that AWS crawls and the embedded AWS does not.
        """
        look = self._looks.get(item)
        if look is None:
            self._check_stopped()
            look = self._look_at(item)
        if look is not None and look.unsupported:
            raise CrawlFailed(
                f"s3://{item.bucket}/{item.key} is {look.unsupported}, which the embedded AWS does not crawl. It crawls"
                " JSON, CSV and Parquet, plain or compressed with gzip or bzip2. Exclude the object, and crawl again."
            )
        return look

    def _look_at(self, item: ObjectEntry) -> Look | None:
        if not item.size:
            self._log(f"INFO : Skipped {item.key}: it is empty")
            look = Look(UNKNOWN)
        else:
            try:
                # The object may have been overwritten since it was listed: `item` becomes the one that was read.
                look, item = self._classify(item)
            except ObjectGone:
                self._log(f"INFO : Skipped {item.key}: it was deleted during the crawl")
                return None
            except (AccessDenied, ObjectArchived) as refused:
                # Not remembered: the next crawl may be able to read it.
                code = "AccessDenied" if isinstance(refused, AccessDenied) else "InvalidObjectState"
                self._log(
                    f"ERROR : Error {refused} (Service: Amazon S3; Status Code: 403; Error Code: {code})"
                    f" retrieving file at s3://{item.bucket}/{item.key}."
                    " Tables created did not infer schemas from this file."
                )
                return None
            if look.classification == UNKNOWN and not look.unsupported:
                self._log(f"WARN : The built-in classifiers do not recognize the format of {item.key}: UNKNOWN")
            elif look.unreadable:
                self._log(f"WARN : {look.unreadable} rows of {item.key} can't be read as JSON objects")
        return self._looks.put(item, look)

    def _classify(self, item: ObjectEntry) -> tuple[Look, ObjectEntry]:
        if looked := self._worker.take(item):
            return looked
        beginning, item = self._objects.read(item, FIRST_BYTES)
        if beginning.startswith(b"PAR1"):
            return self._look_at_parquet(item), item
        look = look_at(beginning, item.size)
        if look.classification == UNKNOWN and not look.unsupported and len(beginning) < item.size:
            beginning, item = self._objects.read(item, MOST_BYTES)
            look = look_at(beginning, item.size)
        return look, item

    def _look_at_parquet(self, item: ObjectEntry) -> Look:
        from localaws.glue.crawlers import parquet  # pyarrow takes long to import, and few crawls need it

        end = self._objects.read_end(item, 64 << 10)
        if (footer := parquet.footer_size(end)) > len(end):
            end = self._objects.read_end(item, footer)
        try:
            return parquet.look_at_parquet(end)
        except ValueError:
            return Look(UNKNOWN)


def _folder_of(path: str) -> str:
    return path[: path.rfind("/") + 1]
