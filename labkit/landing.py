"""Landing data in S3, and counting what has landed."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.display import Described, hidden
from labkit.errors import FunctionFailed, UsageError

if TYPE_CHECKING:
    from labkit.lab import Lab


@dataclass(frozen=True)
class Landed(Described):
    """Files that were put into the landing bucket."""

    bucket: str
    files: int
    rows: int
    keys: tuple[str, ...] = hidden()


@dataclass(frozen=True)
class Counts(Described):
    """Rows, counted at the three stations of the pipeline, each from its own source."""

    landed: int
    loaded: int
    queried: int

    @property
    def agree(self) -> bool:
        """True if nothing was lost and nothing doubled."""
        return self.landed == self.loaded == self.queried

    def __sub__(self, before: Counts) -> Counts:
        return Counts(self.landed - before.landed, self.loaded - before.loaded, self.queried - before.queried)


def generate(lab: Lab, *, rows: int, count: int, seed: int | None, until: date | str | None) -> Landed:
    """Let the generator function make and land `count` files."""
    answers = [
        lab.functions.invoke(
            lab.names.generator_function,
            {
                "rows": rows,
                **({} if seed is None else {"seed": seed + number}),
                **({} if until is None else {"until": str(until)}),
            },
        )
        for number in range(count)
    ]
    keys = tuple(str(answer["key"]) for answer in answers)
    return Landed(lab.names.landing_bucket, count, sum(int(answer["rows"]) for answer in answers), keys)


def upload(lab: Lab, files: list[Path]) -> Landed:
    """Put files of this machine into the landing bucket, under their own names."""
    lab.buckets.describe()
    bucket = lab.names.landing_bucket
    rows = 0
    for file in files:
        try:
            body = file.read_bytes()
        except OSError as error:
            raise UsageError(f"{file} can't be read: {error.strerror}.", fix="Name a file that exists.") from None
        lab.session.client("s3").put_object(Bucket=bucket, Key=file.name, Body=body)
        rows += sum(1 for _ in good_rows(body))
    return Landed(bucket, len(files), rows, tuple(file.name for file in files))


def count_rows(lab: Lab, keys: Iterable[str] | None) -> int:
    """Rows in objects of the landing bucket, by reading them; `keys` None means all .json objects."""
    s3, bucket = lab.session.client("s3"), lab.names.landing_bucket
    if keys is None:
        lab.buckets.describe()
        keys = landed_keys(lab)
    return sum(sum(1 for _ in good_rows(s3.get_object(Bucket=bucket, Key=key)["Body"].read())) for key in keys)


def landed_keys(lab: Lab) -> Iterator[str]:
    """The keys of the .json objects in the landing bucket, less the hidden ones."""
    pages = lab.session.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lab.names.landing_bucket)
    for page in pages:
        yield from (item["Key"] for item in page.get("Contents", []) if _is_read(item["Key"]))


def _is_read(key: str) -> bool:
    """Does the pipeline read such an object? Names that begin with _ or . are hidden from Spark."""
    name = key.rpartition("/")[2]
    return name.endswith(".json") and not name.startswith(("_", "."))


TEXTS = ("transaction_date", "toll_booth", "vehicle_make", "vehicle_category")


def good_rows(body: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a landed file that can be loaded: all fields are there, and the numbers are numbers.

    One object a line, as strict JSON or as Python's repr of a dict, which is how the original sample has them. What is
    left out here, the job writes to `rejects/` in the staging bucket.
    """
    for line in body.decode("utf-8", "replace").splitlines():
        found = _parse(line.strip())
        yield from (row for row in (found if isinstance(found, list) else [found]) if _is_good(row))


def _parse(line: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(line)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None


def _is_good(row: Any) -> bool:
    if not isinstance(row, dict) or any(row.get(name) is None for name in TEXTS):
        return False
    try:
        int(str(row["transaction_id"]))
        float(row["transaction_amount"])
    except (KeyError, TypeError, ValueError):
        return False
    return True


def invocation_error(function: str, payload: dict[str, Any]) -> FunctionFailed:
    """What a function's error payload says, as the lab's error."""
    return FunctionFailed(
        function, str(payload.get("errorType", "an error")), str(payload.get("errorMessage", "without a message"))
    )
