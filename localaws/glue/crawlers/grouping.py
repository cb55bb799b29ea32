"""Which files make one table, and which of their folders are its partitions.

Glue's rules, as far as AWS documents them: files belong together if they have the same format and compression, and
similar schemas (https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html); the root of a table is the
folder level at which most schemas are similar, and folders below it are partitions, Hive-style ones under their own key
(https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html); files that don't fit a table that
is in the catalog already are skipped, with a line in the log
(https://repost.aws/knowledge-center/glue-crawler-not-adding-new-partitions).

AWS doesn't document its threshold for similarity. Here, two schemas are similar if they share 70 % of their columns.
A single file that is not like the others, or not readable at all, never splits a table: it is skipped or merged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from localaws.glue.crawlers.files import Batch, FileTree, Folder, Statistics
from localaws.glue.crawlers.formats import UNKNOWN, Look
from localaws.glue.crawlers.schema import Schema, lower_case, merge_schemas

# Format, compression and column names. Similar outlines have the same format and compression, and share most names.
_Outline = tuple[str, str, frozenset[str]]

SIMILAR = 0.7
_PREFERRED = ("json", "parquet", "csv", UNKNOWN)
_NAMED = 5  # skipped files that are named in the log; the others are counted


@dataclass(frozen=True)
class Partition:
    """One partition: its values, its folder relative to the include path, and what its own files hold."""

    values: tuple[str, ...]
    path: str
    statistics: Statistics
    look: Look
    schema: Schema


@dataclass(frozen=True)
class FoundTable:
    """A table that was found among the files."""

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
    statistics: Statistics = field(default_factory=Statistics)


class Grouping:
    """Finds the tables among the files of one include path."""

    def __init__(
        self,
        known: Iterable[KnownTable],
        log: Callable[[str], None],
        *,
        combine: bool = False,
        level: int | None = None,
    ) -> None:
        """Set the rules.

        Args:
            known: the tables that are in the catalog already.
            log: called with a line for everything that is skipped.
            combine: the crawler's ``TableGroupingPolicy: CombineCompatibleSchemas``: schemas need not be similar.
            level: its ``TableLevelConfiguration``, counted in folders below the include path.
        """
        self._known = {table.path: table for table in known}
        self._log = log
        self._combine = combine
        self._level = level

    def tables(self, tree: FileTree) -> list[FoundTable]:
        """Return the tables that the files in `tree` form."""
        return list(self._in(tree.root))

    def table_of_each_file(self, tree: FileTree) -> list[FoundTable]:
        """Return one table for each file in `tree`, named after it: for an include path that is a single object."""
        return list(self._of_each(tree.root.everything()))

    def _in(self, folder: Folder) -> Iterator[FoundTable]:
        everything = folder.everything()
        if not everything:
            return
        if self._level is not None:
            yield from self._at_level(folder, self._level)
        elif not folder.folders:
            yield from self._of_files(folder)
        elif self._is_one_table(folder):
            yield self._table(folder.path, everything)
        else:
            yield from self._of_files(folder)
            for _, below in sorted(folder.folders.items()):
                yield from self._in(below)

    def _at_level(self, folder: Folder, level: int) -> Iterator[FoundTable]:
        """Yield one table for each folder that lies `level` folders further down, whatever it holds."""
        if level <= 0:
            yield self._table(folder.path, folder.everything())
            return
        for batch in folder.here():
            self._skip(batch, f"it lies above the table level, which is {level} folders further down")
        for _, below in sorted(folder.folders.items()):
            yield from self._at_level(below, level - 1)

    def _is_one_table(self, folder: Folder) -> bool:
        if folder.path in self._known:
            return True
        if not folder.folders:
            return self._mostly_similar(_of_one_kind(folder.here()))
        if any(path.startswith(folder.path) for path in self._known):
            return False  # tables below it are in the catalog already: they keep their names
        # A folder that holds several tables is not similar to any other.
        children = [below.everything() for below in folder.folders.values() if self._is_one_table(below)]
        if folder.batches:
            children.append(folder.here())
        groups = Counter(self._similar_groups(map(_outline, children)))
        return max(groups.values(), default=0) * 2 > len(folder.folders) + bool(folder.batches)

    def _of_files(self, folder: Folder) -> Iterator[FoundTable]:
        """Yield one table of the files directly in `folder`, or one per file if most of them are not similar."""
        if not folder.batches:
            return
        alike = _of_one_kind(folder.here())
        if folder.path in self._known or self._mostly_similar(alike):
            yield self._table(folder.path, folder.here())
        else:
            yield from self._of_each(alike)

    def _of_each(self, batches: list[Batch]) -> Iterator[FoundTable]:
        for batch in batches:
            for _, file in sorted(batch.files.items()):
                alone = Batch(batch.folder, batch.look)
                alone.add(file)
                yield self._table(file.path, [alone])

    def _table(self, path: str, batches: list[Batch]) -> FoundTable:
        known = self._known.get(path)
        depth = len(path.split("/")) - 1
        alike = _of_one_kind(batches)
        kind = alike[0].look.classification
        for batch in batches:
            if batch.look.classification != kind:
                self._skip(batch, f"its format is {batch.look.classification}, but the format of the table is {kind}")
        keys, kept = self._partition_keys(alike, depth, known)
        raw = merge_schemas(dict(schema) for schema in dict.fromkeys(batch.look.schema for batch in kept))
        return FoundTable(
            path,
            kept[0].look,
            _in_known_order(lower_case(raw), known.columns if known else ()),
            tuple(raw),
            Statistics.of(kept),
            keys,
            tuple(_partitions(kept, depth, known)) if keys else (),
        )

    def _partition_keys(
        self, batches: list[Batch], depth: int, known: KnownTable | None
    ) -> tuple[tuple[str, ...], list[Batch]]:
        """Return the partition keys and the files that fit them.

        The keys are those of the known table, if any file fits them; else those that most files' folders form.
        """
        keys_of = [_keys(batch.folders[depth:]) for batch in batches]
        count: Counter[tuple[str, ...]] = Counter()
        for found, batch in zip(keys_of, batches, strict=True):
            count[found] += len(batch.files)
        keys = count.most_common(1)[0][0]
        if known and known.partition_keys in count:
            keys = known.partition_keys
        kept = []
        for found, batch in zip(keys_of, batches, strict=True):
            if found == keys:
                kept.append(batch)
            else:
                self._skip(batch, "", "Folder partition keys do not match table partition keys, skipped")
        return keys, kept

    def _skip(self, batch: Batch, reason: str, what: str = "Skipped") -> None:
        for path in sorted(batch.files)[:_NAMED]:
            self._log(f"INFO : {what}{':' if what != 'Skipped' else ''} {path}{f': {reason}' if reason else ''}")
        if len(batch.files) > _NAMED:
            self._log(f"INFO : {what} {len(batch.files) - _NAMED} more files like these")

    def _mostly_similar(self, batches: list[Batch]) -> bool:
        groups: Counter[int] = Counter()
        outlines = ((batch.look.classification, "", batch.look.columns) for batch in batches)
        for group, batch in zip(self._similar_groups(outlines), batches, strict=True):
            groups[group] += len(batch.files)
        return max(groups.values()) * 2 >= groups.total()

    def _similar_groups(self, outlines: Iterable[_Outline]) -> list[int]:
        """Return, for each outline, the number of the group of similar outlines that it belongs to."""
        groups: list[_Outline] = []
        numbers: dict[_Outline, int] = {}
        found = []
        for outline in outlines:
            if outline not in numbers:
                number = next((n for n, other in enumerate(groups) if self._similar(outline, other)), len(groups))
                if number == len(groups):
                    groups.append(outline)
                numbers[outline] = number
            found.append(numbers[outline])
        return found

    def _similar(self, one: _Outline, other: _Outline) -> bool:
        names = one[2] | other[2]
        alike = self._combine or not names or len(one[2] & other[2]) / len(names) >= SIMILAR
        return one[:2] == other[:2] and alike


def _partitions(batches: list[Batch], depth: int, known: KnownTable | None) -> Iterator[Partition]:
    by_folders: dict[tuple[str, ...], list[Batch]] = defaultdict(list)
    for batch in batches:
        by_folders[batch.folders].append(batch)
    for folders, inside in sorted(by_folders.items()):
        yield Partition(
            tuple(unquote(name.split("=", 1)[-1]) for name in folders[depth:]),
            inside[0].folder,
            Statistics.of(inside),
            inside[0].look,
            _in_known_order(
                lower_case(merge_schemas(dict(batch.look.schema) for batch in inside)), known.columns if known else ()
            ),
        )


def _keys(folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        name.split("=", 1)[0].lower() if "=" in name[1:] else f"partition_{number}"
        for number, name in enumerate(folders)
    )


def _of_one_kind(batches: list[Batch]) -> list[Batch]:
    """Return the files of the most common format; UNKNOWN counts only if there is no other."""
    count: Counter[str] = Counter()
    for batch in batches:
        count[batch.look.classification] += len(batch.files)
    kinds = [kind for kind in count if kind != UNKNOWN] or [UNKNOWN]
    kind = max(kinds, key=lambda kind: (count[kind], -_PREFERRED.index(kind)))
    return [batch for batch in batches if batch.look.classification == kind]


def _outline(batches: list[Batch]) -> _Outline:
    alike = _of_one_kind(batches)
    compressions: Counter[str] = Counter()
    for batch in alike:
        compressions[batch.look.compression] += len(batch.files)
    columns = frozenset().union(*{batch.look.columns for batch in alike})
    return alike[0].look.classification, compressions.most_common(1)[0][0], columns


def _in_known_order(schema: Schema, known: tuple[str, ...]) -> Schema:
    """Return `schema` with the `known` columns first, in their known order."""
    order = [name for name in known if name in schema]
    return {name: schema[name] for name in dict.fromkeys([*order, *schema])}
