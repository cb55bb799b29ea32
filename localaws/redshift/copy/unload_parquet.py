"""UNLOAD … FORMAT AS PARQUET: finds the types of a query's columns, and writes its rows to a file."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, BinaryIO

import pyarrow
from pyarrow import parquet

from localaws.redshift.sql.statements import ClientSession

_ROWS = 50_000  # rows converted at once


def schema_of(query: str, session: ClientSession) -> pyarrow.Schema:
    """Return the query's columns, with Arrow's types."""
    session.execute(f"create temporary view localaws_unload as {query}")
    described = session.query(
        "select a.attname, t.typname, a.atttypmod from pg_catalog.pg_attribute a join pg_catalog.pg_type t"
        " on t.oid = a.atttypid where a.attrelid = 'pg_temp.localaws_unload'::pg_catalog.regclass and a.attnum > 0"
        " order by a.attnum"
    )
    session.execute("drop view pg_temp.localaws_unload")
    return pyarrow.schema([(name, _arrow_type(str(kind), int(modifier or -1))) for name, kind, modifier in described])


def write(rows: Iterable[tuple[str | None, ...]], schema: pyarrow.Schema, stream: BinaryIO) -> int:
    """Write the rows, given as PostgreSQL's text, and return how many there are."""
    count = 0
    remaining = iter(rows)
    with parquet.ParquetWriter(stream, schema, compression="snappy") as writer:
        while block := list(islice(remaining, _ROWS)):
            columns = zip(*block, strict=True)
            arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_batch(pyarrow.record_batch(arrays, schema=schema))
            count += len(block)
    return count


def _array(values: tuple[str | None, ...], kind: Any) -> Any:
    if pyarrow.types.is_boolean(kind):
        return pyarrow.array([None if value is None else value == "t" for value in values], kind)
    return pyarrow.array(values, pyarrow.string()).cast(kind)


def _arrow_type(kind: str, modifier: int) -> Any:
    if kind == "numeric":
        precision, scale = ((modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0x7FF) if modifier >= 4 else (38, 10)
        return pyarrow.decimal128(precision, scale)
    simple = {
        "int2": pyarrow.int16(), "int4": pyarrow.int32(), "int8": pyarrow.int64(), "float4": pyarrow.float32(),
        "float8": pyarrow.float64(), "bool": pyarrow.bool_(), "date": pyarrow.date32(),
        "timestamp": pyarrow.timestamp("us"), "timestamptz": pyarrow.timestamp("us", "UTC"),
    }  # fmt: skip
    return simple.get(kind, pyarrow.string())
