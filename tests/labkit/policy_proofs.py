"""What the lab's parts do with their roles. Each method does one thing with a role; it may be denied."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from labkit import Lab
from labkit.data.data_api import execute
from labkit.errors import QueryFailed, RunFailed

DEADLINE = 60.0  # seconds
DENIED = {"AccessDenied", "AccessDeniedException", "403"}
CRAWL_LOGS = "/aws-glue/crawlers"
NOT_AN_EVENT = json.dumps({"Event": "s3:TestEvent"})


STORAGE = {"Columns": [{"Name": "a", "Type": "int"}], "Location": "s3://landing-bucket-kit/folder/"}


class Denied(Exception):
    """AWS refused a call; the message is AWS's, and may be empty."""

    def names(self, action: str) -> bool:
        """Whether the refusal names `action`; also true if AWS's message has no details."""
        return str(self) in ("", "Access Denied") or f"not authorized to perform: {action} " in str(self)


class Stage:
    """A deployed lab, and what its parts do with their roles. `role` is the role that makes the next call."""

    def __init__(self, lab: Lab, sessions: dict[str, boto3.Session]) -> None:
        self.lab = lab
        self.role = ""
        self._names = lab.names
        self._sessions = sessions
        self._clients: dict[tuple[str, str], Any] = {}

    @classmethod
    @contextlib.contextmanager
    def of(cls, lab: Lab) -> Iterator[Stage]:
        """Yield a stage in which one row was loaded, each bucket has an object, and there is a table to copy into."""
        names, s3, glue = lab.names, lab.session.client("s3"), lab.session.client("glue")
        sessions = {}
        roles = (names.generator_role, names.start_role, names.reliable_start_role, names.copy_role, names.glue_role)
        for role in roles:
            arn = lab.session.client("iam").get_role(RoleName=role)["Role"]["Arn"]
            given = lab.session.client("sts").assume_role(RoleArn=arn, RoleSessionName="proof")["Credentials"]
            sessions[role] = boto3.Session(
                given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name="us-east-1"
            )
        made = cls(lab, sessions)
        lab.follow(lab.send(rows=1))
        s3.put_object(Bucket=names.landing_bucket, Key="proof.txt", Body=b"a")
        s3.put_object(Bucket=names.staging_bucket, Key="proof/1.csv", Body=b"1\n")
        execute(lab.session, "create table if not exists public.proof (a int)")
        made._wait_for_crawler(names.s3_crawler)
        made._wait_for_crawler(names.redshift_crawler)
        try:
            yield made
        finally:
            execute(lab.session, "drop table public.proof")
            s3.delete_object(Bucket=names.landing_bucket, Key="proof.txt")
            s3.delete_object(Bucket=names.staging_bucket, Key="proof/1.csv")
            glue.close()

    # The functions

    def land_a_file(self) -> None:
        key = "proof.not-json"  # there is no event for this key
        self._call("s3", "put_object", Bucket=self._names.landing_bucket, Key=key, Body=b"x")
        self._own("s3").delete_object(Bucket=self._names.landing_bucket, Key=key)

    def start_a_workflow_run(self) -> None:
        run_id = self._call("glue", "start_workflow_run", Name=self._workflow)["RunId"]
        self._wait_for_workflow(self._workflow, run_id)

    def look_at_workflow_runs(self) -> None:
        self._call("glue", "get_workflow_runs", Name=self._names.exactly_once_workflow)

    def look_at_the_crawler(self) -> None:
        self._call("glue", "get_crawler", Name=self._names.s3_crawler)

    def look_at_job_runs(self) -> None:
        self._call("glue", "get_job_runs", JobName=self._names.exactly_once_job)

    def put_a_marker(self) -> None:
        marker = {"Bucket": self._names.staging_bucket, "Key": "landed/proof.json/0"}
        self._call("s3", "put_object", **marker)
        self._own("s3").delete_object(**marker)

    def delete_a_marker(self) -> None:
        self._call("s3", "delete_object", Bucket=self._names.staging_bucket, Key="landed/proof.json/0")

    def find_markers(self) -> None:
        self._call("s3", "list_objects_v2", Bucket=self._names.staging_bucket, Prefix="landed/")

    def find_the_queue(self) -> None:
        self._call("sqs", "get_queue_url", QueueName=self._names.retry_queue)

    def hand_over(self) -> None:
        self._call("sqs", "send_message", QueueUrl=self._queue, MessageBody=NOT_AN_EVENT)

    def receive_messages(self) -> None:
        self._call("sqs", "receive_message", QueueUrl=self._queue)

    def look_at_the_queue(self) -> None:
        self._call("sqs", "get_queue_attributes", QueueUrl=self._queue, AttributeNames=["QueueArn"])

    def delete_a_message(self) -> None:
        self._call_without_message("delete_message")

    def hide_a_message(self) -> None:
        self._call_without_message("change_message_visibility", VisibilityTimeout=0)

    # The functions' logs

    def log(self) -> None:
        """Invoke the function, and check that its log group has new events."""
        group = f"/aws/lambda/{self._function}"
        before = self._events(group)
        self._invoke(self._function)
        other = self._names.start_function if self._function != self._names.start_function else ""
        other = other or self._names.generator_function
        # Logs are written in the order of the invocations: so when the other function's logs are there, these must be.
        others = self._events(f"/aws/lambda/{other}")
        self._invoke(other)
        self._until(lambda: self._events(f"/aws/lambda/{other}") > others)
        if self._events(group) <= before:
            raise Denied

    def log_into_a_new_stream(self) -> None:
        group = f"/aws/lambda/{self._function}"
        self._delete_streams(group)
        self.log()

    def log_into_a_new_group(self) -> None:
        self._delete_group(f"/aws/lambda/{self._function}")
        self.log()

    # Redshift's COPY

    def copy_a_prefix(self) -> None:
        role = self.lab.session.client("iam").get_role(RoleName=self._names.copy_role)["Role"]["Arn"]
        source = f"s3://{self._names.staging_bucket}/proof/"
        try:
            execute(self.lab.session, f"copy public.proof from '{source}' iam_role '{role}' csv")
        except QueryFailed as error:
            if "S3ServiceException:Access Denied,Status 403,Error AccessDenied," not in str(error):
                raise
            raise Denied("Access Denied") from error

    # The job

    def list_versions(self) -> None:
        self._call("s3", "list_object_versions", Bucket=self._names.landing_bucket, Prefix="proof")

    def read_a_version(self) -> None:
        landed = {"Bucket": self._names.landing_bucket, "Key": "proof.txt"}
        versions = self._own("s3").list_object_versions(Bucket=self._names.landing_bucket, Prefix="proof.txt")
        self._call("s3", "get_object", **landed, VersionId=versions["Versions"][0]["VersionId"])

    def run_the_job(self) -> None:
        """Run the job: Glue first fetches its script, with the job's role."""
        try:
            self.lab.reliability.job.run()
        except RunFailed as error:
            if "AccessDenied" not in str(error):
                raise
            raise Denied(str(error)) from error

    def stage_a_file(self) -> None:
        self._call("s3", "put_object", Bucket=self._names.staging_bucket, Key="temp/proof", Body=b"x")

    def look_at_a_table(self) -> None:
        self._call("glue", "get_table", DatabaseName=self._names.glue_database, Name=self._names.target_table)

    def look_at_run_properties(self) -> None:
        glue, workflow = self._own("glue"), self._names.exactly_once_workflow
        run_id = glue.get_workflow_runs(Name=workflow)["Runs"][0]["WorkflowRunId"]
        self._call("glue", "get_workflow_run_properties", Name=workflow, RunId=run_id)

    # The crawlers

    def crawl_s3(self) -> None:
        self._crawl(self._names.s3_crawler)

    def crawl_redshift(self) -> None:
        self._crawl(self._names.redshift_crawler)

    def crawl_a_table_that_is_not_there(self) -> None:
        table = {"DatabaseName": self._names.glue_database, "Name": self._names.target_table}
        with contextlib.suppress(self._own("glue").exceptions.EntityNotFoundException):
            self._own("glue").delete_table(**table)
        self.crawl_redshift()
        self._own("glue").get_table(**table)

    def crawl_a_table_that_differs(self) -> None:
        glue, database, name = self._own("glue"), self._names.glue_database, self._names.target_table
        table = glue.get_table(DatabaseName=database, Name=name)["Table"]
        taken = ("Name", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
        wanted = {key: table[key] for key in taken if key in table}
        wanted["StorageDescriptor"]["Columns"] = wanted["StorageDescriptor"]["Columns"][:2]
        glue.update_table(DatabaseName=database, TableInput=wanted)
        self.crawl_redshift()
        columns = glue.get_table(DatabaseName=database, Name=name)["Table"]["StorageDescriptor"]["Columns"]
        assert len(columns) > 2

    def add_a_partition(self) -> None:
        with self._table_with_partitions() as table:
            partition = {"Values": ["1"], "StorageDescriptor": STORAGE}
            self._call("glue", "batch_create_partition", **table, PartitionInputList=[partition])

    def change_a_partition(self) -> None:
        with self._table_with_partitions() as table:
            partition = {"Values": ["1"], "StorageDescriptor": STORAGE}
            self._own("glue").create_partition(**table, PartitionInput=partition)
            self._call("glue", "update_partition", **table, PartitionValueList=["1"], PartitionInput=partition)

    def look_at_partitions(self) -> None:
        with self._table_with_partitions() as table:
            self._call("glue", "get_partitions", **table)

    @contextlib.contextmanager
    def _table_with_partitions(self) -> Iterator[dict[str, str]]:
        """Yield a table like one that a crawl makes of a bucket with folders: each folder is a partition."""
        glue, database, name = self._own("glue"), self._names.glue_database, "partitioned"
        keys = [{"Name": "partition_0", "Type": "string"}]
        glue.create_table(
            DatabaseName=database, TableInput={"Name": name, "StorageDescriptor": STORAGE, "PartitionKeys": keys}
        )
        try:
            yield {"DatabaseName": database, "TableName": name}
        finally:
            glue.delete_table(DatabaseName=database, Name=name)

    def crawl_with_a_log(self) -> None:
        before = self._events(CRAWL_LOGS, self._names.redshift_crawler)
        self.crawl_redshift()
        if self._events(CRAWL_LOGS, self._names.redshift_crawler) <= before:
            raise Denied

    def crawl_into_a_new_log_stream(self) -> None:
        self._delete_streams(CRAWL_LOGS, self._names.redshift_crawler)
        self.crawl_with_a_log()

    def crawl_into_a_new_log_group(self) -> None:
        self._delete_group(CRAWL_LOGS)
        self.crawl_with_a_log()

    # How

    @property
    def _function(self) -> str:
        names = self._names
        functions = {
            names.generator_role: names.generator_function,
            names.start_role: names.start_function,
            names.reliable_start_role: names.reliable_start_function,
        }
        return functions[self.role]

    @property
    def _workflow(self) -> str:
        described = self.role == self._names.start_role
        return self._names.workflow if described else self._names.exactly_once_workflow

    @property
    def _queue(self) -> str:
        return str(self._own("sqs").get_queue_url(QueueName=self._names.retry_queue)["QueueUrl"])

    def _own(self, service: str) -> Any:
        return self.lab.session.client(service)

    def _call(self, service: str, operation: str, **parameters: Any) -> Any:
        """Call AWS with the role."""
        key = (self.role, service)
        if key not in self._clients:
            url = self.lab.session.status().endpoint_url
            config = Config(retries={"mode": "standard", "max_attempts": 1})
            self._clients[key] = self._sessions[self.role].client(service, endpoint_url=url, config=config)
        try:
            return getattr(self._clients[key], operation)(**parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] in DENIED:
                raise Denied(error.response["Error"]["Message"]) from error
            raise

    def _call_without_message(self, operation: str, **parameters: Any) -> None:
        """Call SQS with a message that does not exist: if SQS says so, the role was allowed to call."""
        try:
            self._call("sqs", operation, QueueUrl=self._queue, ReceiptHandle="none", **parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ReceiptHandleIsInvalid":
                raise

    def _crawl(self, crawler: str) -> None:
        self._wait_for_crawler(crawler)
        self._own("glue").start_crawler(Name=crawler)
        last = self._wait_for_crawler(crawler)["LastCrawl"]
        if last["Status"] == "FAILED" and "not authorized" in last["ErrorMessage"]:
            raise Denied(last["ErrorMessage"])
        assert last["Status"] == "SUCCEEDED", last

    def _wait_for_crawler(self, crawler: str) -> dict[str, Any]:
        def ready() -> dict[str, Any] | None:
            found: dict[str, Any] = self._own("glue").get_crawler(Name=crawler)["Crawler"]
            return found if found["State"] == "READY" else None

        return self._until(ready)

    def _wait_for_workflow(self, name: str, run_id: str) -> None:
        glue = self._own("glue")
        self._until(lambda: glue.get_workflow_run(Name=name, RunId=run_id)["Run"]["Status"] != "RUNNING")

    def _invoke(self, function: str) -> None:
        event = {"rows": "none: it refuses this, and logs why"} if "toll" in function else json.loads(NOT_AN_EVENT)
        self._own("lambda").invoke(FunctionName=function, Payload=json.dumps(event))

    def _events(self, group: str, stream: str | None = None) -> int:
        """Return the number of events in a log group, or in one of its streams."""
        logs = self._own("logs")
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            streams = [item["logStreamName"] for item in logs.describe_log_streams(logGroupName=group)["logStreams"]]
            wanted = [name for name in streams if stream in (None, name)]
            pages = [logs.get_log_events(logGroupName=group, logStreamName=name, limit=10_000) for name in wanted]
            return sum(len(page["events"]) for page in pages)
        return 0

    def _delete_group(self, group: str) -> None:
        with contextlib.suppress(self._own("logs").exceptions.ResourceNotFoundException):
            self._own("logs").delete_log_group(logGroupName=group)

    def _delete_streams(self, group: str, stream: str | None = None) -> None:
        logs = self._own("logs")
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            for item in logs.describe_log_streams(logGroupName=group)["logStreams"]:
                if stream in (None, item["logStreamName"]):
                    logs.delete_log_stream(logGroupName=group, logStreamName=item["logStreamName"])

    @staticmethod
    def _until(look: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + DEADLINE
        while not (found := look()):
            assert time.monotonic() < deadline, "it takes too long"
            time.sleep(0.02)
        return found
