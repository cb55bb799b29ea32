"""GlueContext.getSink for S3, which can also create and update a catalog table for what it writes.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html (DataSink)
https://docs.aws.amazon.com/glue/latest/dg/update-from-job.html: with enableUpdateCatalog, a missing table is created
and new partitions are added; the schema is overwritten, unless updateBehavior is LOG.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyspark.sql.types import StructType

from awsglue import _aws, _write
from awsglue._errors import NotSupportedLocally, refuse_unknown
from awsglue._layout import check_format
from awsglue._type_names import hive_type

if TYPE_CHECKING:
    from awsglue.dynamicframe import DynamicFrame

CATALOG_OPTIONS = {"enableUpdateCatalog", "updateBehavior"}
_HIVE = "org.apache.hadoop.hive"
# Input format, output format and serde of the catalog's tables.
_SERDES = {
    "json": (
        "org.apache.hadoop.mapred.TextInputFormat",
        f"{_HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
    "csv": (
        "org.apache.hadoop.mapred.TextInputFormat",
        f"{_HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat",
        f"{_HIVE}.serde2.lazy.LazySimpleSerDe",
    ),
    "parquet": (
        f"{_HIVE}.ql.io.parquet.MapredParquetInputFormat",
        f"{_HIVE}.ql.io.parquet.MapredParquetOutputFormat",
        f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
}


class DataSink:
    """``sink = glueContext.getSink(connection_type="s3", path=...); sink.setFormat("json"); sink.writeFrame(frame)``"""

    def __init__(self, format: str | None, options: Mapping[str, Any]) -> None:
        refuse_unknown("getSink", options, {"path", "partitionKeys", "compression", *CATALOG_OPTIONS})
        self._options = dict(options)
        self._format = format
        self._format_options: dict[str, Any] = {}
        self._table: tuple[str, str] | None = None

    def setFormat(self, format: str, **options: Any) -> None:
        """Set the format to write, and its format options."""
        self._format, self._format_options = check_format(format), options

    def setCatalogInfo(self, catalogDatabase: str, catalogTableName: str, catalogId: str = "") -> None:
        """Set the catalog table to keep up to date if enableUpdateCatalog is set."""
        if catalogId:
            raise NotSupportedLocally("setCatalogInfo(catalogId)")
        self._table = (catalogDatabase, catalogTableName)

    def setAccumulableSize(self, size: int) -> None:
        """Raises NotSupportedLocally."""
        raise NotSupportedLocally("DataSink.setAccumulableSize")

    def writeFrame(self, dynamic_frame: DynamicFrame, info: str = "") -> DynamicFrame:
        """Write the frame, then bring the catalog up to date."""
        if self._format is None:
            raise ValueError("the sink needs a format: setFormat('json')")
        write_and_catalog(dynamic_frame, self._options, self._format, self._format_options, self._table)
        return dynamic_frame

    def write(self, dynamic_frame_or_dfc: DynamicFrame, info: str = "") -> DynamicFrame:
        """See writeFrame."""
        return self.writeFrame(dynamic_frame_or_dfc, info)


def write_and_catalog(
    frame: DynamicFrame,
    options: Mapping[str, Any],
    format_name: str,
    format_options: Mapping[str, Any],
    table: tuple[str, str] | None,
) -> None:
    """Write `frame` under options["path"]; with enableUpdateCatalog, create or update the catalog's (database, name).

    Raises:
        ValueError: enableUpdateCatalog without a table, or partitionKeys that are not the table's.
    """
    df = frame.toDF()
    s3_options = {name: value for name, value in options.items() if name not in CATALOG_OPTIONS}
    if not _is_true(options.get("enableUpdateCatalog", False)):
        _write.write_to_s3(df, s3_options, format_name, format_options)
        return
    if table is None:
        raise ValueError("enableUpdateCatalog needs a table: setCatalogInfo(catalogDatabase=..., catalogTableName=...)")
    behavior = options.get("updateBehavior", "UPDATE_IN_DATABASE")
    if behavior not in ("UPDATE_IN_DATABASE", "LOG"):
        raise ValueError(f"updateBehavior is {behavior!r}; it must be UPDATE_IN_DATABASE or LOG")
    catalog = _CatalogTable(table, s3_options, check_format(format_name), format_options)
    catalog.check(df.schema)
    written = _write.write_to_s3(df, s3_options, format_name, format_options)
    if df.columns:
        catalog.update(df.schema, overwrite=behavior == "UPDATE_IN_DATABASE")
    catalog.add_partitions(written)


class _CatalogTable:
    """The catalog's table. Its columns and keys are in lower case, whatever the case of the frame's fields
    (https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html)."""

    def __init__(
        self, table: tuple[str, str], options: Mapping[str, Any], format_name: str, format_options: Mapping[str, Any]
    ) -> None:
        self._database, self._name = table
        self._location = str(options["path"]).rstrip("/") + "/"
        self._keys = [str(name).lower() for name in options.get("partitionKeys") or []]
        self._format = format_name
        self._format_options = format_options
        self._glue = _aws.client("glue")
        self._found: dict[str, Any] | None = None

    def check(self, schema: StructType) -> None:
        folded = [name.lower() for name in schema.names]
        twice = [name for name in schema.names if folded.count(name.lower()) > 1]
        if twice:
            raise ValueError(f"the fields {', '.join(twice)} would be one column: the catalog has names in lower case")
        try:
            self._found = self._glue.get_table(DatabaseName=self._database, Name=self._name)["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            # The database must exist: GetDatabase raises if it doesn't.
            self._glue.get_database(Name=self._database)
            return
        keys = [key["Name"].lower() for key in self._found.get("PartitionKeys", [])]
        if keys != self._keys:
            raise ValueError(
                f"partitionKeys are {self._keys}, but {self._database}.{self._name} has {keys}: they must be equal"
            )

    def update(self, schema: StructType, *, overwrite: bool) -> None:
        kinds = {field.name.lower(): hive_type(field.dataType) for field in schema.fields}
        columns = [{"Name": name, "Type": kind} for name, kind in kinds.items() if name not in self._keys]
        if self._found is None:
            keys = [{"Name": name, "Type": kinds[name]} for name in self._keys]
            storage = self._storage(columns, self._location)
            self._found = {
                "Name": self._name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": self._parameters(),
                "PartitionKeys": keys,
                "StorageDescriptor": storage,
            }
            self._glue.create_table(DatabaseName=self._database, TableInput=self._found)
        elif overwrite and self._found["StorageDescriptor"].get("Columns") != columns:
            self._found["StorageDescriptor"]["Columns"] = columns
            kept = ("Name", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor", "Description", "Owner")
            changed = {name: self._found[name] for name in kept if name in self._found}
            self._glue.update_table(DatabaseName=self._database, TableInput=changed)

    def add_partitions(self, written: list[str]) -> None:
        if not self._keys or self._found is None:
            return
        folders = dict.fromkeys(address.rsplit("/", 1)[0] for address in written)
        for folder in folders:
            pairs = [part.partition("=") for part in folder.removeprefix(self._location).split("/")]
            values = [urllib.parse.unquote(value) for _, _, value in pairs]
            storage = self._storage(self._found["StorageDescriptor"]["Columns"], folder + "/")
            partition = {"Values": values, "StorageDescriptor": storage}
            try:
                self._glue.create_partition(DatabaseName=self._database, TableName=self._name, PartitionInput=partition)
            except self._glue.exceptions.AlreadyExistsException:
                self._check_location(values, folder + "/")

    def _check_location(self, values: list[str], written: str) -> None:
        """Raise ValueError if the partition lies elsewhere: the rows that were written would never be read."""
        where = {"DatabaseName": self._database, "TableName": self._name, "PartitionValues": values}
        found = self._glue.get_partition(**where)["Partition"]["StorageDescriptor"]["Location"]
        if found.rstrip("/") != written.rstrip("/"):
            raise ValueError(
                f"rows were written to {written}, but the partition {'/'.join(values)} of {self._database}.{self._name}"
                f" lies at {found}: spell the partitionKeys as they were when the partition was made"
            )

    def _storage(self, columns: list[dict[str, str]], location: str) -> dict[str, Any]:
        source, target, serde = _SERDES[self._format]
        return {
            "Columns": columns,
            "Location": location,
            "InputFormat": source,
            "OutputFormat": target,
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": self._serde_parameters()},
            "Parameters": self._parameters(),
        }

    def _parameters(self) -> dict[str, str]:
        parameters = {"classification": self._format}
        if self._format == "parquet":
            parameters["useGlueParquetWriter"] = "true"
        if self._format == "csv" and _is_true(self._format_options.get("writeHeader", True)):
            parameters["skip.header.line.count"] = "1"
        return parameters

    def _serde_parameters(self) -> dict[str, str]:
        if self._format != "csv":
            return {}
        quote = {"quoteChar": str(self._format_options["quoteChar"])} if "quoteChar" in self._format_options else {}
        return {"field.delim": str(self._format_options.get("separator", ",")), **quote}


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
