"""Type names: those of Glue, the Data Catalog (Hive) and Spark are nearly the same.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html
"""

from __future__ import annotations

import re

from pyspark.sql import types as spark

from awsglue import gluetypes
from awsglue._errors import NotSupportedLocally

SPARK_NAMES = {
    "bigint": "bigint", "long": "bigint",
    "int": "int", "integer": "int",
    "smallint": "smallint", "short": "smallint",
    "tinyint": "tinyint", "byte": "tinyint",
    "double": "double", "float": "float", "real": "float",
    "string": "string", "varchar": "string", "char": "string",
    "boolean": "boolean", "date": "date", "timestamp": "timestamp", "binary": "binary",
    "decimal": "decimal(10,2)",  # Glue's default precision and scale
}  # fmt: skip
_GLUE_NAMES = {
    "bigint": "long", "smallint": "short", "tinyint": "byte", "void": "null", "timestamp_ntz": "timestampntz"
}  # fmt: skip
NESTED = ("struct", "array", "map")
_NUMBERS = ("byte", "short", "int", "long", "float", "double", "decimal", "boolean")
_WITH_LENGTH = re.compile(r"^(varchar|char)\(\d+\)$")
_DECIMAL = re.compile(r"^decimal\(\d+\s*,\s*\d+\)$")
_ATOMIC = {
    kind.typeName(): kind
    for kind in (
        gluetypes.BinaryType, gluetypes.BooleanType, gluetypes.ByteType, gluetypes.DateType, gluetypes.DoubleType,
        gluetypes.FloatType, gluetypes.IntegerType, gluetypes.LongType, gluetypes.NullType, gluetypes.ShortType,
        gluetypes.StringType, gluetypes.TimestampType, gluetypes.TimestampNTZType,
    )
}  # fmt: skip


def atomic_type(name: str) -> str:
    """Spark's name of the type of single values that Glue or the catalog calls `name`."""
    lowered = name.strip().lower()
    if lowered in SPARK_NAMES:
        return SPARK_NAMES[lowered]
    if _DECIMAL.match(lowered):
        return name.strip()
    if _WITH_LENGTH.match(lowered):
        return "string"
    raise NotSupportedLocally(f"the type {name!r}", SPARK_NAMES)


def hive_type(kind: spark.DataType) -> str:
    """Return the Data Catalog's name for a Spark type: Spark's own name, except for a type that Hive does not have."""
    name = str(kind.simpleString())
    return "string" if name == "void" else name


def glue_name(kind: spark.DataType) -> str:
    """Return Glue's name for a Spark type, without its parameters: `struct`, `decimal`, `long`."""
    name = str(kind.simpleString())
    return _GLUE_NAMES.get(name, re.split("[<(]", name)[0])


def declared_name(name: str) -> str:
    """Return Glue's name for the type that a script calls `name`: `long` for `bigint`, `struct` for `struct<a:int>`."""
    outer = re.split("[<(]", name.strip().lower())[0]
    if outer in (*NESTED, "null"):
        return outer
    spark_name = atomic_type(name)
    return _GLUE_NAMES.get(spark_name, spark_name.split("(")[0])


def check_cast(kind: spark.DataType, name: str) -> None:
    """Refuse a cast of a number to a date or timestamp, or the other way round.

    Spark counts the seconds since 1970. AWS does not say what Glue counts, and there are scripts that expect
    milliseconds.
    """
    numbers = (spark.NumericType, spark.BooleanType)
    times = (spark.TimestampType, spark.TimestampNTZType, spark.DateType)
    target = declared_name(name)
    to_time, to_number = target in ("timestamp", "date"), target in _NUMBERS
    if (isinstance(kind, numbers) and to_time) or (isinstance(kind, times) and to_number):
        raise NotSupportedLocally(
            f"a cast of {glue_name(kind)} to {target}", ["Spark's functions, such as timestamp_millis and unix_millis"]
        )


def glue_type(kind: spark.DataType) -> gluetypes.DataType:
    """Return the Glue type for a Spark type."""
    if isinstance(kind, spark.StructType):
        return gluetypes.StructType([gluetypes.Field(field.name, glue_type(field.dataType)) for field in kind.fields])
    if isinstance(kind, spark.ArrayType):
        return gluetypes.ArrayType(glue_type(kind.elementType))
    if isinstance(kind, spark.MapType):
        return gluetypes.MapType(glue_type(kind.valueType))
    if isinstance(kind, spark.DecimalType):
        return gluetypes.DecimalType(kind.precision, kind.scale)
    name = glue_name(kind)
    if name not in _ATOMIC:
        raise NotSupportedLocally(f"Spark's type {kind.simpleString()} in a DynamicFrame's schema", _ATOMIC)
    return _ATOMIC[name]()
