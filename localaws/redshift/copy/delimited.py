"""Reads delimited text and CSV.

Source: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from localaws.redshift.copy.load_errors import Code, Problem
from localaws.redshift.copy.parse import CopyOptions, Format
from localaws.redshift.copy.records import CHUNK, FastCopy, Record, file_matches
from localaws.redshift.copy.target import Target, quote_literal

_DEFAULT_NULL = "\\N"
_NO_QUOTE = "\x01"  # PostgreSQL's CSV needs a quote character: one that delimited text does not contain
_SMALL = 64 * 1024  # bytes up to which reading row by row is faster than a staging table
csv.field_size_limit(16 << 20)  # the largest size of a SUPER value


class DelimitedReader:
    """Reads files as `options` describe them, for `target`."""

    def __init__(self, target: Target, options: CopyOptions) -> None:
        self.target = target
        self.options = options
        self.is_csv = options.format is Format.CSV

    def fast(self, path: Path) -> FastCopy | None:
        """Pass the file on unchanged: PostgreSQL reads Redshift's CSV, and delimited text as a CSV without quotes."""
        options = self.options
        per_field = (
            options.blanks_as_null, options.truncate_columns, options.trim_blanks, options.remove_quotes,
            options.escape, options.fill_record, options.ignore_blank_lines,
            options.date_format not in (None, "auto"), options.time_format not in (None, "auto"),
        )  # fmt: skip
        if any(per_field) or not self.target.columns:
            return None
        nulls = self._null_options()
        if nulls is None or not self._plain(path, nulls[1]):
            return None
        truncate = self._may_truncate(path)
        if truncate and path.stat().st_size <= _SMALL:
            return None
        quote = options.quote if self.is_csv else _NO_QUOTE
        copy_options = (
            f"FORMAT csv, DELIMITER {quote_literal(options.field_delimiter)}, QUOTE {quote_literal(quote)}, {nulls[0]}"
        )
        return FastCopy(copy_options, self._chunks(path), truncate)

    def _may_truncate(self, path: Path) -> bool:
        """Whether a number in the file, in any column, has more decimals than one of the DECIMAL columns."""
        scales = self.target.scales.values()
        if not scales or self.options.round_decimals:
            return False
        # Underscores, too: PostgreSQL accepts 20.2_59 as a number.
        return file_matches(path, re.compile(rb"\.[\d_]{%d}|[eE]-\d" % (min(scales) + 1)))

    def _null_options(self) -> tuple[str, bytes | None] | None:
        """Return PostgreSQL's options for NULLs, and a text that the file must not contain for them to be right."""
        text, other = self.target.listed(character=True), self.target.listed(character=False)
        every = ", ".join(filter(None, (text, other)))
        if self.options.null_as:
            # Except in text columns, an empty field is also NULL. PostgreSQL refuses it, and we then read row by row.
            if self.options.empty_as_null:
                return None
            return f"NULL {quote_literal(self.options.null_as)}, FORCE_NULL ({every})", None
        if self.options.empty_as_null or self.options.null_as == "":
            return f"NULL '', FORCE_NULL ({every})", None if self.options.null_as == "" else _DEFAULT_NULL.encode()
        columns = [f"FORCE_NOT_NULL ({text})" if text else "", f"FORCE_NULL ({other})" if other else ""]
        return ", ".join(["NULL ''", *filter(None, columns)]), _DEFAULT_NULL.encode()

    def _plain(self, path: Path, forbidden: bytes | None) -> bool:
        """Whether PostgreSQL would read all of the file as Redshift does."""
        unwanted = [word for word in (forbidden, None if self.is_csv else _NO_QUOTE.encode()) if word]
        # VARCHAR(n) counts bytes in Redshift, characters in PostgreSQL.
        only_ascii = any(column.length for column in self.target.columns)
        kept = b""
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK * 4):
                if only_ascii and not chunk.isascii():
                    return False
                searched = kept + chunk
                if any(word in searched for word in unwanted):
                    return False
                kept = chunk[-8:]
        return True

    def _chunks(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as stream:
            for _ in range(self.options.ignore_header):
                stream.readline()
            while chunk := stream.read(CHUNK):
                yield chunk

    def records(self, path: Path) -> Iterator[Record]:
        """Yield the file's rows; the header lines count as lines."""
        with path.open("rb") as stream:
            for _ in range(self.options.ignore_header):
                stream.readline()
            yield from self._csv(stream) if self.is_csv else self._delimited(stream)

    def _csv(self, stream: BinaryIO) -> Iterator[Record]:
        lines = _Lines(stream, self.options.ignore_header)
        reader = csv.reader(
            lines, delimiter=self.options.field_delimiter, quotechar=self.options.quote, doublequote=True, strict=True
        )
        while True:
            lines.taken.clear()
            try:
                values: list[str | None] = list(next(reader))
            except StopIteration:
                return
            except csv.Error as error:
                problem = Problem(Code.QUOTING, "Invalid quote formatting for CSV", None, str(error))
                yield Record(lines.number, "".join(lines.taken).rstrip("\r\n"), [], problem)
                continue
            raw = "".join(lines.taken).rstrip("\r\n")
            if record := self._shaped(lines.number, raw, values or [""]):
                yield record

    def _delimited(self, stream: BinaryIO) -> Iterator[Record]:
        lines = _Lines(stream, self.options.ignore_header)
        for line in lines:
            raw = line.rstrip("\n").removesuffix("\r")
            if self.options.escape:
                # An escaped newline is part of the field.
                while re.search(r"(?<!\\)(?:\\\\)*\\\Z", raw) and (more := next(lines, None)) is not None:
                    raw += "\n" + more.rstrip("\n").removesuffix("\r")
            values: list[str | None] | None
            if self.options.escape or self.options.remove_quotes:
                values = self._split(raw)
            else:
                values = list(raw.split(self.options.field_delimiter))
            if values is None:
                yield Record(lines.number, raw, [], Problem(Code.QUOTING, "Delimited value missing end quote"))
            elif record := self._shaped(lines.number, raw, values):
                yield record

    def _split(self, line: str) -> list[str | None] | None:
        """Split a line for ESCAPE or REMOVEQUOTES; return None if a quotation mark is not closed.

        Only the marks around a field are removed: a mark closes the field if a delimiter or the line's end follows.
        """
        delimiter, fields = self.options.field_delimiter, list[str | None]()
        field, at, quote, begun = [], 0, "", False
        while at < len(line):
            character = line[at]
            if self.options.escape and character == "\\" and at + 1 < len(line):
                # \N stays as it is: if it is the whole field, it means NULL.
                field.append("\\N" if line[at + 1] == "N" else line[at + 1])
                at += 1
            elif quote:
                if character == quote and line[at + 1 : at + 2] in ("", delimiter):
                    quote = ""
                else:
                    field.append(character)
            elif self.options.remove_quotes and not begun and character in "'\"":
                quote = character
            elif character == delimiter:
                fields.append("".join(field))
                field, begun = [], False
                at += 1
                continue
            else:
                field.append(character)
            begun = True
            at += 1
        fields.append("".join(field))
        return None if quote else fields

    def _shaped(self, line: int, raw: str, values: list[str | None]) -> Record | None:
        """Return the row, with a problem if it has too many or too few fields; None if it is to be ignored."""
        expected = len(self.target.columns)
        if raw == "" and (self.options.ignore_blank_lines or expected > 1):
            if self.options.ignore_blank_lines:
                return None
            return Record(line, raw, [], Problem(Code.BLANK_LINE, "Line has no data", self.target.columns[0]))
        if len(values) > expected:
            # A delimiter at the end of the line does not begin another field.
            if len(values) == expected + 1 and values[-1] == "" and not self.is_csv:
                return Record(line, raw, values[:-1])
            return Record(line, raw, [], Problem(Code.EXTRA_COLUMN, "Extra column(s) found"))
        if len(values) < expected:
            column = self.target.columns[len(values)]
            if self.options.fill_record:
                # Missing fields at the end are empty strings in VARCHAR columns, and NULL in all others.
                missing = self.target.columns[len(values) :]
                filled = ["" if column.is_character and column.type != "bpchar" else None for column in missing]
                return Record(line, raw, values + filled)
            code = Code.TOO_FEW_COLUMNS if self.is_csv else Code.NO_DELIMITER
            return Record(line, raw, [], Problem(code, "Delimiter not found", column))
        return Record(line, raw, values)


class _Lines:
    """A file's lines as text; `taken` has those that were read. Bytes that are not valid UTF-8 become surrogates."""

    def __init__(self, stream: BinaryIO, number: int) -> None:
        self._stream = stream
        self.number = number
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._stream.readline()
        if not line:
            raise StopIteration
        self.number += 1
        text = line.decode("utf-8", "surrogateescape")
        self.taken.append(text)
        return text
