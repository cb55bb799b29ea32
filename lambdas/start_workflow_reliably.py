"""Lambda function: starts the Glue workflow when a .json file has landed, and makes sure that the file is loaded.

S3 invokes it at least once for each file, in any order. For each event it

1. writes a marker, `landed/<key>/<sequencer>` in the staging bucket. The job of a run reads the files that have
   markers. When it has loaded them, it deletes the markers that were there when it began. So an event is done when its
   marker is gone: its file was loaded by a run that began after it landed;
2. sends the event to a queue, which invokes this function again. What is not done by then it returns to the queue, and
   the queue delivers it again;
3. starts a run, unless one is under way.

Files that land together share runs: a run reads all markers that are there when its job begins. Runs don't overlap,
since the crawler and the job each run once at a time. After TRIES failed runs an event goes to the dead-letter queue,
with the reason, and its marker is deleted, so that it doesn't hold up other files. A redrive from there to the queue
starts it again from the beginning.

Environment:
    WORKFLOW_NAME, CRAWLER_NAME, JOB_NAME: the workflow to start, and what it runs.
    STAGING_BUCKET: where the markers are.
    QUEUE_NAME, DEAD_LETTER_QUEUE_NAME: the two queues.
    POLL_SECONDS: how often to look while a run is under way; 5 by default.
    WAIT_SECONDS: how long an invocation by the queue waits before it returns its messages; 20 by default.
    RETRY_SECONDS: the delay before the queue delivers them again; 30 by default. It is also the pause after a failed
        run, which doubles with each further one (exponential backoff), up to 6 hours.
    TRIES: the number of failed runs after which an event is given up; 5 by default.
"""

import json
import os
import random
import time
from datetime import UTC, datetime
from functools import cache
from urllib.parse import unquote_plus

import boto3
from botocore.exceptions import ClientError

MARKERS = "landed/"
LONGEST_KEY = 1024  # bytes, S3's limit
UNDER_WAY = ("STARTING", "RUNNING", "STOPPING", "WAITING")
LONGEST_PAUSE = 6 * 60 * 60  # seconds. SQS allows at most 12 hours, counted from when it delivered the message.

glue, s3, sqs = boto3.client("glue"), boto3.client("s3"), boto3.client("sqs")


def lambda_handler(event, context):
    records = event.get("Records") or []
    if not records or records[0].get("eventSource") != "aws:sqs":
        return from_s3(event)
    try:
        waiting, pause = from_queue(records)
    except ClientError:
        deliver_again(records, seconds("RETRY_SECONDS", 30))
        raise
    deliver_again(waiting, pause)
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in waiting]}


def from_s3(event):
    """Write the markers of what has landed, then start a run if none is under way."""
    markers = markers_of(event)
    if not markers:
        return skipped("no .json file in the event")
    for marker in markers:
        s3.put_object(Bucket=os.environ["STAGING_BUCKET"], Key=marker)
    try:
        busy = other_marker(markers) or run_under_way()
    except ClientError as error:
        busy = str(error)
    # If a run starts now, the queue need not deliver the event before the run can have ended.
    delay = 0 if busy else round(seconds("RETRY_SECONDS", 30))
    sqs.send_message(QueueUrl=url("QUEUE_NAME"), MessageBody=json.dumps(event), DelaySeconds=delay)
    if busy:
        return skipped(f"{busy}; the queue will deliver the event again")
    try:
        return start(markers)
    except ClientError as error:
        # Raising would make Lambda retry S3's event, which is in the queue already.
        return skipped(f"{error}; the queue will deliver the event again")


def from_queue(messages):
    """Wait until these messages' events are done, and start runs where needed.

    Returns:
        The messages that are not done, and the seconds after which the queue is to deliver them again.
    """
    waiting = [message for message in messages if not restarted(message) and markers_left(message)]
    deadline = time.monotonic() + seconds("WAIT_SECONDS", 20)
    pause = 0
    while waiting and not pause and time.monotonic() < deadline:
        if can_start(markers_in(waiting)):
            waiting = [message for message in waiting if markers_left(message)]
            runs = last_runs()
            waiting = [message for message in waiting if not given_up(message, failed_runs(runs, message))]
            pause = min((backoff(failed_runs(runs, message)) for message in waiting), default=0)
            if waiting and not pause:
                start(markers_in(waiting))
        short_pause()
    return waiting, pause or seconds("RETRY_SECONDS", 30)


