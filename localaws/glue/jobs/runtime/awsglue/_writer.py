"""glueContext.write_dynamic_frame: DynamicFrames into S3 and Redshift.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame-writer.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from awsglue import _layout, _redshift, _run, _sink
from awsglue._catalog import get_table
from awsglue._errors import NO_OPTIONS, NotSupportedLocally, refuse_unknown
from awsglue._reader import table_address
from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection

if TYPE_CHECKING:
    from awsglue.context import GlueContext


class DynamicFrameWriter:
    """glueContext.write_dynamic_frame; each method returns the frame it wrote."""

    def __init__(self, glue_context: GlueContext) -> None:
        self._glue_context = glue_context

    def from_catalog(
        self,
        frame: DynamicFrame,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        additional_options: Mapping[str, Any] = NO_OPTIONS,
        catalog_id: str | None = None,
        *,
        name_space: str | None = None,
    ) -> DynamicFrame:
        """Write to a catalog table: to Redshift through the table's connection, or to S3 in the table's format."""
        database, table_name = table_address(database, name_space, table_name)
        table = get_table(database, table_name, catalog_id)
        options = additional_options or {}
        _one_frame(frame)
        if table.location.startswith("s3"):
            refuse_unknown("additional_options", options, {"partitionKeys", *_sink.CATALOG_OPTIONS})
            keys = {"partitionKeys": [name for name, _ in table.partition_keys]} if table.partition_keys else {}
            given = {"path": table.location, **keys, **options}
            format_options = _layout.write_options(table)
            _sink.write_and_catalog(frame, given, table.classification, format_options, (database, table_name))
        elif table.connection:
            _redshift.write_to_table(
                frame.toDF(), table.connection, table.location, options, redshift_tmp_dir or _temporary_directory()
            )
        else:
            raise ValueError(f"the catalog table {database}.{table_name} has neither an S3 location nor a connection")
        return frame

    def from_options(
        self,
        frame: DynamicFrame,
        connection_type: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        format: str | None = None,
        format_options: Mapping[str, Any] = NO_OPTIONS,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """Write to S3 in a format, or to Redshift."""
        df = _one_frame(frame).toDF()
        options = connection_options or {}
        if connection_type == "s3":
            if not format:
                raise ValueError("write_dynamic_frame.from_options to s3 needs a format")
            _sink.write_and_catalog(frame, options, format, format_options or {}, None)
        elif connection_type == "redshift":
            _redshift.write_through_options(df, options, _temporary_directory())
        else:
            raise NotSupportedLocally(f"connection_type={connection_type!r} as a target", ["redshift", "s3"])
        return frame

    def from_jdbc_conf(
        self,
        frame: DynamicFrame,
        catalog_connection: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """Write to Redshift through a Glue connection."""
        _redshift.write_through_connection(
            _one_frame(frame).toDF(),
            catalog_connection,
            connection_options or {},
            redshift_tmp_dir or _temporary_directory(),
        )
        return frame

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotSupportedLocally(f"write_dynamic_frame.{name}", ["from_catalog", "from_options", "from_jdbc_conf"])


def _one_frame(frame: Any) -> DynamicFrame:
    if isinstance(frame, DynamicFrameCollection):
        raise NotSupportedLocally("writing a DynamicFrameCollection", ["DynamicFrame"])
    if not isinstance(frame, DynamicFrame):
        raise TypeError(f"a DynamicFrame is needed, not a {type(frame).__name__}")
    return frame


def _temporary_directory() -> str:
    return str(_run.current.arguments.get("--TempDir", ""))
