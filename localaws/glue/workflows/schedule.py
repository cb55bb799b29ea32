"""When a scheduled trigger fires: Glue's cron expressions, in UTC.

https://docs.aws.amazon.com/glue/latest/dg/monitor-data-warehouse-schedule.html: six fields, of which either the day of
the month or the day of the week is `?`; no schedule is finer than five minutes. `L`, `W` and `#` are refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_HORIZON = timedelta(days=366 * 8)  # 29 February may be eight years away
FINEST_MINUTES = 5


class InvalidSchedule(ValueError):
    """The expression is not a valid schedule; `reason` says why."""

    def __init__(self, expression: str, reason: str) -> None:
        self.expression = expression
        self.reason = reason
        super().__init__(f"Schedule expression {expression} is not valid: {reason}")


@dataclass(frozen=True)
class Schedule:
    """A parsed cron expression: the allowed values of each field, None for a `?`."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> Schedule:
        """Read `cron(15 12 * * ? *)`.

        Raises:
            InvalidSchedule: the expression is malformed or not supported, or fires more often than every five minutes.
        """
        match = re.fullmatch(r"cron\((.*)\)", expression.strip())
        fields = match.group(1).split() if match else []
        if len(fields) != 6:
            raise InvalidSchedule(expression, "six fields are needed, as in cron(15 12 * * ? *)")
        minute, hour, day, month, weekday, year = fields
        if (day == "?") == (weekday == "?"):
            raise InvalidSchedule(expression, "either the day of the month or the day of the week must be ?")
        minutes = _values(expression, minute, 0, 59)
        if any(later - sooner < FINEST_MINUTES for sooner, later in _neighbours(minutes)):
            raise InvalidSchedule(expression, f"it must not fire more often than every {FINEST_MINUTES} minutes")
        return cls(
            minutes=minutes,
            hours=_values(expression, hour, 0, 23),
            days=None if day == "?" else _values(expression, day, 1, 31),
            months=_values(expression, month, 1, 12, _MONTHS),
            weekdays=None if weekday == "?" else _values(expression, weekday, 1, 7, _WEEKDAYS),
            years=_values(expression, year, _FIRST_YEAR, _LAST_YEAR),
        )

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first due minute after `moment` (aware, any zone), in UTC; None if none is within eight years."""
        start = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        midnight = start.replace(hour=0, minute=0)
        while midnight - start < _HORIZON:
            if self._has_day(midnight):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        due = midnight.replace(hour=hour, minute=minute)
                        if due >= start:
                            return due
            midnight += timedelta(days=1)
        return None

    def _has_day(self, day: datetime) -> bool:
        return (
            day.year in self.years
            and day.month in self.months
            and (self.days is None or day.day in self.days)
            and (self.weekdays is None or day.isoweekday() % 7 + 1 in self.weekdays)
        )


def _neighbours(minutes: frozenset[int]) -> list[tuple[int, int]]:
    """Each minute with the one after it, the last with the next hour's first."""
    ordered = sorted(minutes)
    return list(zip(ordered, [*ordered[1:], ordered[0] + 60], strict=True))


def _values(expression: str, text: str, first: int, last: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """Return the numbers that one field stands for; it may hold lists of values, ranges and steps."""

    def number(word: str) -> int:
        if word.upper() in names:
            return names.index(word.upper()) + 1
        if not word.isdecimal() or not first <= int(word) <= last:
            raise InvalidSchedule(expression, f"{word} is not between {first} and {last}")
        return int(word)

    found: set[int] = set()
    for part in text.split(","):
        if re.fullmatch(r"L|L?W|\d+[LW]|\w+#\d", part.upper()):
            raise InvalidSchedule(expression, f"the embedded AWS does not support {part}")
        span, _, step = part.partition("/")
        low, dash, high = span.partition("-")
        if span == "*":
            start, end = first, last
        else:
            start = number(low)
            end = number(high) if dash else (last if step else start)
        if step and (not step.isdecimal() or int(step) < 1):
            raise InvalidSchedule(expression, f"{step} is not a valid step")
        if end < start:
            raise InvalidSchedule(expression, f"{span} runs backwards")
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)
