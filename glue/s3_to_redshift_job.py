"""s3_to_redshift_job: toll rows from the landing bucket, through the staging bucket, into Redshift.

It is the visual job of the description as code: a catalog table as source, a mapping, a catalog table as target,
a staging directory. Two things are added. Rows that can't be loaded are kept in the staging bucket, with their file,
line and reason, and the others load. And each object version is loaded once, whatever happens: that is exactly_once.py,
and the ledger it keeps in Redshift. With `--LEDGER off` the job is as described, and only a bookmark remembers.

The same files run on AWS Glue 5.1 and on the embedded AWS. Job arguments:

    --SOURCE_DATABASE     catalog database of both tables              (toll-raw-db)
    --SOURCE_TABLE        the crawled table of the landing bucket      (required)
    --TARGET_TABLE        the crawled table of Redshift                (toll_db_public_toll_table)
    --CONNECTION          Glue's connection to Redshift                (redshift_conn)
    --LEDGER              the ledger, SCHEMA.TABLE, or off             (etl.toll_ledger)
    --MAX_REJECTED_SHARE  of a file of which a larger share can't be loaded nothing is, and the job fails   (0.9)
    --REDSHIFT_ROLE       ARN of the role that COPY reads the staging bucket with; without it, this job's own
    --REJECTS             where rejected rows go                       (rejects/ in the bucket of --TempDir)
    --TempDir             staging directory of the Redshift writer     (required)
"""

import sys
from urllib.parse import urlparse

import exactly_once
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


def arguments():
    """The job's arguments, with their defaults: getResolvedOptions insists on all that it is asked for."""
    given = [word.removeprefix("--").partition("=")[0] for word in sys.argv if word.startswith("--")]
    args = getResolvedOptions(sys.argv, ["JOB_NAME", "TempDir", "SOURCE_TABLE"])
    defaults = {
        "SOURCE_DATABASE": "toll-raw-db",
        "TARGET_TABLE": "toll_db_public_toll_table",
        "CONNECTION": "redshift_conn",
        "LEDGER": "etl.toll_ledger",
        "MAX_REJECTED_SHARE": "0.9",
        "REJECTS": f"s3://{urlparse(args['TempDir']).netloc}/rejects/",
    }
    optional = [name for name in (*defaults, "REDSHIFT_ROLE", "WORKFLOW_NAME", "WORKFLOW_RUN_ID") if name in given]
    return {**defaults, **args, **getResolvedOptions(sys.argv, optional)}


def read_lines(glue_context, paths, context=""):
    """A DataFrame of every line of the files, as text (col0), with the file that it is in (source_file).

    They are read as lines, not with create_dynamic_frame.from_catalog, because neither Glue's JSON reader nor its
    documentation keeps a line that isn't JSON: it would be an empty row, or fail the job. A CSV reader without quotes,
    with a separator that can't be in a JSON text (U+0001 must be escaped there), gives each line untouched.
    """
    lines = glue_context.create_dynamic_frame.from_options(
        connection_type="s3",
        connection_options={"paths": paths, "recurse": True},
        format="csv",
        format_options={"separator": "\u0001", "quoteChar": -1, "withHeader": False, "attachFilename": "source_file"},
        transformation_ctx=context,
    ).toDF()
    if "col0" not in lines.columns:  # a frame without rows has no columns either
        return glue_context.spark_session.range(0).select(F.lit("").alias("col0"), F.lit("").alias("source_file"))
    return lines


def judge(lines):
    """One row for each JSON object: its fields as text; where it can't be loaded, the `reason` and the raw `row`."""
    # Spark takes single-quoted objects, as the original sample has them, for JSON. It also ignores what follows an
    # object on its line; in brackets it can't, and an array on one line is as good as its elements.
    texts = "if(trim(col0) like '[%', trim(col0), concat('[', trim(col0), ']'))"
    # As maps, not as structs of our fields: Spark 3.5 looks up the defaults of a struct's fields anew for each object.
    objects = lines.where("trim(col0) != ''").selectExpr(
        "col0 as row", "source_file", f"explode_outer(from_json({texts}, 'array<map<string,string>>')) as parsed"
    )
    fields = [f"parsed['{field}'] as {field}" for field in FIELDS]
    rows = objects.selectExpr(*fields, "parsed is null as no_object", "source_file", "row")
    # Almost all rows are good, and for those the first question is the only one.
    fine = " and ".join(fits(field, kind) for field, _, _, kind in MAPPINGS)
    complaints = ", ".join(complaint(field, kind) for field, _, _, kind in MAPPINGS)
    complaint_of_object = f"when no_object then 'not a JSON object' else concat_ws('; ', {complaints})"
    reason = f"case when {fine} then null {complaint_of_object} end"
    rows = rows.selectExpr(*FIELDS, f"{reason} as reason", "source_file", "row")
    return rows.selectExpr(*FIELDS, "reason", "source_file", "if(reason is null, null, row) as row")