def start(markers):
    """Start a run that reads the files with markers, and record in its properties which file it was started for."""
    key = markers[0].removeprefix(MARKERS).rpartition("/")[0]
    try:
        run = glue.start_workflow_run(
            Name=os.environ["WORKFLOW_NAME"], RunProperties={"read": "landed", "landed_key": key}
        )
    except glue.exceptions.ConcurrentRunsExceededException:
        return skipped("another invocation was faster")
    print(f"started {os.environ['WORKFLOW_NAME']}, run {run['RunId']}, for {', '.join(markers)}")
    return {"started": True, "run_id": run["RunId"]}


def run_under_way():
    """Why a new run can't start now, or an empty string."""
    for run in last_runs():
        if run["Status"] in UNDER_WAY:
            return f"run {run['WorkflowRunId']} is under way"
    crawler = glue.get_crawler(Name=os.environ["CRAWLER_NAME"])["Crawler"]
    if crawler["State"] != "READY":
        return f"crawler {crawler['Name']} is {crawler['State']}"
    for run in glue.get_job_runs(JobName=os.environ["JOB_NAME"], MaxResults=5)["JobRuns"]:
        if run["JobRunState"] in UNDER_WAY:
            return f"job run {run['Id']} is {run['JobRunState']}"
    return ""


def last_runs():
    """The workflow's last runs, the newest first."""
    runs = glue.get_workflow_runs(Name=os.environ["WORKFLOW_NAME"], MaxResults=25)["Runs"]
    return sorted(runs, key=lambda run: run["StartedOn"], reverse=True)


def failed_runs(runs, message):
    """Those of the runs that started after the message was sent, and failed.

    A run that started while another was under way doesn't count: the crawler or the job was busy.
    """
    sent = datetime.fromtimestamp(int(message["attributes"]["SentTimestamp"]) / 1000, UTC)
    ended = [run for run in runs if run["StartedOn"] > sent and run["Status"] not in UNDER_WAY]
    return [run for run in ended if not succeeded(run) and not any(overlaps(run, other) for other in runs)]


def overlaps(run, other):
    """Was the other run under way when this one started?"""
    first = (other["StartedOn"], other["WorkflowRunId"]) < (run["StartedOn"], run["WorkflowRunId"])
    return first and other.get("CompletedOn", run["StartedOn"]) >= run["StartedOn"]


def succeeded(run):
    """Did everything in the run succeed? A run whose job failed is COMPLETED as well."""
    counts = run.get("Statistics", {})
    bad = ("FailedActions", "StoppedActions", "TimeoutActions", "ErroredActions")
    return run["Status"] == "COMPLETED" and counts.get("SucceededActions") and not any(map(counts.get, bad))


def backoff(failed):
    """Seconds until the next run, after these failed ones."""
    if not failed:
        return 0
    since = (datetime.now(UTC) - max(run["CompletedOn"] for run in failed)).total_seconds()
    return max(0, min(seconds("RETRY_SECONDS", 30) * 2 ** (len(failed) - 1), LONGEST_PAUSE) - since)


def given_up(message, failed):
    """Move a message for which too many runs have failed to the dead-letter queue. Was it moved?"""
    if len(failed) < int(os.environ.get("TRIES", "5")):
        return False
    reason = f"{len(failed)} runs of {os.environ['WORKFLOW_NAME']} failed, the last was {failed[0]['WorkflowRunId']}"
    sqs.send_message(
        QueueUrl=url("DEAD_LETTER_QUEUE_NAME"),
        MessageBody=message["body"],
        MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
    )
    for marker in markers_left(message):
        s3.delete_object(Bucket=os.environ["STAGING_BUCKET"], Key=marker)
    print(f"given up: {reason}; now in {os.environ['DEAD_LETTER_QUEUE_NAME']}: {message['body']}")
    return True


