"""The dummy job that warms a Spark: what a small S3-to-Redshift job does, on a few rows of its own."""

from __future__ import annotations

from awsglue import _files, _read_csv, _read_json, _run, _source, _write
from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.transforms import ApplyMapping
from pyspark.context import SparkContext
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType

glue_context = GlueContext(SparkContext.getOrCreate())
spark = glue_context.spark_session
directory = _run.new_directory("warm-up")
objects = "".join(f'{{"a": {n}, "b": "{n}.5", "c": "{n}x"}}\n' for n in range(100))
files = directory / "files"
files.mkdir()
(files / "00000000.data").write_text(objects + '{"a": "x"}\n')

source = _source.Fetched(files, [], [])
typed = _read_json.read_json(spark, source, {}, [("a", LongType()), ("b", StringType())]).rows
typed.select(F.col("b").cast("double")).agg(F.count("*")).first()

TEXT = "if(trim(col0) like '[%', trim(col0), concat('[', trim(col0), ']'))"
FINE = "cast(parsed.a as bigint) is not null and parsed.a rlike '^[0-9]+$' and abs(cast(parsed.b as double)) <= 3.4e38D"
BAD = "concat_ws('; ', case when parsed.a is null then 'missing' when length(parsed.c) > 256 then parsed.c end)"


def small_job(number: int) -> None:
    """Lines of files, judged, counted by file, kept, mapped and written."""
    lines = _read_csv.read_csv(spark, source, {"separator": "\u0001", "quoteChar": -1}, None).rows
    lines = lines.withColumn("file", _files.by_file(["s3://bucket/key", "s3://bucket/other"]))
    rows = DynamicFrame.fromDF(lines.drop(_files.FILE), glue_context, "lines").toDF().where("trim(col0) != ''")
    parsed = f"explode_outer(from_json({TEXT}, 'array<struct<a:string,b:string,c:string>>')) as parsed"
    rows = rows.selectExpr("col0", "file", parsed)
    rows = rows.selectExpr("parsed.*", f"case when {FINE} then null else {BAD} end as reason", "file", "col0")
    rows = rows.selectExpr("a", "b", "c", "reason", "file", "if(reason is null, null, col0) as col0")
    rows = rows.localCheckpoint(eager=False)
    rows.groupBy("file").agg(F.count("*").alias("all"), F.count("reason").alias("bad")).collect()
    rows.where("reason is not null").collect()
    good = DynamicFrame.fromDF(rows.where("reason is null").select("a", "b", "c"), glue_context, "good")
    mapped = ApplyMapping.apply(frame=good, mappings=[("a", "string", "a", "bigint"), ("b", "string", "b", "double")])
    parts = directory / f"csv-{number}"
    mapped.toDF().write.csv(str(parts), nullValue="@NULL@", emptyValue='""', quote='"', escape='"')
    assert _write.parts_of(parts)


# The first makes Java load its classes; each further one runs more of it compiled.
for number in range(3):
    small_job(number)
