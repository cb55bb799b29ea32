"""Finds the files of a COPY in S3, by prefix or manifest, and fetches them to the local disk."""

from __future__ import annotations

import bz2
import gzip
import json
import shutil
import tempfile
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from botocore.exceptions import BotoCoreError, ClientError

from localaws.redshift.copy.parse import Compression, CopyStatement
from localaws.redshift.errors import SqlError

_FETCHED_AHEAD = 4  # files that are fetched before they are needed
_CHUNK = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """An object to load; `size` is its size in S3, in bytes."""

    bucket: str
    key: str
    size: int

    @property
    def url(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class FetchedFile:
    """A SourceFile on the local disk, decompressed."""

    source: SourceFile
    path: Path


def split_url(url: str) -> tuple[str, str]:
    """Return the bucket and the key of `s3://bucket/key`."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


def find_files(statement: CopyStatement, s3: Any) -> list[SourceFile]:
    """Return the objects that the COPY loads, in the order of the keys or of the manifest.

    Raises:
        SqlError: no object has the prefix, S3 returns an error, or the manifest is not valid.
    """
    bucket, key = split_url(statement.source)
    if statement.options.manifest:
        return _manifest_files(s3, bucket, key)
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        found = [about for page in pages for about in page.get("Contents", ())]
    except (ClientError, BotoCoreError) as error:
        raise s3_error(error) from error
    if not found:
        raise SqlError("XX000", f"The specified S3 prefix '{key}' does not exist", detail=_detail(
            f"The specified S3 prefix '{key}' does not exist", 8001, f"S3 key being read : {statement.source}"
        ))  # fmt: skip
    return [SourceFile(bucket, about["Key"], about["Size"]) for about in found]


def _manifest_files(s3: Any, bucket: str, key: str) -> list[SourceFile]:
    try:
        manifest = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        entries = [(str(entry["url"]), bool(entry.get("mandatory", False))) for entry in manifest["entries"]]
    except (ClientError, BotoCoreError) as error:
        raise s3_error(error, "Problem reading manifest file - ") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SqlError(
            "XX000",
            f"Manifest file is not in correct json format. Manifest file location = s3://{bucket}/{key}",
            detail=f"{type(error).__name__}: {error}",
        ) from error
    files = []
    for url, mandatory in entries:
        if not url.startswith("s3://"):
            raise SqlError("XX000", f"Manifest entry '{url}' is not the full path of an S3 object (s3://bucket/key)")
        file_bucket, file_key = split_url(url)
        try:
            about = s3.head_object(Bucket=file_bucket, Key=file_key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey") and not mandatory:
                continue
            raise s3_error(error) from error
        files.append(SourceFile(file_bucket, file_key, about["ContentLength"]))
    return files


@contextmanager
def fetched(files: list[SourceFile], s3: Any, compression: Compression) -> Iterator[Iterator[FetchedFile]]:
    """Yield the files in order, on the local disk, a few fetched ahead; taking the next one deletes the one before."""
    with (
        tempfile.TemporaryDirectory(prefix="localaws-copy-") as directory,
        ThreadPoolExecutor(_FETCHED_AHEAD, thread_name_prefix="copy-fetch") as pool,
    ):
        waiting: deque[Future[FetchedFile]] = deque()

        def in_order() -> Iterator[FetchedFile]:
            numbered = enumerate(files)
            while True:
                for number, file in numbered:
                    waiting.append(pool.submit(_fetch, s3, file, Path(directory, str(number)), compression))
                    if len(waiting) == _FETCHED_AHEAD:
                        break
                if not waiting:
                    return
                current = waiting.popleft().result()
                yield current
                current.path.unlink()

        try:
            yield in_order()
        finally:
            for future in waiting:
                future.cancel()


def _fetch(s3: Any, file: SourceFile, path: Path, compression: Compression) -> FetchedFile:
    try:
        body = s3.get_object(Bucket=file.bucket, Key=file.key)["Body"]
        with path.open("wb") as output:
            shutil.copyfileobj(_decompressed(body, compression), output, _CHUNK)
    except (ClientError, BotoCoreError) as error:
        raise s3_error(error) from error
    except (gzip.BadGzipFile, EOFError, zlib.error, OSError, ValueError) as error:
        if not compression:
            raise
        raise SqlError("XX000", f"Failed to decompress {file.url} as {compression.upper()}: {error}") from error
    return FetchedFile(file, path)


def _decompressed(body: Any, compression: Compression) -> BinaryIO:
    match compression:
        case Compression.GZIP:
            return cast(BinaryIO, gzip.GzipFile(fileobj=body))
        case Compression.BZIP2:
            return cast(BinaryIO, bz2.BZ2File(body))
        case Compression.ZSTD:
            # Imported only when needed: pyarrow takes 50 MB, which a front without such files saves.
            import pyarrow

            return cast(BinaryIO, pyarrow.CompressedInputStream(pyarrow.PythonFile(body, mode="r"), "zstd"))
    return cast(BinaryIO, body)


def s3_error(error: Exception, before: str = "") -> SqlError:
    """Return Redshift's error for an error of S3."""
    if not isinstance(error, ClientError):
        return SqlError("XX000", f"{before}S3CurlException: {error}")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    # The response to a HEAD has no body, so its error code is only the status.
    bodiless = {"404": ("NoSuchKey", "The specified key does not exist."), "403": ("AccessDenied", "Access Denied")}
    code, text = bodiless.get(code, (code, text))
    # Redshift's message says only "Access Denied", and the detail has the reason:
    # https://docs.aws.amazon.com/redshift/latest/dg/s3serviceexception-error.html
    reason, text = (text, "Access Denied") if code == "AccessDenied" else ("", text)
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId", "")
    message = f"{before}S3ServiceException:{text},Status {status},Error {code},Rid {request_id},CanRetry 1"
    return SqlError("XX000", message, detail=_detail(message, 8001, reason))


def _detail(error: str, code: int, context: str) -> str:
    line = "-----------------------------------------------"
    return f"\n  {line}\n  error:  {error}\n  code:      {code}\n  context:   {context}\n  {line}"
