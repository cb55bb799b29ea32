"""s3_to_redshift_job: toll rows from the landing bucket, through the staging bucket, into Redshift.

It is the visual job of the description as code: a catalog table as source, a mapping, a catalog table as target,
a staging directory; bookmarks remember what was read. One thing is added: rows that can't be loaded are written to
``rejects/`` in the staging bucket with their file and the reason, and the others load.

The same file runs on AWS Glue 5.1 and on the embedded AWS. Job arguments:

    --SOURCE_DATABASE   catalog database of both tables              (toll-raw-db)
    --SOURCE_TABLE      the crawled table of the landing bucket      (required)
    --TARGET_TABLE      the crawled table of Redshift                (toll_db_public_toll_table)
    --REDSHIFT_ROLE     ARN of the role that COPY reads the staging bucket with; without it, this job's own
    --REJECTS           where rejected rows go                       (rejects/ in the bucket of --TempDir)
    --TempDir           staging directory of the Redshift writer     (required)
"""

import sys
from urllib.parse import urlparse

import boto3
from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.job import Job
from awsglue.transforms import ApplyMapping
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as F

# Redshift's columns in their order (COPY goes by position), each with its type in the file and in the table.
MAPPINGS = [
    ("transaction_id", "string", "transaction_id", "bigint"),
    ("transaction_date", "string", "transaction_date", "string"),
    ("toll_booth", "string", "toll_booth", "string"),
    ("vehicle_make", "string", "vehicle_make", "string"),
    ("vehicle_category", "string", "vehicle_category", "string"),
    ("transaction_amount", "string", "transaction_amount", "double"),
]
FIELDS = [source for source, _, _, _ in MAPPINGS]
LARGEST_REAL = 3.4e38  # transaction_amount is a `real`: a larger value would fail the COPY of all rows
LONGEST_TEXT = 256  # bytes in a Redshift `varchar` without a length, and again one longer fails the COPY of all


def optional(name, default):
    """The job argument --`name`, or `default` where the job has none: getResolvedOptions insists on all it is asked."""
    return getResolvedOptions(sys.argv, [name])[name] if f"--{name}" in sys.argv else default


def read_lines(glue_context, database, table):
    """Every line that no earlier run has read, as text (col0), with the file that it is in (source_file).

    The catalog says where the table's files are. They are read as lines, not with create_dynamic_frame.from_catalog,
    because neither Glue's JSON reader nor its documentation keeps a line that isn't JSON: it would be an empty row,
    or fail the job. A CSV reader without quotes, with a separator that can't be in a JSON text (U+0001 must be
    escaped there), gives each line untouched, and bookmarks work for it as for JSON.
    """
    found = boto3.client("glue").get_table(DatabaseName=database, Name=table)["Table"]
    return glue_context.create_dynamic_frame.from_options(
        connection_type="s3",
        connection_options={"paths": [found["StorageDescriptor"]["Location"]], "recurse": True},
        format="csv",
        format_options={"separator": "\u0001", "quoteChar": -1, "withHeader": False, "attachFilename": "source_file"},
        transformation_ctx="landing",
    )


def judge(lines):
    """One row for each JSON object: its fields as text; where it can't be loaded, the `reason` and the raw `row`."""
    # Spark takes single-quoted objects, as the original sample has them, for JSON. It also ignores what follows an
    # object on its line; in brackets it can't, and an array on one line is as good as its elements.
    line = F.trim("col0")
    text = F.when(line.startswith("["), line).otherwise(F.concat(F.lit("["), line, F.lit("]")))
    schema = "array<struct<" + ",".join(f"{field}:string" for field in FIELDS) + ">>"
    rows = lines.where(line != "").select(
        F.col("col0").alias("row"), "source_file", F.explode_outer(F.from_json(text, schema)).alias("parsed")
    )
    rows = rows.select("row", "source_file", F.col("parsed").isNull().alias("unparsable"), "parsed.*")

    complaints = [complaint(field, kind) for field, _, _, kind in MAPPINGS]
    reason = F.when(F.col("unparsable"), F.lit("not a JSON object")).otherwise(
        F.nullif(F.concat_ws("; ", *complaints), F.lit(""))
    )
    rows = rows.withColumn("reason", reason)
    return rows.select(*FIELDS, "reason", "source_file", F.when(F.col("reason").isNotNull(), F.col("row")).alias("row"))


