"""How JSON files spell the names of the catalog's columns.

The catalog has them in lower case (https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html),
the data may not: a file's `Id` is what the column `id` holds. Spark's JSON parser tells the cases apart, so it has to
be told each spelling there is.
"""

from __future__ import annotations

import bz2
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_CHUNK = 1 << 22  # bytes
# Looked at without being passed over: what a text of the data makes look like a key must not hide one.
_KEYS = re.compile(rb"""[{,]\s*(?=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*:)""", re.DOTALL)
# Between single quotes, what is written otherwise between double ones.
_ESCAPED_OR_QUOTE = re.compile(rb'\\.|"', re.DOTALL)
_AS_DOUBLE = {b"\\'": b"'", b'"': b'\\"'}
_KNOWN = 64  # so many keys are taken out of a chunk in less time than it takes to look for all
_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}
# What a chunk is brought down to, to see whether it has such a key: A for all that might make a name differ from its
# lower case (upper case, an escape, what is not ASCII), quotes and colons as they are, nothing of the rest.
_MARKS = bytes(
    ord("A") if byte >= 0x80 or chr(byte).isupper() or chr(byte) == "\\" else byte for byte in range(256)
)  # fmt: skip
_QUOTES = b"\"'"
_SIGNS = {quote: re.compile(b"A:*%c:" % quote) for quote in _QUOTES}


def spellings(directory: Path, names: Iterable[str]) -> dict[str, list[str]]:
    """For each of the columns `names`, how the files in `directory` spell it where they don't spell it so."""
    wanted = {name.lower(): name for name in names}
    # A key without capitals is not looked for below.
    found = {folded for folded, name in wanted.items() if folded != name}
    known: set[bytes] = set()
    for file in directory.iterdir():
        with _OPENERS.get(file.suffix, open)(file, "rb") as stream:
            for chunk in _chunks(stream):
                if _may_have_capitals(chunk) and _may_have_capitals(_without(known, chunk)):
                    known |= {key for key in set(_KEYS.findall(chunk)) if b"A" in key.translate(_MARKS)}
    found |= {_text(key) for key in known}
    spelled: dict[str, list[str]] = {}
    for key in sorted(found):
        name = wanted.get(key.lower())
        if name is not None and name != key:
            spelled.setdefault(name, []).append(key)
    return spelled


def _chunks(stream: Any) -> Iterator[bytes]:
    """The content in pieces of whole lines."""
    rest, size = b"", _CHUNK
    while block := stream.read(size):
        rest += block
        end = rest.rfind(b"\n") + 1
        # A line that is longer than a chunk is not to be copied for each chunk of it.
        size = _CHUNK if end else size * 2
        if end:
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _may_have_capitals(chunk: bytes) -> bool:
    """Whether a key of `chunk` may differ from its lower case; it costs a small part of what a parser would."""
    if b"\\" in chunk:
        chunk = chunk.replace(b"\\\\", b"A").replace(b'\\"', b"A").replace(b"\\'", b"A")
    return any(_SIGNS[quote].search(chunk.translate(_MARKS, _all_but(quote))) for quote in _QUOTES if quote in chunk)


def _all_but(quote: int) -> bytes:
    kept = {quote, ord(":"), *(byte for byte in range(256) if _MARKS[byte] == ord("A"))}
    return bytes(byte for byte in range(256) if byte not in kept)


def _without(keys: set[bytes], chunk: bytes) -> bytes:
    """`chunk` without those of its `keys` that are known: if others are left, they must be looked for."""
    if len(keys) <= _KNOWN:
        for key in keys:
            chunk = chunk.replace(key, b'""')
    return chunk


def _text(key: bytes) -> str:
    """The key that is written so in JSON, with its quotes."""
    bare = key[1:-1]
    if key.startswith(b"'"):
        bare = _ESCAPED_OR_QUOTE.sub(lambda found: _AS_DOUBLE.get(found[0], found[0]), bare)
    try:
        return str(json.loads(b'"%b"' % bare, strict=False))
    except ValueError:
        return bare.decode(errors="replace")
