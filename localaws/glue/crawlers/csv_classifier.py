"""Glue's built-in CSV classifier: the delimiter, whether there is a header, and the types of the columns.

The rules are those of https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html#classifier-builtin-rules. Where
that page is silent: the first 1,000 rows must have the same number of fields, a header must not repeat a name, and a
number is whatever a job reads as a number.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from localaws.glue.crawlers.schema import Primitive, Schema, Type, merge

DELIMITERS = (",", "|", "\t", ";", "\x01")
_OF_ONE_WIDTH = 1000  # rows
_SHORTER_THAN = 150  # characters of a name in a header, unless it is the last
# https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html
_NAME = re.compile(r"[\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF\t]{1,255}")
_WHOLE = re.compile(r"[+-]?[0-9]+")
# As Java, and so Spark, reads a double: no underscores, and NaN and Infinity in this spelling only.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|[+-]?Infinity")
_LARGEST = 2**63  # a bigint is at least minus this, and less than this


@dataclass(frozen=True)
class Csv:
    """The classifier's result for a text."""

    delimiter: str
    header: bool
    quoted: bool  # whether a field is in quotes
    schema: Schema
    rows: int  # without the header


def classify(text: str, *, complete: bool = True) -> Csv | None:
    """Classify `text` as CSV; return None if it is not CSV.

    `text` holds the lines of a file, or of its beginning if it isn't `complete`. "To be classified as CSV, the table
    schema must have at least two columns and two rows of data": a header counts as one of the rows.
    """
    if "\0" in text or text.lstrip().startswith(("{", "[")):
        return None
    for delimiter in DELIMITERS:
        rows = _rows(text, delimiter, complete)
        width = len(rows[0]) if rows else 0
        if width < 2 or len(rows) < 2:
            continue
        first, columns = rows[0], _columns(rows[1:], width)
        types = [_type_of_column(column) for column in columns]
        header = _is_header(first, columns, types)
        names = _names(first) if header else [f"col{number}" for number in range(width)]
        if not header:
            types = [merge(kind, _type_of(cell)) for kind, cell in zip(types, first, strict=True)]
        quoted = re.search(rf'(^|[\r\n]|{re.escape(delimiter)})"', text) is not None
        return Csv(delimiter, header, quoted, dict(zip(names, types, strict=True)), len(rows) - header)
    return None


def _rows(text: str, delimiter: str, complete: bool) -> list[list[str]]:
    """Return the rows of `text` without blank lines; an empty list if the first rows differ in width."""
    found = _read(text, delimiter)
    try:
        rows = list(islice(found, _OF_ONE_WIDTH + 1))
        whole = rows if complete else rows[:-1]
        if any(len(row) != len(rows[0]) for row in whole[:_OF_ONE_WIDTH]):
            return []
        rows.extend(found)
    except csv.Error:  # a field of more than 128 KiB: the quote before it does not really open a field
        return []
    # The text may be cut off inside a quoted field.
    return rows if complete or '"' not in text else rows[:-1]


def _read(text: str, delimiter: str) -> Iterator[list[str]]:
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if len(row) > 1 or "".join(row).strip():
            yield row


def _columns(rows: list[list[str]], width: int) -> list[set[str]]:
    """Return the stripped, non-empty values of each column; rows of another width are ignored."""
    found = zip(*(row for row in rows if len(row) == width), strict=True)
    return [set(map(str.strip, column)) - {""} for column in found] or [set() for _ in range(width)]


def _is_header(first: Sequence[str], columns: Sequence[set[str]], types: Sequence[Type]) -> bool:
    """Whether the `first` row is a header, given the values of the columns below it, and their types."""
    names = _names(first)
    if not all(map(_NAME.fullmatch, names)) or len({name.lower() for name in names}) < len(names):
        return False
    if not all(0 < len(cell.strip()) < _SHORTER_THAN for cell in first[:-1]):
        return False
    if not first[-1].strip() and columns[-1]:
        return False
    strings = (Primitive.STRING, Primitive.VOID)
    return all(_type_of(cell) in strings for cell in first) and any(kind not in strings for kind in types)


def _names(header: Sequence[str]) -> list[str]:
    """Return the columns' names. Only the last one may be missing, after a trailing delimiter."""
    return [cell.strip() or f"col{number}" for number, cell in enumerate(header)]


def _type_of_column(values: set[str]) -> Type:
    together = "".join(values)
    if together.isascii() and together.isdigit() and max(map(len, values)) < len(str(_LARGEST)):
        return Primitive.BIGINT  # the same result as below, in a tenth of the time
    kind: Type = Primitive.VOID
    for value in values:
        kind = merge(kind, _type_of(value))
        if kind is Primitive.STRING:  # the widest type
            break
    return kind


def _type_of(cell: str) -> Type:
    cell = cell.strip()
    if not cell:
        return Primitive.VOID
    if _WHOLE.fullmatch(cell):
        # The classifier calls every whole number "bigint"; larger ones fit no type but string.
        digits = cell.lstrip("+-").lstrip("0")
        most = _LARGEST if cell.startswith("-") else _LARGEST - 1
        return Primitive.BIGINT if len(digits) < 20 and int(digits or "0") <= most else Primitive.STRING
    if _NUMBER.fullmatch(cell):
        return Primitive.DOUBLE
    return Primitive.BOOLEAN if cell.lower() in ("true", "false") else Primitive.STRING
