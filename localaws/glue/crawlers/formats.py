"""Classifies a file by its beginning: the built-in classifiers, and the compressions that they can read.

The order of the classifiers, and that they read the first megabyte, follow
https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html and
https://repost.aws/knowledge-center/glue-crawler-detect-schema.
"""

from __future__ import annotations

import bz2
import zlib
from dataclasses import dataclass, replace
from functools import cached_property

from localaws.glue.crawlers.csv_classifier import classify
from localaws.glue.crawlers.grammar import read_rows
from localaws.glue.crawlers.schema import Type, infer_schema
from localaws.glue.crawlers.unsupported import binary_format, text_format

UNKNOWN = "UNKNOWN"
FIRST_BYTES = 1 << 20  # how much of a file is read to infer its schema
MOST_BYTES = 10 << 20  # ... and how much if that was not enough
MOST_TEXT = 8 << 20  # the most bytes to decompress to: a small archive can hold a lot of text


@dataclass(frozen=True)
class Look:
    """The result of classifying one file."""

    classification: str  # json, csv, parquet or UNKNOWN
    compression: str = "none"
    schema: tuple[tuple[str, Type], ...] = ()
    records: int = 0  # counted, or estimated from the part that was read
    unreadable: int = 0  # rows, of those read, that can't be read as JSON objects
    delimiter: str = ""
    header: bool = False
    quoted: bool = False
    unsupported: str = ""  # the name of a format that AWS's classifiers know and these don't

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns' names, as the file spells them."""
        return frozenset(name for name, _ in self.schema)

    @cached_property
    def shape(self) -> Look:
        """This look without the numbers of rows: most files of a table share it."""
        return replace(self, records=0, unreadable=0) if self.records or self.unreadable else self


def look_at(beginning: bytes, size: int) -> Look:
    """Classify a file of `size` bytes, of which `beginning` was read."""
    compression, text, part = _decompress(beginning)
    if text is None:
        return Look(UNKNOWN, compression)
    if compression == "none" and (name := binary_format(text)):
        return Look(UNKNOWN, unsupported=name)
    complete = len(beginning) == size and part == len(beginning)
    # The size of the file, relative to the part that was read: 1.0 if all of it was read.
    times = 1.0 if complete else size / max(part, 1)
    rows = read_rows(text, complete=complete)
    if rows.is_json:
        if not complete:
            times *= len(text) / max(rows.consumed, 1)
        schema = tuple(infer_schema(rows.rows).items())
        return Look("json", compression, schema, round(len(rows.rows) * times), rows.unreadable)
    if name := text_format(text):
        return Look(UNKNOWN, compression, unsupported=name)
    return _look_at_csv(text, complete, times, compression) or Look(UNKNOWN, compression)


def _decompress(beginning: bytes) -> tuple[str, bytes | None, int]:
    """Return the compression, the text (None if it can't be decompressed), and the number of bytes it came from."""
    if beginning.startswith(b"\x1f\x8b"):
        return "gzip", *_gunzip(beginning)
    if beginning.startswith(b"BZh"):
        try:
            member = bz2.BZ2Decompressor()
            text = member.decompress(beginning, MOST_TEXT)
        except OSError:
            return "bzip2", None, 0
        # bz2 doesn't tell how much of its input it has turned into text: only at the end of the file is it certain.
        return "bzip2", text, len(beginning) - (not member.eof)
    return "none", beginning, len(beginning)


def _gunzip(beginning: bytes) -> tuple[bytes | None, int]:
    text, rest = b"", beginning
    try:
        # A .gz file may consist of several members, one after the other.
        while rest and len(text) < MOST_TEXT:
            member = zlib.decompressobj(wbits=31)
            text += member.decompress(rest, MOST_TEXT - len(text))
            rest = member.unused_data if member.eof else member.unconsumed_tail
            if not member.eof:
                # Cut off, or too much text: at least one byte counts as unread, so that the file isn't complete.
                return text, len(beginning) - max(len(rest), 1)
    except zlib.error:
        # The text before the damage isn't used: a reader of the whole file would fail too.
        return None, 0
    return text, len(beginning) - len(rest)


def _look_at_csv(text: bytes, complete: bool, times: float, compression: str) -> Look | None:
    decoded = _decode(text, complete)
    if decoded is None:
        return None
    if not complete:
        decoded = decoded[: max(decoded.rfind("\n"), decoded.rfind("\r")) + 1]
    found = classify(decoded, complete=complete)
    if found is None:
        return None
    records = round((found.rows + found.header) * times) - found.header
    schema = tuple(found.schema.items())
    return Look("csv", compression, schema, records, 0, found.delimiter, found.header, found.quoted)


def _decode(text: bytes, complete: bool) -> str | None:
    """Decode `text` as UTF-8, without a byte order mark and a cut-off last character; None if it isn't UTF-8."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        if complete or len(text) - error.start > 3:
            return None
        return text[: error.start].decode()
