"""Lambda function: starts the Glue workflow when a .json file has landed.

Environment:
    WORKFLOW_NAME: the workflow to start.
    POLL_SECONDS: how often to look while a run is under way; 5 by default.

S3 invokes it asynchronously, at least once and in any order. It promises for each landed file: a run that *started
after the file landed* is there, and was free to read it. The job reads all files that its bookmark doesn't know, so one
such run is enough for many files; and it must not run beside another, since the bookmark needs that and the crawler
crawls once at a time. So the function

1. is done if such a run is there already: files that landed together share one;
2. waits while another run is under way, up to the end of its own time, then fails: Lambda invokes it again;
3. else starts a run, and says what it was started for in the run's properties.
"""

import os
import random
import time
from datetime import UTC, datetime
from urllib.parse import unquote_plus

import boto3

# Left over when waiting ends, to say so before Lambda's own timeout cuts the function off.
RESERVE_SECONDS = 2

glue = boto3.client("glue")


class RunUnderWay(Exception):
    """A run is still under way at the end of this invocation; Lambda's retry goes on waiting."""


def lambda_handler(event, context):
    landed = landed_files(event)
    if not landed:
        return {"started": False, "reason": "no .json file in the event"}
    workflow = os.environ["WORKFLOW_NAME"]
    newest = max(when for _, when in landed)
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
    while True:
        runs = glue.get_workflow_runs(Name=workflow, MaxResults=25)["Runs"]
        later = [run for run in runs if run["StartedOn"] > newest and (run["Status"] == "RUNNING" or all_well(run))]
        if later:
            return skipped(f"run {later[0]['WorkflowRunId']} started after the file landed, and reads it")
        if not any(going(run) for run in runs):
            try:
                return start(workflow, landed)
            except glue.exceptions.ConcurrentRunsExceededException:
                print("another invocation was faster: looking again")
        if time.monotonic() > deadline:
            raise RunUnderWay(f"a run of {workflow} was under way all the time; asking Lambda to retry")
        # Not all at the same moment: two that start a run together make the job refuse one of them.
        time.sleep(float(os.environ.get("POLL_SECONDS", "5")) * random.uniform(0.5, 1.5))


def start(workflow, landed):
    """Start a run and leave in its properties what for."""
    keys = [key for key, _ in landed]
    run = glue.start_workflow_run(Name=workflow, RunProperties={"landed_key": keys[0]})
    print(f"started {workflow}, run {run['RunId']}, for {', '.join(keys)}")
    return {"started": True, "run_id": run["RunId"]}


def landed_files(event):
    """[(key, time)] of the .json files in an S3 event; says why it leaves anything out."""
    if event.get("Event") == "s3:TestEvent":
        print("not started: S3's test event")
        return []
    landed = []
    for record in event.get("Records", []):
        if record.get("eventSource") != "aws:s3" or not record.get("eventName", "").startswith("ObjectCreated:"):
            print(f"left out: {record.get('eventSource')} {record.get('eventName')} is not a landed object")
            continue
        # Keys in events are URL-encoded, a space as a plus sign.
        key = unquote_plus(record["s3"]["object"]["key"])
        if not key.endswith(".json"):
            print(f"left out: {key} does not end in .json")
            continue
        when = datetime.fromisoformat(record["eventTime"]).astimezone(UTC)
        landed.append((key, when))
    if not landed:
        print("not started: no .json file in the event")
    return landed


def going(run):
    return run["Status"] in ("RUNNING", "STOPPING")


def all_well(run):
    """Did everything in the run succeed? A run with a failed job is COMPLETED, too."""
    counts = run.get("Statistics", {})
    bad = ("FailedActions", "StoppedActions", "TimeoutActions", "ErroredActions")
    return run["Status"] == "COMPLETED" and counts.get("SucceededActions") and not any(map(counts.get, bad))


def skipped(reason):
    print(f"not started: {reason}")
    return {"started": False, "reason": reason}
