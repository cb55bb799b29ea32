"""GlueContext: reading and writing DynamicFrames.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-glue-context.html
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame-reader.html
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame-writer.html
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from pyspark.context import SparkContext
from pyspark.sql import DataFrame, SparkSession

from awsglue import _read, _redshift, _run, _s3, _sink
from awsglue._catalog import get_table, redshift_address
from awsglue._errors import NotSupportedLocally, refuse_unknown
from awsglue.dynamicframe import NO_OPTIONS, DynamicFrame, DynamicFrameCollection


class Logger:
    """GlueContext.get_logger(): lines in the job's error log, where Glue writes them."""

    def _write(self, level: str, message: object) -> None:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
        print(f"{now} {level} GlueLogger: {message}", file=_run.current.error_log)

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

    def __init__(self, sparkContext: SparkContext, **options: Any) -> None:
        refuse_unknown("GlueContext", options, {"minPartitions", "targetPartitions"})
        self._sc = sparkContext
        self.spark_session: SparkSession = SparkSession(sparkContext)
        self.create_dynamic_frame = DynamicFrameReader(self)
        self.create_data_frame = DataFrameReader(self)
        self.write_dynamic_frame = DynamicFrameWriter(self)

    @property
    def sparkSession(self) -> SparkSession:
        """The same as `spark_session`."""
        return self.spark_session

    def get_logger(self) -> Logger:
        """A logger for the job's log."""
        return Logger()

    def sql(self, sqlQuery: str) -> DataFrame:
        """A SQL query over the session's views, as GlueContext inherits it from SQLContext."""
        return self.spark_session.sql(sqlQuery)

    def extract_jdbc_conf(self, connection_name: str, catalog_id: str | None = None) -> dict[str, str]:
        """user, password, vendor, url and fullUrl of a Glue connection to Redshift."""
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

    def create_dynamic_frame_from_catalog(self, *args: Any, **kwargs: Any) -> DynamicFrame:
        """See DynamicFrameReader.from_catalog."""
        return self.create_dynamic_frame.from_catalog(*args, **kwargs)

    def create_dynamic_frame_from_options(self, *args: Any, **kwargs: Any) -> DynamicFrame:
        """See DynamicFrameReader.from_options."""
        return self.create_dynamic_frame.from_options(*args, **kwargs)

    def write_dynamic_frame_from_catalog(self, *args: Any, **kwargs: Any) -> DynamicFrame:
        """See DynamicFrameWriter.from_catalog."""
        return self.write_dynamic_frame.from_catalog(*args, **kwargs)

    def write_dynamic_frame_from_options(self, *args: Any, **kwargs: Any) -> DynamicFrame:
        """See DynamicFrameWriter.from_options."""
        return self.write_dynamic_frame.from_options(*args, **kwargs)

    def write_from_options(self, frame_or_dfc: DynamicFrame, *args: Any, **kwargs: Any) -> DynamicFrame:
        """See DynamicFrameWriter.from_options; collections are not supported."""
        return self.write_dynamic_frame.from_options(frame_or_dfc, *args, **kwargs)

    def write_from_jdbc_conf(self, frame_or_dfc: DynamicFrame, *args: Any, **kwargs: Any) -> DynamicFrame:
        """See DynamicFrameWriter.from_jdbc_conf; collections are not supported."""
        return self.write_dynamic_frame.from_jdbc_conf(frame_or_dfc, *args, **kwargs)

    def getSink(
        self, connection_type: str, format: str | None = None, transformation_ctx: str = "", **options: Any
    ) -> _sink.DataSink:
        """A sink that writes to S3, and keeps a catalog table of it where enableUpdateCatalog is set."""
        if connection_type != "s3":
            raise NotSupportedLocally(f"getSink(connection_type={connection_type!r})", ["s3"])
        return _sink.DataSink(format, options)

    def purge_s3_path(
        self, s3_path: str, options: Mapping[str, Any] = NO_OPTIONS, transformation_ctx: str = ""
    ) -> None:
        """Delete the objects under `s3_path` that are older than options["retentionPeriod"] hours: 168, a week."""
        refuse_unknown("purge_s3_path options", options, {"retentionPeriod"})
        _s3.delete_older(s3_path, datetime.timedelta(hours=float(options.get("retentionPeriod", 168))))

    def write_dynamic_frame_from_jdbc_conf(self, *args: Any, **kwargs: Any) -> DynamicFrame:
        """See DynamicFrameWriter.from_jdbc_conf."""
        return self.write_dynamic_frame.from_jdbc_conf(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotSupportedLocally(f"GlueContext.{name}")


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
        **kwargs: Any,
    ) -> DynamicFrame:
        """The rows of a catalog table over S3, with the catalog's columns and types.

        Raises:
            NotSupportedLocally: the table is of Redshift, or of a format not known here.
        """
        database = database or kwargs.pop("name_space", None)
        refuse_unknown("create_dynamic_frame.from_catalog", kwargs, set())
        options = additional_options or {}
        refuse_unknown("additional_options", options, {"recurse", "groupFiles", "groupSize"})
        if not database or not table_name:
            raise ValueError("create_dynamic_frame.from_catalog needs database and table_name")
        table = get_table(database, table_name, catalog_id)
        if not table.location.startswith("s3"):
            raise NotSupportedLocally(
                f"reading the catalog table {database}.{table_name} at {table.location!r}", ["tables over S3"]
            )
        source = _read.read_table(self._glue_context.spark_session, table, transformation_ctx, push_down_predicate)
        return DynamicFrame(source.rows, self._glue_context, table_name, source.errors)

    def from_options(
        self,
        connection_type: str,
        connection_options: Mapping[str, Any] = NO_OPTIONS,
        format: str | None = None,
        format_options: Mapping[str, Any] = NO_OPTIONS,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **kwargs: Any,
    ) -> DynamicFrame:
        """The rows of files under S3 paths.

        Raises:
            NotSupportedLocally: the connection type, an option or the format is not known here.
        """
        refuse_unknown("create_dynamic_frame.from_options", kwargs, set())
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
            _read.check_format(format),
            format_options or {},
            transformation_ctx,
            recurse=str(options.get("recurse", False)).lower() == "true",
            compression=options.get("compressionType", ""),
        )
        return DynamicFrame(source.rows, self._glue_context, "", source.errors)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotSupportedLocally(f"create_dynamic_frame.{name}", ["from_catalog", "from_options"])


