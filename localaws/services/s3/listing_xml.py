"""The answer to ListObjectsV2, written at once: moto's general serialiser takes a hundred times longer over a page.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote
from xml.sax.saxutils import escape

from moto.s3.models import OWNER, FakeKey


@dataclass(frozen=True)
class Listing:
    """What was asked for, and the page that answers it."""

    bucket: str
    items: list[FakeKey | str]
    prefix: str
    delimiter: str
    max_keys: int
    next_token: str | None
    token: str | None
    start_after: str | None
    url_encoded: bool
    with_owner: bool

    def to_xml(self) -> str:
        """The response's body."""
        return "".join(self._parts())

    def _parts(self) -> Iterator[str]:
        yield '<?xml version="1.0" encoding="UTF-8"?>\n'
        yield '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        yield f"<Name>{self.bucket}</Name><Prefix>{self._name(self.prefix)}</Prefix>"
        yield f"<MaxKeys>{self.max_keys}</MaxKeys><KeyCount>{len(self.items)}</KeyCount>"
        yield f"<IsTruncated>{'true' if self.next_token else 'false'}</IsTruncated>"
        if self.delimiter:
            yield f"<Delimiter>{self._name(self.delimiter)}</Delimiter>"
        if self.url_encoded:
            yield "<EncodingType>url</EncodingType>"
        if self.token:
            yield f"<ContinuationToken>{escape(self.token)}</ContinuationToken>"
        elif self.start_after:
            yield f"<StartAfter>{self._name(self.start_after)}</StartAfter>"
        if self.next_token:
            yield f"<NextContinuationToken>{escape(self.next_token)}</NextContinuationToken>"
        for item in self.items:
            if isinstance(item, str):
                yield f"<CommonPrefixes><Prefix>{self._name(item)}</Prefix></CommonPrefixes>"
            else:
                yield self._object(item)
        yield "</ListBucketResult>"

    def _object(self, key: FakeKey) -> str:
        checksum = (
            f"<ChecksumAlgorithm>{escape(key.checksum_algorithm)}</ChecksumAlgorithm>" if key.checksum_algorithm else ""
        )
        owner = f"<Owner><ID>{OWNER}</ID><DisplayName>webfile</DisplayName></Owner>" if self.with_owner else ""
        return (
            f"<Contents><Key>{self._name(key.name)}</Key><LastModified>{key.last_modified_ISO8601}</LastModified>"
            f"<ETag>{escape(key.etag)}</ETag><Size>{key.size}</Size>"
            f"<StorageClass>{key.storage_class}</StorageClass>{checksum}{owner}</Contents>"
        )

    def _name(self, name: str) -> str:
        return quote(name) if self.url_encoded else escape(name)
