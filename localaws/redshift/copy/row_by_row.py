"""Loads a file row by row, so that each row that can't be loaded is reported with its line and the reason.

PostgreSQL still converts the values: it skips rows with values that it can't read, and reports them. Rows at which it
would stop (too few fields, NULL in a NOT NULL column, invalid UTF-8) are found and left out before.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from pathlib import Path

from localaws.redshift.copy.load_errors import Code, LoadError, Problem, invalid_utf8, missing, too_long, value_problem
from localaws.redshift.copy.parse import CopyOptions, Format
from localaws.redshift.copy.records import Reader, Record, in_chunks
from localaws.redshift.copy.target import Column, Target
from localaws.redshift.errors import SqlError
from localaws.redshift.sql.statements import ClientSession

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SKIPPED = re.compile(r'at line (?P<line>\d+) for column "(?P<column>.*?)":', re.DOTALL)
_STOPPED = re.compile(r"^COPY .*?, line (?P<line>\d+)(?:, column (?P<column>.+?): )?", re.DOTALL)


class ExactLoad:
    """Loads one file; afterwards `errors` has the rows that were left out, in the file's order."""

    def __init__(
        self, session: ClientSession, target: Target, options: CopyOptions, reader: Reader, path: Path, file: str
    ) -> None:
        self._session = session
        self._target = target
        self._conversion = Conversion(target, options)
        self._reader = reader
        self._path = path
        self._file = file
        self._found: dict[int, tuple[Column | None, str, str]] = {}  # PostgreSQL's errors, by record
        self.errors: list[LoadError] = []

    def load(self, allowed: int) -> int | None:
        """Load the rows that can be loaded, and return their number; None if more than `allowed` rows can't be loaded.

        If it returns None, rows may already be loaded: the caller must fail the whole COPY.
        """
        stop_at: int | None = None
        while True:
            feed = _Feed(self._reader.records(self._path), self._conversion, self._found, allowed, stop_at)
            ignore = ", ON_ERROR ignore, LOG_VERBOSITY verbose" if allowed else ""
            limit = f", REJECT_LIMIT {allowed}" if allowed else ""
            self._session.execute("savepoint localaws_copy")
            try:
                outcome = self._session.copy_in(
                    self._target.copy_sql(f"FORMAT text{ignore}{limit}"), in_chunks(iter(feed))
                )
            except SqlError as error:
                ordinal = self._stopped_at(error, feed)
                self._session.execute("rollback to savepoint localaws_copy")
                if not allowed:
                    return self._finish(feed, None)
                if "REJECT_LIMIT" in error.message:
                    # One bad row too many. Read again, up to that row, to learn which rows before it are bad.
                    stop_at = ordinal
                continue
            for notice in outcome.notices:
                if match := _SKIPPED.search(notice.message):
                    self._found[feed.ordinal(int(match["line"]))] = (self._column(match["column"]), "", "")
            if len(self._found) + len(feed.problems) > allowed:
                return self._finish(feed, None)
            self._session.execute("release savepoint localaws_copy")
            return self._finish(feed, outcome.rows)

    def _stopped_at(self, error: SqlError, feed: _Feed) -> int:
        """Note which row PostgreSQL refused, and return its ordinal. Raises `error` if it is not about a row."""
        match = _STOPPED.match(error.where or "")
        if match is None or error.sqlstate[:2] not in ("22", "23"):
            raise error
        ordinal = feed.ordinal(int(match["line"]))
        self._found[ordinal] = (self._column(match["column"]), error.message, error.sqlstate)
        return ordinal

    def _column(self, name: str | None) -> Column | None:
        return next((column for column in self._target.columns if column.name == name), None)

    def _finish(self, feed: _Feed, rows: int | None) -> int | None:
        """Set `errors`, in the file's order; read the file once more for the text of rows that PostgreSQL refused."""
        problems = {ordinal: (record, problem) for ordinal, record, problem in feed.problems}
        if self._found:
            last = max(self._found)
            for ordinal, record in enumerate(self._reader.records(self._path), 1):
                if ordinal in self._found:
                    problems[ordinal] = (record, self._explain(record, *self._found[ordinal]))
                if ordinal >= last:
                    break
        in_order = [problems[ordinal] for ordinal in sorted(problems)]
        if rows is None:
            in_order = in_order[: feed.allowed + 1]  # the last of these ended the load
        self.errors = [LoadError(self._file, record.line, record.raw, problem) for record, problem in in_order]
        return rows

    def _explain(self, record: Record, column: Column | None, message: str, sqlstate: str) -> Problem:
        if column is None:
            return Problem(Code.UNKNOWN, message or "Unknown parse error")
        if sqlstate == "23502":
            return missing(column)
        value = record.values[self._target.columns.index(column)]
        return value_problem(column, value or "", message, sqlstate)


class _Feed:
    """One pass over the file: yields the rows to load, in PostgreSQL's text format."""

    def __init__(
        self,
        records: Iterator[Record],
        conversion: Conversion,
        leave_out: dict[int, tuple[Column | None, str, str]],
        allowed: int,
        stop_at: int | None,
    ) -> None:
        self._records = records
        self._conversion = conversion
        self._leave_out = leave_out
        self._stop_at = stop_at
        self.allowed = allowed
        self.problems: list[tuple[int, Record, Problem]] = []
        self._absent: list[int] = []  # ordinals that were not sent, ascending

    def __iter__(self) -> Iterator[str]:
        for ordinal, record in enumerate(self._records, 1):
            if ordinal == self._stop_at:
                return
            if ordinal in self._leave_out:
                self._absent.append(ordinal)
                continue
            converted = record.problem or self._conversion.convert(record.values)
            if isinstance(converted, Problem):
                self.problems.append((ordinal, record, converted))
                self._absent.append(ordinal)
                if len(self.problems) > self.allowed:
                    return
                continue
            yield converted

    def ordinal(self, line: int) -> int:
        """Return the ordinal of the file's record that PostgreSQL got as `line`."""
        for absent in self._absent:
            if absent > line:
                break
            line += 1
        return line


