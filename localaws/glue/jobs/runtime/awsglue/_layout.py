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
    """`name` as one of the formats that can be read and written here."""
    if name not in FORMATS:
        raise NotSupportedLocally(f"format={name!r}", FORMATS)
    return FORMATS[name]


@dataclass(frozen=True)
class Layout:
    """What must be known of files to read them; partitions of one layout are read together."""

    format_name: str
    options: tuple[tuple[str, str], ...] = ()
    """Format options, as of create_dynamic_frame.from_options."""
    header_lines: int = 0
    names: tuple[str, ...] = ()
    """CSV only: which of the table's columns stands at each place of a line; empty where it is none."""


def of_table(table: Table) -> Layout:
    """The layout of a table's own files."""
    return _layout(table.storage, table.storage, tuple(name for name, _ in table.columns), table.storage.header_lines)


def of_partition(table: Table, partition: Partition) -> Layout:
    """The layout of a partition: what it does not say itself, the table says.

    Raises:
        ValueError: the columns of a partition's CSV can't be told to be the table's.
    """
    own = partition.storage
    # A crawler describes each partition by itself: one without a header has no line about it.
    header_lines = own.header_lines if own.classification else own.header_lines or table.storage.header_lines
    return _layout(own, table.storage, _places(table, partition), header_lines)


def write_options(table: Table) -> dict[str, str]:
    """The format options with which a frame is written into `table`, so that it can be read from it."""
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
    """Which of the table's columns stands at each place of the lines of a partition's CSV.

    Lines have no names: those of a partition's own columns tell, where it has any. One that the table does not know is
    the table's column at its place under an earlier name.
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
                f" which the table lacks. The table's column there is {here!r}, which the partition has elsewhere. So"
                " what its CSV holds can't be told: crawl the table again, or give both the same columns."
            )
        places.append(known.get(name, here))
    return tuple(places)
