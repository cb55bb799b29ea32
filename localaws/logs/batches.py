"""Which events of a PutLogEvents are accepted.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

from typing import Any

from moto.logs.exceptions import InvalidParameterException

from localaws.logs.reading import size

_HOUR = 3_600_000
_DAY = 24 * _HOUR
_OLDEST = 14 * _DAY
_NEWEST = 2 * _HOUR
_MOST_BYTES = 1_048_576


def oldest_kept(now: int, retention_in_days: int | None) -> int:
    """Return the time before which events are expired, in milliseconds."""
    return now - retention_in_days * _DAY if retention_in_days else 0


def check_batch(events: list[dict[str, Any]], now: int) -> None:
    """Check that a batch may come in one call.

    Raises:
        InvalidParameterException: it is out of order, spans too much time, or is too large.
    """
    stamps = [event["timestamp"] for event in events]
    if stamps != sorted(stamps):
        raise InvalidParameterException("Log events in a single PutLogEvents request must be in chronological order.")
    valid = [stamp for stamp in stamps if now - _OLDEST <= stamp <= now + _NEWEST]
    if valid and valid[-1] - valid[0] > _DAY:
        raise InvalidParameterException(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    total = sum(size(event["message"]) for event in events)
    if total > _MOST_BYTES:
        raise InvalidParameterException(f"Upload too large: {total} bytes exceeds limit of {_MOST_BYTES}")


def sort_out(
    events: list[dict[str, Any]], now: int, retention_in_days: int | None
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the accepted events, and RejectedLogEventsInfo about the others."""
    oldest, kept = now - _OLDEST, oldest_kept(now, retention_in_days)
    rejected: dict[str, int] = {}
    taken = []
    for place, event in enumerate(events):
        stamp = event["timestamp"]
        if stamp > now + _NEWEST:
            rejected.setdefault("tooNewLogEventStartIndex", place)
        elif stamp < max(oldest, kept):
            # Both are the index of the first event that is not rejected.
            rejected["tooOldLogEventEndIndex" if stamp < oldest else "expiredLogEventEndIndex"] = place + 1
        else:
            taken.append(event)
    return taken, rejected
