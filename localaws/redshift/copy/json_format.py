"""Reads JSON: objects matched to columns by their keys ('auto'), or by a jsonpaths file.

Source: https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from localaws.redshift.copy.load_errors import Code, Problem
from localaws.redshift.copy.parse import CopyOptions
from localaws.redshift.copy.records import FastCopy, Record, file_matches
from localaws.redshift.copy.target import Target
from localaws.redshift.errors import SqlError

MAX_OBJECT = 4 << 20  # bytes; Redshift's limit for one JSON object
_SMALL = 64 * 1024  # bytes up to which reading object by object ends before duckdb would have started
_EXACT_DIGITS = 15  # decimal digits that a double keeps exactly

JsonPath = tuple[str | int, ...]


class JsonReader:
    """Reads JSON objects for `target`; `paths` come from the jsonpaths file, if there is one."""

    def __init__(self, target: Target, options: CopyOptions, paths: list[JsonPath] | None = None) -> None:
        self.target = target
        self.options = options
        self.paths = paths
        self._ignore_case = options.json_mapping == "auto ignorecase"
        if paths is not None and len(paths) != len(target.columns):
            raise SqlError(
                "XX000",
                f"Number of jsonpaths and the number of columns should match. JSONPath size: {len(paths)}, "
                f"Number of columns in table or column list: {len(target.columns)}",
            )

    def fast(self, path: Path) -> FastCopy | None:
        """Convert a file with one object per line to CSV: duckdb reads text columns, pyarrow writes them."""
        options = self.options
        per_field = (
            self.paths, self._ignore_case, options.null_as, options.blanks_as_null, options.truncate_columns,
            options.trim_blanks, options.date_format not in (None, "auto"), options.time_format not in (None, "auto"),
        )  # fmt: skip
        exact = (not self._survives_double(column.type, column.precision_and_scale) for column in self.target.columns)
        if any(per_field) or any(exact) or path.stat().st_size <= _SMALL or self._has_long_decimal(path):
            return None
        forced = [column for column in self.target.columns if options.empty_as_null or not column.is_character]
        listed = ", ".join('"' + column.name.replace('"', '""') + '"' for column in forced)
        copy_options = f"FORMAT csv, NULL ''{f', FORCE_NULL ({listed})' if forced else ''}"
        # Imported only when needed: duckdb and pyarrow take 60 MB, which a front without such files saves.
        from localaws.redshift.copy.json_lines import csv_chunks

        truncated = bool(self.target.scales) and not options.round_decimals
        return FastCopy(copy_options, csv_chunks(path, self.target, MAX_OBJECT), truncated)

    def _has_long_decimal(self, path: Path) -> bool:
        """Whether a DECIMAL value may have more digits than a double keeps: 20.2599999999999999 would become 20.26."""
        return any(
            file_matches(path, re.compile(rb"%b\s{0,99}:\s{0,99}-?[\d.]{%d}" % (_key(name), _EXACT_DIGITS + 1)))
            for name in self.target.scales
        )

    @staticmethod
    def _survives_double(kind: str, precision_and_scale: tuple[int, int] | None) -> bool:
        # duckdb reads numbers with a decimal point as doubles, which are exact enough only for these types.
        if kind == "numeric":
            return precision_and_scale is not None and precision_and_scale[0] <= _EXACT_DIGITS
        return kind != "jsonb"

    def records(self, path: Path) -> Iterator[Record]:
        """Yield the file's objects, also if they span lines or share one."""
        with path.open("rb") as stream:
            for line, raw, value in _objects(stream):
                if isinstance(value, Problem):
                    yield Record(line, raw, [], value)
                elif not isinstance(value, dict) and self.paths is None:
                    problem = Problem(Code.INVALID_LINE, "Invalid JSONPath format: Member is not an object.")
                    yield Record(line, raw, [], problem)
                else:
                    yield Record(line, raw, self._fields(value))

    def _fields(self, value: Any) -> list[str | None]:
        if self.paths is not None:
            return [_text(_follow(value, path)) for path in self.paths]
        if self._ignore_case:
            value = {key.lower(): member for key, member in value.items()}
        return [_text(value.get(column.name)) for column in self.target.columns]


