"""glueContext.create_dynamic_frame and create_data_frame: sources as DynamicFrames, and as Spark's DataFrames.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame-reader.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from pyspark.sql import DataFrame

from awsglue import _layout, _read
from awsglue._catalog import get_table
from awsglue._errors import NO_OPTIONS, NotSupportedLocally, refuse_unknown
from awsglue._frame_errors import FrameErrors
from awsglue.dynamicframe import DynamicFrame

if TYPE_CHECKING:
    from awsglue.context import GlueContext


class DynamicFrameReader:
    """glueContext.create_dynamic_frame"""

    def __init__(self, glue_context: GlueContext) -> None:
        self._glue_context = glue_context

    def from_catalog(
        self,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: Mapping[str, Any] = NO_OPTIONS,
        catalog_id: str | None = None,
        *,
        name_space: str | None = None,
    ) -> DynamicFrame:
        """Return the rows of a catalog table over S3, with the catalog's columns and types.

        `name_space` is another name for `database`.

        Raises:
            ValueError: there is no table name, or not exactly one of database and name_space.
            NotSupportedLocally: the table is not over S3, or its format is not supported here.
        """
        database, table_name = table_address(database, name_space, table_name)
        options = additional_options or {}
        known = {"recurse", "groupFiles", "groupSize", "catalogPartitionPredicate"}
        refuse_unknown("additional_options", options, known)
        table = get_table(database, table_name, catalog_id)
        if not table.location.startswith("s3"):
            raise NotSupportedLocally(
                f"reading the catalog table {database}.{table_name} at {table.location!r}", ["tables over S3"]
            )
        source = _read.read_table(
            self._glue_context.spark_session,
            table,
            transformation_ctx,
            push_down_predicate,
            options.get("catalogPartitionPredicate", ""),
        )
        return DynamicFrame._of(source.rows, self._glue_context, table_name, FrameErrors(source.errors))

    def from_options(
        self,
        connection_type: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        format: str | None = None,
        format_options: Mapping[str, Any] = NO_OPTIONS,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
    ) -> DynamicFrame:
        """Return the rows of files under S3 paths.

        Raises:
            ValueError: there is no format, or no path.
            NotSupportedLocally: the connection type, an option or the format is not supported here.
        """
        if push_down_predicate:
            raise NotSupportedLocally("push_down_predicate of from_options")
        if connection_type != "s3":
            raise NotSupportedLocally(f"connection_type={connection_type!r} as a source", ["s3"])
        options = dict(connection_options or {})
        refuse_unknown(
            "connection_options of s3", options, {"paths", "recurse", "groupFiles", "groupSize", "compressionType"}
        )
        if format is None or not options.get("paths"):
            raise ValueError("create_dynamic_frame.from_options of s3 needs format, and paths in connection_options")
        source = _read.read_paths(
            self._glue_context.spark_session,
            options["paths"],
            _layout.check_format(format),
            format_options or {},
            transformation_ctx,
            recurse=str(options.get("recurse", False)).lower() == "true",
            compression=options.get("compressionType", ""),
        )
        return DynamicFrame._of(source.rows, self._glue_context, "", FrameErrors(source.errors))

    def from_rdd(self, data: Any, name: str, schema: Any = None, sampleRatio: float | None = None) -> NoReturn:
        """Raises NotSupportedLocally."""
        raise NotSupportedLocally("create_dynamic_frame.from_rdd", ["from_catalog", "from_options"])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotSupportedLocally(f"create_dynamic_frame.{name}", ["from_catalog", "from_options"])


class DataFrameReader:
    """glueContext.create_data_frame: the same sources as Spark DataFrames."""

    def __init__(self, glue_context: GlueContext) -> None:
        self._glue_context = glue_context

    def from_catalog(
        self,
        database: str | None = None,
        table_name: str | None = None,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: Mapping[str, Any] = NO_OPTIONS,
        catalog_id: str | None = None,
        *,
        name_space: str | None = None,
    ) -> DataFrame:
        """See DynamicFrameReader.from_catalog."""
        return self._glue_context.create_dynamic_frame.from_catalog(
            database,
            table_name,
            redshift_tmp_dir,
            transformation_ctx,
            push_down_predicate,
            additional_options,
            catalog_id,
            name_space=name_space,
        ).toDF()

    def from_options(
        self,
        connection_type: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        format: str | None = None,
        format_options: Mapping[str, Any] = NO_OPTIONS,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
    ) -> DataFrame:
        """See DynamicFrameReader.from_options."""
        return self._glue_context.create_dynamic_frame.from_options(
            connection_type, connection_options, format, format_options, transformation_ctx, push_down_predicate
        ).toDF()


def table_address(database: str | None, name_space: str | None, table_name: str | None) -> tuple[str, str]:
    """Return the database and the name of a catalog table; older scripts call the database `name_space`.

    Raises:
        ValueError: one is missing, or the database is given twice.
    """
    if database is not None and name_space is not None:
        raise ValueError("give database or name_space, not both")
    found = database if database is not None else name_space
    if not found or not table_name:
        raise ValueError("a catalog table needs database and table_name")
    return found, table_name
