"""Rows that the exactly-once job could not load, read from the staging bucket: file, line and reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from labkit.session import Session
from labkit.show.display import hidden

REJECTS = "rejects/"
"""The prefix in the staging bucket under which the job keeps them, one file for each object version."""


@dataclass(frozen=True)
class Reject:
    """One rejected row."""

    file: str
    """The key in the landing bucket."""
    line: int | None
    """The line number, from 1; None if the line could not be found again, or if this stands for several rows."""
    reason: str
    row: str | None
    version: str = hidden()
    rows: int = hidden(default=1)
    """How many rows this stands for. If a file was refused as a whole, one entry stands for all its good rows."""


def read(session: Session) -> Iterator[Reject]:
    """All rejected rows. Those of the last file come first."""
    s3, bucket = session.client("s3"), session.names.staging_bucket
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=REJECTS)
    files = [item for page in pages for item in page.get("Contents", [])]
    for file in sorted(files, key=lambda item: item["LastModified"], reverse=True):
        for line in s3.get_object(Bucket=bucket, Key=file["Key"])["Body"].iter_lines():
            row = json.loads(line)
            key = str(row["file"]).removeprefix("s3://").partition("/")[2]
            yield Reject(key, row["line"], row["reason"], row["row"], row["version"], row["rows"])
