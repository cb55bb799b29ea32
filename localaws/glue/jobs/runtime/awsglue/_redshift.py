"""The Redshift target: parts and a manifest in the staging directory, then one transaction with COPY.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-redshift-home.html

The transaction: create the table if it is missing, preactions, COPY (by position, as in Glue), postactions, commit. A
frame without rows skips the COPY, but not the actions. The staged files stay in S3, as on AWS.

Actions are SQL statements, run one by one. A `commit` or `end` among them ends the transaction, and the next statement
begins another; a `begin` inside a transaction only causes a warning. Glue Studio's MERGE ends in such a pair.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import redshift_connector
from pyspark.sql import DataFrame

from awsglue import _run, _s3
from awsglue._catalog import RedshiftAddress, parse_jdbc_url, redshift_address
from awsglue._errors import NotSupportedLocally, refuse_unknown
from awsglue._write import parts_of

_NULL = "@NULL@"
_COMMON = {"preactions", "postactions", "aws_iam_role", "extracopyoptions", "tempformat", "csvnullstring"}
# A statement: the text between unquoted semicolons. A quote that is not closed extends to the end.
_STATEMENT = re.compile(r"""(?:[^;'"]+|'[^']*(?:'|$)|"[^"]*(?:"|$))+""")
_COLUMN_TYPES = {
    "string": "VARCHAR(65535)", "bigint": "BIGINT", "int": "INTEGER", "smallint": "SMALLINT", "tinyint": "SMALLINT",
    "double": "DOUBLE PRECISION", "float": "REAL", "boolean": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP",
}  # fmt: skip


class RedshiftWriteFailed(Exception):
    """Redshift refused the write; no rows of the frame are in the table."""

    def __init__(self, where: str, error: redshift_connector.Error) -> None:
        # The driver passes a server's error as a dict of its fields; M is the message.
        told = error.args[0] if error.args else error
        super().__init__(f"{told['M'] if isinstance(told, dict) and 'M' in told else error} (Redshift at {where})")


def write_through_options(df: DataFrame, options: Mapping[str, Any], temporary_directory: str) -> None:
    """Write for from_options(connection_type="redshift"): the database is given by URL, or by Glue connection."""
    refuse_unknown(
        "connection_options of redshift",
        options,
        _COMMON | {"url", "user", "password", "dbtable", "redshiftTmpDir", "useConnectionProperties", "connectionName"},
    )
    if "connectionName" in options:
        address = redshift_address(options["connectionName"])
    else:
        missing = [name for name in ("url", "user", "password") if name not in options]
        if missing:
            raise ValueError(f"connection_options of redshift lacks {', '.join(missing)}, or connectionName")
        host, port, database = parse_jdbc_url(options["url"])
        address = RedshiftAddress(host, port, database, options["user"], options["password"])
    _write(df, address, _needed(options, "dbtable"), options, options.get("redshiftTmpDir") or temporary_directory)


def write_through_connection(
    df: DataFrame, connection: str, options: Mapping[str, Any], temporary_directory: str
) -> None:
    """Write for from_jdbc_conf: a Glue connection gives the database, connection_options the table."""
    refuse_unknown("connection_options", options, _COMMON | {"dbtable", "database"})
    address = redshift_address(connection, options.get("database", ""))
    _write(df, address, _needed(options, "dbtable"), options, temporary_directory)


def write_to_table(
    df: DataFrame, connection: str, location: str, options: Mapping[str, Any], temporary_directory: str
) -> None:
    """Write for from_catalog: the table's connection and its location, DATABASE.SCHEMA.TABLE, say where."""
    refuse_unknown("additional_options", options, _COMMON)
    database, _, table = location.partition(".")
    _write(df, redshift_address(connection, database), table, options, temporary_directory)


def _needed(options: Mapping[str, Any], name: str) -> str:
    if not options.get(name):
        raise ValueError(f"connection_options lacks {name}")
    return str(options[name])


def _write(
    df: DataFrame, address: RedshiftAddress, table: str, options: Mapping[str, Any], temporary_directory: str
) -> None:
    if not temporary_directory:
        raise ValueError(
            "writing to Redshift needs a staging directory in S3: give redshift_tmp_dir (redshiftTmpDir in"
            " connection_options), or the job argument --TempDir"
        )
    _check_columns(df)
    preactions, postactions = _statements(options, "preactions"), _statements(options, "postactions")
    null = options.get("csvnullstring", _NULL)
    with ThreadPoolExecutor(1) as pool:
        # Connect while Spark writes.
        connecting = pool.submit(_connect, address)
        manifest = _stage(df, temporary_directory, options.get("tempformat", "CSV"), null)
    name = ".".join(_quoted(part) for part in table.split("."))
    statements = [*_create(df, name), *preactions]
    if manifest is not None:
        statements.append(_copy(name, manifest, null, options))
    statements += postactions
    try:
        with connecting.result() as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            connection.commit()
    except redshift_connector.Error as error:
        raise RedshiftWriteFailed(f"{address.host}:{address.port}/{address.database}", error) from error


def _connect(address: RedshiftAddress) -> Any:
    return redshift_connector.connect(
        host=address.host,
        port=address.port,
        database=address.database,
        user=address.user,
        password=address.password,
        application_name="glue",
    )


def _check_columns(df: DataFrame) -> None:
    for field in df.schema.fields:
        name = field.dataType.simpleString()
        if name not in _COLUMN_TYPES and not name.startswith("decimal("):
            raise NotSupportedLocally(f"writing {field.name!r}, of type {name}, to Redshift", _COLUMN_TYPES)


def _stage(df: DataFrame, temporary_directory: str, format_name: str, null: str) -> str | None:
    """Write CSV parts and a manifest below `temporary_directory`; return its address, or None if there are no rows."""
    if format_name.upper() not in ("CSV", "CSV GZIP"):
        raise NotSupportedLocally(f"tempformat {format_name!r}", ["CSV", "CSV GZIP"])
    if not df.columns:
        return None
    target = _run.new_directory("staging") / "parts"
    parts = write_parts(df, target, null, gzip=format_name.upper() == "CSV GZIP")
    if not parts:
        return None
    prefix = f"{temporary_directory.rstrip('/')}/{uuid.uuid4()}"
    uploads = [(part, f"{prefix}/part-{index:05d}.csv") for index, part in enumerate(parts)]
    _s3.upload(uploads)
    entries = [
        {"url": uri, "mandatory": True, "meta": {"content_length": part.stat().st_size}} for part, uri in uploads
    ]
    manifest = target.with_name("manifest.json")
    manifest.write_text(json.dumps({"entries": entries}))
    _s3.upload([(manifest, f"{prefix}/manifest.json")])
    return f"{prefix}/manifest.json"


def write_parts(df: DataFrame, target: Path, null: str = _NULL, *, gzip: bool = False) -> list[Path]:
    """Write the rows as CSV files into the new directory `target`; those that hold rows."""
    df.write.csv(
        str(target),
        nullValue=null,
        emptyValue='""',
        quote='"',
        escape='"',
        # Spark would trim the strings otherwise.
        ignoreLeadingWhiteSpace=False,
        ignoreTrailingWhiteSpace=False,
        timestampFormat="yyyy-MM-dd HH:mm:ss.SSSSSS",
        compression="gzip" if gzip else "none",
    )
    parts: list[Path] = parts_of(target)
    return parts


def _create(df: DataFrame, table: str) -> list[str]:
    if not df.columns:
        return []
    columns = ", ".join(
        f"{_quoted(field.name)} {_COLUMN_TYPES.get(field.dataType.simpleString(), field.dataType.simpleString())}"
        f"{'' if field.nullable else ' NOT NULL'}"
        for field in df.schema.fields
    )
    return [f"CREATE TABLE IF NOT EXISTS {table} ({columns})"]


def _copy(table: str, manifest: str, null: str, options: Mapping[str, Any]) -> str:
    gzip = " GZIP" if options.get("tempformat", "CSV").upper() == "CSV GZIP" else ""
    extra = f" {options['extracopyoptions']}" if options.get("extracopyoptions") else ""
    return (
        f"COPY {table} FROM {_literal(manifest)} {_authorization(options)}"
        f" FORMAT AS CSV NULL AS {_literal(null)}{gzip} MANIFEST{extra}"
    )


def _authorization(options: Mapping[str, Any]) -> str:
    if options.get("aws_iam_role"):
        return f"IAM_ROLE {_literal(options['aws_iam_role'])}"
    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise ValueError("COPY needs aws_iam_role, or credentials of the job itself, and there are none")
    key = credentials.get_frozen_credentials()
    text = f"aws_access_key_id={key.access_key};aws_secret_access_key={key.secret_key}"
    return f"CREDENTIALS {_literal(text + (f';token={key.token}' if key.token else ''))}"


def _statements(options: Mapping[str, Any], name: str) -> list[str]:
    """Return the statements of preactions or postactions.

    Raises:
        ValueError: the text contains a line break, which AWS's writer does not accept
            (https://repost.aws/knowledge-center/sql-commands-redshift-glue-job).
    """
    text = str(options.get(name, ""))
    if "\n" in text or "\r" in text:
        raise ValueError(f"{name} must not contain line breaks: AWS Glue does not accept them")
    return [statement.strip() for statement in _STATEMENT.findall(text) if statement.strip()]


def _quoted(name: str) -> str:
    return '"' + name.strip('"').replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
