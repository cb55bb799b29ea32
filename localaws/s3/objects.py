"""Objects, multipart uploads and buckets, with their bytes on disk."""

from __future__ import annotations

import hashlib
import threading
import time
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import EntityTooSmall, InvalidPart, MalformedXML, NoSuchUpload
from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, MultipartDict, NotificationConfiguration, get_canned_acl
from moto.s3.utils import _VersionedKeyStore
from moto.settings import S3_UPLOAD_PART_MIN_SIZE

from localaws.core.untracked import Untracked
from localaws.s3 import access_lists, checksums, public_access
from localaws.s3.files import Body, BodyReader, BodyStore

ENCRYPTION = "AES256"
"""The encryption that S3 reports for every object. Here nothing is encrypted on the disk: see docs/security.md."""
_PRIVATE = get_canned_acl("private")


class StoredKey(Untracked, FakeKey):
    """An object (or a part of an upload) whose body is a file."""

    _store: BodyStore
    body: Body
    sequence = 0  # number of the event of its creation
    part_sizes: tuple[int, ...] = ()
    """The size of each part in bytes; empty if the object was not uploaded in parts."""
    part_checksums: tuple[str, ...] = ()
    """The checksum of each part, by the object's algorithm; empty if the object has no algorithm."""

    def __init__(self, *, store: BodyStore, body: Body, etag: str | None = None, **details: Any) -> None:
        """Like moto's, but `body` is stored already."""
        self._store = store
        self.body = body
        super().__init__(value=b"", etag=etag or body.md5, max_buffer_size=1, **details)
        self.acl = _PRIVATE

    @property
    def value(self) -> bytes:
        """All of the body."""
        return self._store.read(self.body)

    @value.setter
    def value(self, _: bytes) -> None:
        # moto's constructor makes a buffer and puts the value that it is given into it. Ours is a file by then.
        self._value_buffer.close()
        self.contentsize = self.body.size

    def file(self) -> Path:
        """Return the body's path: see `BodyStore.file`."""
        return self._store.file(self.body)

    def chunks(self) -> Iterator[bytes]:
        """The body, a megabyte at a time."""
        return self._store.chunks(self._store.open(self.body))

    def dispose(self, garbage: bool = False) -> None:
        """Called by moto when the object is deleted or overwritten, and by its `__del__` with `garbage`.

        An object that is garbage in memory may still be in the index: then its file stays.
        """
        if not garbage and not self.disposed:
            self.disposed = True
            self._store.discard(self.body)

    def __getstate__(self) -> dict[str, Any]:
        state = {
            name: value for name, value in self.__dict__.items() if name not in ("lock", "_value_buffer", "_store")
        }
        if repr(self.acl) == repr(_PRIVATE):
            del state["acl"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.acl = _PRIVATE
        self.lock = threading.Lock()
        self.__dict__.update(state)
        self.encryption = self.encryption or ENCRYPTION  # earlier versions kept none

    def attach(self, store: BodyStore) -> None:
        """Set the store that has the body, after the object was read from the index."""
        self._store = store
        if self.multipart is not None:
            for part in self.multipart.parts.values():
                part.attach(store)  # type: ignore[attr-defined]


class _View:
    """An object with another `value`, for a method of moto's that hands the value on without looking at it."""

    def __init__(self, key: StoredKey) -> None:
        self._key = key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._key, name)


class Linked(_View):
    """An object whose `value` is a second body with the same content: what a copy is made of."""

    @property
    def value(self) -> Body:
        """Make the second body and return it."""
        return self._key._store.copy(self._key.body)


class Opened(_View):
    """An object whose `value` is its opened body, to be sent a piece at a time."""

    @property
    def value(self) -> BodyReader:
        """The body, opened now."""
        return BodyReader(self._key._store.open(self._key.body), self._key.size)


@dataclass(frozen=True)
class Assembled:
    """The result of joining an upload's parts."""

    body: Body
    etag: str
    sizes: tuple[int, ...]
    """The size of each part in bytes."""
    checksum: tuple[str, str, int] | None = None
    """Type, value and number of parts of its checksum."""
    checksums: tuple[str, ...] = ()
    """The checksum of each part."""


