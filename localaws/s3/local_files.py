"""The files of many objects in one call, so that a job's input need not go through HTTP.

A Glue job on this machine asks for the objects that it reads (awsglue/_s3.py), and links their files. As always, the
signer of the request must be allowed to GET each object. There is no entry for an object that a plain GET would refuse
(missing, forbidden, archived or damaged): the caller then sends a GET for it, and gets AWS's answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from localaws.core.call import S3Call
from localaws.core.context import ACCOUNT_ID
from localaws.core.errors import LocalAwsError
from localaws.core.handouts import Place
from localaws.core.ports import ObjectArchived, ObjectGone
from localaws.iam.decision import Origin
from localaws.iam.gate import Gate
from localaws.iam.principals import Principal
from localaws.iam.refusals import Refused
from localaws.s3.ports import opened

PATH = "/_localaws/s3-files"
Entry = dict[str, Any]


def answer(body: bytes, gate: Gate, asker: Principal | None, origin: Origin, place: Place | None) -> tuple[int, bytes]:
    """Return status and body: for each [bucket, key] of the list its size, etag, time of change and file, or null.

    `asker` is the signer of the request; None if the signer is unknown. With a `place`, the files are put there and
    `given` to the caller, who may move them. Without one, they are the files in the store.
    """
    try:
        asked = [(str(bucket), str(key)) for bucket, key in json.loads(body)]
    except (ValueError, TypeError):
        return 400, b'{"message": "POST a JSON list of [bucket, key]"}'
    found = [_entry(*one) if asker is not None and _may_get(gate, asker, origin, *one) else None for one in asked]
    if place is not None:
        put = place.put([Path(entry["file"]) if entry is not None else None for entry in found])
        found = [
            {**entry, "file": str(file), "given": True} if entry is not None and file is not None else None
            for entry, file in zip(found, put, strict=True)
        ]
    return 200, json.dumps(found).encode()


def _may_get(gate: Gate, asker: Principal, origin: Origin, bucket: str, key: str) -> bool:
    call = S3Call(
        "s3", "GetObject", region=origin.region, account_id=ACCOUNT_ID, reads=True, method="GET", bucket=bucket, key=key
    )
    try:
        gate.check(call, asker, origin)
    except Refused:
        return False
    return True


def _entry(bucket: str, key: str) -> Entry | None:
    try:
        found, file = opened(bucket, key)
    except (ObjectGone, ObjectArchived, LocalAwsError):
        return None
    changed = int(found.modified.timestamp())
    return {"size": found.size, "etag": found.etag, "changed": changed, "file": str(file), "given": False}
