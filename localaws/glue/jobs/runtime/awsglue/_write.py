"""Writes DataFrames as S3 objects.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format.html
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame

from awsglue import _run, _s3
from awsglue._errors import NotSupportedLocally, refuse_unknown
from awsglue._layout import check_format

_OPTIONS = {
    "json": set[str](),
    "csv": {"separator", "quoteChar", "writeHeader"},
    "parquet": {"compression", "useGlueParquetWriter", "blockSize", "pageSize"},
}
_COMPRESSIONS = {"gzip", "bzip2", "snappy", "none", "uncompressed"}


def write_to_s3(
    df: DataFrame, options: Mapping[str, Any], format_name: str, format_options: Mapping[str, Any]
) -> list[str]:
    """Write `df` under options["path"], with Glue's file names (run-NUMBER-part-r-00000); return the addresses written.

    A frame without rows writes nothing.
    """
    format_name = check_format(format_name)
    refuse_unknown("connection_options of s3", options, {"path", "partitionKeys", "compression"})
    refuse_unknown(f"format_options of {format_name}", format_options, _OPTIONS[format_name])
    if not options.get("path"):
        raise ValueError("connection_options of s3 needs a path, s3://bucket/prefix/")
    if not df.columns:
        return []
    compression = options.get("compression") or format_options.get("compression")
    if compression is not None and compression not in _COMPRESSIONS:
        raise NotSupportedLocally(f"compression={compression!r}", _COMPRESSIONS)
    target = _run.new_directory("sink") / "parts"
    writer = df.write.partitionBy(*options.get("partitionKeys", []))
    if compression is not None:
        writer = writer.option("compression", compression)
    for name, setting in (("blockSize", "parquet.block.size"), ("pageSize", "parquet.page.size")):
        if name in format_options:
            writer = writer.option(setting, int(format_options[name]))
    if format_name == "csv":
        quote = str(format_options.get("quoteChar", '"'))
        writer = (
            writer.option("sep", format_options.get("separator", ","))
            .option("header", str(format_options.get("writeHeader", True)).lower())
            .option("quote", "" if quote == "-1" else quote)
            .option("escape", quote if quote != "-1" else "\\")
            # Spark would trim the strings otherwise.
            .option("ignoreLeadingWhiteSpace", False)
            .option("ignoreTrailingWhiteSpace", False)
        )
    writer.format(format_name).save(str(target))
    prefix = options["path"].rstrip("/")
    stamp = time.time_ns() // 1_000_000
    uploads = []
    header = format_name == "csv" and str(format_options.get("writeHeader", True)).lower() == "true"
    parts = [part for part in parts_of(target) if not (header and _is_one_line(part))]
    for index, part in enumerate(parts):
        folder = "".join(f"{name}/" for name in part.relative_to(target).parts[:-1])
        ending = "".join(f".{ending}" for ending in part.name.split(".")[1:] if ending not in ("c000", format_name))
        ending += f".{format_name}" if format_name == "parquet" else ""
        uploads.append((part, f"{prefix}/{folder}run-{stamp}-part-r-{index:05d}{ending}"))
    _s3.upload(uploads)
    return [address for _, address in uploads]


def _is_one_line(part: Path) -> bool:
    """Whether a part has only a header. False for a compressed part."""
    with part.open("rb") as stream:
        return len(stream.readline()) == part.stat().st_size and part.suffix == ".csv"


def parts_of(directory: Path) -> list[Path]:
    """Return the parts that hold rows. Spark writes a part for each partition, and one for a frame with none."""
    return [part for part in sorted(directory.rglob("part-*")) if part.stat().st_size]
