"""Recognises formats that AWS's built-in classifiers know and these don't, so that a crawl can refuse them by name.

https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html#classifier-built-in
"""

from __future__ import annotations

import re

_MAGIC = {
    b"Obj\x01": "Apache Avro",
    b"\xe0\x01\x00\xea": "Amazon Ion",
    b"PK\x03\x04": "ZIP",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\xff\x06\x00\x00sNaPpY": "Snappy",
}
_ORC = re.compile(rb"ORC.{0,1000}?[\x00\x02-\x08]", re.DOTALL)  # text may begin with these letters, too
_BSON = re.compile(rb"....[\x01-\x13][^\x00-\x1f]*\x00", re.DOTALL)
_CLF = r'\S+ \S+ \S+ \[[^\]]+\] "[^"]*" \d{3} (\d+|-)'  # Apache's common log format
# Patterns of the first line.
_TEXTS = {
    r'<\?xml\s.*|<!DOCTYPE\s.*|<[A-Za-z_][\w:.-]*(\s+[\w:.-]+\s*=\s*"[^"]*")*\s*/?>': "XML",
    _CLF: "an Apache log",
    rf'{_CLF} "[^"]*" "[^"]*"': "a combined Apache log",
    r"[A-Z][a-z]{2} +\d+ [\d:]{8} \S+ kernel: .*": "a Linux kernel log",
    r"#Software: Microsoft .*": "a Microsoft log",
    r"[DIWEFA], \[[\d-]{10}T[\d:.]+ #\d+\] +[A-Z]+ -- .*": "a Ruby log",
    r"\d{10}\.\d{3} +\d+ \S+ [A-Z_]+/\d{3} \d+ [A-Z]+ .*": "a Squid log",
    r'\d{10}\.\d+ \[\d+ [^\]]+\] ".*': "a Redis monitor log",
    r"(\d+:[XCSM]|\[\d+\]) \d\d [A-Z][a-z]{2}( \d{4})? [\d:]{8}\.\d{3} [.*#-] .*": "a Redis log",
}
_PATTERNS = [(re.compile(pattern), name) for pattern, name in _TEXTS.items()]


def binary_format(beginning: bytes) -> str:
    """Return the name of the format or compression of a file that begins like this; empty if it is none of these."""
    for magic, name in _MAGIC.items():
        if beginning.startswith(magic):
            return name
    if _ORC.match(beginning):
        return "Apache ORC"
    return "BSON" if _is_bson(beginning) else ""


def text_format(text: bytes) -> str:
    """Return the name of the format of a text that begins like this; empty if it is none of these."""
    line = text.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0][:10_000].decode(errors="replace").rstrip()
    return next((name for pattern, name in _PATTERNS if pattern.fullmatch(line)), "")


def _is_bson(beginning: bytes) -> bool:
    """Whether the first document's length, the type of its first element and its end are as in BSON (bsonspec.org)."""
    length = int.from_bytes(beginning[:4], "little")
    return length <= len(beginning) and bool(_BSON.match(beginning)) and beginning[length - 1] == 0
