"""AWS for lambdas/start_workflow_reliably.py, in memory, with a clock that moves when the function waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from botocore.exceptions import ClientError

BEGIN = datetime(2026, 11, 22, 10, tzinfo=UTC)


class Busy(ClientError):  # type: ignore[misc]
    """Glue's ConcurrentRunsExceededException."""


class World:
    """Glue, S3 and SQS, as far as the function calls them: each attribute is what there is, or what was done."""

    class exceptions:
        ConcurrentRunsExceededException = Busy

    def __init__(self) -> None:
        self.moment = BEGIN
        self.later: list[tuple[float, Callable[[], None]]] = []
        """What happens at which second after the beginning."""
        self.runs: list[dict[str, Any]] = []
        self.crawler = "READY"
        self.job_runs: list[str] = []
        self.markers: set[str] = set()
        self.errors: dict[str, ClientError] = {}
        """By operation: what is raised in place of an answer."""
        self.calls: list[str] = []
        self.started: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.made_visible: list[dict[str, Any]] = []

    def fail(self, operation: str, code: str = "AccessDeniedException") -> None:
        """Let each call of `operation` raise an error with this code."""
        kind = Busy if code == "ConcurrentRunsExceededException" else ClientError
        self.errors[operation] = kind({"Error": {"Code": code, "Message": "no"}}, operation)

    def begin_run(self, run_id: str, at: float = 0, **more: Any) -> dict[str, Any]:
        """A run that is under way since this second."""
        run = {"WorkflowRunId": run_id, "StartedOn": BEGIN + timedelta(seconds=at), "Status": "RUNNING", **more}
        self.runs.append(run)
        return run

    def end_run(self, run: dict[str, Any], at: float, **statistics: int) -> None:
        """The run ends at this second, with these numbers of actions."""
        run |= {"Status": "COMPLETED", "CompletedOn": BEGIN + timedelta(seconds=at), "Statistics": statistics}

    def fail_runs(self, count: int) -> None:
        """So many runs that failed, with pauses between them; the last ended at second 0."""
        for number in range(count):
            at = 5.0 - 10 * (count - number)
            self.end_run(self.begin_run(f"wr_{number + 1}", at), at + 5, FailedActions=1, SucceededActions=1)

    # The clock: `time`, `random` and `datetime` of the function's module.

    def monotonic(self) -> float:
        return (self.moment - BEGIN).total_seconds()

    def now(self, zone: tzinfo) -> datetime:
        return self.moment.astimezone(zone)

    def sleep(self, seconds: float) -> None:
        end = self.monotonic() + seconds
        for at, change in sorted(self.later, key=lambda one: one[0]):
            if at <= end:
                self.later.remove((at, change))
                change()
        self.moment = BEGIN + timedelta(seconds=end)

    def uniform(self, least: float, most: float) -> float:
        assert least <= 1 <= most
        return 1.0

    def fromtimestamp(self, seconds: float, zone: tzinfo) -> datetime:
        return datetime.fromtimestamp(seconds, zone)

    # Glue

    def start_workflow_run(self, Name: str, RunProperties: dict[str, str]) -> dict[str, Any]:
        self._called("start_workflow_run")
        self.started.append({"Name": Name, **RunProperties})
        run_id = f"wr_new{len(self.started)}"
        self.begin_run(run_id, self.monotonic())
        return {"RunId": run_id}

    def get_workflow_runs(self, Name: str, MaxResults: int) -> dict[str, Any]:
        self._called("get_workflow_runs")
        return {"Runs": self.runs[-MaxResults:]}

    def get_crawler(self, Name: str) -> dict[str, Any]:
        self._called("get_crawler")
        return {"Crawler": {"Name": Name, "State": self.crawler}}

    def get_job_runs(self, JobName: str, MaxResults: int) -> dict[str, Any]:
        self._called("get_job_runs")
        runs = [{"Id": f"jr_{at}", "JobRunState": state} for at, state in enumerate(self.job_runs)]
        return {"JobRuns": runs[:MaxResults]}

    # S3: the staging bucket alone.

    def put_object(self, Bucket: str, Key: str) -> None:
        self._called("put_object", Bucket)
        self.markers.add(Key)

    def delete_object(self, Bucket: str, Key: str) -> None:
        self._called("delete_object", Bucket)
        self.markers.discard(Key)

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        self._called("list_objects_v2", Bucket)
        found = [{"Key": key} for key in sorted(self.markers, key=str.encode) if key.startswith(Prefix)][:MaxKeys]
        return {"Contents": found} if found else {}

    # SQS

    def get_queue_url(self, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": f"https://sqs/{QueueName}"}

    def send_message(self, **message: Any) -> None:
        self._called("send_message")
        self.sent.append(message)

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:
        self._called("change_message_visibility_batch")
        assert QueueUrl == "https://sqs/events"
        assert 1 <= len({entry["Id"] for entry in Entries}) == len(Entries) <= 10, "as SQS demands"
        assert all(isinstance(entry["VisibilityTimeout"], int) for entry in Entries)
        self.made_visible += Entries

    def _called(self, operation: str, bucket: str = "staging-bucket") -> None:
        assert bucket == "staging-bucket"
        self.calls.append(operation)
        if operation in self.errors:
            raise self.errors[operation]


def landed(*keys: str, sequencer: str | None = "00A1", **changes: Any) -> dict[str, Any]:
    """S3's event of objects that have landed. Keys are as S3 has them in events, URL-encoded.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "eventTime": "2026-11-22T10:00:00.123Z",
                "s3": {
                    "bucket": {"name": "landing-bucket"},
                    "object": {"key": key, **({"sequencer": sequencer} if sequencer else {})},
                },
                **changes,
            }
            for key in keys
        ]
    }


def message(number: int, body: dict[str, Any], sent: datetime = BEGIN - timedelta(hours=1), **attributes: Any) -> Any:
    """A message as Lambda hands it over: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    return {
        "messageId": f"m{number}",
        "receiptHandle": f"handle{number}",
        "body": json.dumps(body),
        "attributes": {"SentTimestamp": str(round(sent.timestamp() * 1000))},
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
    }
