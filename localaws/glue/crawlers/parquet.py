"""Reads the schema and the number of rows from the footer of a Parquet file."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from localaws.glue.crawlers.formats import Look
from localaws.glue.crawlers.schema import Stated


def footer_size(tail: bytes) -> int:
    """Return the size of a file's footer in bytes; `tail` is at least the last eight bytes of the file."""
    return int.from_bytes(tail[-8:-4], "little") + 8


def look_at_parquet(footer: bytes) -> Look:
    """Read the schema and the number of rows from a Parquet file's last bytes.

    Raises:
        ValueError: `footer` is not a Parquet footer.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(footer))
        columns = tuple((field.name, Stated(arrow_to_hive(field.type))) for field in file.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(str(error)) from error
    # Compression inside the file isn't the table's: https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html
    return Look("parquet", "none", columns, file.metadata.num_rows)


def arrow_to_hive(kind: Any) -> str:
    """Return the catalog's name for a Parquet column's type (an Arrow data type)."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{arrow_to_hive(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{part.name}:{arrow_to_hive(part.type)}' for part in kind)}>"
    if pa.types.is_map(kind):
        return f"map<{arrow_to_hive(kind.key_type)},{arrow_to_hive(kind.item_type)}>"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    names = {
        "bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint",
        "float": "float", "double": "double", "date32[day]": "date", "binary": "binary",
    }  # fmt: skip
    return names.get(str(kind), "string")
