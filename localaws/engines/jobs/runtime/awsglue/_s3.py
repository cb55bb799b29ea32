"""S3 objects in and out. Spark itself reads and writes local files: it needs no S3 driver that way."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from awsglue import _aws, _run

_THREADS = 4


@dataclass(frozen=True)
class S3Object:
    """One object as a listing shows it."""

    bucket: str
    key: str
    size: int
    last_modified: datetime.datetime
    etag: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of `uri`.

    Raises:
        ValueError: it is no s3:// address.
    """
    scheme, rest = uri.split("://", 1) if "://" in uri else ("", uri)
    bucket, _, key = rest.partition("/")
    if scheme not in ("s3", "s3a", "s3n") or not bucket:
        raise ValueError(f"not an S3 path: {uri!r}. It must look like s3://bucket/prefix/")
    return bucket, key


def listing(uri: str, *, recurse: bool) -> list[S3Object]:
    """The objects with content under `uri`, a "folder" or one object.

    Hidden ones (a last part that begins with "_" or ".") are left out, as Hadoop's input formats do.
    """
    bucket, key = split(uri)
    found = _list(bucket, key if not key or key.endswith("/") else key + "/")
    if not found and key and not key.endswith("/"):
        found = [item for item in _list(bucket, key) if item.key == key]
        return [item for item in found if item.size]
    root = key if not key or key.endswith("/") else key + "/"
    return [
        item
        for item in found
        if item.size
        and not item.key.rsplit("/", 1)[-1].startswith(("_", "."))
        and (recurse or "/" not in item.key[len(root) :])
    ]


def _list(bucket: str, prefix: str) -> list[S3Object]:
    pages = _aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [
        S3Object(bucket, item["Key"], item["Size"], item["LastModified"], item["ETag"])
        for page in pages
        for item in page.get("Contents", [])
    ]


def fetch(objects: Iterable[S3Object]) -> tuple[Path, list[S3Object]]:
    """Copy `objects` into a new local directory; file NNNNNNNN is the object at that index of the list returned.

    An object that was overwritten since it was listed is fetched, and returned, as it is now; one that was deleted
    is left out.
    """
    directory = _run.new_directory("source")
    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(pool.map(_fetch, objects, _numbered(directory)))
    fetched: list[S3Object] = []
    for index, (item, temporary) in enumerate(result for result in results if result is not None):
        # The ending tells Spark the compression.
        temporary.rename(directory / f"{index:08d}{_ending(item.key)}")
        fetched.append(item)
    return directory, fetched


def _numbered(directory: Path) -> Iterable[Path]:
    index = 0
    while True:
        yield directory / f".fetching-{index}"
        index += 1


def _ending(key: str) -> str:
    return next((ending for ending in (".gz", ".bz2") if key.endswith(ending)), ".data")


def _fetch(item: S3Object, file: Path) -> tuple[S3Object, Path] | None:
    s3 = _aws.client("s3")
    while True:
        try:
            body = s3.get_object(Bucket=item.bucket, Key=item.key, IfMatch=item.etag)["Body"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("NoSuchKey", "404"):
                return None
            if code not in ("PreconditionFailed", "412"):
                raise
            current = [found for found in _list(item.bucket, item.key) if found.key == item.key]
            if not current:
                return None
            item = current[0]
            continue
        with file.open("wb") as target:
            shutil.copyfileobj(body, target, 1 << 20)
        return item, file


def upload(files: Iterable[tuple[Path, str]]) -> None:
    """Put each local file at its s3:// address."""

    def put(pair: tuple[Path, str]) -> Any:
        bucket, key = split(pair[1])
        with pair[0].open("rb") as body:
            return _aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(put, files))


def put(uri: str, content: bytes) -> None:
    """Put `content` at `uri`."""
    bucket, key = split(uri)
    _aws.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
