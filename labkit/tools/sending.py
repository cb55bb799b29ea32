"""Lands data: files from this machine, or files that the generator function makes.

Arguments and files are checked before the first file lands.
"""

from __future__ import annotations

import operator
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from labkit.calls import found
from labkit.data.landing import Landed, count_records, is_data_key
from labkit.errors import AwsRefused, LabError, SendStopped, UsageError
from labkit.steps.lab_steps import LabSteps

ROWS = 100
NOT_DATA = "the pipeline only reads files whose names end in .json, and do not begin with _ or a dot"
CHUNK = 65536


def upload(lab: LabSteps, files: Sequence[Path | str], **of_the_generator: Any) -> Landed:
    """Upload files from this machine to the landing bucket under their own names.

    Raises:
        UsageError: a file can't be sent, or a setting of the generator is given too. Nothing has landed.
        SendStopped: something failed after some of the files had landed.
    """
    if given := [name for name, value in of_the_generator.items() if value is not None]:
        raise UsageError(
            f"Nothing was sent. {' and '.join(given)} can't be given together with files.",
            fix="Name files that you have, or leave them out and let the generator make some.",
        )
    paths = _sendable(files)
    lab.buckets.describe()
    s3, bucket = lab.session.client("s3"), lab.names.landing_bucket

    def land(number: int) -> tuple[str, int]:
        body = paths[number].read_bytes()
        s3.put_object(Bucket=bucket, Key=paths[number].name, Body=body)
        return paths[number].name, count_records(body)

    return _land(bucket, [path.name for path in paths], land)


def generate(
    lab: LabSteps, *, rows: int | None, count: int | None, seed: int | None, until: date | str | None
) -> Landed:
    """Make the generator function land `count` files (1 by default) of `rows` rows (100 by default).

    Raises:
        UsageError: a value is invalid. Nothing has landed.
        FunctionFailed: the generator raised.
        SendStopped: it raised after some of the files had landed.
    """
    event: dict[str, Any] = {"rows": ROWS if rows is None else _whole("rows", rows, least=1)}
    files = 1 if count is None else _whole("count", count, least=1)
    first = None if seed is None else _whole("seed", seed)
    if until is not None:
        event["until"] = str(_day(until))

    def land(number: int) -> tuple[str, int]:
        seeded = event if first is None else {**event, "seed": first + number}
        answer = lab.functions.invoke(lab.names.generator_function, seeded)
        return str(answer["key"]), int(answer["rows"])

    return _land(lab.names.landing_bucket, ["the next file"] * files, land)


def landed_keys(lab: LabSteps, landed: Landed | str | Iterable[str]) -> tuple[str, ...]:
    """Return the keys of what `send` returned, or the given keys if each of them is an existing data file.

    Raises:
        UsageError: there are no keys, or one of them does not exist, or it is not a file that runs read.
    """
    if isinstance(landed, Landed):
        return landed.keys
    keys = (landed,) if isinstance(landed, str) else tuple(landed)
    bucket, s3 = lab.names.landing_bucket, lab.session.client("s3")
    advice = f"The files that are there: aws s3 ls --recursive s3://{bucket}/"
    if not keys:
        raise UsageError("No keys were given: there is nothing to follow.", fix="Follow what lab.send() returns.")
    for key in keys:
        if not isinstance(key, str) or not key:
            raise UsageError(f"{key!r} is not a key.", fix=advice)
        if found(s3.head_object, Bucket=bucket, Key=key) is None:
            raise UsageError(f"There is no file {key} in bucket {bucket}.", fix=advice)
        if not is_data_key(key):
            raise UsageError(f"No run reads {key}: {NOT_DATA}.", fix="Follow files that the pipeline reads.")
    return keys


def _land(bucket: str, names: Sequence[str], land: Callable[[int], tuple[str, int]]) -> Landed:
    """Land one file after the other. `land` lands the file with a given number and returns its key and rows."""
    keys: list[str] = []
    rows = 0
    try:
        for number in range(len(names)):
            key, came = land(number)
            keys.append(key)
            rows += came
    except (LabError, OSError, KeyboardInterrupt) as error:
        if not keys and isinstance(error, LabError | KeyboardInterrupt):
            raise
        unknown = "" if isinstance(error, AwsRefused | OSError) else names[len(keys)]
        raise SendStopped(bucket, keys, len(names), error, unknown) from error
    return Landed(bucket, len(keys), rows, tuple(keys))


def _sendable(files: Sequence[Path | str]) -> list[Path]:
    """Return the files as paths, or raise UsageError if one of them can't be sent."""
    paths = []
    for file in files:
        if not isinstance(file, str | os.PathLike):
            raise UsageError(
                f"Nothing was sent. {file!r} is not a file's name.", fix="To send the files of a list: lab.send(*files)"
            )
        paths.append(Path(file))
    often = Counter(path.name for path in paths)
    problems = {path: _problem(path, often[path.name]) for path in paths}
    wrong = [f"{path}: {problem}" for path, (problem, _) in problems.items() if problem]
    if wrong:
        advice = dict.fromkeys(fix for _, fix in problems.values() if fix)
        raise UsageError("\n".join(["Nothing was sent.", *wrong]), fix="\n".join(advice))
    return paths


def _problem(path: Path, named_so: int) -> tuple[str, str]:
    """Why a file can't be sent, and what to do; ("", "") if it can."""
    other = "Name files that hold one JSON object a line."
    try:
        path.name.encode()
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return "it is a directory.", "Name the files in it: labkit send DIRECTORY/*.json"
        if not stat.S_ISREG(mode):
            return "it is not a regular file.", other
        if not is_data_key(path.name):
            if path.name.startswith(("_", ".")):
                reason = "its name begins with _ or a dot, and Spark ignores such files."
            else:
                reason = f"{NOT_DATA}."
            return reason, "Rename it if it holds one JSON object a line."
        with path.open("rb") as stream:
            if not any(chunk.strip() for chunk in iter(lambda: stream.read(CHUNK), b"")):
                return "it is empty.", other
    except OSError as error:
        return f"it can't be read: {error.strerror}.", "Name a file that exists and that you may read."
    except ValueError:  # the name has a zero byte, or bytes that are not UTF-8
        return "its name can't be the name of an object in S3.", "Rename it."
    if named_so > 1:
        return f"{named_so} files have this name, and each would replace the one before.", "Rename all but one of them."
    return "", ""


def _whole(name: str, value: Any, *, least: int | None = None) -> int:
    """Return the value as an int. Integers of numpy and pandas are accepted, but True and 1.0 are not."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or (least is not None and number < least):
        wanted = "a whole number" + ("" if least is None else f" of at least {least}")
        raise UsageError(f"Nothing was sent. {name} is {value!r}: it must be {wanted}.")
    return number


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    try:
        return value if isinstance(value, date) else date.fromisoformat(value.replace("/", "-"))
    except (ValueError, AttributeError):
        raise UsageError(
            f"Nothing was sent. until is {value!r}: it must be a day such as 2026-11-30 or 2026/11/30."
        ) from None
