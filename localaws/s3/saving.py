"""How S3 survives `kill -9`: each call's changes go to the index, in one commit, before the call is answered."""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.s3.models import FakeAcl, FakeDeleteMarker, FakeGrant, FakeGrantee, FakeKey, S3Backend, s3_backends

from localaws.core import context
from localaws.core.home import Home
from localaws.s3 import notifications
from localaws.s3.files import Body, BodyStore
from localaws.s3.index import Changes, Index
from localaws.s3.notifications import Delivery
from localaws.s3.objects import StoredBucket, StoredKey, StoredUpload

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """The running server's body store and index."""

    store: BodyStore
    index: Index


class Touched(threading.local):
    """What this thread's call has touched and not yet saved."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin with nothing, for the next call."""
        self.buckets: set[str] = set()
        self.objects: set[tuple[str, str]] = set()
        self.uploads: set[tuple[str, str]] = set()
        self.deliveries: list[Delivery] = []
        self.stored: StoredKey | None = None  # by the last put_object or upload_part
        self.condition: Callable[[FakeKey | None], None] | None = None  # of this call's write


class SavedBackend(S3Backend):
    """The part of the backend that loads and saves. Code that changes it outside of a request must call `save` itself.

    While a call runs, the backend notes what the call touches, and `save` writes the current state of these items. Two
    concurrent calls that touch the same key may save in either order, because both write what memory holds.
    """

    buckets: dict[str, StoredBucket]  # type: ignore[assignment]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.lock = threading.RLock()
        self.touched = Touched()
        self._saving = threading.Lock()
        self._saved_buckets: dict[str, bytes] = {}
        if opened := context.find(Opened):  # a reset makes a new backend; the store and the index stay open
            self.store, self.index = opened.store, opened.index

    def open_store(self, home: Home) -> None:
        """Load what `home` holds, and keep it up to date from now on.

        Raises:
            StateRefused: the index is of another version.
            StateDamaged: the index is not what was written.
        """
        self.store = BodyStore(home.objects)
        # With an empty index, `sweep` removes all bodies. So an empty index is an error if there are bodies.
        self.index = Index(home.state / "s3.sqlite", made_before=self.store.has_bodies())
        context.current().add(Opened(self.store, self.index))
        notifications.sequencer.start_after(self.index.last_sequence())
        for name, state in self.index.buckets():
            bucket, tags = pickle.loads(state)
            self.buckets[name] = bucket
            self.tagger.tags.update(tags)
            self._saved_buckets[name] = state
            s3_backends.bucket_accounts[name] = (self.partition, self.account_id)
        for bucket_name, key_name, state in self.index.objects():
            versions, tags = pickle.loads(state)
            self._attach(versions)
            self.buckets[bucket_name].keys.setlist(key_name, versions)
            self.tagger.tags.update(tags)
        for bucket_name, upload_id, state in self.index.uploads():
            upload: StoredUpload = pickle.loads(state)
            upload.attach(self.store)
            self.buckets[bucket_name].multiparts[upload_id] = upload
        self.store.sweep(self._known_bodies())

    def empty(self) -> None:
        """Forget every bucket, object, upload and event, here and on the disk."""
        with self._saving, self.lock:
            self.index.clear()
            for name in self.buckets:
                s3_backends.bucket_accounts.pop(name, None)
            self.buckets.clear()
            self._saved_buckets.clear()
            self.store.sweep({})

    def save(self) -> None:
        """Make this thread's changes durable, and deliver its events after the answer. Undo the changes on failure.

        Raises:
            OSError, sqlite3.Error: the disk refused.
        """
        touched = self.touched
        deliveries = touched.deliveries
        # A state that was read before another call's commit must not be written after it.
        try:
            with self._saving:
                changes = self._changes(touched)
                try:
                    ids = self.index.commit(changes) if changes else []
                except BaseException:
                    self._undo(changes)
                    raise
        except BaseException:
            self.store.keep_discarded()
            raise
        finally:
            touched.forget()
        if changes:
            for event_id, delivery in zip(ids, deliveries, strict=True):
                self._deliver_later(event_id, delivery)
        self.store.remove_discarded()
        # Grants are moto's own models: see core/untracked.py for these lists.
        for model in (FakeAcl, FakeGrant, FakeGrantee):
            model.instances_tracked.clear()  # type: ignore[union-attr]

    def forget_touched(self) -> None:
        """Nothing of what this thread's call touched was changed."""
        self.touched.forget()

    def deliver_waiting(self) -> None:
        """Deliver the events that an earlier server saved but did not hand over."""
        for event_id, state in self.index.events():
            self._deliver_later(event_id, Delivery.from_bytes(state))

    def _deliver_later(self, event_id: int, delivery: Delivery) -> None:
        def deliver() -> None:
            try:
                delivery.deliver()
            except Exception:
                # A missing destination does not raise: `deliver` logs it, and the event is done.
                log.exception("An event of %s for %s waits for the next start", delivery.bucket_arn, delivery.arn)
            else:
                self.index.event_done(event_id)

        context.current().bus.after_response(deliver)

    def _changes(self, touched: Touched) -> Changes:
        changes = Changes(events=[delivery.to_bytes() for delivery in touched.deliveries])
        if touched.deliveries:
            changes.sequence = notifications.sequencer.last
        with self.lock:
            for name in touched.buckets:
                bucket = self.buckets.get(name)
                state = None if bucket is None else _dump((bucket, self._tags(bucket.arn)))
                if self._saved_buckets.get(name) != state:
                    changes.buckets[name] = state
                    if state is None:
                        del self._saved_buckets[name]
                    else:
                        self._saved_buckets[name] = state
            for bucket_name, key_name in touched.objects:
                changes.objects[bucket_name, key_name] = self._key_state(bucket_name, key_name)
            for bucket_name, upload_id in touched.uploads:
                bucket = self.buckets.get(bucket_name)
                upload = bucket.multiparts.get(upload_id) if bucket is not None else None
                changes.uploads[bucket_name, upload_id] = None if upload is None else _dump(upload)
        return changes

    def _undo(self, changes: Changes) -> None:
        """Restore the last saved state of everything that could not be saved now."""
        saved = self.index.saved(changes.buckets.keys(), changes.objects.keys(), changes.uploads.keys())
        with self.lock:
            for name, state in saved.buckets.items():
                self._put_back_bucket(name, state)
            for (bucket_name, key_name), state in saved.objects.items():
                if (bucket := self.buckets.get(bucket_name)) is not None:
                    self._put_back_key(bucket, key_name, state)
            for (bucket_name, upload_id), state in saved.uploads.items():
                if (bucket := self.buckets.get(bucket_name)) is None:
                    continue
                bucket.multiparts.pop(upload_id, None)
                if state is not None:
                    upload: StoredUpload = pickle.loads(state)
                    upload.attach(self.store)
                    bucket.multiparts[upload_id] = upload

    def _put_back_bucket(self, name: str, state: bytes | None) -> None:
        before = self.buckets.pop(name, None)
        if before is not None:
            self.tagger.tags.pop(before.arn, None)
        if state is None:
            s3_backends.bucket_accounts.pop(name, None)
            self._saved_buckets.pop(name, None)
            return
        bucket, tags = pickle.loads(state)
        if before is not None:
            bucket.keys, bucket.multiparts = before.keys, before.multiparts
        self.buckets[name] = bucket
        self.tagger.tags.update(tags)
        self._saved_buckets[name] = state
        s3_backends.bucket_accounts[name] = (self.partition, self.account_id)

    def _put_back_key(self, bucket: StoredBucket, key_name: str, state: bytes | None) -> None:
        for version in bucket.keys.getlist(key_name, []):
            if isinstance(version, StoredKey):
                self.tagger.tags.pop(version.arn, None)
        if key_name in bucket.keys:
            bucket.keys.pop(key_name)
        if state is not None:
            versions, tags = pickle.loads(state)
            self._attach(versions)
            bucket.keys.setlist(key_name, versions)
            self.tagger.tags.update(tags)

    def _key_state(self, bucket_name: str, key_name: str) -> bytes | None:
        bucket = self.buckets.get(bucket_name)
        versions = bucket.keys.getlist(key_name, []) if bucket is not None else []
        if not versions:
            return None
        tags: dict[str, Any] = {}
        for version in versions:
            if isinstance(version, StoredKey):
                tags.update(self._tags(version.arn))
        return _dump((versions, tags))

    def _tags(self, arn: str) -> dict[str, Any]:
        tags = self.tagger.tags.get(arn)
        return {arn: tags} if tags else {}

    def _attach(self, versions: list[Any]) -> None:
        for version in versions:
            if isinstance(version, StoredKey):
                version.attach(self.store)

    def _known_bodies(self) -> dict[str, Body]:
        bodies: list[Body] = []
        for bucket in self.buckets.values():
            for _, versions in bucket.keys.lists():
                bodies += [version.body for version in versions if not isinstance(version, FakeDeleteMarker)]
            for upload in bucket.multiparts.values():
                bodies += [part.body for part in upload.parts.values()]  # type: ignore[attr-defined]
        return {body.name: body for body in bodies}


def _dump(state: Any) -> bytes:
    return pickle.dumps(state, protocol=5)
