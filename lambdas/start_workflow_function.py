"""Lambda function: starts the Glue workflow when a .json file has landed, and sees to it that the file is loaded.

S3 invokes it directly, at least once and in any order. For each event it

1. writes a marker, `landed/<key>/<sequencer>` in the staging bucket. The job that a run starts reads the files that
   have markers, and when it has loaded them it deletes the markers that it found at its beginning. So an event is done
   when its marker is gone: a run that started after it has loaded its file;
2. hands the event to a queue, which invokes this function again. What is not done yet it gives back, and the queue
   brings it again;
3. starts a run, unless one is under way.

Files that land together share runs: each run reads all the markers that are there when its job begins. Runs don't
overlap, since the crawler crawls once at a time and the job runs once at a time. An event for which TRIES runs have
failed goes to the dead-letter queue, with the reason, and its marker goes out of the way of the other files. Sent back
from there to the queue, it begins anew.

Environment:
    WORKFLOW_NAME, CRAWLER_NAME, JOB_NAME: the workflow to start, and what it runs.
    STAGING_BUCKET: where the markers are.
    QUEUE_NAME, DEAD_LETTER_QUEUE_NAME: the two queues.
    POLL_SECONDS: how often to look while a run is under way; 5 by default.
    WAIT_SECONDS: how long an invocation by the queue waits before it gives its messages back; 20 by default.
    RETRY_SECONDS: when the queue brings them again, 30 by default. After a failed run the next one waits so long, too,
        after the second twice as long, and so on.
    TRIES: how many runs may fail for an event; 5 by default.
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
LONGEST_KEY = 1024  # bytes that S3 takes
GOING = ("STARTING", "RUNNING", "STOPPING", "WAITING")

glue, s3, sqs = boto3.client("glue"), boto3.client("s3"), boto3.client("sqs")


def lambda_handler(event, context):
    records = event.get("Records") or []
    if not records or records[0].get("eventSource") != "aws:sqs":
        return from_s3(event)
    try:
        waiting, pause = from_queue(records)
    except ClientError:
        come_back(records, seconds("RETRY_SECONDS", 30))
        raise
    come_back(waiting, pause)
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in waiting]}


def from_s3(event):
    """Remember what has landed, then start a run if none is under way."""
    markers = markers_of(event)
    if not markers:
        return skipped("no .json file in the event")
    for marker in markers:
        s3.put_object(Bucket=os.environ["STAGING_BUCKET"], Key=marker)
    try:
        busy = others_wait(markers) or under_way()
    except ClientError as error:
        busy = str(error)
    # If a run starts now, the queue need not look before it can have ended.
    delay = 0 if busy else round(seconds("RETRY_SECONDS", 30))
    sqs.send_message(QueueUrl=url("QUEUE_NAME"), MessageBody=json.dumps(event), DelaySeconds=delay)
    if busy:
        return skipped(f"{busy}; the queue will see to it")
    try:
        return start(markers)
    except ClientError as error:
        # Raising would have S3's event tried again, which the queue does already.
        return skipped(f"{error}; the queue will see to it")


def from_queue(messages):
    """Wait until these messages' events are done, starting runs where needed.

    Returns the messages that are not done, and the seconds after which the queue is to bring them again.
    """
    waiting = [message for message in messages if not begun_anew(message) and markers_left(message)]
    deadline = time.monotonic() + seconds("WAIT_SECONDS", 20)
    pause = 0
    while waiting and not pause and time.monotonic() < deadline:
        if is_free(markers_in(waiting)):
            waiting = [message for message in waiting if markers_left(message)]
            runs = last_runs()
            waiting = [message for message in waiting if not gave_up(message, failures(runs, message))]
            pause = min((rest(failures(runs, message)) for message in waiting), default=0)
            if waiting and not pause:
                start(markers_in(waiting))
        moment()
    return waiting, pause or seconds("RETRY_SECONDS", 30)


def start(markers):
    """Start a run that reads the files with markers, and leave in its properties what it was started for."""
    key = markers[0].removeprefix(MARKERS).rpartition("/")[0]
    try:
        run = glue.start_workflow_run(
            Name=os.environ["WORKFLOW_NAME"], RunProperties={"read": "landed", "landed_key": key}
        )
    except glue.exceptions.ConcurrentRunsExceededException:
        return skipped("another invocation was faster")
    print(f"started {os.environ['WORKFLOW_NAME']}, run {run['RunId']}, for {', '.join(markers)}")
    return {"started": True, "run_id": run["RunId"]}


def under_way():
    """What a run that starts now would get into the way of, in words; "" if nothing."""
    for run in last_runs():
        if run["Status"] in GOING:
            return f"run {run['WorkflowRunId']} is under way"
    crawler = glue.get_crawler(Name=os.environ["CRAWLER_NAME"])["Crawler"]
    if crawler["State"] != "READY":
        return f"crawler {crawler['Name']} is {crawler['State']}"
    for run in glue.get_job_runs(JobName=os.environ["JOB_NAME"], MaxResults=5)["JobRuns"]:
        if run["JobRunState"] in GOING:
            return f"job run {run['Id']} is {run['JobRunState']}"
    return ""


def last_runs():
    """The workflow's last runs, the newest first."""
    runs = glue.get_workflow_runs(Name=os.environ["WORKFLOW_NAME"], MaxResults=25)["Runs"]
    return sorted(runs, key=lambda run: run["StartedOn"], reverse=True)