def _key(name: str) -> bytes:
    """Return a pattern for the key of this name in a file."""
    return re.escape(json.dumps(name, ensure_ascii=False).encode())


class _Number(str):
    """A number, as it is written in the file."""

    __slots__ = ()


_decoder = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_Number)


def _objects(stream: BinaryIO) -> Iterator[tuple[int, str, Any]]:
    """Yield the number of each value's last line, its text, and the value; a Problem if it can't be parsed."""
    number, pending, begun = 0, "", 0
    for line in stream:
        number += 1
        text = line.decode("utf-8", "surrogateescape")
        if not pending:
            begun = number
        pending += text
        # Parsing can only succeed if the line ends an object or an array. So don't try at each line of a long object.
        if not text.rstrip().endswith(("}", "]")) and begun < number and len(pending) < MAX_OBJECT:
            continue
        values, rest, fault = _values(pending)
        for value, raw in values:
            yield number, raw, value
        if fault is None:
            pending = ""
        elif fault.pos >= len(fault.doc.rstrip()) - 1 and len(rest) < MAX_OBJECT and not _starts_object(stream):
            pending, begun = rest, number if values else begun
        else:
            yield _unreadable(begun, rest)
            pending = ""
    if pending.strip():
        yield _unreadable(begun, pending)


def _unreadable(number: int, text: str) -> tuple[int, str, Problem]:
    line = text.split("\n", 1)[0].rstrip("\r")
    return number, line, Problem(Code.INVALID_LINE, "Invalid value.", None, line)


def _starts_object(stream: Any) -> bool:
    """Whether a new object begins on the next line: then the one before it is incomplete."""
    return bool(stream.peek(1)[:1] == b"{")


def _values(text: str) -> tuple[list[tuple[Any, str]], str, json.JSONDecodeError | None]:
    """Return the values that `text` begins with, the rest, and why the rest can't be parsed (None: nothing is left)."""
    values: list[tuple[Any, str]] = []
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        if at == len(text):
            return values, "", None
        try:
            value, end = _decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            return values, text[at:], error
        values.append((value, text[at:end]))
        at = end


def _text(value: Any) -> str | None:
    """Return a member's value as the text of a field: objects and arrays as JSON."""
    match value:
        case None | str():
            return value
        case True:
            return "true"
        case False:
            return "false"
    return _dump(value)


def _dump(value: Any) -> str:
    match value:
        case _Number():
            return value
        case dict():
            return "{" + ",".join(f"{_dump(str(key))}:{_dump(member)}" for key, member in value.items()) + "}"
        case list():
            return "[" + ",".join(_dump(member) for member in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def parse_jsonpaths(content: bytes) -> list[JsonPath]:
    """Return the paths in a jsonpaths file.

    Raises:
        SqlError: `content` is not a valid jsonpaths file.
    """
    try:
        listed = json.loads(content)["jsonpaths"]
        return [_parse_path(path) for path in listed]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SqlError("XX000", f"Invalid JSONPath format: {error}") from error


def _parse_path(path: str) -> JsonPath:
    steps: list[str | int] = []
    at = 1
    pattern = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|\[(?P<quote>['\"])(?P<key>.*?)(?P=quote)\]")
    if not path.startswith("$"):
        raise ValueError(f"{path} does not begin with $")
    while at < len(path):
        match = pattern.match(path, at)
        if match is None:
            raise ValueError(f"{path} at {path[at:]}")
        steps.append(int(match["index"]) if match["index"] else match["name"] or match["key"])
        at = match.end()
    return tuple(steps)


def _follow(value: Any, path: JsonPath) -> Any:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
