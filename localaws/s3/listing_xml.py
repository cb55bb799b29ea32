"""The answers to ListObjects, ListObjectsV2 and ListObjectVersions, written as XML directly.

moto's general serialiser takes many times longer.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
and https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote
from xml.sax.saxutils import escape

from moto.s3.models import OWNER, FakeDeleteMarker, FakeKey

from localaws.s3.listing import VersionsPage

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_CARRIAGE_RETURN = {"\r": "&#13;"}  # a parser would read an unescaped one as a line feed
_OWNER = f"<Owner><ID>{OWNER}</ID><DisplayName>webfile</DisplayName></Owner>"


@dataclass(frozen=True)
class Listing:
    """The parameters of a request, and the page that answers it."""

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
        yield f'{_HEAD}<ListBucketResult xmlns="{_NAMESPACE}">'
        yield f"<Name>{self.bucket}</Name><Prefix>{self._name(self.prefix)}</Prefix>"
        yield f"<MaxKeys>{self.max_keys}</MaxKeys>"
        yield f"<IsTruncated>{'true' if self.more else 'false'}</IsTruncated>"
        if self.delimiter:
            yield f"<Delimiter>{self._name(self.delimiter)}</Delimiter>"
        if self.url_encoded:
            yield "<EncodingType>url</EncodingType>"
        yield from self._place()
        for item in self.items:
            if isinstance(item, str):
                yield f"<CommonPrefixes><Prefix>{self._name(item)}</Prefix></CommonPrefixes>"
            else:
                yield self._object(item)
        yield "</ListBucketResult>"

    @property
    def more(self) -> bool:
        """Whether there is another page."""
        return self.next_token is not None

    def _place(self) -> Iterator[str]:
        """Where the page begins, and where the next one does."""
        yield f"<KeyCount>{len(self.items)}</KeyCount>"
        if self.token:
            yield f"<ContinuationToken>{escape(self.token)}</ContinuationToken>"
        elif self.start_after:
            yield f"<StartAfter>{self._name(self.start_after)}</StartAfter>"
        if self.next_token:
            yield f"<NextContinuationToken>{escape(self.next_token)}</NextContinuationToken>"

    def _object(self, key: FakeKey) -> str:
        checksum = (
            f"<ChecksumAlgorithm>{escape(key.checksum_algorithm)}</ChecksumAlgorithm>" if key.checksum_algorithm else ""
        )
        owner = _OWNER if self.with_owner else ""
        return (
            f"<Contents><Key>{self._name(key.name)}</Key><LastModified>{key.last_modified_ISO8601}</LastModified>"
            f"<ETag>{escape(key.etag)}</ETag><Size>{key.size}</Size>"
            f"<StorageClass>{key.storage_class}</StorageClass>{checksum}{owner}</Contents>"
        )

    def _name(self, name: str) -> str:
        return quote(name) if self.url_encoded else escape(name, _CARRIAGE_RETURN)


@dataclass(frozen=True)
class FirstListing(Listing):
    """The same for ListObjects, whose pages continue after a key: `start_after` and `next_token` are keys."""

    def _place(self) -> Iterator[str]:
        yield f"<Marker>{self._name(self.start_after or '')}</Marker>"
        # AWS sends NextMarker only with a delimiter. Without one, the next page starts after the last key.
        if self.next_token is not None and self.delimiter:
            yield f"<NextMarker>{self._name(self.next_token)}</NextMarker>"


@dataclass(frozen=True)
class VersionsListing:
    """The parameters of a request for a bucket's versions, and the page that answers it."""

    bucket: str
    page: VersionsPage
    prefix: str
    delimiter: str
    max_keys: int
    key_marker: str
    version_id_marker: str
    url_encoded: bool

    def to_xml(self) -> str:
        """The response's body."""
        return "".join(self._parts())

    def _parts(self) -> Iterator[str]:
        page = self.page
        yield f'{_HEAD}<ListVersionsResult xmlns="{_NAMESPACE}">'
        yield f"<Name>{self.bucket}</Name><Prefix>{self._name(self.prefix)}</Prefix>"
        yield f"<KeyMarker>{self._name(self.key_marker)}</KeyMarker>"
        yield f"<VersionIdMarker>{escape(self.version_id_marker)}</VersionIdMarker>"
        yield f"<MaxKeys>{self.max_keys}</MaxKeys><IsTruncated>{'true' if page.more else 'false'}</IsTruncated>"
        if page.more:
            yield f"<NextKeyMarker>{self._name(page.last_name or '')}</NextKeyMarker>"
            if page.last_version is not None:
                yield f"<NextVersionIdMarker>{escape(page.last_version)}</NextVersionIdMarker>"
        if self.delimiter:
            yield f"<Delimiter>{self._name(self.delimiter)}</Delimiter>"
        if self.url_encoded:
            yield "<EncodingType>url</EncodingType>"
        for key, latest in page.versions:
            yield (
                f"<Version>{self._about(key, latest)}<ETag>{escape(key.etag)}</ETag><Size>{key.size}</Size>"
                f"<StorageClass>{key.storage_class}</StorageClass></Version>"
            )
        for marker, latest in page.markers:
            yield f"<DeleteMarker>{self._about(marker, latest)}</DeleteMarker>"
        for prefix in page.prefixes:
            yield f"<CommonPrefixes><Prefix>{self._name(prefix)}</Prefix></CommonPrefixes>"
        yield "</ListVersionsResult>"

    def _about(self, item: FakeKey | FakeDeleteMarker, latest: bool) -> str:
        return (
            f"<Key>{self._name(item.name)}</Key><VersionId>{escape(str(item.version_id))}</VersionId>"
            f"<IsLatest>{'true' if latest else 'false'}</IsLatest>"
            f"<LastModified>{item.last_modified_ISO8601}</LastModified>{_OWNER}"
        )

    def _name(self, name: str) -> str:
        return quote(name) if self.url_encoded else escape(name, _CARRIAGE_RETURN)
