"""Names of types: Glue's, the Data Catalog's (Hive's) and Spark's are nearly the same.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-types.html; of its classes only
what the supported transforms speak of, the type names, is here.
"""

from __future__ import annotations

import re
from typing import Any

from pyspark.sql.types import DataType

from awsglue._errors import NotSupportedLocally

_SPARK_NAMES = {
    "bigint": "bigint", "long": "bigint",
    "int": "int", "integer": "int",
    "smallint": "smallint", "short": "smallint",
    "tinyint": "tinyint", "byte": "tinyint",
    "double": "double", "float": "float", "real": "float",
    "string": "string", "varchar": "string", "char": "string",
    "boolean": "boolean", "date": "date", "timestamp": "timestamp", "binary": "binary",
    "decimal": "decimal(10,2)",  # Glue's default precision and scale
}  # fmt: skip
_NESTED = re.compile(r"^(struct|array|map)<.*>$")
_WITH_LENGTH = re.compile(r"^(varchar|char)\(\d+\)$")
_DECIMAL = re.compile(r"^decimal\(\d+\s*,\s*\d+\)$")


def spark_type(name: str) -> str:
    """Spark's name of the type that Glue or the catalog calls `name`."""
    lowered = name.strip().lower()
    if lowered in _SPARK_NAMES:
        return _SPARK_NAMES[lowered]
    if _NESTED.match(lowered) or _DECIMAL.match(lowered):
        return name.strip()
    if _WITH_LENGTH.match(lowered):
        return "string"
    raise NotSupportedLocally(f"the type {name!r}", _SPARK_NAMES)


def hive_type(kind: DataType) -> str:
    """The Data Catalog's name of a type of Spark's, which is Spark's own, but for what Hive has no word for."""
    name = str(kind.simpleString())
    return "string" if name == "void" else name


def __getattr__(name: str) -> Any:
    if name[:1].isupper():
        raise ImportError(f"awsglue.gluetypes.{name} is not supported by the embedded AWS: schemas are Spark's here.")
    raise AttributeError(f"module 'awsglue.gluetypes' has no attribute {name!r}")
