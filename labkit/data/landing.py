"""The files that have landed in S3, and the number of their records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labkit import origins
from labkit.calls import found
from labkit.session import Session
from labkit.show.display import Described, hidden


@dataclass(frozen=True)
class Landed(Described):
    """Files that were put into the landing bucket."""

    bucket: str
    files: int
    rows: int
    keys: tuple[str, ...] = hidden()


@dataclass(frozen=True)
class ObjectVersion:
    """One version of a landed file."""

    key: str
    version: str
    """S3's version id. For an object without one, the name that glue/landing.py makes for the version."""
    version_id: str
    """S3's version id, "null" for an object that was landed without versioning."""
    is_current: bool
    landed_at: datetime


def require_buckets(session: Session) -> None:
    """Raise MissingStep if there is no landing bucket, or no staging bucket."""
    for bucket in (session.names.landing_bucket, session.names.staging_bucket):
        if found(session.client("s3").head_bucket, Bucket=bucket) is None:
            raise origins.missing_part("buckets", f"Bucket {bucket}")


def data_files(session: Session) -> Iterator[ObjectVersion]:
    """All versions of all data files in the landing bucket."""
    pages = session.client("s3").get_paginator("list_object_versions").paginate(Bucket=session.names.landing_bucket)
    for page in pages:
        for item in page.get("Versions", []):
            if is_data_key(item["Key"]):
                yield _version(item["Key"], item, is_current=item["IsLatest"])


def current_version(session: Session, key: str) -> ObjectVersion | None:
    """The current version of a landed file; None if there is none."""
    answer = found(session.client("s3").head_object, Bucket=session.names.landing_bucket, Key=key)
    return None if answer is None else _version(key, answer, is_current=True)


def is_data_key(key: str) -> bool:
    """Whether the object with this key is a data file. Spark ignores files whose names begin with _ or a dot."""
    name = key.rpartition("/")[2]
    return name.endswith(".json") and not name.startswith(("_", "."))


def records_in(session: Session, version: ObjectVersion) -> int:
    """The number of records in a version of a landed file. Each version is read once, because it never changes."""
    known = session.records
    which = (session.names.landing_bucket, version.key, version.version)
    if which not in known:
        given = {} if version.version_id == "null" else {"VersionId": version.version_id}
        answer = session.client("s3").get_object(Bucket=session.names.landing_bucket, Key=version.key, **given)
        known[which] = count_records(answer["Body"].read())
    return known[which]


LINE_ENDS = re.compile(rb"\r\n|\n|\r")
BLANKS = bytes(range(0x21))


def count_records(body: bytes) -> int:
    """The number of records in a file, valid or not.

    A record is a line that is not blank, or each element of a line that is a JSON array.

    Only strict JSON counts as an array. A line ends at the control character U+0001, which JSON can't contain. The
    exactly-once job splits a file into the same records (glue/rows.py).
    """
    return sum(map(_records, LINE_ENDS.split(body)))


def _records(line: bytes) -> int:
    text = line.partition(b"\x01")[0]
    if not text.strip(BLANKS):
        return 0
    if not text.strip(b" ").startswith(b"["):
        return 1
    try:
        return len(json.loads(text, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return 1


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _version(key: str, answer: dict[str, Any], *, is_current: bool) -> ObjectVersion:
    version_id = answer.get("VersionId", "null")
    version = version_id
    if version_id == "null":
        version = f"{answer['ETag']}@{answer['LastModified']:%Y%m%dT%H%M%S}".replace('"', "")
    return ObjectVersion(key, version, version_id, is_current, answer["LastModified"])
