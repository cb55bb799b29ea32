"""The run history of a crawler, a workflow or the like, which stays cheap to save however many runs it holds.

State is pickled whenever something changes. Pickling a thousand runs object by object takes tens of milliseconds. So
finished runs are packed, several at a time, into compressed bytes, which pickle copies as they are.
"""

from __future__ import annotations

import pickle
import threading
import zlib
from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

_PACK = 16  # runs in a pack; up to twice as many finished runs stay unpacked


class Recorded(Protocol):
    """An item of a history: a run with an id."""

    @property
    def key(self) -> str:
        """Its id."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""


Item = TypeVar("Item", bound=Recorded)


class History(Generic[Item]):
    """Runs by id, oldest first. Unfinished runs are never dropped; at least `most` runs are kept in all."""

    def __init__(self, most: int) -> None:
        self._begin(most)

    def _begin(self, most: int) -> None:
        self._most = most
        self._items: dict[str, Item] = {}
        self._loose: dict[str, Item] = {}  # the runs that are not packed
        self._packs: list[tuple[tuple[str, ...], bytes]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(list(self._items.values()))

    def __reversed__(self) -> Iterator[Item]:
        return iter(list(self._items.values())[::-1])

    def __contains__(self, key: str) -> bool:
        return key in self._items

    def __getitem__(self, key: str) -> Item:
        return self._items[key]

    def get(self, key: str) -> Item | None:
        """Return the run with that id, or None."""
        return self._items.get(key)

    @property
    def newest(self) -> Item | None:
        """The run that was added last, or None."""
        return next(reversed(self._items.values()), None)

    def under_way(self) -> list[Item]:
        """The runs that are not over."""
        with self._lock:
            return [item for item in self._loose.values() if not item.is_over]

    def add(self, item: Item) -> None:
        """Keep `item`, and drop the oldest finished runs if there are too many."""
        with self._lock:
            self._items[item.key] = self._loose[item.key] = item
            while len(self._items) > self._most + _PACK and (self._packs or self._pack()):
                for key in self._packs.pop(0)[0]:
                    del self._items[key]

    def changed(self, key: str) -> None:
        """Keep a change of a run that had already ended."""
        with self._lock:
            for number, (keys, _) in enumerate(self._packs):
                if key in keys:
                    self._packs[number] = self._packed(keys)

    def _pack(self) -> bool:
        """Pack the oldest finished runs if there are enough; the newest stay loose, as they may have just ended."""
        over = [key for key, item in self._loose.items() if item.is_over]
        if len(over) < 2 * _PACK:
            return False
        self._packs.append(self._packed(tuple(over[:_PACK])))
        for key in over[:_PACK]:
            del self._loose[key]
        return True

    def _packed(self, keys: tuple[str, ...]) -> tuple[tuple[str, ...], bytes]:
        return keys, zlib.compress(pickle.dumps([self._items[key] for key in keys]), 1)

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            while self._pack():
                pass
            loose = [(number, self._loose[key]) for number, key in enumerate(self._items) if key in self._loose]
            return {"most": self._most, "packs": [content for _, content in self._packs], "loose": loose}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._begin(state["most"])
        items: list[Item] = []
        for content in state["packs"]:
            packed: list[Item] = pickle.loads(zlib.decompress(content))
            self._packs.append((tuple(item.key for item in packed), content))
            items.extend(packed)
        for number, item in state["loose"]:
            items.insert(number, item)
            self._loose[item.key] = item
        self._items = {item.key: item for item in items}