class DataFrameReader:
    """glueContext.create_data_frame: the same sources as Spark DataFrames."""

    def __init__(self, glue_context: GlueContext) -> None:
        self._glue_context = glue_context

    def from_catalog(self, *args: Any, **kwargs: Any) -> DataFrame:
        """See DynamicFrameReader.from_catalog."""
        return self._glue_context.create_dynamic_frame.from_catalog(*args, **kwargs).toDF()

    def from_options(self, *args: Any, **kwargs: Any) -> DataFrame:
        """See DynamicFrameReader.from_options."""
        return self._glue_context.create_dynamic_frame.from_options(*args, **kwargs).toDF()


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
        **kwargs: Any,
    ) -> DynamicFrame:
        """Write to a catalog table: of Redshift, through its connection, or over S3, in its format."""
        database = database or kwargs.pop("name_space", None)
        refuse_unknown("write_dynamic_frame.from_catalog", kwargs, set())
        if not database or not table_name:
            raise ValueError("write_dynamic_frame.from_catalog needs database and table_name")
        table = get_table(database, table_name, catalog_id)
        options = additional_options or {}
        _one_frame(frame)
        if table.location.startswith("s3"):
            refuse_unknown("additional_options", options, {"partitionKeys", *_sink.CATALOG_OPTIONS})
            keys = {"partitionKeys": [name for name, _ in table.partition_keys]} if table.partition_keys else {}
            given = {"path": table.location, **keys, **options}
            _sink.write_and_catalog(frame, given, table.classification, {}, (database, table_name))
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
        **kwargs: Any,
    ) -> DynamicFrame:
        """Write to S3 in a format, or to Redshift."""
        refuse_unknown("write_dynamic_frame.from_options", kwargs, set())
        df = _one_frame(frame).toDF()
        options = connection_options or {}
        if connection_type == "s3":
            if format is None:
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
        **kwargs: Any,
    ) -> DynamicFrame:
        """Write to Redshift through a Glue connection."""
        refuse_unknown("write_dynamic_frame.from_jdbc_conf", kwargs, set())
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


__all__ = ["DataFrameReader", "DynamicFrameReader", "DynamicFrameWriter", "GlueContext", "Logger"]
