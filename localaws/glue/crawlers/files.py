"""The files below an include path, as a tree that each crawl updates rather than rebuilds.

Files of one folder that look alike (same format, same columns) are one batch with running totals: the cost of grouping
them depends on the number of batches, not on the number of files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from localaws.glue.crawlers.formats import Look


@dataclass(frozen=True, slots=True)
class File:
    """One file below an include path."""

    path: str  # relative to the include path
    size: int  # bytes
    look: Look

    @property
    def folder(self) -> str:
        """The folder that it is in, ending in "/"; empty for the include path itself."""
        return self.path[: self.path.rfind("/") + 1]


@dataclass(frozen=True)
class Statistics:
    """The amount of data in a table or a partition, as the catalog shows it."""

    objects: int = 0
    records: int = 0
    size: int = 0  # bytes

    @classmethod
    def of(cls, batches: Iterable[Batch]) -> Statistics:
        """Return the totals of `batches`."""
        total = cls()
        for batch in batches:
            total += cls(len(batch.files), batch.records, batch.size)
        return total

    def __add__(self, other: Statistics) -> Statistics:
        return Statistics(self.objects + other.objects, self.records + other.records, self.size + other.size)

    def __sub__(self, other: Statistics) -> Statistics:
        return Statistics(self.objects - other.objects, self.records - other.records, self.size - other.size)


@dataclass(eq=False)
class Batch:
    """The files of one folder that look alike, except for the number of their rows."""

    folder: str
    look: Look  # without the numbers of rows
    files: dict[str, File] = field(default_factory=dict)  # by path
    records: int = 0
    size: int = 0  # bytes
    _first: str | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """The names of the folders that lead to it."""
        return tuple(self.folder.split("/")[:-1])

    @property
    def first(self) -> str:
        """The path that sorts first. Batches are sorted by it, in whatever order their files were added."""
        if self._first is None:
            self._first = min(self.files)
        return self._first

    def add(self, file: File) -> None:
        """Add `file` to the batch and its totals."""
        self.files[file.path] = file
        self.records += file.look.records
        self.size += file.size
        if self._first is not None and file.path < self._first:
            self._first = file.path

    def remove(self, file: File) -> None:
        """Remove `file` from the batch and its totals."""
        del self.files[file.path]
        self.records -= file.look.records
        self.size -= file.size
        if file.path == self._first:
            self._first = None


@dataclass
class Folder:
    """A folder: its batches, and the folders in it."""

    path: str = ""
    batches: dict[Look, Batch] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)

    def here(self) -> list[Batch]:
        """Return the batches directly in this folder, in the order of their first files."""
        return sorted(self.batches.values(), key=lambda batch: batch.first)

    def everything(self) -> list[Batch]:
        """Return the batches in this folder and below it, in the order of their first files."""
        return sorted(self._all(), key=lambda batch: batch.first)

    def _all(self) -> Iterator[Batch]:
        yield from self.batches.values()
        for folder in self.folders.values():
            yield from folder._all()


class FileTree:
    """The files of one include path."""

    def __init__(self, files: Iterable[File] = ()) -> None:
        self.root = Folder()
        self._files: dict[str, File] = {}
        for file in files:
            self.put(file)

    def __len__(self) -> int:
        return len(self._files)

    def paths_in(self, path: str) -> Iterator[str]:
        """Yield the paths of the files directly in the folder at `path`, which ends in "/" unless it is empty."""
        folder: Folder | None = self.root
        for name in path.split("/")[:-1]:
            folder = folder.folders.get(name) if folder else None
        for batch in folder.batches.values() if folder else ():
            yield from batch.files

    def put(self, file: File) -> None:
        """Add `file`, replacing the file at its path; a file of no bytes is left out."""
        self.remove(file.path)
        if not file.size:
            return
        folder = self.root
        for name in file.path.split("/")[:-1]:
            if name not in folder.folders:
                folder.folders[name] = Folder(f"{folder.path}{name}/")
            folder = folder.folders[name]
        shape = file.look.shape
        if shape not in folder.batches:
            folder.batches[shape] = Batch(folder.path, shape)
        folder.batches[shape].add(file)
        self._files[file.path] = file

    def remove(self, path: str) -> None:
        """Remove the file at `path`, if there is one, and the folders that are empty without it."""
        file = self._files.pop(path, None)
        if file is not None:
            self._remove(self.root, path.split("/")[:-1], file)

    def _remove(self, folder: Folder, names: list[str], file: File) -> None:
        if names:
            below = folder.folders[names[0]]
            self._remove(below, names[1:], file)
            if not below.batches and not below.folders:
                del folder.folders[names[0]]
            return
        batch = folder.batches[file.look.shape]
        batch.remove(file)
        if not batch.files:
            del folder.batches[file.look.shape]
