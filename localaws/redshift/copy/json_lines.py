"""Converts JSON with one object per line to CSV at full speed: duckdb reads it, pyarrow writes it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import duckdb
import pyarrow
from pyarrow import compute, csv

from localaws.redshift.copy.records import NotFast
from localaws.redshift.copy.target import Target

_ROWS = 20_000  # rows converted at once


def csv_chunks(path: Path, target: Target, largest: int) -> Iterator[bytes]:
    """Yield the file's objects as rows of CSV, with every value quoted and NULL as an empty field.

    `largest` is the largest size of one object, in bytes.

    Raises:
        NotFast: a line is not one object, or a value is too long for its column.
    """
    columns = {column.name: "VARCHAR" for column in target.columns}
    bounded = {column.name: column.length for column in target.columns if column.length}
    write = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    with _database().cursor() as connection:
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        try:
            batches = connection.sql(
                f"select {names} from read_json($path, format='newline_delimited', records='true',"
                " columns=$columns, maximum_object_size=$largest, compression='none')",
                params={"path": str(path), "columns": columns, "largest": largest},
            ).to_arrow_reader(_ROWS)
            for batch in batches:
                _check_lengths(batch, bounded)
                sink = pyarrow.BufferOutputStream()
                csv.write_csv(batch, sink, write)
                yield sink.getvalue().to_pybytes()
        except (duckdb.Error, pyarrow.ArrowInvalid, OSError) as error:
            raise NotFast(str(error)) from error


def _check_lengths(batch: pyarrow.RecordBatch, bounded: dict[str, int]) -> None:
    # VARCHAR(n) counts bytes in Redshift, characters in PostgreSQL.
    for name, length in bounded.items():
        longest = compute.max(compute.binary_length(batch.column(name))).as_py()
        if longest is not None and longest > length:
            raise NotFast(f"{name} is too long")


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Return the process's one database: all loads share its memory limit, and each uses its own cursor."""
    return duckdb.connect(config={"threads": 2, "memory_limit": "512MB", "autoinstall_known_extensions": "false"})
