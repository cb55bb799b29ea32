"""Reads Parquet: columns are matched by position, and their types must match the table's.

Source: https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import compute, csv, parquet, types

from localaws.redshift.copy.source import SourceFile
from localaws.redshift.copy.target import Column, Target
from localaws.redshift.errors import SqlError

_ROWS = 20_000  # rows converted at once


def parquet_csv(path: Path, source: SourceFile, target: Target, region: str) -> Iterator[bytes]:
    """Yield the file's rows as CSV, with every value quoted and NULL as an empty field.

    Raises:
        SqlError: the file is not valid Parquet, or its columns don't match the table's.
    """
    url = f"https://s3.{region}.amazonaws.com/{source.bucket}/{source.key}"
    try:
        file = parquet.ParquetFile(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise _spectrum_error(f"File '{url}' has an invalid version number: {error}", 15007) from error
    with file:
        _check_schema(file.schema_arrow, file.schema, target, source, url)
        write = csv.WriteOptions(include_header=False, quoting_style="all_valid")
        for batch in file.iter_batches(batch_size=_ROWS):
            arrays = [_as_text(batch.column(number), column, url) for number, column in enumerate(target.columns)]
            sink = pyarrow.BufferOutputStream()
            csv.write_csv(pyarrow.record_batch(arrays, [str(number) for number in range(len(arrays))]), sink, write)
            yield sink.getvalue().to_pybytes()


def _check_schema(schema: Any, physical: Any, target: Target, source: SourceFile, url: str) -> None:
    if len(schema) != len(target.columns):
        raise _spectrum_error(
            f"Unmatched number of columns between table and file. Table columns: {len(target.columns)}, "
            f"Data columns: {len(schema)}, File name: {url}",
            15007,
        )
    for number, column in enumerate(target.columns):
        field = schema.field(number)
        if not _fits(field.type, column):
            stored = physical.column(number).physical_type.lower() if number < len(physical) else str(field.type)
            raise _spectrum_error(
                f"File '{url}' has an incompatible Parquet schema for column '{source.url}.{column.name}'. "
                f"Column type: {column.long_type}, Parquet schema:\\noptional {stored} {field.name}",
                15001,
            )


def _fits(stored: Any, column: Column) -> bool:
    match column.type:
        case "int2":
            return any(is_kind(stored) for is_kind in (types.is_int8, types.is_int16, types.is_int32))
        case "int4":
            return any(is_kind(stored) for is_kind in (types.is_int8, types.is_int16, types.is_int32))
        case "int8":
            return bool(types.is_int64(stored))
        case "float4":
            return bool(types.is_float32(stored))
        case "float8":
            return bool(types.is_float64(stored))
        case "bool":
            return bool(types.is_boolean(stored))
        case "date":
            return bool(types.is_date32(stored))
        case "timestamp" | "timestamptz":
            return bool(types.is_timestamp(stored))
        case "time":
            return bool(types.is_time(stored))
        case "numeric":
            if not types.is_decimal(stored):
                return False
            declared = column.precision_and_scale
            return declared is None or (stored.scale == declared[1] and stored.precision <= declared[0])
        case "bytea":
            return bool(types.is_binary(stored) or types.is_large_binary(stored))
    if column.is_character:
        text = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
        if types.is_dictionary(stored):
            return _fits(stored.value_type, column)
        return any(is_kind(stored) for is_kind in text)
    return False


def _as_text(values: Any, column: Column, url: str) -> Any:
    if pyarrow.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if column.type == "bytea":
        return pyarrow.array([None if value is None else "\\x" + value.hex() for value in values.to_pylist()])
    if not column.is_character:
        return values
    if column.length is not None:
        longest = compute.max(compute.binary_length(values)).as_py()
        if longest is not None and longest > column.length:
            raise _spectrum_error(
                f"The length of the data column {column.name} is longer than the length defined in the table. "
                f"Table: {column.length}, Data: {longest}, File name: {url}",
                15001,
            )
    try:
        return values.cast(pyarrow.string())
    except pyarrow.ArrowInvalid as error:
        raise _spectrum_error(f"File '{url}' column '{column.name}' holds invalid UTF-8: {error}", 15001) from error


def _spectrum_error(context: str, code: int) -> SqlError:
    line = "-----------------------------------------------"
    detail = f"\n  {line}\n  error:  Spectrum Scan Error\n  code:      {code}\n  context:   {context}\n  {line}"
    return SqlError("XX000", "Spectrum Scan Error", detail=detail)
