"""A dummy job that warms up a Spark: it does what a small S3-to-Redshift job does, with made-up rows.

Java loads a class when it is first used, and compiles code that runs often. So this runs the code that such jobs run:
it reads rows as JSON and as lines, parses JSON texts into maps and arrays, uses casts and conditions, a checkpoint,
counts and a mapping, and writes the files that are staged for COPY. It does not connect to S3 or Redshift.
"""

from __future__ import annotations

import json

from awsglue import _files, _read_csv, _read_json, _redshift, _run, _source
from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.transforms import ApplyMapping
from pyspark.context import SparkContext
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType

ROUNDS = 3
MAPPINGS = [
    ("number", "string", "number", "bigint"),
    ("size", "string", "size", "double"),
    ("name", "string", "name", "string"),
]

glue_context = GlueContext(SparkContext.getOrCreate())
spark = glue_context.spark_session
directory = _run.new_directory("warm-up")
rows = [{"number": number, "size": f"{number}.5", "name": f"item {number}"} for number in range(100)]
files = directory / "files"
files.mkdir()
(files / "00000000.data").write_text("\n".join(map(json.dumps, [*rows, {"number": "none"}])))
source = _source.Fetched(files, [], [])


def read_as_json() -> None:
    """Read rows with the catalog's types; one row doesn't fit them."""
    typed = _read_json.read_json(spark, source, {}, [("number", LongType()), ("size", StringType())]).rows
    typed.select(F.col("size").cast("double")).agg(F.count("*")).first()


def read_as_lines(round_number: int) -> None:
    """Read lines, parse and check each, count them by file, map them and stage them."""
    lines = _read_csv.read_csv(spark, source, {"separator": "\u0001", "quoteChar": -1}, None).rows
    lines = lines.withColumn("file", _files.by_file(["s3://bucket/one", "s3://bucket/two"])).drop(_files.FILE)
    frame = DynamicFrame.fromDF(lines, glue_context, "lines").toDF()
    parsed = (
        frame.where("trim(col0) != ''")
        .selectExpr(
            "file",
            "explode(from_json(concat('[', col0, ']'), 'array<map<string,string>>')) as item",
            "transform(from_json(col0, 'array<string>'), each -> from_json(each, 'map<string,string>')) as items",
        )
        .selectExpr("file", "items", *(f"item['{name}'] as {name}" for name, *_ in MAPPINGS))
        .selectExpr(
            "*",
            "case when number rlike '^[0-9]+$' and cast(number as bigint) >= 0 and abs(cast(size as double)) < 1000"
            " and octet_length(name) < 100 then null when items is null then concat_ws(' ', 'wrong:', number)"
            " else coalesce(name, 'no name') end as wrong",
        )
        .localCheckpoint(eager=False)
    )
    parsed.groupBy("file").agg(F.count("*").alias("all"), F.count("wrong").alias("wrong")).collect()
    parsed.where("wrong is not null").collect()
    fitting = DynamicFrame.fromDF(parsed.where("wrong is null").drop("file", "items", "wrong"), glue_context, "fitting")
    mapped = ApplyMapping.apply(frame=fitting, mappings=MAPPINGS)
    assert _redshift.write_parts(mapped.toDF(), directory / f"staged-{round_number}")


read_as_json()
# In the first round Java loads its classes; in each further round, more of the code is compiled.
for each in range(ROUNDS):
    read_as_lines(each)
