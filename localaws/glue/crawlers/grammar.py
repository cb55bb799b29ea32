"""Splits a JSON document into rows, and reads the spellings of a row that are accepted.

Jobs read with Spark's JSON reader, which accepts the same spellings (its `allowSingleQuotes` is on by default). So data
that can be crawled can also be loaded. The spellings are:

- strict JSON, one object per line (JSON lines);
- objects with single quotes and with None, True and False, as Python prints a dict;
- documents that span lines, one after the other, and arrays of objects, whose elements are the rows.

Whether AWS's own crawler takes single quotes is not documented. It reads a top-level array into one column unless a
custom classifier with the path ``$[*]`` says otherwise; here the elements are the rows
(https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html#custom-classifier-json).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

Row = dict[str, Any]

_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_TOKEN = re.compile(rf"({_STRING})|\b(None|True|False)\b", re.DOTALL)
_CONSTANT = {"None": "null", "True": "true", "False": "false"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|u[0-9a-fA-F]{4}|.)|(\")", re.DOTALL)
_KEPT_ESCAPES = frozenset('"\\/bfnrt')
_BETWEEN = re.compile(r"[\s,]*")
_strict = json.JSONDecoder()


@dataclass
class Rows:
    """The rows of a document, or of its beginning."""

    rows: list[Row] = field(default_factory=list)
    unreadable: int = 0  # number of lines or documents that are not rows
    consumed: int = 0  # number of bytes that the rows and the unreadable lines took

    @property
    def is_json(self) -> bool:
        """Whether this is JSON at all: there are rows, and at most as many unreadable lines."""
        return bool(self.rows) and len(self.rows) >= self.unreadable


def read_value(text: bytes) -> Any:
    """Read one JSON value in any of the spellings.

    Raises:
        ValueError: it is not a JSON value.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if b"'" not in text:
            raise
    if b'"' not in text and b"\\" not in text:
        try:
            return orjson.loads(text.replace(b"'", b'"'))
        except orjson.JSONDecodeError:
            pass  # Python's None, True or False among the values
    return orjson.loads(to_strict(text.decode()))


def to_strict(text: str) -> str:
    """Return `text`, a JSON value that may have Python's quotes and constants, as strict JSON."""

    def spell(match: re.Match[str]) -> str:
        string, constant = match.groups()
        if constant:
            return _CONSTANT[constant]
        return f'"{_ESCAPE.sub(_strict_escape, string[1:-1])}"'

    return _TOKEN.sub(spell, text)


def _strict_escape(match: re.Match[str]) -> str:
    escaped, quote = match.groups()
    if quote:
        return '\\"'
    if escaped == "'":
        return "'"
    if escaped[0] in "xU":
        return json.dumps(chr(int(escaped[1:], 16)))[1:-1] if len(escaped) > 1 else match.group()
    return match.group() if escaped[0] in _KEPT_ESCAPES or escaped[0] == "u" else "\\\\" + escaped


def read_rows(beginning: bytes, *, complete: bool) -> Rows:
    """Split a document into rows, or only its `beginning` if it isn't `complete`.

    If the beginning ends within a row, this row counts neither as a row nor as unreadable.
    """
    beginning = beginning.removeprefix(b"\xef\xbb\xbf")
    found = _read_lines(beginning, complete)
    if found.is_json and not found.unreadable:
        return found
    # Rows may span lines, or be elements of one array. If reading them this way finds more rows, it is the right way.
    documents = _read_documents(beginning, complete)
    return documents if len(documents.rows) > len(found.rows) else found


def _read_lines(text: bytes, complete: bool) -> Rows:
    found = Rows()
    if not complete:
        text = text[: text.rfind(b"\n") + 1]
    found.consumed = len(text)
    for line in filter(None, map(bytes.strip, text.split(b"\n"))):
        try:
            value = read_value(line)
        except (ValueError, RecursionError):
            found.unreadable += 1
            continue
        if type(value) is dict:
            found.rows.append(value)
        else:
            found.unreadable += _add(found.rows, value)
    return found


def _read_documents(text: bytes, complete: bool) -> Rows:
    found = Rows()
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        if complete or len(text) - error.start > 4:
            return found
        decoded = text[: error.start].decode()
    if "'" in decoded and '"' not in decoded:
        decoded = to_strict(decoded)
    position = len(decoded) - len(decoded.lstrip())
    in_array = decoded[position : position + 1] == "["
    position += in_array
    end = position
    for value, end in _values(decoded, position):  # noqa: B007  how far it came is read below
        found.unreadable += _add(found.rows, value)
    rest = decoded[end:].strip().removeprefix("]" if in_array else "").strip()
    if rest and complete:
        found.unreadable += 1
    found.consumed = len(decoded[:end].encode())
    return found


def _values(text: str, position: int) -> Iterator[tuple[Any, int]]:
    while True:
        start = _BETWEEN.match(text, position)
        position = start.end() if start else position
        try:
            value, position = _strict.raw_decode(text, position)
        except (ValueError, RecursionError):
            return
        yield value, position


def _add(rows: list[Row], value: Any) -> int:
    """Add `value`'s rows to `rows`; return how many of its parts are not rows."""
    values = value if isinstance(value, list) else [value]
    objects = [part for part in values if isinstance(part, dict)]
    rows.extend(objects)
    return len(values) - len(objects)
