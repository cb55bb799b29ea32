"""Keeps rejected rows in S3, each with its file, line number and reason."""

import hashlib
import json
import re
from collections import defaultdict

import boto3

LINE_ENDS = re.compile(rb"\r\n|\n|\r")

s3 = boto3.client("s3")


def keep(rejects, objects, refused, directory):
    """Write rejected rows to `directory` in S3: one file for each object version, one JSON object for each row.

    The file's name depends on the object version alone, so a second attempt overwrites the first.

    Args:
        rejects: rows with `source_file` (a URI), `reason`, and `row` (the text of the line).
        objects: {URI: ObjectVersion}.
        refused: {URI: number of good rows} of files that are refused as a whole. Their good rows are not loaded
            either, so they count as rejected: one line has their number.
        directory: s3://BUCKET/PREFIX/
    """
    bucket, _, prefix = directory.removeprefix("s3://").partition("/")
    reasons = defaultdict(lambda: defaultdict(list))
    for reject in rejects:
        reasons[objects[reject["source_file"]]][reject["row"]].append(reject["reason"])
    for item, by_text in reasons.items():
        lines = list(_numbered(item, by_text))
        if good := refused.get(item.uri):
            reason = f"the file is refused: {len(lines)} of its {len(lines) + good} rows can't be loaded"
            lines.append(_reject(item, None, reason, None, rows=good))
        body = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        which = hashlib.sha256(f"{item.key} {item.version}".encode()).hexdigest()[:16]
        key = f"{prefix.rstrip('/')}/{item.key.rpartition('/')[2][:100]}-{which}.json"
        s3.put_object(Bucket=bucket, Key=key, Body=body.encode())


def _numbered(item, by_text):
    """Yield the rejected rows of an object with their line numbers, which Spark doesn't provide."""
    which = {} if "@" in item.version else {"VersionId": item.version}
    body = s3.get_object(Bucket=item.bucket, Key=item.key, **which)["Body"].read()
    lines_of = defaultdict(list)
    for number, raw in enumerate(LINE_ENDS.split(body), 1):
        text = raw.decode("utf-8", "replace")
        if text in by_text:
            lines_of[text].append(number)
    found = []
    for text, reasons in by_text.items():
        # A text that could not be found again has no line number. A line with an array can have several reasons.
        numbers = lines_of.get(text, [None])
        share = -(-len(reasons) // len(numbers))
        found += [(numbers[at // share], reason, text) for at, reason in enumerate(reasons)]
    for number, reason, text in sorted(found, key=lambda one: one[0] or 0):
        yield _reject(item, number, reason, text)


def _reject(item, line, reason, row, rows=1):
    return {"file": item.uri, "version": item.version, "line": line, "reason": reason, "row": row, "rows": rows}
