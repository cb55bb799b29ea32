"""Crawls S3 targets: lists the objects, looks at each one's beginning, and finds the tables that they make.

An object that was looked at before, by its ETag, is not read again: what a crawl of a bucket costs is the listing
and the new objects.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from localaws.engines.crawler.formats import UNKNOWN, Look, look_at
from localaws.engines.crawler.grouping import File
from localaws.engines.crawler.naming import Exclusions
from localaws.engines.crawler.objects import ObjectGone, Objects, S3Object
from localaws.engines.crawler.schema import Type

FIRST_BYTES = 1 << 20  # how much of a file is read to tell its schema
MOST_BYTES = 10 << 20  # ... and how much where that was not enough
_REMEMBERED = 100_000


@dataclass(frozen=True)
class S3Target:
    """One include path, a folder or a single object, and what of it is left out."""

    bucket: str
    prefix: str  # ends in "/", or is empty, unless it names a single object
    exclusions: Exclusions
    sample_size: int | None = None  # files to look at in each folder; None is all

    @classmethod
    def of(cls, definition: dict[str, Any]) -> S3Target:
        """Read a target as the API has it.

        Raises:
            ValueError: the path is no S3 path, or an exclusion can't be read.
        """
        path = str(definition.get("Path", ""))
        scheme, _, rest = path.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme not in ("s3", "s3a", "s3n") or not bucket:
            raise ValueError(f"The S3 path {path!r} must be of the form s3://bucket/prefix")
        return cls(bucket, prefix, Exclusions(definition.get("Exclusions") or []), definition.get("SampleSize"))


class Looks:
    """Remembers what looks at objects told, by bucket, key and ETag. Shared by all crawls."""

    def __init__(self) -> None:
        self._looks: dict[tuple[str, str, str], Look] = {}
        self._schemas: dict[tuple[tuple[str, Type], ...], tuple[tuple[str, Type], ...]] = {}
        self._lock = threading.Lock()

    def get(self, item: S3Object) -> Look | None:
        """What is known of `item`."""
        return self._looks.get((item.bucket, item.key, item.etag))

    def put(self, item: S3Object, look: Look) -> None:
        """Remember `look`; forget the oldest where there are too many."""
        with self._lock:
            # Most files are alike: one copy of their schema does for all.
            look = replace(look, schema=self._schemas.setdefault(look.schema, look.schema))
            if len(self._looks) >= _REMEMBERED:
                del self._looks[next(iter(self._looks))]
            self._looks[item.bucket, item.key, item.etag] = look


class S3Reader:
    """Reads the files of S3 targets for one crawl."""

    def __init__(
        self, objects: Objects, looks: Looks, log: Callable[[str], None], check_stopped: Callable[[], None]
    ) -> None:
        self._objects = objects
        self._looks = looks
        self._log = log
        self._check_stopped = check_stopped

    def files(self, target: S3Target, skip_folders: frozenset[str] = frozenset()) -> tuple[str, list[File]]:
        """The location that `target` stands for, as ``s3://bucket/folder/``, and its files.

        Args:
            target: what to list.
            skip_folders: folders, relative to the location, whose files are left out.

        Raises:
            CrawlFailed: the bucket is not there or may not be read.
        """
        prefix = target.prefix
        objects = list(self._objects.list(target.bucket, prefix))
        self._check_stopped()
        if prefix and not prefix.endswith("/"):
            if any(item.key == prefix for item in objects):  # the path names one object
                objects = [item for item in objects if item.key == prefix]
                prefix = prefix.rpartition("/")[0] + "/" if "/" in prefix else ""
            else:
                objects = [item for item in objects if item.key.startswith(prefix + "/")]
                prefix += "/"
        wanted = [item for item in objects if self._is_wanted(item.key[len(prefix) :], target, skip_folders)]
        sample = self._sample(wanted, target.sample_size)
        looks = self._look_at_all(sample)
        if len(sample) < len(wanted):
            _estimate(wanted, looks)
        files = [File(item.key[len(prefix) :], item.size, look) for item in wanted if (look := looks.get(item.key))]
        return f"s3://{target.bucket}/{prefix}", files

    @staticmethod
    def _is_wanted(path: str, target: S3Target, skip_folders: frozenset[str]) -> bool:
        folder, _, name = path.rpartition("/")
        if not name or folder + "/" in skip_folders or target.exclusions.match(path):
            return False
        # Spark and Hive take names with a leading _ or . for their own bookkeeping, and so does the crawler.
        return not any(part.startswith(("_", ".")) and "=" not in part for part in path.split("/"))

    @staticmethod
    def _sample(objects: list[S3Object], sample_size: int | None) -> list[S3Object]:
        if sample_size is None:
            return objects
        taken: dict[str, int] = {}
        sample = []
        for item in objects:
            folder = item.key.rpartition("/")[0]
            taken[folder] = taken.get(folder, 0) + 1
            if taken[folder] <= sample_size:
                sample.append(item)
        return sample

    def _look_at_all(self, objects: list[S3Object]) -> dict[str, Look]:
        looks: dict[str, Look] = {}
        for item in objects:
            look = self._looks.get(item)
            if look is None:
                self._check_stopped()
                look = self._look_at(item)
            if look is not None:
                looks[item.key] = look
        return looks

    def _look_at(self, item: S3Object) -> Look | None:
        """Look at one object; None where it is gone by now."""
        if not item.size:
            self._log(f"INFO : Skipped {item.key}: it is empty")
            look = Look(UNKNOWN)
        else:
            try:
                # The object may have been overwritten since it was listed: what is looked at is what is read.
                look, item = self._classify(item)
            except ObjectGone:
                self._log(f"INFO : Skipped {item.key}: it was deleted while the crawl was on")
                return None
            if look.classification == UNKNOWN:
                self._log(f"WARN : {item.key} is in no format that the built-in classifiers know: UNKNOWN")
            elif look.unreadable:
                self._log(f"WARN : {look.unreadable} rows of {item.key} can't be read as JSON objects")
        self._looks.put(item, look)
        return look

    def _classify(self, item: S3Object) -> tuple[Look, S3Object]:
        beginning, item = self._objects.read(item, FIRST_BYTES)
        if beginning.startswith(b"PAR1"):
            return self._look_at_parquet(item), item
        look = look_at(beginning, item.size)
        if look.classification == UNKNOWN and len(beginning) < item.size:
            beginning, item = self._objects.read(item, MOST_BYTES)
            look = look_at(beginning, item.size)
        return look, item

    def _look_at_parquet(self, item: S3Object) -> Look:
        from localaws.engines.crawler import parquet  # pyarrow takes long to import, and few crawls need it

        end = self._objects.read_end(item, 64 << 10)
        if (footer := parquet.footer_size(end)) > len(end):
            end = self._objects.read_end(item, footer)
        try:
            return parquet.look_at_parquet(end)
        except ValueError:
            return Look(UNKNOWN)


def _estimate(objects: list[S3Object], looks: dict[str, Look]) -> None:
    """Give the objects that were not looked at the look of one that was, in the same folder if there is one."""
    examples: dict[str, tuple[Look, float]] = {}
    for item in objects:
        look = looks.get(item.key)
        if look and item.size and look.classification != UNKNOWN:
            example = (look, look.records / item.size)
            examples.setdefault(item.key.rpartition("/")[0], example)
            examples.setdefault("", example)
    for item in objects:
        example_of = examples.get(item.key.rpartition("/")[0]) or examples.get("")
        if item.key not in looks and item.size and example_of:
            look, density = example_of
            looks[item.key] = replace(look, records=round(item.size * density), unreadable=0)