class StoredUpload(Untracked, FakeMultipart):
    """A multipart upload whose parts are files."""

    _store: BodyStore
    parts: dict[int, StoredKey]  # type: ignore[assignment]
    initiated = 0.0  # Unix time

    def __init__(self, store: BodyStore, key_name: str, metadata: Any, **details: Any) -> None:
        super().__init__(key_name, metadata, **details)
        self._store = store
        self.initiated = time.time()

    def set_part(self, part_id: int, value: bytes | Body) -> StoredKey:
        """Store part number `part_id`. It replaces an earlier part with this number.

        Raises:
            NoSuchUpload: the number is below 1.
        """
        return self.set_part_from(part_id, value if isinstance(value, Body) else [value])

    def set_part_from(self, part_id: int, pieces: Iterable[bytes] | Body) -> StoredKey:
        """`set_part` with the concatenation of `pieces`, or with a body that is stored already."""
        if part_id < 1:
            raise NoSuchUpload(upload_id=part_id)
        part = StoredKey(
            store=self._store,
            body=pieces if isinstance(pieces, Body) else self._store.write(pieces),
            name=part_id,
            account_id=self.account_id,
            region_name=self.region_name,
            encryption=self.sse_encryption,
            kms_key_id=self.kms_key_id,
        )
        if part_id in self.parts:
            self.parts[part_id].dispose()
        else:
            insort(self.partlist, part_id)
        self.parts[part_id] = part
        return part

    def assemble(self, wanted: Iterable[tuple[int, str]]) -> Assembled:
        """Join the parts named by (number, ETag).

        Raises:
            InvalidPart: a part is missing or another was uploaded under its number.
            EntityTooSmall: a part that is not the last has less than 5 MiB.
            MalformedXML: no part is named.
        """
        parts: list[StoredKey] = []
        for number, etag in wanted:
            part = self.parts.get(number)
            if part is None or part.etag.strip('"') != etag.replace('"', ""):
                raise InvalidPart()
            if parts and parts[-1].size < S3_UPLOAD_PART_MIN_SIZE:
                raise EntityTooSmall()
            parts.append(part)
        if not parts:
            raise MalformedXML
        digest = hashlib.md5(b"".join(bytes.fromhex(part.body.md5) for part in parts), usedforsecurity=False)
        body = self._store.write(chunk for part in parts for chunk in part.chunks())
        etag = f"{digest.hexdigest()}-{len(parts)}"
        made = Assembled(body, etag, tuple(part.size for part in parts))
        algorithm = self.metadata.get("x-amz-checksum-algorithm")
        if not algorithm:
            return made
        each = [checksums.digest(algorithm, part.chunks()) for part in parts]
        composite = algorithm not in checksums.WHOLE_ONLY
        if composite and self.metadata.get("x-amz-checksum-type", "COMPOSITE") == "COMPOSITE":
            whole = ("COMPOSITE", checksums.written(checksums.digest(algorithm, each)), len(parts))
        else:
            pieces = (chunk for part in parts for chunk in part.chunks())
            whole = ("FULL_OBJECT", checksums.written(checksums.digest(algorithm, pieces)), 1)
        return replace(made, checksum=whole, checksums=tuple(map(checksums.written, each)))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_store"}

    def attach(self, store: BodyStore) -> None:
        """Set the store that has the parts, after the upload was read from the index."""
        self._store = store
        for part in self.parts.values():
            part.attach(store)


class SortedKeys(_VersionedKeyStore):
    """moto's keys of a bucket, with sorted names, so that the cost of a page of a listing depends on the page only."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def setlist(self, key: str, list_: Any) -> None:
        """Set all versions of `key`."""
        self._note(key)
        super().setlist(key, list_)

    def __setitem__(self, key: str, value: Any) -> None:
        self._note(key)
        super().__setitem__(key, value)

    def pop(self, key: str) -> None:  # type: ignore[override]
        """Remove all versions of `key`.

        Raises:
            KeyError: there are none.
        """
        super().pop(key)
        self.names.pop(bisect_left(self.names, key))

    def _note(self, key: str) -> None:
        if key not in self:
            insort(self.names, key)


class StoredBucket(Untracked, FakeBucket):
    """A bucket, whose notifications this package delivers."""

    keys: SortedKeys
    notification_configuration: NotificationConfiguration | None = None
    """Always None: what moto finds here it delivers at once, inside the call that causes the event."""

    def __init__(self, name: str, account_id: str, region_name: str, bucket_namespace: str | None = None) -> None:
        super().__init__(name, account_id, region_name, bucket_namespace)
        self.notifications: NotificationConfiguration | None = None
        # What buckets have by default: https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
        self.public_access_block = public_access.all_on()
        self.ownership_rule: str | None = access_lists.ENFORCED  # type: ignore[assignment]
        self.keys = SortedKeys()

    @property
    def is_versioned(self) -> bool:
        """Whether the bucket may have versions: also true if versioning is suspended."""
        return self.versioning_status is not None

    def get_permission(self, action: str, resource: str) -> PermissionResult:
        """Permitted: who may do what was decided before (iam/gate.py), with all of the policy."""
        return PermissionResult.PERMITTED

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("keys", "multiparts")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.keys = SortedKeys()
        self.multiparts = MultipartDict()
