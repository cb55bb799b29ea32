"""Lambda function: starts the Glue workflow WORKFLOW_NAME when a .json file has landed in S3."""

import os
from urllib.parse import unquote_plus

import boto3

glue = boto3.client("glue")


def lambda_handler(event, context):
    # S3's own test event has no Records. Keys are URL-encoded, with a space as a plus sign.
    keys = [unquote_plus(record["s3"]["object"]["key"]) for record in event.get("Records", [])]
    landed = [key for key in keys if is_data_key(key)]
    if not landed:
        return print(f"not started: no data file among {keys}")
    try:
        run = glue.start_workflow_run(Name=os.environ["WORKFLOW_NAME"])
        print(f"started run {run['RunId']} for {landed}")
    except glue.exceptions.ConcurrentRunsExceededException as error:
        print(f"refused for {landed}: {error}")


def is_data_key(key):
    """Whether the object with this key is a data file. Spark ignores files whose names begin with _ or a dot."""
    name = key.rpartition("/")[2]
    return name.endswith(".json") and not name.startswith(("_", "."))
