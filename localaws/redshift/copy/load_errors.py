"""The codes and reasons in stl_load_errors, which say why a row was not loaded.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from localaws.redshift.copy.target import Column

_INTEGER_NAMES = {"int2": "Short", "int4": "Integer", "int8": "Long"}


class Code(IntEnum):
    """stl_load_errors.err_code."""

    UNKNOWN = 1200
    NO_DELIMITER = 1201
    EXTRA_COLUMN = 1202
    TOO_FEW_COLUMNS = 1203
    LENGTH = 1204
    DATE = 1205
    TIMESTAMP = 1206
    DIGIT = 1207
    FLOAT = 1208
    DECIMAL = 1209
    BOOLEAN = 1210
    BLANK_LINE = 1211
    NOT_NULL = 1213
    QUOTING = 1214
    CHAR = 1215
    INVALID_LINE = 1216
    UTF8 = 1220
    OVERFLOW = 1222
    SUPER = 1224


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row; a LoadError adds where the row is."""

    code: Code
    reason: str
    column: Column | None = None
    value: str = ""
    position: int = 0


@dataclass(frozen=True)
class LoadError:
    """One row of stl_load_errors; `line` counts from 1."""

    file: str
    line: int
    raw_line: str
    problem: Problem


def value_problem(column: Column, value: str, message: str = "", sqlstate: str = "") -> Problem:
    """Return the problem, in Redshift's words, for a `value` that PostgreSQL did not accept for `column`."""
    kind = column.type
    if kind in _INTEGER_NAMES:
        return _integer_problem(column, value)
    if kind in ("float4", "float8"):
        if sqlstate == "22003" or _is_number(value):
            return Problem(Code.OVERFLOW, f"Overflow for {column.long_type}", column, value)
        return _digit_problem(column, value, Code.FLOAT, "Float")
    if kind == "numeric":
        if _is_number(value):
            declared = column.shown_length.replace(" ", "")
            return Problem(Code.OVERFLOW, f"Overflow for NUMERIC({declared})", column, value)
        return _digit_problem(column, value, Code.DECIMAL, "Decimal")
    if kind == "bool":
        return Problem(Code.BOOLEAN, "Unknown boolean format", column, value)
    if kind == "date":
        return Problem(Code.DATE, "Invalid Date Format - length must be 10 or more", column, value)
    if kind in ("timestamp", "timestamptz"):
        return Problem(Code.TIMESTAMP, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]", column, value)
    if kind == "jsonb":
        return Problem(Code.SUPER, "Invalid JSON format in SUPER column", column, value)
    if sqlstate == "22001" or column.length is not None:
        return too_long(column, value)
    return Problem(Code.UNKNOWN, message or "Unknown parse error", column, value)


def too_long(column: Column, value: str) -> Problem:
    """Return the problem for a string that is too long for its column."""
    return Problem(Code.LENGTH, "String length exceeds DDL length", column, value)


def missing(column: Column) -> Problem:
    """Return the problem for a NULL in a NOT NULL column."""
    return Problem(Code.NOT_NULL, "Missing data for not-null field", column)


def invalid_utf8(column: Column, value: str) -> Problem:
    """Return the problem for bytes that are not valid UTF-8, or for a NUL; `value` was decoded with surrogateescape.

    https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html lists the kinds of error.
    """
    encoded = value.encode("utf-8", "surrogateescape")
    try:
        encoded.decode()
        position = max(encoded.find(b"\0"), 0)
        bad, kind = encoded[position : position + 1], 4
    except UnicodeDecodeError as error:
        position = error.start
        bad, kind = _bad_sequence(encoded[position : position + 4])
    reason = (
        "String contains invalid or unsupported UTF-8 codepoints. "
        f"Bad UTF-8 hex sequence: {bad.hex(' ')} (error {kind})"
    )
    return Problem(Code.UTF8, reason, column, value, position)


def _bad_sequence(found: bytes) -> tuple[bytes, int]:
    """Return the invalid UTF-8 sequence at the start of `found`, and AWS's number for this kind of error."""
    first = found[0]
    if first < 0xC0 or first >= 0xFE:
        return found[:1], 3
    if first >= 0xF8:
        return found[:1], 1
    length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    sequence = found[:length]
    if not all(0x80 <= byte < 0xC0 for byte in sequence[1:]):
        return sequence, 4
    if len(sequence) < length:
        return sequence, 2
    if first == 0xED:
        return sequence, 5
    return sequence, 8 if first >= 0xF4 else 9


def _integer_problem(column: Column, value: str) -> Problem:
    name = _INTEGER_NAMES[column.type]
    if re.fullmatch(r"\s*[+-]?\d+\s*", value):
        return Problem(Code.OVERFLOW, f"Overflow, Value {value.strip()}, Type: {name}", column, value)
    return _digit_problem(column, value, Code.DIGIT, name)


def _digit_problem(column: Column, value: str, code: Code, name: str) -> Problem:
    allowed = r"\s*[+-]?\d*" if code is Code.DIGIT else r"\s*[+-]?\d*\.?\d*(?:[eE][+-]?\d+)?"
    match = re.match(allowed, value)
    position = min(match.end() if match else 0, max(len(value) - 1, 0))
    bad = value[position : position + 1]
    return Problem(code, f"Invalid digit, Value '{bad}', Pos {position}, Type: {name}", column, value, position)


def _is_number(value: str) -> bool:
    return re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value) is not None
