"""Which files make one table, and which of their folders are its partitions.

Glue's rules, as far as it tells them: the root of a table is the folder level at which most schemas are similar;
folders below it are partitions, Hive-style ones under their own key
(https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html); what doesn't fit a table that is
in the catalog already is skipped, with a line in the log
(https://repost.aws/knowledge-center/glue-crawler-not-adding-new-partitions).

Where AWS's threshold is not documented, this one is: two schemas are similar if they share 70 % of their columns.
A single file that is not like the others, or not readable at all, never splits a table: it is skipped or merged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from localaws.engines.crawler.formats import UNKNOWN, Look
from localaws.engines.crawler.schema import Schema, lower_case, merge_schemas

# What two things must agree in to be similar: the format, and most of the columns' names.
_Outline = tuple[str, frozenset[str]]

SIMILAR = 0.7
_PREFERRED = ("json", "parquet", "csv", UNKNOWN)


@dataclass(frozen=True, eq=False)  # each file is one of its own: hashing what it holds would be slow
class File:
    """One file below an include path."""

    path: str  # relative to the include path
    size: int  # bytes
    look: Look

    @property
    def folders(self) -> tuple[str, ...]:
        return tuple(self.path.split("/")[:-1])


@dataclass(frozen=True)
class Statistics:
    """What the catalog says of the amount of data in a table or a partition."""

    objects: int = 0
    records: int = 0
    size: int = 0  # bytes

    @classmethod
    def of(cls, files: Iterable[File]) -> Statistics:
        files = list(files)
        return cls(len(files), sum(file.look.records for file in files), sum(file.size for file in files))

    def __add__(self, other: Statistics) -> Statistics:
        return Statistics(self.objects + other.objects, self.records + other.records, self.size + other.size)


@dataclass(frozen=True)
class Partition:
    """One partition: its values, and its folder relative to the include path."""

    values: tuple[str, ...]
    path: str
    statistics: Statistics


@dataclass(frozen=True)
class FoundTable:
    """A table as the files tell it."""

    path: str  # folder or file that is the table's root, relative to the include path; a folder ends in "/"
    look: Look  # of its first file: format, compression, CSV's details
    schema: Schema
    field_names: tuple[str, ...]  # as the files spell them
    statistics: Statistics
    partition_keys: tuple[str, ...] = ()
    partitions: tuple[Partition, ...] = ()


@dataclass(frozen=True)
class KnownTable:
    """A table that the catalog has already, at a path relative to the include path."""

    path: str
    columns: tuple[str, ...]
    partition_keys: tuple[str, ...]
    statistics: Statistics = Statistics()


@dataclass
class _Folder:
    path: str = ""
    files: list[File] = field(default_factory=list)
    folders: dict[str, _Folder] = field(default_factory=dict)

    def everything(self) -> Iterator[File]:
        yield from self.files
        for folder in self.folders.values():
            yield from folder.everything()


class Grouping:
    """Finds the tables among the files of one include path."""

    def __init__(self, known: Iterable[KnownTable], log: Callable[[str], None], *, combine: bool = False) -> None:
        """`combine` is the crawler's ``TableGroupingPolicy: CombineCompatibleSchemas``: one table per include path."""
        self._known = {table.path: table for table in known}
        self._log = log
        self._combine = combine

    def tables(self, files: Iterable[File]) -> list[FoundTable]:
        """The tables that `files` make; empty files are nothing to it."""
        root = _Folder()
        for file in files:
            if not file.size:
                continue
            folder = root
            for name in file.folders:
                folder = folder.folders.setdefault(name, _Folder(f"{folder.path}{name}/"))
            folder.files.append(file)
        return list(self._in(root))

    def _in(self, folder: _Folder) -> Iterator[FoundTable]:
        everything = list(folder.everything())
        if not everything:
            return
        if not folder.folders:
            yield from self._of_files(folder)
        elif self._is_one_table(folder):
            yield self._table(folder.path, everything)
        else:
            yield from self._of_files(folder)
            for below in folder.folders.values():
                yield from self._in(below)

    def _is_one_table(self, folder: _Folder) -> bool:
        if self._combine or folder.path in self._known:
            return True
        if not folder.folders:
            return _mostly_similar(_of_one_kind(folder.files))
        if any(path.startswith(folder.path) for path in self._known):
            return False  # tables below it are in the catalog: what they are called stays as it is
        # A folder that holds several tables is like none of the others.
        children = [[*below.everything()] for below in folder.folders.values() if self._is_one_table(below)]
        if folder.files:
            children.append(folder.files)
        groups = Counter(_similar_groups(_outline(child) for child in children))
        return max(groups.values(), default=0) * 2 > len(folder.folders) + bool(folder.files)

    def _of_files(self, folder: _Folder) -> Iterator[FoundTable]:
        """One table of the files right in `folder`, or one of each if they are all unlike each other."""
        if not folder.files:
            return
        alike = _of_one_kind(folder.files)
        if folder.path in self._known or self._combine or _mostly_similar(alike):
            yield self._table(folder.path, folder.files)
            return
        for file in alike:
            yield self._table(file.path, [file])

    def _table(self, path: str, files: list[File]) -> FoundTable:
        known = self._known.get(path)
        depth = len(path.split("/")) - 1
        alike = _of_one_kind(files)
        for file in files:
            if file.look.classification == alike[0].look.classification:
                continue
            self._log(
                f"INFO : Skipped {file.path}: its format is {file.look.classification},"
                f" that of the table is {alike[0].look.classification}"
            )
        keys, kept = self._partition_keys(alike, depth, known)
        partitions = []
        if keys:
            by_folders: dict[tuple[str, ...], list[File]] = defaultdict(list)
            for file in kept:
                by_folders[file.folders].append(file)
            for folders, inside in sorted(by_folders.items()):
                values = tuple(unquote(name.split("=", 1)[-1]) for name in folders[depth:])
                partitions.append(Partition(values, "/".join(folders) + "/", Statistics.of(inside)))
        unique = dict.fromkeys(file.look.schema for file in kept)
        raw = merge_schemas(dict(schema) for schema in unique)
        return FoundTable(
            path,
            kept[0].look,
            _in_known_order(lower_case(raw), known.columns if known else ()),
            tuple(raw),
            Statistics.of(kept),
            keys,
            tuple(partitions),
        )

    def _partition_keys(
        self, files: list[File], depth: int, known: KnownTable | None
    ) -> tuple[tuple[str, ...], list[File]]:
        """The keys that most files' folders make, or that the table has, and the files that fit them."""
        keys_of = {file: _keys(file.folders[depth:]) for file in files}
        keys = Counter(keys_of.values()).most_common(1)[0][0]
        if known and known.partition_keys in keys_of.values():
            keys = known.partition_keys
        for file in files:
            if keys_of[file] != keys:
                self._log(f"INFO : Folder partition keys do not match table partition keys, skipped: {file.path}")
        return keys, [file for file in files if keys_of[file] == keys]


