"""GlueContext: reading and writing DynamicFrames.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-glue-context.html
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from pyspark.context import SparkContext
from pyspark.sql import DataFrame, SparkSession

from awsglue import _folders, _run, _sink
from awsglue._catalog import redshift_address
from awsglue._errors import NO_OPTIONS, NotSupportedLocally, refuse_unknown
from awsglue._reader import DataFrameReader, DynamicFrameReader
from awsglue._writer import DynamicFrameWriter
from awsglue.dynamicframe import DynamicFrame

__all__ = ["DataFrameReader", "DynamicFrameReader", "DynamicFrameWriter", "GlueContext", "Logger"]


class Logger:
    """GlueContext.get_logger(): lines in the job's error log, where Glue writes them."""

    def _write(self, level: str, message: object) -> None:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
        _run.log(f"{now} {level} GlueLogger: {message}")

    def info(self, message: object) -> None:
        """Log at INFO."""
        self._write("INFO", message)

    def warn(self, message: object) -> None:
        """Log at WARN."""
        self._write("WARN", message)

    def error(self, message: object) -> None:
        """Log at ERROR."""
        self._write("ERROR", message)

    def debug(self, message: object) -> None:
        """Log at DEBUG."""
        self._write("DEBUG", message)


class GlueContext:
    """``glueContext = GlueContext(SparkContext.getOrCreate())``"""

    def __init__(
        self,
        sparkContext: SparkContext | SparkSession,
        *,
        minPartitions: int | None = None,
        targetPartitions: int | None = None,
    ) -> None:
        if minPartitions is not None or targetPartitions is not None:
            raise NotSupportedLocally("GlueContext(minPartitions, targetPartitions)", ["DynamicFrame.repartition"])
        session = sparkContext if isinstance(sparkContext, SparkSession) else SparkSession(sparkContext)
        self._sc: SparkContext = session.sparkContext
        self.spark_session: SparkSession = session
        self.create_dynamic_frame = DynamicFrameReader(self)
        self.create_data_frame = DataFrameReader(self)
        self.write_dynamic_frame = DynamicFrameWriter(self)

    @property
    def sparkSession(self) -> SparkSession:
        """The same as `spark_session`."""
        return self.spark_session

    def get_logger(self) -> Logger:
        """Return a logger for the job's error log."""
        return Logger()

    def sql(self, sqlQuery: str) -> DataFrame:
        """Run a SQL query over the session's views. In Glue, GlueContext inherits this from SQLContext."""
        return self.spark_session.sql(sqlQuery)

    def extract_jdbc_conf(self, connection_name: str, catalog_id: str | None = None) -> dict[str, str]:
        """Return user, password, vendor, url, fullUrl and enforceSSL of a Glue connection to Redshift."""
        if catalog_id is not None:
            raise NotSupportedLocally("extract_jdbc_conf(catalog_id)")
        address = redshift_address(connection_name)
        url = f"jdbc:redshift://{address.host}:{address.port}"
        return {
            "user": address.user,
            "password": address.password,
            "vendor": "redshift",
            "url": url,
            "fullUrl": f"{url}/{address.database}",
            "enforceSSL": "false",
        }

    # The same methods under other names

    def create_dynamic_frame_from_catalog(
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
        """See DynamicFrameReader.from_catalog."""
        return self.create_dynamic_frame.from_catalog(
            database,
            table_name,
            redshift_tmp_dir,
            transformation_ctx,
            push_down_predicate,
            additional_options,
            catalog_id,
            name_space=name_space,
        )

    def create_dynamic_frame_from_options(
        self,
        connection_type: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        format: str | None = None,
        format_options: Mapping[str, Any] = NO_OPTIONS,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
    ) -> DynamicFrame:
        """See DynamicFrameReader.from_options."""
        return self.create_dynamic_frame.from_options(
            connection_type, connection_options, format, format_options, transformation_ctx, push_down_predicate
        )

    def create_data_frame_from_catalog(
        self,
        database: str | None = None,
        table_name: str | None = None,
        *,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: Mapping[str, Any] = NO_OPTIONS,
        catalog_id: str | None = None,
        name_space: str | None = None,
    ) -> DataFrame:
        """See DynamicFrameReader.from_catalog."""
        return self.create_data_frame.from_catalog(
            database,
            table_name,
            redshift_tmp_dir,
            transformation_ctx,
            push_down_predicate,
            additional_options,
            catalog_id,
            name_space=name_space,
        )

    def create_data_frame_from_options(
        self,
        connection_type: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        format: str | None = None,
        format_options: Mapping[str, Any] = NO_OPTIONS,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
    ) -> DataFrame:
        """See DynamicFrameReader.from_options."""
        return self.create_data_frame.from_options(
            connection_type, connection_options, format, format_options, transformation_ctx, push_down_predicate
        )

    def write_dynamic_frame_from_catalog(
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
        """See DynamicFrameWriter.from_catalog."""
        return self.write_dynamic_frame.from_catalog(
            frame,
            database,
            table_name,
            redshift_tmp_dir,
            transformation_ctx,
            additional_options,
            catalog_id,
            name_space=name_space,
        )

    def write_dynamic_frame_from_options(
        self,
        frame: DynamicFrame,
        connection_type: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        format: str | None = None,
        format_options: Mapping[str, Any] = NO_OPTIONS,
        transformation_ctx: str = "",
    ) -> DynamicFrame:
        """See DynamicFrameWriter.from_options."""
        return self.write_dynamic_frame.from_options(
            frame, connection_type, connection_options, format, format_options, transformation_ctx
        )

    def write_dynamic_frame_from_jdbc_conf(
        self,
        frame: DynamicFrame,
        catalog_connection: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        catalog_id: str | None = None,
    ) -> DynamicFrame:
        """See DynamicFrameWriter.from_jdbc_conf."""
        if catalog_id is not None:
            raise NotSupportedLocally("write_dynamic_frame_from_jdbc_conf(catalog_id)")
        return self.write_dynamic_frame.from_jdbc_conf(
            frame, catalog_connection, connection_options, redshift_tmp_dir, transformation_ctx
        )

    def write_from_options(
        self,
        frame_or_dfc: DynamicFrame,
        connection_type: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        format: str | Mapping[str, Any] | None = NO_OPTIONS,
        format_options: Mapping[str, Any] = NO_OPTIONS,
        transformation_ctx: str = "",
        *,
        accumulator_size: int = 0,
    ) -> DynamicFrame:
        """See DynamicFrameWriter.from_options; collections are not supported. An empty `format` counts as None."""
        if accumulator_size:
            raise NotSupportedLocally("write_from_options(accumulator_size)")
        return self.write_dynamic_frame.from_options(
            frame_or_dfc,
            connection_type,
            connection_options,
            str(format) if format else None,
            format_options,
            transformation_ctx,
        )

    def write_from_jdbc_conf(
        self,
        frame_or_dfc: DynamicFrame,
        catalog_connection: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        catalog_id: str | None = None,
    ) -> DynamicFrame:
        """See DynamicFrameWriter.from_jdbc_conf; collections are not supported."""
        if catalog_id is not None:
            raise NotSupportedLocally("write_from_jdbc_conf(catalog_id)")
        return self.write_dynamic_frame.from_jdbc_conf(
            frame_or_dfc, catalog_connection, connection_options, redshift_tmp_dir, transformation_ctx
        )

    def getSink(
        self, connection_type: str, format: str | None = None, transformation_ctx: str = "", **options: Any
    ) -> _sink.DataSink:
        """Return a sink that writes to S3; if enableUpdateCatalog is set, it also keeps a catalog table up to date."""
        if connection_type != "s3":
            raise NotSupportedLocally(f"getSink(connection_type={connection_type!r})", ["s3"])
        return _sink.DataSink(format, options)

    def purge_s3_path(
        self, s3_path: str, options: Mapping[str, Any] = NO_OPTIONS, transformation_ctx: str = ""
    ) -> None:
        """Delete the objects under `s3_path` that are older than options["retentionPeriod"] hours (168: a week)."""
        refuse_unknown("purge_s3_path options", options, {"retentionPeriod"})
        _folders.delete_older(s3_path, datetime.timedelta(hours=float(options.get("retentionPeriod", 168))))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotSupportedLocally(f"GlueContext.{name}")