class Conversion:
    """Converts a row's fields into a line of PostgreSQL's text format, following the COPY's parameters."""

    def __init__(self, target: Target, options: CopyOptions) -> None:
        self._options = options
        self._columns = target.columns
        marker = options.null_as
        self._null = marker if marker is not None else None if options.format is Format.JSON else "\\N"
        self._convert_time = {column.name: convert for column in target.columns if (convert := _time(column, options))}
        self._scales = {} if options.round_decimals else target.scales
        # The length up to which a value without special characters is used unchanged; -1: never.
        self._plain_lengths = [self._plain_length(column) for column in target.columns]

    def _plain_length(self, column: Column) -> int:
        if (
            column.name in self._convert_time
            or column.name in self._scales
            or (self._options.trim_blanks and column.is_character)
        ):
            return -1
        return column.length or sys.maxsize

    def convert(self, values: list[str | None]) -> str | Problem:
        """Return the line, or a Problem if the row can't be loaded."""
        out = []
        for column, value, plain_length in zip(self._columns, values, self._plain_lengths, strict=True):
            if (
                value
                and len(value) <= plain_length
                and value.isascii()
                and value.isprintable()
                and value[0] != " "
                and "\\" not in value
                and value != self._null
            ):
                out.append(value)
                continue
            converted = self._field(column, value)
            if isinstance(converted, Problem):
                return converted
            if converted is None and column.not_null:
                return missing(column)
            out.append("\\N" if converted is None else converted.translate(_ESCAPES))
        return "\t".join(out) + "\n"

    def _field(self, column: Column, value: str | None) -> str | Problem | None:
        options = self._options
        if value is None or value == self._null:
            return None
        if not column.is_character:
            if not value or value.isspace():
                return None
            if convert := self._convert_time.get(column.name):
                return convert(value)
            if column.name in self._scales:
                value = truncated(value, self._scales[column.name])
        elif (not value and options.empty_as_null) or (options.blanks_as_null and value.isspace()):
            return None
        if not value.isascii() or "\0" in value:
            checked = self._characters(column, value)
            if isinstance(checked, Problem):
                return checked
            value = checked
        if options.trim_blanks and column.is_character:
            value = value.rstrip(" ")
        if column.length is not None and len(value) * 4 > column.length:
            encoded = value.encode()
            if len(encoded) > column.length:
                # Trailing blanks of a CHAR don't count.
                if column.type == "bpchar" and len(value.rstrip(" ").encode()) <= column.length:
                    return value.rstrip(" ")
                if not options.truncate_columns:
                    return too_long(column, value)
                value = encoded[: column.length].decode(errors="ignore")
        return value

    def _characters(self, column: Column, value: str) -> str | Problem:
        replacement = self._options.accept_invalid_characters
        bad = re.search("[\0\udc80-\udcff]", value)
        if bad:
            if replacement is None:
                return invalid_utf8(column, value)
            value = re.sub("[\0\udc80-\udcff]", lambda _: replacement, value)
        if column.type == "bpchar" and not value.isascii():
            character = next(character for character in value if not character.isascii())
            shown = character.encode().hex(" ")
            reason = f"Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: {shown}"
            return Problem(Code.UTF8, reason, column, value, value.index(character))
        return value


_TRUNCATING = Context(prec=1000, rounding=ROUND_DOWN)  # more digits than any DECIMAL has


def truncated(value: str, scale: int) -> str:
    """Truncate the number to at most `scale` decimals; return other values unchanged, for PostgreSQL to check.

    Source: ROUNDEC in https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
    """
    if not value.isascii() or not ("." in value or "e" in value or "E" in value):
        return value
    try:
        return format(Decimal(value).quantize(Decimal(1).scaleb(-scale), context=_TRUNCATING), "f")
    except InvalidOperation:
        return value


# strptime's equivalents of Redshift's format words, longest first. https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html
_WORDS = {
    "YYYY": "%Y", "HH24": "%H", "HH12": "%I", "MON": "%b", "OF": "%z", "YY": "%y", "MM": "%m", "DD": "%d", "HH": "%H",
    "MI": "%M", "SS": "%S", "US": "%f", "MS": "%f", "AM": "%p", "PM": "%p", "T": "T",
}  # fmt: skip


def _time(column: Column, options: CopyOptions) -> Callable[[str], str | Problem] | None:
    """Return a function that parses a date or time column, if the COPY gives a format for it; otherwise None."""
    written = {"date": options.date_format, "timestamp": options.time_format, "timestamptz": options.time_format}
    form = written.get(column.type)
    # These keywords are case-sensitive: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
    if form in (None, "auto"):
        return None
    if form in ("epochsecs", "epochmillisecs"):
        divisor = 1 if form == "epochsecs" else 1000

        def from_epoch(value: str) -> str | Problem:
            try:
                return datetime.fromtimestamp(float(value) / divisor, UTC).isoformat(" ")
            except (ValueError, OverflowError, OSError):
                return value_problem(column, value)

        return from_epoch
    pattern = re.sub("|".join(_WORDS), lambda match: _WORDS[match[0]], form.replace("%", "%%"))

    def parse(value: str) -> str | Problem:
        try:
            return datetime.strptime(value.strip(), pattern).isoformat(" ")
        except ValueError:
            problem = value_problem(column, value)
            return Problem(problem.code, f"{problem.reason.split('[')[0].strip()} [{form}]", column, value)

    return parse
