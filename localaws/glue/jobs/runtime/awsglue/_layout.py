"""How the files of a catalog table, or of one of its partitions, are to be read."""

from __future__ import annotations

from dataclasses import dataclass

from awsglue._catalog import Partition, Storage, Table
from awsglue._errors import NotSupportedLocally

# Format options by format, and the formats under all their names.
OPTIONS = {
    "json": {"attachFilename", "multiLine", "multiline", "optimizePerformance"},
    "csv": {
        "attachFilename", "separator", "escaper", "quoteChar", "multiLine", "multiline", "withHeader", "skipFirst",
        "optimizePerformance", "strictCheckForQuoting",
    },
    "parquet": {"attachFilename"},
}  # fmt: skip
FORMATS = {**{name: name for name in OPTIONS}, "glueparquet": "parquet"}


def check_format(name: str) -> str:
    """Return the format called `name`, if it can be read and written here."""
    if name not in FORMATS:
        raise NotSupportedLocally(f"format={name!r}", FORMATS)
    return FORMATS[name]


@dataclass(frozen=True)
class Layout:
    """What is needed to read files; partitions with the same layout are read together."""

    format_name: str
    options: tuple[tuple[str, str], ...] = ()
    """Format options, as of create_dynamic_frame.from_options."""
    header_lines: int = 0
    names: tuple[str, ...] = ()
    """CSV only: the table's column at each position of a line; empty if the table has none there."""


def of_table(table: Table) -> Layout:
    """Return the layout of a table's own files."""
    return _layout(table.storage, table.storage, tuple(name for name, _ in table.columns), table.storage.header_lines)


def of_partition(table: Table, partition: Partition) -> Layout:
    """Return the layout of a partition; the table supplies what the partition does not say itself.

    Raises:
        ValueError: the columns of a partition's CSV can't be matched with the table's.
    """
    own = partition.storage
    # A crawler describes each partition separately: if it says nothing about a header, there is none.
    header_lines = own.header_lines if own.classification else own.header_lines or table.storage.header_lines
    return _layout(own, table.storage, _places(table, partition), header_lines)


def write_options(table: Table) -> dict[str, str]:
    """Return the format options with which a frame has to be written to `table`, so that it can be read back."""
    layout = of_table(table)
    if layout.format_name != "csv":
        return {}
    if layout.header_lines > 1:
        raise NotSupportedLocally(
            f"writing CSV to a table with skip.header.line.count={layout.header_lines}", ["0", "1"]
        )
    return {**dict(layout.options), "writeHeader": "true" if layout.header_lines else "false"}


def _layout(own: Storage, table: Storage, names: tuple[str, ...], header_lines: str | None) -> Layout:
    format_name = check_format(own.classification or table.classification or "unknown")
    if format_name == "parquet":
        return Layout(format_name)
    skipped = _count(header_lines or "0")
    if format_name == "json":
        return Layout(format_name, header_lines=skipped)
    serde = own.serde_parameters or table.serde_parameters
    options = {
        "separator": serde.get("field.delim", serde.get("separatorChar", ",")),
        "quoteChar": serde.get("quoteChar", '"'),
    }
    return Layout(format_name, tuple(options.items()), skipped, names)


def _count(lines: str) -> int:
    if not lines.strip().isdecimal():
        raise ValueError(f"skip.header.line.count must be a number, not {lines!r}")
    return int(lines)


def _places(table: Table, partition: Partition) -> tuple[str, ...]:
    """Return the table's column at each position of the lines of a partition's CSV.

    Lines have no names, so the names of the partition's own columns decide, if it has any. A name that the table does
    not know is taken as an earlier name of the table's column at the same position.
    """
    names = [name for name, _ in table.columns]
    known = {name.lower(): name for name in names}
    own = [name.lower() for name, _ in partition.storage.columns]
    if not own:
        return tuple(names)
    places = []
    for place, name in enumerate(own):
        here = names[place] if place < len(names) else ""
        if name not in known and here.lower() in own:
            raise ValueError(
                f"The partition {'/'.join(partition.values)} of {table.database}.{table.name} has a column {name!r},"
                f" which the table lacks. At its place the table has {here!r}, which the partition has elsewhere. So"
                " the columns of its CSV are ambiguous: crawl the table again, or give both the same columns."
            )
        places.append(known.get(name, here))
    return tuple(places)
