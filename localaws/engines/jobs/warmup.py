"""The dummy job that warms a Spark: what a small S3-to-Redshift job does, on a few rows of its own."""

from __future__ import annotations

from awsglue import _read, _run, _write
from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.transforms import ApplyMapping
from pyspark.context import SparkContext
from pyspark.sql import functions as F

glue_context = GlueContext(SparkContext.getOrCreate())
spark = glue_context.spark_session
directory = _run.new_directory("warm-up")
objects = "".join(f'{{"a": {n}, "b": "{n}.5", "c": "{n}x"}}\n' for n in range(100))
(directory / "00000000.data").write_text(objects + '{"a": "x"}\n')

typed = _read._read_json(spark, directory, {}, [("a", "bigint"), ("b", "string")]).rows
typed.select(F.col("b").cast("double")).agg(F.count("*")).first()

options = {"separator": "\u0001", "quoteChar": -1}
source = _read._read_csv(spark, directory, options, None).rows
source = source.withColumn("file", _read._uri_of(F.col(_read._FILE), ["s3://bucket/key", "s3://bucket/other"]))
text = F.when(F.trim("col0").startswith("["), F.col("col0")).otherwise(F.concat(F.lit("["), F.col("col0"), F.lit("]")))
rows = source.select(
    "col0", "file", F.explode_outer(F.from_json(text, "array<struct<a:string,b:string,c:string>>")).alias("parsed")
).select("col0", "file", "parsed.*")
bad = [F.when(F.col(name).isNull(), F.lit("missing")).when(~F.col(name).rlike(r"^\d"), F.col(name)) for name in "abc"]
rows = rows.withColumn("reason", F.nullif(F.concat_ws("; ", *bad), F.lit(""))).persist()
rows.agg(F.count("*").alias("all"), F.count("reason").alias("rejected")).first()
rows.where("reason is not null").write.json(str(directory / "json"))
good = DynamicFrame.fromDF(rows.where("reason is null").select("a", "b", "c"), glue_context, "good")
mapped = ApplyMapping.apply(frame=good, mappings=[("a", "string", "a", "bigint"), ("b", "string", "b", "double")])
mapped.toDF().write.csv(str(directory / "csv"), nullValue="@NULL@", emptyValue='""', quote='"', escape='"')
assert _write.parts_of(directory / "csv")