def fits(field, kind):
    """SQL: can the text of the field go into its column? NULL, too, is no yes."""
    if kind == "bigint":
        # A cast alone would take 1.5 and make it 1.
        return f"cast({field} as bigint) is not null and {field} rlike '^[+-]?[0-9]+$'"
    if kind == "double":
        return f"abs(cast({field} as double)) <= {LARGEST_REAL}D"
    return f"octet_length({field}) <= {LONGEST_TEXT} and not contains({field}, char(0))"


def complaint(field, kind):
    """SQL: why the text of the field can't go into its column; null where it can."""
    wrong = f"not coalesce({fits(field, kind)}, false)"
    if kind == "bigint":
        why = f"when {wrong} then concat('{field} is no whole number: ', {field})"
    elif kind == "double":
        why = f"when {wrong} then concat('{field} is no number of the column\\'s range: ', {field})"
    else:
        why = (
            f"when octet_length({field}) > {LONGEST_TEXT} then '{field} is longer than {LONGEST_TEXT} bytes'"
            f" when {wrong} then '{field} has a NUL character, which Redshift can\\'t hold'"
        )
    return f"case when {field} is null then '{field} is missing' {why} end"


def count(rows):
    """{source_file: (good rows, rejected rows)}."""
    by_file = rows.groupBy("source_file").agg(F.count("*").alias("all"), F.count("reason").alias("bad")).collect()
    return {found["source_file"]: (found["all"] - found["bad"], found["bad"]) for found in by_file}


def too_bad(counts, most):
    """The files of which more than this share (0 to 1) is rejected."""
    good, bad = (sum(column) for column in zip(*counts.values(), strict=True)) if counts else (0, 0)
    print(f"rows read: {good + bad}, to load: {good}, rejected: {bad}")
    return sorted(file for file, (good, bad) in counts.items() if bad > most * (good + bad))


def write(glue_context, args, rows, preactions):
    """The target of the visual job: the mapping, then the catalog table in Redshift by way of the staging directory."""
    good = DynamicFrame.fromDF(rows.where("reason is null").select(*FIELDS), glue_context, "good")
    mapped = ApplyMapping.apply(frame=good, mappings=MAPPINGS, transformation_ctx="mapped")
    options = {"preactions": preactions} if preactions else {}
    if "REDSHIFT_ROLE" in args:
        options["aws_iam_role"] = args["REDSHIFT_ROLE"]
    glue_context.write_dynamic_frame.from_catalog(
        frame=mapped,
        database=args["SOURCE_DATABASE"],
        table_name=args["TARGET_TABLE"],
        redshift_tmp_dir=args["TempDir"],
        additional_options=options,
        transformation_ctx="toll_table",
    )


def load(glue_context, args, lines, part):
    """Load the good rows among the lines, and keep the rejected ones in the staging bucket."""
    # Read once, and never again: should an executor be lost, the job fails, rather than read what is there by then.
    rows = judge(lines).localCheckpoint(eager=False)
    counts = count(rows)
    if any(bad for _, bad in counts.values()):
        exactly_once.keep_rejects(rows.where("reason is not null").collect(), part.objects, args["REJECTS"])
        print(f"rejected rows, each with its file, line and reason: {args['REJECTS']}")
    preactions, left_out = part.enter(counts, too_bad(counts, float(args["MAX_REJECTED_SHARE"])))
    if left_out:
        rows = rows.where(~F.col("source_file").isin(left_out))
    if preactions is not None:
        write(glue_context, args, rows, preactions)


def main():
    args = arguments()
    glue_context = GlueContext(SparkContext.getOrCreate())
    job = Job(glue_context)
    job.init(args["JOB_NAME"], args)
    landing = exactly_once.Landing(args)
    if args["LEDGER"] == "off":
        # The job of the description: it loads what its bookmark doesn't know, and without bookmarks everything, again.
        load(
            glue_context,
            args,
            read_lines(glue_context, [landing.location], "landing"),
            exactly_once.AsDescribed(landing),
        )
    else:
        ledger = exactly_once.Ledger(args["CONNECTION"], args["LEDGER"])
        glue_context.get_logger().info("Looking for object versions that the ledger lacks.")
        for part in exactly_once.parts(landing, ledger, args):
            load(glue_context, args, read_lines(glue_context, list(part.objects)), part)
    job.commit()
    landing.finish()


main()