def restarted(message):
    """Handle a message from the dead-letter queue as a new event. Was it one?

    `given_up` had moved it there, or Lambda, which puts S3's event into a record of the failed invocation.
    """
    event = json.loads(message["body"])
    if "requestPayload" not in event and "reason" not in message["messageAttributes"]:
        return False
    from_s3(event.get("requestPayload", event))
    return True


def deliver_again(messages, pause):
    """Make the queue deliver these messages again after `pause` seconds, instead of its own visibility timeout."""
    entries = [
        {"Id": str(number), "ReceiptHandle": message["receiptHandle"], "VisibilityTimeout": max(1, round(pause))}
        for number, message in enumerate(messages)
    ]
    if entries:
        print(f"not done yet: {len(entries)} messages are delivered again in {max(1, round(pause))} s")
        sqs.change_message_visibility_batch(QueueUrl=url("QUEUE_NAME"), Entries=entries)


def can_start(markers):
    """Can a run start now, for these markers?"""
    if run_under_way():
        return False
    if other_marker(markers):
        # Another invocation may find the same. If two start a run together, one of them finds the crawler busy.
        short_pause()
        return not run_under_way()
    return True


def other_marker(markers):
    """Says that another file waits as well; an empty string if there are no markers except these."""
    found = s3.list_objects_v2(Bucket=os.environ["STAGING_BUCKET"], Prefix=MARKERS, MaxKeys=len(markers) + 1)
    others = {item["Key"] for item in found.get("Contents", [])}.difference(markers)
    return f"{min(others)} waits as well" if others else ""


def short_pause():
    """Wait for POLL_SECONDS with jitter: invocations must not all look at the same moment."""
    time.sleep(seconds("POLL_SECONDS", 5) * random.uniform(0.1, 2))


def markers_in(messages):
    return [marker for message in messages for marker in markers_of(json.loads(message["body"]))]


def markers_left(message):
    """The markers of a message's event that still exist."""
    there = []
    for marker in markers_of(json.loads(message["body"])):
        # Listed rather than asked for: without s3:ListBucket a missing object is a 403, like a missing permission.
        found = s3.list_objects_v2(Bucket=os.environ["STAGING_BUCKET"], Prefix=marker, MaxKeys=1)
        there += [marker for item in found.get("Contents", []) if item["Key"] == marker]
    return there


def markers_of(event):
    """The markers of the data files in an event of S3; prints what it leaves out, and why."""
    if event.get("Event") == "s3:TestEvent":
        print("left out: S3's test event")
        return []
    markers = []
    for record in event.get("Records", []):
        if record.get("eventSource") != "aws:s3" or not record.get("eventName", "").startswith("ObjectCreated:"):
            print(f"left out: {record.get('eventSource')} {record.get('eventName')} is not a landed object")
            continue
        # Keys in events are URL-encoded, with a space as a plus sign.
        key = unquote_plus(record["s3"]["object"]["key"])
        if not is_data_key(key):
            print(f"left out: {key} does not end in .json, or its name begins with _ or a dot, which Spark ignores")
            continue
        sequencer = record["s3"]["object"].get("sequencer") or record["eventTime"]
        marker = f"{MARKERS}{key}/{sequencer}"
        # A marker without a key stands for everything that has landed.
        markers.append(marker if len(marker.encode()) <= LONGEST_KEY else f"{MARKERS}/{sequencer}")
    return markers


def is_data_key(key):
    """Is the object with this key a data file? Spark ignores files whose names begin with _ or a dot."""
    name = key.rpartition("/")[2]
    return name.endswith(".json") and not name.startswith(("_", "."))


def seconds(variable, default):
    return float(os.environ.get(variable, default))


@cache
def url(variable):
    return sqs.get_queue_url(QueueName=os.environ[variable])["QueueUrl"]


def skipped(reason):
    print(f"not started: {reason}")
    return {"started": False, "reason": reason}