def failures(runs, message):
    """Those of the runs that started after the message was sent, and did not end well.

    One that started while another was under way does not count: the crawler or the job was taken.
    """
    sent = datetime.fromtimestamp(int(message["attributes"]["SentTimestamp"]) / 1000, UTC)
    ended = [run for run in runs if run["StartedOn"] > sent and run["Status"] not in GOING]
    return [run for run in ended if not all_well(run) and not any(overlaps(run, other) for other in runs)]


def overlaps(run, other):
    """Was the other run under way when this one started?"""
    first = (other["StartedOn"], other["WorkflowRunId"]) < (run["StartedOn"], run["WorkflowRunId"])
    return first and other.get("CompletedOn", run["StartedOn"]) >= run["StartedOn"]


def all_well(run):
    """Did everything in the run succeed? A run with a failed job is COMPLETED, too."""
    counts = run.get("Statistics", {})
    bad = ("FailedActions", "StoppedActions", "TimeoutActions", "ErroredActions")
    return run["Status"] == "COMPLETED" and counts.get("SucceededActions") and not any(map(counts.get, bad))


def rest(failed):
    """Seconds until the next try, after these failed runs."""
    if not failed:
        return 0
    since = (datetime.now(UTC) - max(run["CompletedOn"] for run in failed)).total_seconds()
    return max(0, seconds("RETRY_SECONDS", 30) * 2 ** (len(failed) - 1) - since)


def gave_up(message, failed):
    """Put a message for which too many runs have failed into the dead-letter queue. Was it one?"""
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
    print(f"gave up: {reason}; now in {os.environ['DEAD_LETTER_QUEUE_NAME']}: {message['body']}")
    return True


def begun_anew(message):
    """Begin again with a message that comes from the dead-letter queue. Was it one?

    `gave_up` had put it there, or Lambda, with S3's event in a record about the invocation that failed.
    """
    event = json.loads(message["body"])
    if "requestPayload" not in event and "reason" not in message["messageAttributes"]:
        return False
    from_s3(event.get("requestPayload", event))
    return True


def come_back(messages, pause):
    """Have the queue bring these messages again after `pause` seconds, not after its own visibility timeout."""
    entries = [
        {"Id": str(number), "ReceiptHandle": message["receiptHandle"], "VisibilityTimeout": max(1, round(pause))}
        for number, message in enumerate(messages)
    ]
    if entries:
        print(f"not done yet: {len(entries)} of the queue's messages come back in {max(1, round(pause))} s")
        sqs.change_message_visibility_batch(QueueUrl=url("QUEUE_NAME"), Entries=entries)


def is_free(markers):
    """Can a run start now, for these markers?"""
    if under_way():
        return False
    if others_wait(markers):
        # Another invocation may think so, too. Of two that start a run together one finds the crawler busy.
        moment()
        return not under_way()
    return True


def others_wait(markers):
    """Are there markers beside these? In words, or ""."""
    found = s3.list_objects_v2(Bucket=os.environ["STAGING_BUCKET"], Prefix=MARKERS, MaxKeys=len(markers) + 1)
    others = {item["Key"] for item in found.get("Contents", [])}.difference(markers)
    return f"{min(others)} waits as well" if others else ""


def moment():
    """Wait a little, each time another while."""
    time.sleep(seconds("POLL_SECONDS", 5) * random.uniform(0.1, 2))


def markers_in(messages):
    return [marker for message in messages for marker in markers_of(json.loads(message["body"]))]


def markers_left(message):
    """The markers of a message's event that are still there."""
    there = []
    for marker in markers_of(json.loads(message["body"])):
        # Listed, not asked for: without a 404 there is nothing to tell from a 403.
        found = s3.list_objects_v2(Bucket=os.environ["STAGING_BUCKET"], Prefix=marker, MaxKeys=1)
        there += [marker for item in found.get("Contents", []) if item["Key"] == marker]
    return there


def markers_of(event):
    """The markers of the .json files in an event of S3's; says why it leaves anything out."""
    if event.get("Event") == "s3:TestEvent":
        print("left out: S3's test event")
        return []
    markers = []
    for record in event.get("Records", []):
        if record.get("eventSource") != "aws:s3" or not record.get("eventName", "").startswith("ObjectCreated:"):
            print(f"left out: {record.get('eventSource')} {record.get('eventName')} is not a landed object")
            continue
        # Keys in events are URL-encoded, a space as a plus sign.
        key = unquote_plus(record["s3"]["object"]["key"])
        name = key.rpartition("/")[2]
        if not name.endswith(".json") or name.startswith(("_", ".")):
            print(f"left out: {key} does not end in .json, or its name is one that Spark takes for hidden")
            continue
        sequencer = record["s3"]["object"].get("sequencer") or record["eventTime"]
        marker = f"{MARKERS}{key}/{sequencer}"
        # Without a key, a marker stands for all that has landed.
        markers.append(marker if len(marker.encode()) <= LONGEST_KEY else f"{MARKERS}/{sequencer}")
    return markers


def seconds(variable, default):
    return float(os.environ.get(variable, default))


@cache
def url(variable):
    return sqs.get_queue_url(QueueName=os.environ[variable])["QueueUrl"]


def skipped(reason):
    print(f"not started: {reason}")
    return {"started": False, "reason": reason}
