"""Requests to S3 that no SDK sends: built from AWS's model with random values, and then changed."""

from __future__ import annotations

import random
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from tests.localaws.server.drafts import Draft, draft_of, model_of

# What is neither a number, a date, a name nor a document, or only nearly.
ODD = (
    "", "abc", "-1", "0", "1", "007", "1.5", "1e5", "2147483648", "9" * 40, "%zz", "é☃", " ", "null", "true", "*",
    "a=b&a=c", "aws:x=1", "bytes=0-", "bytes=5-2", "bytes=-0", "bytes=x-y", "bytes=1", "=", "2020-13-45T99:99:99Z",
    "Thu, 99 Foo",
    "2999-01-01T00:00:00Z", "GLACIER", "GOVERNANCE", "ON", "x" * 300, "../..", '"', "arn:aws:sqs:us-east-1", "{}",
    "[]", "<x/>", "url", "STANDARD", "aws:kms", "crc32", "AAAAAA==", "public-read", "a/b?versionId=", "Enabled",
)  # fmt: skip
_KNOWN: dict[str, tuple[Any, ...]] = {
    "Key": ("k", "folder/k", "none"), "VersionId": ("null", "x"), "UploadId": ("UPLOAD", "x"), "PartNumber": (1, 2),
    "CopySource": ("BUCKET/k", "BUCKET/none", "BUCKET"), "Body": (b"body", b""),
    "Policy": ('{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, '
               '"Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/*"}]}',),
}  # fmt: skip
_LEFT_OUT = ("SSECustomer", "CopySourceSSECustomer", "ContentLength")
_TEXT_OF_ELEMENT = re.compile(rb">([^<>]*)</")
_ELEMENT = re.compile(rb"<(\w+)[^<>]*>[^<>]*</\1>")


@dataclass(frozen=True)
class Odd:
    """A request that may be anything but the cause of a failure of the server's."""

    draft: Draft
    headers: dict[str, str]

    def __repr__(self) -> str:
        return f"{self.draft.operation}: {self.draft.method} {self.draft.target()} {self.headers} {self.draft.body()!r}"


class Source:
    """Makes requests to one bucket, always the same ones for a seed."""

    def __init__(self, seed: int, bucket: str, upload_id: str) -> None:
        self._random = random.Random(seed)
        self._bucket = bucket
        self._upload_id = upload_id

    def request(self, operation: str) -> Odd:
        """A request of this operation."""
        shape = model_of("s3").operation_model(operation).input_shape
        draft = draft_of("s3", operation, self._structure(shape, first=True))
        for _ in range(self._random.choice((0, 1, 1, 2))):
            self._random.choice((self._query, self._header, self._text, self._element, self._body))(draft)
        return Odd(draft, {name: _sendable(str(value)) for name, value in draft.headers})

    def _structure(self, shape: Any, *, first: bool = False) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, member in shape.members.items() if shape is not None else ():
            likely = name in shape.required_members or self._random.random() < (0.15 if first else 0.5)
            if likely and not name.startswith(_LEFT_OUT):
                given[name] = self._value(name, member)
        return given

    def _value(self, name: str, shape: Any) -> Any:
        if name == "Bucket":
            return self._bucket
        if name in _KNOWN and shape.type_name in ("string", "blob", "integer") and self._random.random() < 0.8:
            return self._filled(self._random.choice(_KNOWN[name]))
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape)
        if kind == "list":
            return [self._value(name, shape.member) for _ in range(self._random.choice((0, 1, 1, 2)))]
        if kind == "map":
            return {"a": self._random.choice(("b", "é", "x" * 3000))}
        if kind == "string":
            return self._random.choice([*shape.enum, *shape.enum, *ODD[:8]] if shape.enum else ODD)
        plain: dict[str, tuple[Any, ...]] = {
            "boolean": (True, False), "timestamp": (0, 4_000_000_000, "2020-01-01"), "blob": (b"", b"\xff\x00"),
        }  # fmt: skip
        return self._random.choice(plain.get(kind, (0, 1, -1, 5, 1 << 40)))

    def _filled(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return value.replace("BUCKET", self._bucket).replace("UPLOAD", self._upload_id)

    def _query(self, draft: Draft) -> None:
        if draft.query:
            place = self._random.randrange(len(draft.query))
            draft.query[place] = (draft.query[place][0], self._random.choice(ODD))

    def _header(self, draft: Draft) -> None:
        given = [name for name, _ in draft.headers if name.lower() != "content-length"]
        name = self._random.choice([*given, "Range", "If-Match", "If-Modified-Since", "Content-MD5", "x-amz-tagging"])
        draft.replace_header(name, self._random.choice(ODD))

    def _text(self, draft: Draft) -> None:
        odd = self._random.choice(ODD).replace("<", "&lt;").replace("&a", "&amp;a").encode()
        found = list(_TEXT_OF_ELEMENT.finditer(draft.content))
        if found:
            one = self._random.choice(found)
            draft.content = draft.content[: one.start(1)] + odd + draft.content[one.end(1) :]

    def _element(self, draft: Draft) -> None:
        """Take an element away, have it twice, or give it a neighbour."""
        found = list(_ELEMENT.finditer(draft.content))
        if found:
            one = self._random.choice(found)
            new = self._random.choice((b"", one[0] * 2, one[0] + b"<Unknown>1</Unknown>", b"<!-- x -->" + one[0]))
            draft.content = draft.content[: one.start()] + new + draft.content[one.end() :]

    def _body(self, draft: Draft) -> None:
        content = draft.content
        draft.content = self._random.choice((
            b"", content[: len(content) // 2], b"\xff\xfe" + content, b"<a/>", b"[]", content.replace(b"<", b"<n:"),
            b"<?xml version='1.0' encoding='x'?>" + content, b"<!DOCTYPE a>" + content,
        ))  # fmt: skip


def _sendable(text: str) -> str:
    """As a client sends it: in Latin-1, without line breaks."""
    return urllib.parse.quote(text, safe="".join(map(chr, range(32, 127)))) if not text.isascii() else text
