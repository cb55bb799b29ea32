"""Copies S3 objects to local files and back. Spark itself only uses local files, so it needs no S3 driver."""

from __future__ import annotations

import datetime
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, HTTPClientError
from botocore.httpsession import URLLib3Session

from awsglue import _aws

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
    entries = _handed_out(addresses) if addresses else []
    if entries is None:
        return [None] * len(addresses)
    found: list[S3Object | None] = []
    for (bucket, key), file, entry in zip(addresses, files, entries, strict=True):
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


def _handed_out(addresses: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None] | None:
    """Ask the local S3 for the files of these objects; None if it does not answer."""
    meta = _aws.client("s3").meta
    request = AWSRequest("POST", meta.endpoint_url + _BY_FILE, data=json.dumps(addresses).encode())
    S3SigV4Auth(_aws.EnvironmentCredentials().get_frozen_credentials(), "s3", meta.region_name).add_auth(request)
    session = URLLib3Session()
    try:
        response = session.send(request.prepare())
    except HTTPClientError:
        return None
    finally:
        session.close()
    return json.loads(response.content) if response.status_code == 200 else None


def fetch(bucket: str, key: str, file: Path, wanted: Callable[[S3Object], bool] = bool) -> S3Object | None:
    """Copy an object into `file` if its current version is `wanted`; return the object, or None if there is none.

    Raises botocore's ClientError for any refusal, except that a missing object is not an error.
    """
    try:
        answer = _aws.client("s3").get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    item = S3Object(bucket, key, answer["ContentLength"], answer["LastModified"], answer["ETag"])
    with answer["Body"] as body:
        if wanted(item):
            with file.open("wb") as target:
                shutil.copyfileobj(body, target, 1 << 20)
    return item


def upload(files: Iterable[tuple[Path, str]]) -> None:
    """Upload each local file to its s3:// address."""

    def put(pair: tuple[Path, str]) -> None:
        bucket, key = split(pair[1])
        with pair[0].open("rb") as body:
            _aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    pairs = list(files)
    if len(pairs) == 1:
        put(pairs[0])
        return
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(put, pairs))