def _keys(folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        name.split("=", 1)[0].lower() if "=" in name[1:] else f"partition_{number}"
        for number, name in enumerate(folders)
    )


def _of_one_kind(files: list[File]) -> list[File]:
    """The files of the format that most of them have; a readable one before one that isn't."""
    count = Counter(file.look.classification for file in files)
    kinds = [kind for kind in count if kind != UNKNOWN] or [UNKNOWN]
    kind = max(kinds, key=lambda kind: (count[kind], -_PREFERRED.index(kind)))
    return [file for file in files if file.look.classification == kind]


def _outline(files: list[File]) -> _Outline:
    alike = _of_one_kind(files)
    return alike[0].look.classification, frozenset().union(*{file.look.columns for file in alike})


def _mostly_similar(files: list[File]) -> bool:
    groups = Counter(_similar_groups((file.look.classification, file.look.columns) for file in files))
    return max(groups.values()) * 2 >= len(files)


def _similar_groups(outlines: Iterable[_Outline]) -> list[int]:
    """For each outline the number of the group of similar ones that it belongs to."""
    groups: list[_Outline] = []
    numbers: dict[_Outline, int] = {}
    found = []
    for outline in outlines:
        if outline not in numbers:
            number = next((n for n, other in enumerate(groups) if _similar(outline, other)), len(groups))
            if number == len(groups):
                groups.append(outline)
            numbers[outline] = number
        found.append(numbers[outline])
    return found


def _similar(one: _Outline, other: _Outline) -> bool:
    names = one[1] | other[1]
    return one[0] == other[0] and (not names or len(one[1] & other[1]) / len(names) >= SIMILAR)


def _in_known_order(schema: Schema, known: tuple[str, ...]) -> Schema:
    """`schema` with the columns that the table has already first, in the order it has them."""
    order = [name for name in known if name in schema]
    return {name: schema[name] for name in dict.fromkeys([*order, *schema])}
