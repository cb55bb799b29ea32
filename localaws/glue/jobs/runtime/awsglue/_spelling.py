"""How JSON files spell the names of the catalog's columns.

The catalog has them in lower case (https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html),
the data may not: a file's `Id` belongs in the column `id`. Spark's JSON parser is case-sensitive, so it needs every
spelling that occurs.
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
# A lookahead, so that matches may overlap: data that looks like a key must not hide a real key.
_KEYS = re.compile(rb"""[{,]\s*(?=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*:)""", re.DOTALL)
# What is written differently between single quotes than between double quotes.
_ESCAPED_OR_QUOTE = re.compile(rb'\\.|"', re.DOTALL)
_AS_DOUBLE = {b"\\'": b"'", b'"': b'\\"'}
_KNOWN = 64  # removing up to this many keys from a chunk takes less time than searching for all keys
_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}
# How a chunk is reduced to see whether it has such a key: every byte that might make a name differ from its lower case
# (upper case, an escape, not ASCII) becomes A, quotes and colons stay as they are, and the rest is dropped.
_MARKS = bytes(
    ord("A") if byte >= 0x80 or chr(byte).isupper() or chr(byte) == "\\" else byte for byte in range(256)
)  # fmt: skip
_QUOTES = b"\"'"
_SIGNS = {quote: re.compile(b"A:*%c:" % quote) for quote in _QUOTES}


def spellings(directory: Path, names: Iterable[str]) -> dict[str, list[str]]:
    """Return, for each of the columns `names`, the other spellings of it that the files in `directory` use."""
    wanted = {name.lower(): name for name in names}
    # The search below does not find keys without capitals.
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
    """Yield the content in pieces of whole lines."""
    rest, size = b"", _CHUNK
    while block := stream.read(size):
        rest += block
        end = rest.rfind(b"\n") + 1
        # Larger and larger blocks, so that a line of many chunks is not copied once for each chunk.
        size = _CHUNK if end else size * 2
        if end:
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _may_have_capitals(chunk: bytes) -> bool:
    """Whether a key of `chunk` may differ from its lower case; this costs a small part of what a parser would."""
    if b"\\" in chunk:
        chunk = chunk.replace(b"\\\\", b"A").replace(b'\\"', b"A").replace(b"\\'", b"A")
    return any(_SIGNS[quote].search(chunk.translate(_MARKS, _all_but(quote))) for quote in _QUOTES if quote in chunk)


def _all_but(quote: int) -> bytes:
    kept = {quote, ord(":"), *(byte for byte in range(256) if _MARKS[byte] == ord("A"))}
    return bytes(byte for byte in range(256) if byte not in kept)


def _without(keys: set[bytes], chunk: bytes) -> bytes:
    """Return `chunk` without the known `keys`, unless there are too many: keys that are left must be searched for."""
    if len(keys) <= _KNOWN:
        for key in keys:
            chunk = chunk.replace(key, b'""')
    return chunk


def _text(key: bytes) -> str:
    """Decode a key as it is written in JSON, with its quotes."""
    bare = key[1:-1]
    if key.startswith(b"'"):
        bare = _ESCAPED_OR_QUOTE.sub(lambda found: _AS_DOUBLE.get(found[0], found[0]), bare)
    try:
        return str(json.loads(b'"%b"' % bare, strict=False))
    except ValueError:
        return bare.decode(errors="replace")
