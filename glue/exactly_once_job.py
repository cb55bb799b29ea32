"""exactly_once_job: every landed object version is loaded into Redshift once, whatever fails on the way.

It does what s3_to_redshift_job does, with a catalog table as the source, a mapping, a catalog table as the target, and
a staging directory. It adds two things:

- A ledger in Redshift records which object versions are loaded, in the transaction that loads them (ledger.py). So
  nothing depends on a bookmark, on the order of events, or on how often they are delivered.
- Rows that can't be loaded are kept in S3, with their file, line and reason, and all others are loaded (rows.py,
  rejects.py).

The same files run on AWS Glue 5.1 and on the embedded AWS. Job arguments:

    --SOURCE_DATABASE     catalog database of both tables
    --SOURCE_TABLE        the crawled table of the landing bucket
    --TARGET_TABLE        the crawled table of Redshift
    --CONNECTION          Glue connection to Redshift, whose secret the ledger uses
    --LEDGER              the ledger, SCHEMA.TABLE
    --MAX_REJECTED_SHARE  if a larger share of a file's rows can't be loaded, none of it is, and the run fails (0 to 1)
    --REDSHIFT_ROLE       ARN of the role with which COPY reads the staging directory
    --REJECTS             where rejected rows are kept, s3://BUCKET/PREFIX/
    --TempDir             staging directory of the Redshift writer; the markers are in its bucket
"""

import sys

import boto3
import rejects
from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.job import Job
from awsglue.transforms import ApplyMapping
from awsglue.utils import getResolvedOptions
from landing import Landing
from ledger import FILES_A_PART, Ledger
from pyspark.context import SparkContext
from pyspark.sql import functions as F
from rows import FIELDS, MAPPINGS, count, judge, read_lines

REQUIRED = [
    "JOB_NAME", "TempDir", "SOURCE_DATABASE", "SOURCE_TABLE", "TARGET_TABLE", "CONNECTION", "LEDGER",
    "MAX_REJECTED_SHARE", "REDSHIFT_ROLE", "REJECTS",
]  # fmt: skip
OF_A_WORKFLOW = ["WORKFLOW_NAME", "WORKFLOW_RUN_ID"]
ROUNDS = 20
"""How many times a run reads files again that were overwritten while it read them."""


class WrongSource(Exception):
    """The crawled table is not what this job can read."""


class KeepsChanging(Exception):
    """Objects were overwritten each time they were read."""


def arguments():
    """The job's arguments. Glue adds the workflow's to those of a run that a workflow started."""
    given = [name for name in OF_A_WORKFLOW if f"--{name}" in sys.argv]
    return getResolvedOptions(sys.argv, REQUIRED + given)


def source_location(database, table):
    """Return the location of the crawled table's files, s3://BUCKET/PREFIX.

    Raises:
        WrongSource: the crawl found something other than JSON, or not all the columns that the mapping needs.
    """
    found = boto3.client("glue").get_table(DatabaseName=database, Name=table)["Table"]
    storage = found["StorageDescriptor"]
    kind = found.get("Parameters", {}).get("classification")
    if kind != "json":
        raise WrongSource(f"Table {database}.{table} has the classification {kind}: this job reads JSON files.")
    columns = {column["Name"] for column in storage["Columns"]}
    if missing := [field for field in FIELDS if field not in columns]:
        raise WrongSource(
            f"Table {database}.{table} has no column {', '.join(missing)}: the crawler found none in the files."
            f" Its columns are {', '.join(sorted(columns))}. Land a file that has all columns, run the crawler again,"
            " and start the job again."
        )
    return storage["Location"]


def load_all(glue_context, args, landing, ledger):
    """Load, part by part, the objects that this run has to read and that are not in the ledger.

    Raises:
        KeepsChanging: some objects were overwritten in each of many rounds.
    """
    unread = ledger.lacks(landing.to_read())
    for _ in range(len(unread) // FILES_A_PART + ROUNDS):
        if not unread:
            return
        part, rest = unread[:FILES_A_PART], unread[FILES_A_PART:]
        overwritten = load(glue_context, args, landing, ledger, part)
        unread = rest + ledger.lacks(landing.current(overwritten))
    if unread:
        raise KeepsChanging(f"{len(unread)} objects were overwritten each time they were read, such as {unread[0].uri}")


def load(glue_context, args, landing, ledger, part):
    """Load the good rows of these ObjectVersions in one transaction, and keep the rejected ones.

    Returns:
        The keys of the objects that were overwritten meanwhile. None of their rows are loaded.
    """
    objects = {item.uri: item for item in part}
    # Read once and kept: if an executor is lost, the job fails instead of reading the objects again, which may have
    # changed by then.
    rows = judge(read_lines(glue_context, list(objects))).localCheckpoint(eager=False)
    counts = count(rows)
    all_good, all_bad = (sum(column) for column in zip(*counts.values(), strict=True)) if counts else (0, 0)
    print(f"rows read: {all_good + all_bad}, to load: {all_good}, rejected: {all_bad}")
    most = float(args["MAX_REJECTED_SHARE"])
    refused = {uri: good for uri, (good, bad) in counts.items() if bad > most * (good + bad)}
    if all_bad:
        rejects.keep(rows.where("reason is not null").collect(), objects, refused, args["REJECTS"])
        print(f"rejected rows, each with its file, line and reason: {args['REJECTS']}")
    # If an object still has the version that it had before it was read, then that version is what was read.
    current = set(landing.current([item.key for item in part]))
    overwritten = [item for item in part if item not in current]
    landing.refused += [objects[uri] for uri in refused if objects[uri] in current]
    left_out = {item.uri for item in overwritten} | set(refused)
    if entered := {item: counts.get(uri, (0, 0)) for uri, item in objects.items() if uri not in left_out}:
        if left_out:
            rows = rows.where(~F.col("source_file").isin(sorted(left_out)))
        write(glue_context, args, rows, preactions=ledger.entry(entered, args["JOB_RUN_ID"]))
    return [item.key for item in overwritten]


def write(glue_context, args, rows, preactions):
    """Write the good rows to the catalog table in Redshift, through the staging directory."""
    good = DynamicFrame.fromDF(rows.where("reason is null").select(*FIELDS), glue_context, "good")
    mapped = ApplyMapping.apply(frame=good, mappings=MAPPINGS, transformation_ctx="mapped")
    glue_context.write_dynamic_frame.from_catalog(
        frame=mapped,
        database=args["SOURCE_DATABASE"],
        table_name=args["TARGET_TABLE"],
        redshift_tmp_dir=args["TempDir"],
        additional_options={"preactions": preactions, "aws_iam_role": args["REDSHIFT_ROLE"]},
        transformation_ctx="toll_table",
    )


def main():
    args = arguments()
    glue_context = GlueContext(SparkContext.getOrCreate())
    job = Job(glue_context)
    job.init(args["JOB_NAME"], args)
    landing = Landing(source_location(args["SOURCE_DATABASE"], args["SOURCE_TABLE"]), args)
    glue_context.get_logger().info("Looking for object versions that the ledger lacks.")
    load_all(glue_context, args, landing, Ledger(args["CONNECTION"], args["LEDGER"]))
    job.commit()
    landing.finish()


main()
