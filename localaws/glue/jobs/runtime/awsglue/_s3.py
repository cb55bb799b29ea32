"""Copies S3 objects to local files and back. Spark itself only uses local files, so it needs no S3 driver."""

from __future__ import annotations

import datetime
import email.utils
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from awsglue import _aws
from awsglue._wire import wire

THREADS = 8
_BY_FILE = "/_localaws/s3-files"


@dataclass(frozen=True)
class S3Object:
    """One object, as a listing or the response to a GET shows it."""

    bucket: str
    key: str
    size: int
    last_modified: datetime.datetime
    """To the second, as S3 gives it."""
    etag: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key of `uri`.

    Raises:
        ValueError: `uri` is not an s3:// address.
    """
    scheme, rest = uri.split("://", 1) if "://" in uri else ("", uri)
    bucket, _, key = rest.partition("/")
    if scheme not in ("s3", "s3a", "s3n") or not bucket:
        raise ValueError(f"not an S3 path: {uri!r}. It must look like s3://bucket/prefix/")
    return bucket, key


def fetch_all(
    addresses: Sequence[tuple[str, str]],
    files: Sequence[Path],
    wanted: Callable[[S3Object], bool],
    pool: ThreadPoolExecutor,
) -> list[S3Object | None]:
    """Do what `fetch` does for each bucket and key, into the file at the same position in `files`."""
    found = _link(addresses, files, wanted)
    left = [number for number, item in enumerate(found) if item is None]
    fetched = pool.map(lambda number: fetch(*addresses[number], files[number], wanted), left)
    for number, item in zip(left, fetched, strict=True):
        found[number] = item
    return found


def _link(
    addresses: Sequence[tuple[str, str]], files: Sequence[Path], wanted: Callable[[S3Object], bool]
) -> list[S3Object | None]:
    """Take the objects that the local S3 hands out as files (localaws/s3/local_files.py); None for each other object.

    The files that S3 names belong to this process: the server has put them where the process can move them from.
    """
    if not addresses:
        return []
    response = wire().send("POST", _BY_FILE, body=json.dumps(addresses).encode())
    text = response.read() if response is not None else b""
    if response is None or response.status != 200:
        return [None] * len(addresses)
    found: list[S3Object | None] = []
    for (bucket, key), file, entry in zip(addresses, files, json.loads(text), strict=True):
        item = None
        if entry is not None and entry["given"]:
            changed = datetime.datetime.fromtimestamp(entry["changed"], datetime.UTC)
            item = S3Object(bucket, key, entry["size"], changed, entry["etag"])
            if wanted(item):
                try:
                    os.rename(entry["file"], file)
                except OSError:
                    item = None
        found.append(item)
    return found


def fetch(bucket: str, key: str, file: Path, wanted: Callable[[S3Object], bool] = bool) -> S3Object | None:
    """Copy an object into `file` if its current version is `wanted`; return the object, or None if there is none.

    Raises botocore's ClientError for any refusal, except that a missing object is not an error.
    """
    connection = wire()
    response = connection.send("GET", f"/{bucket}/{key}")
    if response is None:
        return _fetch_patiently(bucket, key, file, wanted)
    if response.status == 404:
        response.read()
        return None
    headers = response.headers
    changed = email.utils.parsedate_to_datetime(headers["Last-Modified"])
    item = S3Object(bucket, key, int(headers["Content-Length"]), changed, headers["ETag"])
    if not wanted(item):
        # Closing is cheaper than reading the rest of the response.
        connection.close()
        return item
    try:
        with file.open("wb") as target:
            shutil.copyfileobj(response, target, 1 << 20)
            complete = target.tell() == item.size
    except OSError:
        complete = False
    if not complete:
        connection.close()
        return _fetch_patiently(bucket, key, file, wanted)
    return item


def _fetch_patiently(bucket: str, key: str, file: Path, wanted: Callable[[S3Object], bool]) -> S3Object | None:
    try:
        answer = _aws.client("s3").get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    item = S3Object(bucket, key, answer["ContentLength"], answer["LastModified"], answer["ETag"])
    if wanted(item):
        with file.open("wb") as target:
            shutil.copyfileobj(answer["Body"], target, 1 << 20)
    return item


def upload(files: Iterable[tuple[Path, str]]) -> None:
    """Upload each local file to its s3:// address."""

    def put(pair: tuple[Path, str]) -> None:
        bucket, key = split(pair[1])
        response = wire().send("PUT", f"/{bucket}/{key}", body=pair[0])
        if response is not None:
            response.read()
        if response is None or response.status != 200:
            with pair[0].open("rb") as body:
                _aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    pairs = list(files)
    if len(pairs) == 1:
        put(pairs[0])
        return
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(put, pairs))
