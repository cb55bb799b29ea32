"""Object Lock: what retention an object may get, and who may change it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.s3.exceptions import AccessDeniedByLock, MalformedXML

from localaws.iam.refusals import Refused

_MODES = ("GOVERNANCE", "COMPLIANCE")
_MODE, _UNTIL, _HOLD = (f"x-amz-object-lock-{name}" for name in ("mode", "retain-until-date", "legal-hold"))


def check_headers(headers: Any) -> None:
    """Check the headers that lock a new object. Raise Refused if they are invalid."""
    mode, until, hold = (headers.get(name) for name in (_MODE, _UNTIL, _HOLD))
    if hold not in (None, "ON", "OFF"):
        raise _invalid("Legal Hold must be either of 'ON' or 'OFF'", _HOLD, hold)
    if (mode is None) != (until is None):
        missing = _UNTIL if until is None else _MODE
        raise _invalid(f"{_UNTIL} and {_MODE} must both be supplied", missing, "null")
    if mode is None:
        return
    if mode not in _MODES:
        raise _invalid("Unknown wormMode directive.", _MODE, mode)
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        text = "The retain until date must be provided in ISO 8601 format"
        raise _invalid(text, _UNTIL, until) from None
    _check_future(moment.replace(tzinfo=moment.tzinfo or UTC))


def check_retention(wanted: dict[str, Any], key: Any, *, bypass: bool) -> tuple[str | None, str | None]:
    """Return the mode and the end of the retention that `key` gets.

    Raises:
        AccessDeniedByLock: its current retention may not be removed or shortened.
        MalformedXML, Refused: the requested retention is invalid.
    """
    mode, until = wanted.get("Mode"), wanted.get("RetainUntilDate")
    if (mode is None) != (until is None):
        raise MalformedXML()
    if until is not None:
        _check_future(until)
    now = _end(key)
    if now is not None and now > datetime.now(UTC):
        weaker = until is None or until < now or (key.lock_mode == "COMPLIANCE" and mode != "COMPLIANCE")
        if weaker and not (key.lock_mode == "GOVERNANCE" and bypass):
            raise AccessDeniedByLock()
    return mode, None if until is None else written(until)


def is_governed(key: Any) -> bool:
    """Whether GOVERNANCE retention still protects a version, so that deleting it needs s3:BypassGovernanceRetention."""
    now = _end(key)
    return key.lock_mode == "GOVERNANCE" and now is not None and now > datetime.now(UTC)


def written(moment: datetime | str) -> str:
    """A time as moto compares it: in UTC, to the second."""
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    found = found.replace(tzinfo=found.tzinfo or UTC)
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _end(key: Any) -> datetime | None:
    return datetime.fromisoformat(key.lock_until) if key.lock_mode and key.lock_until else None


def _check_future(moment: datetime) -> None:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        text = "The retain until date must be provided in ISO 8601 format"
        raise _invalid(text, _UNTIL, moment.isoformat()) from None
    if moment <= datetime.now(UTC):
        raise _invalid("The retain until date must be in the future!", _UNTIL, moment.isoformat())


def _invalid(message: str, name: str, value: str) -> Refused:
    return Refused(400, "InvalidArgument", message, {"ArgumentName": name, "ArgumentValue": value})
