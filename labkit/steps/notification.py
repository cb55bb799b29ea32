"""The event: S3 tells the start function that a .json file has landed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from labkit.display import Described, Fact, Removed
from labkit.errors import MissingStep
from labkit.steps.base import Step, found, is_missing
from labkit.waiting import wait_for

OTHER_WAYS = "s3OtherEvents"
STATEMENT = "s3-invokes-start-function"
KINDS = ("LambdaFunctionConfigurations", "QueueConfigurations", "TopicConfigurations", "EventBridgeConfiguration")


@dataclass(frozen=True)
class NotificationMade(Described):
    """Who tells whom about what."""

    notification: str
    bucket: str
    events: str
    and_by: str
    suffix: str
    function: str


class Notification(Step[NotificationMade]):
    """On the landing bucket. The description says staging, where the job's own manifests would start it again."""

    name = "notification"
    notebook = "07_notification"

    def create(self) -> NotificationMade:
        """Let S3 invoke the function, then ask S3 to do it."""
        self.lab.consent(self.name)
        self.lab.buckets.describe()
        self.lab.workflow.describe()
        self.lab.retries.describe()
        function_arn = self.lab.functions.arn(self.names.start_function)
        self._allow_s3()
        for bucket in (self.names.landing_bucket, self.names.staging_bucket):
            mine = self._wanted(function_arn) if bucket == self._bucket else []
            self._configure(bucket, mine)
        return self.describe()

    def describe(self) -> NotificationMade:
        """The notification as S3 has it."""
        mine = self._mine(self._bucket)
        if mine is None:
            raise self.missing(f"Notification {self.names.notification} on bucket {self._bucket}")
        rules = mine.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        suffixes = [rule["Value"] for rule in rules if rule["Name"].lower() == "suffix"]
        return NotificationMade(
            notification=mine["Id"],
            bucket=self._bucket,
            events=", ".join(mine["Events"]),
            and_by=OTHER_WAYS,
            suffix=", ".join(suffixes),
            function=mine["LambdaFunctionArn"].rsplit(":", 1)[1],
        )

    def facts(self) -> Iterator[Fact]:
        """S3 may invoke the function, and is asked to, for the right files of the right bucket."""
        function_arn = self.lab.functions.arn(self.names.start_function)
        yield Fact(self._permission() is not None, f"S3 may invoke {self.names.start_function}", self.fix)
        mine = self._mine(self._bucket)
        yield Fact(mine is not None, f"bucket {self._bucket} has the notification {self.names.notification}", self.fix)
        put, arrived = self._wanted(function_arn)
        if mine is not None:
            yield Fact(_core(mine) == _core(put), "it tells the function of every .json file that is put", self.fix)
        there = self._mine(self._bucket, arrived["Id"])
        same = there is not None and _core(there) == _core(arrived)
        yield Fact(same, f"{arrived['Id']} tells it of those that are copied there, or come in parts", self.fix)
        other = ({self.names.landing_bucket, self.names.staging_bucket} - {self._bucket}).pop()
        yield Fact(self._mine(other) is None, f"bucket {other} has none", self.fix)

    def destroy(self) -> Removed:
        """Stop the notification, and take the permission back."""
        gone = []
        for bucket in (self.names.landing_bucket, self.names.staging_bucket):
            if self._mine(bucket) is not None:
                self._configure(bucket, [])
                gone.append(f"notification {self.names.notification} of bucket {bucket}")
        if self._permission() is not None:
            self.aws("lambda").remove_permission(FunctionName=self.names.start_function, StatementId=STATEMENT)
            gone.append(f"permission of S3 to invoke {self.names.start_function}")
        return Removed(self.name, tuple(gone))

    @property
    def _bucket(self) -> str:
        landing = self.config.notify_bucket == "landing"
        return str(self.names.landing_bucket if landing else self.names.staging_bucket)

    def _allow_s3(self) -> None:
        wanted_source = f"arn:aws:s3:::{self._bucket}"
        there = self._permission()
        awslambda, function = self.aws("lambda"), self.names.start_function
        if there is not None:
            if wanted_source in json.dumps(there):
                return
            awslambda.remove_permission(FunctionName=function, StatementId=STATEMENT)
        awslambda.add_permission(
            FunctionName=function,
            StatementId=STATEMENT,
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=wanted_source,
            # A bucket's ARN holds no account: somebody else could own a bucket of that name later.
            SourceAccount=self.lab.session.account_id,
        )

    def _wanted(self, function_arn: str) -> list[dict[str, Any]]:
        """The description's notification, and another for the ways into a bucket that are no Put.

        `aws s3 cp`, for one, sends a file of more than 8 MB in parts, and Put does not tell of it.
        """
        events = {
            self.names.notification: ["s3:ObjectCreated:Put"],
            OTHER_WAYS: ["s3:ObjectCreated:CompleteMultipartUpload", "s3:ObjectCreated:Copy", "s3:ObjectCreated:Post"],
        }
        return [
            {
                "Id": name,
                "LambdaFunctionArn": function_arn,
                "Events": kinds,
                "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".json"}]}},
            }
            for name, kinds in events.items()
        ]

    def _configure(self, bucket: str, mine: list[dict[str, Any]]) -> None:
        """Put the bucket's notifications: this one as `mine` says, all others as they are."""
        s3 = self.aws("s3")
        there = s3.get_bucket_notification_configuration(Bucket=bucket)
        kept = {kind: there[kind] for kind in KINDS if kind in there}
        functions = kept.get("LambdaFunctionConfigurations", [])
        others = [item for item in functions if item.get("Id") not in (self.names.notification, OTHER_WAYS)]
        kept["LambdaFunctionConfigurations"] = [*others, *mine]

        def attempt() -> tuple[str, bool | None]:
            try:
                s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=kept)
            except ClientError as error:
                # A permission given a moment ago may not be known to S3 yet.
                if mine and "Unable to validate" in str(error):
                    return str(error), None
                raise
            return "configured", True

        wait_for(
            f"notification {self.names.notification}", attempt, config=self.config, go_on="Run it again.", quiet=True
        )

    def _mine(self, bucket: str, name: str = "") -> dict[str, Any] | None:
        there = found(self.aws("s3").get_bucket_notification_configuration, Bucket=bucket) or {}
        functions: list[dict[str, Any]] = there.get("LambdaFunctionConfigurations", [])
        return next((item for item in functions if item.get("Id") == (name or self.names.notification)), None)

    def _permission(self) -> dict[str, Any] | None:
        """The statement of the function's policy that lets S3 in."""
        try:
            policy = self.aws("lambda").get_policy(FunctionName=self.names.start_function)["Policy"]
        except (ClientError, MissingStep) as error:
            if isinstance(error, ClientError) and not is_missing(error):
                raise
            return None
        statements: list[dict[str, Any]] = json.loads(policy)["Statement"]
        return next((item for item in statements if item.get("Sid") == STATEMENT), None)


def _core(configuration: dict[str, Any]) -> tuple[Any, ...]:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return (
        configuration["LambdaFunctionArn"],
        sorted(configuration["Events"]),
        sorted((rule["Name"].lower(), rule["Value"]) for rule in rules),
    )