def complaint(field, kind):
    """Why the text of `field` can't go into its column; null where it can."""
    value, name = F.col(field), F.lit(field)
    missing = F.when(value.isNull(), F.concat(name, F.lit(" is missing")))
    if kind == "bigint":
        # A cast alone would take 1.5 and make it 1.
        fits = value.rlike(r"^[+-]?\d+$") & value.cast("bigint").isNotNull()
        return missing.when(~fits, F.concat(name, F.lit(" is no whole number: "), value))
    if kind == "double":
        number = value.cast("double")
        fits = number.isNotNull() & (F.abs(number) <= LARGEST_REAL)
        return missing.when(~fits, F.concat(name, F.lit(" is no number of the column's range: "), value))
    too_long = F.concat(name, F.lit(f" is longer than {LONGEST_TEXT} bytes"))
    return missing.when(F.octet_length(value) > LONGEST_TEXT, too_long).when(
        value.contains("\0"), F.concat(name, F.lit(" has a NUL character, which Redshift can't hold"))
    )


def write_rejects(glue_context, rejects, path):
    """Put the rejected rows into one file, each with its file and the reason."""
    rejects = rejects.select("source_file", "reason", "row").coalesce(1)
    glue_context.write_dynamic_frame.from_options(
        frame=DynamicFrame.fromDF(rejects, glue_context, "rejects"),
        connection_type="s3",
        connection_options={"path": path},
        format="json",
    )


def main():
    args = getResolvedOptions(sys.argv, ["JOB_NAME", "TempDir", "SOURCE_TABLE"])
    database = optional("SOURCE_DATABASE", "toll-raw-db")
    target = optional("TARGET_TABLE", "toll_db_public_toll_table")
    staging_bucket = urlparse(args["TempDir"]).netloc
    rejects_path = optional("REJECTS", f"s3://{staging_bucket}/rejects/").rstrip("/")
    role = optional("REDSHIFT_ROLE", "")

    glue_context = GlueContext(SparkContext.getOrCreate())
    logger = glue_context.get_logger()
    job = Job(glue_context)
    job.init(args["JOB_NAME"], args)

    lines = read_lines(glue_context, database, args["SOURCE_TABLE"]).toDF()
    if "col0" not in lines.columns:  # a frame without rows has no columns either
        logger.info("Nothing new has landed: no rows to load.")
        job.commit()
        return

    rows = judge(lines).persist()  # used three times, read once
    counts = rows.agg(F.count("*").alias("all"), F.count("reason").alias("rejected")).first()
    logger.info(f"Rows read: {counts['all']}, rejected: {counts['rejected']}")
    print(f"rows read: {counts['all']}, to load: {counts['all'] - counts['rejected']}, rejected: {counts['rejected']}")
    if counts["rejected"]:
        path = f"{rejects_path}/{args.get('JOB_RUN_ID') or 'unknown-run'}/"
        write_rejects(glue_context, rows.where("reason is not null"), path)
        print(f"rejected rows, each with its file and the reason: {path}")

    good = DynamicFrame.fromDF(rows.where("reason is null").select(*FIELDS), glue_context, "good")
    mapped = ApplyMapping.apply(frame=good, mappings=MAPPINGS, transformation_ctx="mapped")
    glue_context.write_dynamic_frame.from_catalog(
        frame=mapped,
        database=database,
        table_name=target,
        redshift_tmp_dir=args["TempDir"],
        additional_options={"aws_iam_role": role} if role else {},
        transformation_ctx="toll_table",
    )
    job.commit()


main()
