"""Many objects in one call, each by the file that holds it: what a job reads need not go through HTTP.

A Glue job on this machine asks for what it is to read (awsglue/_s3.py), and links the files. Who signs the request must
be allowed to GET each of them, as ever. What a plain GET would not just hand out (it is missing, forbidden, archived,
damaged) has no entry: the asker GETs it, and gets AWS's answer.
"""

from __future__ import annotations

import json
from typing import Any

from moto.s3.utils import ARCHIVE_STORAGE_CLASSES

from localaws.authorization.gate import Gate
from localaws.authorization.refusals import Refused
from localaws.authorization.requests import Environ, body
from localaws.context import ACCOUNT_ID
from localaws.services.s3.files import BodyDamaged
from localaws.services.s3.models import LocalS3Backend, backend
from localaws.services.s3.objects import StoredKey

PATH = "/_localaws/s3-files"
Entry = dict[str, Any]


def answer(environ: Environ, gate: Gate | None) -> tuple[str, bytes]:
    """Status and body: for each [bucket, key] of the list its size, etag, time of change and file, or null."""
    try:
        asked = [(str(bucket), str(key)) for bucket, key in json.loads(body(environ))]
    except (ValueError, TypeError):
        return "400 Bad Request", b'{"message": "POST a JSON list of [bucket, key]"}'
    store = backend(ACCOUNT_ID)
    found = [_entry(store, *one) if _may_get(environ, gate, *one) else None for one in asked]
    return "200 OK", json.dumps(found).encode()


def _may_get(environ: Environ, gate: Gate | None, bucket: str, key: str) -> bool:
    path = f"/{bucket}/{key}".encode().decode("latin-1")
    try:
        if gate is not None:
            gate.check({**environ, "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": ""}, "s3", f"GET {path}")
    except Refused:
        return False
    return True


def _entry(store: LocalS3Backend, bucket: str, name: str) -> Entry | None:
    holder: Any = store.buckets.get(bucket)
    key = holder.keys.get(name) if holder is not None else None
    if not isinstance(key, StoredKey) or key.storage_class in ARCHIVE_STORAGE_CLASSES:
        return None
    try:
        file = key.file()
    except (BodyDamaged, FileNotFoundError):
        return None
    return {"size": key.size, "etag": key.etag, "changed": int(key.last_modified.timestamp()), "file": str(file)}
