"""The partitions of a catalog table: which are read, and the values of their keys.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-partitions.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pyspark.errors import AnalysisException
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from awsglue._catalog import Partition, Table
from awsglue._files import by_file
from awsglue._hive_types import spark_type

# Hive's and Spark's name for the partition of the rows without a value.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_PLACE = "__place"


def selected(spark: SparkSession, table: Table, partitions: Sequence[Partition], predicate: str) -> list[Partition]:
    """Return those of `partitions` for which `predicate`, Spark SQL over the partition keys, is true.

    Raises:
        ValueError: the predicate names something that is not a partition key.
    """
    values = F.from_json(F.lit(json.dumps([partition.values for partition in partitions])), "array<array<string>>")
    listed = spark.range(1).select(F.posexplode(values).alias(_PLACE, "values"))
    keys = [
        F.col("values")[number].cast(spark_type(kind)).alias(name)
        for number, (name, kind) in enumerate(table.partition_keys)
    ]
    try:
        # With an alias: otherwise Spark would look up a name that isn't a key among the columns the keys are made from.
        found = listed.select(_PLACE, *keys).alias("partitions").where(predicate).select(_PLACE)
    except AnalysisException as error:
        raise unresolved(predicate, table) from error
    return [partitions[row[0]] for row in found.collect()]


def unresolved(predicate: str, table: Table) -> ValueError:
    """Return the error for a predicate that is not about partition keys, in Glue's words."""
    names = ", ".join(name for name, _ in table.partition_keys)
    return ValueError(
        f"User's pushdown predicate: {predicate} can not be resolved against partition columns: List({names})"
    )


def keys(table: Table, partition_of_file: Sequence[Partition]) -> dict[str, Column]:
    """Return the key columns for the rows of some files; `partition_of_file` is the partition of each file."""
    made = {}
    for number, (name, kind) in enumerate(table.partition_keys):
        text = by_file([partition.values[number] for partition in partition_of_file])
        typed = text.cast(spark_type(kind))
        wrong = F.concat(F.lit(f"The partition key {name} of {table.name} is {kind}; a partition's value is "), text)
        made[name] = F.when(typed.isNotNull() | (text == _NO_VALUE), typed).otherwise(F.raise_error(wrong))
    return made
