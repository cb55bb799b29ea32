"""A second process that looks at files from the end of the list, while the crawl itself starts at the beginning.

Inferring the schema of many megabytes keeps one core busy, and Python's global lock lets no other thread help.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from localaws.core.children import Child, Children
from localaws.core.errors import LocalAwsError
from localaws.core.ports import ObjectArchived, ObjectEntry, ObjectGone
from localaws.glue.crawlers import inference_process
from localaws.glue.crawlers.formats import FIRST_BYTES, Look
from localaws.glue.crawlers.objects import CrawledObjects
from localaws.iam import AccessDenied

log = logging.getLogger(__name__)

WORTH_IT = 32 << 20  # bytes to look at: with fewer, the crawl is done before the process has started
_AT_ONCE = 8  # files per batch

Looked = tuple[Look, ObjectEntry]  # a look, and the object that was looked at


class InferenceWorker:
    """The looks from the second process. Files that it can't classify, or doesn't get to, are left to the crawl."""

    def __init__(self, objects: CrawledObjects, wanted: Mapping[str, ObjectEntry]) -> None:
        """`wanted` holds the objects by key, in the order in which the crawl will look at them."""
        self._objects = objects
        self._left = dict(wanted)
        self._looked: dict[str, Looked] = {}

    @contextlib.contextmanager
    def looking(self, children: Children) -> Iterator[None]:
        """Run the process inside the `with` block, if there is enough to look at."""
        child = self._start(children)
        if child is None:
            yield
            return
        feeder = threading.Thread(target=self._feed, args=(child,), name="crawl-helper", daemon=True)
        feeder.start()
        try:
            yield
        finally:
            self._left.clear()
            child.stop()
            feeder.join()

    def take(self, item: ObjectEntry) -> Looked | None:
        """Return the look at `item`, if there is one; if not, only the caller will look at it from now on."""
        self._left.pop(item.key, None)
        return self._looked.pop(item.key, None)

    def _start(self, children: Children) -> Child | None:
        if sum(min(item.size, FIRST_BYTES) for item in self._left.values()) < WORTH_IT:
            return None
        command = [sys.executable, "-m", inference_process.__name__]
        try:
            return children.spawn("crawl-helper", command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except (OSError, RuntimeError):  # the machine is full, or the server is stopping
            log.warning(
                "The second process of a crawl could not be started: the crawl goes on without it", exc_info=True
            )
            return None

    def _feed(self, child: Child) -> None:
        to, answers = child.process.stdin, child.process.stdout
        assert to is not None
        assert answers is not None
        try:
            while batch := self._last():
                pickle.dump([(file, item.size) for item, file in batch], to)
                to.flush()
                for (item, _), look in zip(batch, pickle.load(answers), strict=True):
                    if look is not None:
                        self._looked[item.key] = look, item
        except (OSError, EOFError, pickle.UnpicklingError):  # the process was ended, by us or by somebody else
            log.debug("The second process of a crawl has ended", exc_info=True)
        finally:
            with contextlib.suppress(OSError):
                to.close()
            answers.close()

    def _last(self) -> list[tuple[ObjectEntry, Path]]:
        """Take the last files that nobody has looked at yet."""
        batch: list[tuple[ObjectEntry, Path]] = []
        while len(batch) < _AT_ONCE:
            try:
                _, item = self._left.popitem()
            except KeyError:
                break
            # The crawl itself reports objects that are gone, forbidden or damaged.
            with contextlib.suppress(ObjectGone, ObjectArchived, AccessDenied, LocalAwsError):
                batch.append(self._objects.file(item))
        return batch
