"""The event: S3 invokes the start function when a .json file has landed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.calls import found, retry
from labkit.delivery import Delivery, DeliveryNames
from labkit.show.display import Described, Fact, Removed, hidden
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step

OTHER_WAYS = "s3OtherEvents"
"""The name of the exactly-once delivery's second notification."""
STATEMENT = "s3-invokes-start-function"
KINDS = ("LambdaFunctionConfigurations", "QueueConfigurations", "TopicConfigurations", "EventBridgeConfiguration")


@dataclass(frozen=True)
class NotificationMade(Described):
    """Which function S3 invokes, and for which files."""

    notification: str
    bucket: str
    events: str
    suffix: str
    function: str
    not_announced: tuple[str, ...] = hidden(default=())
    """Files that landed before this call made the notification, and that no run has read."""
    load_them_with: str = hidden(default="")

    def shown(self) -> Iterator[tuple[str, str]]:
        """Show the files that were not announced, if there are any."""
        yield from super().shown()
        if self.not_announced:
            few = ", ".join(self.not_announced[:3]) + (" and others" if len(self.not_announced) > 3 else "")
            yield "landed before", f"{len(self.not_announced)} files that no run has read: {few}"
            yield "to load them", self.load_them_with


class Notification(Step[NotificationMade]):
    """The notification of the landing bucket.

    The description puts it on the staging bucket, where the job's own manifests would start the workflow again.
    """

    name = "notification"
    notebook = "07_notification"
    makes = "the S3 event that invokes the start function"

    @names_all_missing
    def create(self) -> NotificationMade:
        """Allow S3 to invoke the start function of the delivery in use, then configure the notification.

        Files that landed while there was no notification start no run. The result lists them.
        """
        self.lab.consent(self.name)
        self.lab.buckets.describe()
        was_there = self.lab.delivery is not None
        self.point_to(self.lab.owner)
        made = self.describe()
        if was_there or not (unread := self.lab.unread_files()):
            return made
        return NotificationMade(
            made.notification,
            made.bucket,
            made.events,
            made.suffix,
            made.function,
            unread,
            "lab.load() (labkit load)",
        )

    def point_to(self, delivery: Delivery) -> None:
        """Make S3 invoke the start function of this delivery, and no other."""
        workflow = self.lab.workflow_of(delivery)
        workflow.describe()
        function = DeliveryNames.of(delivery, self.names).start_function
        function_arn = self.lab.functions.arn(function)
        self._allow_s3(function)
        for bucket in (self.names.landing_bucket, self.names.staging_bucket):
            mine = self._wanted(delivery, function_arn) if bucket == self._bucket else []
            self._configure(bucket, mine)
        for other in Delivery:
            if other is not delivery:
                self._forbid_s3(DeliveryNames.of(other, self.names).start_function)
        workflow.resume()

    def describe(self) -> NotificationMade:
        """The notification as S3 returns it."""
        mine = self._mine(self._bucket)
        if mine is None:
            raise self.missing(f"Notification {self.names.notification} on bucket {self._bucket}")
        rules = mine.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        suffixes = [rule["Value"] for rule in rules if rule["Name"].lower() == "suffix"]
        return NotificationMade(
            notification=mine["Id"],
            bucket=self._bucket,
            events=", ".join(mine["Events"]),
            suffix=", ".join(suffixes),
            function=mine["LambdaFunctionArn"].rsplit(":", 1)[1],
        )

    def facts(self) -> Iterator[Fact]:
        """S3 may invoke the function, and the notification is set for the right files of the right bucket."""
        delivery = self.lab.owner
        function = DeliveryNames.of(delivery, self.names).start_function
        function_arn = self.lab.functions.arn(function)
        yield Fact(self._permission(function) is not None, f"S3 may invoke {function}", self.fix)
        mine = self._mine(self._bucket)
        yield Fact(mine is not None, f"bucket {self._bucket} has the notification {self.names.notification}", self.fix)
        put, *others = self._wanted(delivery, function_arn)
        if mine is not None:
            said = f"it invokes {function} for every .json file that is put"
            yield Fact(_core(mine) == _core(put), said, self.fix)
        for other in others:
            there = self._mine(self._bucket, other["Id"])
            same = there is not None and _core(there) == _core(other)
            yield Fact(
                same, f"{other['Id']} invokes it for .json files that are copied there, or uploaded in parts", self.fix
            )
        bucket = ({self.names.landing_bucket, self.names.staging_bucket} - {self._bucket}).pop()
        yield Fact(
            self._mine(bucket) is None,
            f"bucket {bucket} does not have the notification {self.names.notification}",
            self.fix,
        )

    def destroy(self) -> Removed:
        """Delete the notification, and revoke S3's permission."""
        gone = []
        for bucket in (self.names.landing_bucket, self.names.staging_bucket):
            if self._mine(bucket) is not None:
                self._configure(bucket, [])
                gone.append(f"notification {self.names.notification} of bucket {bucket}")
        for delivery in Delivery:
            function = DeliveryNames.of(delivery, self.names).start_function
            if self._forbid_s3(function):
                gone.append(f"permission of S3 to invoke {function}")
        return Removed(self.name, tuple(gone))

    @property
    def _bucket(self) -> str:
        landing = self.config.notify_bucket == "landing"
        return str(self.names.landing_bucket if landing else self.names.staging_bucket)

    def _allow_s3(self, function: str) -> None:
        wanted_source = f"arn:aws:s3:::{self._bucket}"
        there = self._permission(function)
        awslambda = self.aws("lambda")
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
            # A bucket's ARN has no account id: somebody else could own a bucket with that name later.
            SourceAccount=self.lab.session.account_id,
        )

    def _forbid_s3(self, function: str) -> bool:
        """Revoke S3's permission to invoke the function; False if there was none."""
        if self._permission(function) is None:
            return False
        self.aws("lambda").remove_permission(FunctionName=function, StatementId=STATEMENT)
        return True

    def _wanted(self, delivery: Delivery, function_arn: str) -> list[dict[str, Any]]:
        """The description's notification. The exactly-once delivery has a second one, for other kinds of uploads.

        For example, `aws s3 cp` uploads a file of more than 8 MB in parts, which is not a Put.
        """
        events = {self.names.notification: ["s3:ObjectCreated:Put"]}
        if delivery is Delivery.EXACTLY_ONCE:
            ways = ("CompleteMultipartUpload", "Copy", "Post")
            events[OTHER_WAYS] = [f"s3:ObjectCreated:{way}" for way in ways]
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
        """Replace the lab's notifications of the bucket with `mine`, and keep all others."""
        s3 = self.aws("s3")
        there = s3.get_bucket_notification_configuration(Bucket=bucket)
        kept = {kind: there[kind] for kind in KINDS if kind in there}
        functions = kept.get("LambdaFunctionConfigurations", [])
        others = [item for item in functions if item.get("Id") not in (self.names.notification, OTHER_WAYS)]
        kept["LambdaFunctionConfigurations"] = [*others, *mine]

        def put() -> None:
            s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=kept)

        # S3's permission to invoke the function is new, and may not be in effect yet.
        refusals = ("Unable to validate",) if mine else ()
        retry(f"notification {self.names.notification}", put, *refusals, config=self.config)

    def _mine(self, bucket: str, name: str = "") -> dict[str, Any] | None:
        there = found(self.aws("s3").get_bucket_notification_configuration, Bucket=bucket) or {}
        functions: list[dict[str, Any]] = there.get("LambdaFunctionConfigurations", [])
        return next((item for item in functions if item.get("Id") == (name or self.names.notification)), None)

    def _permission(self, function: str) -> dict[str, Any] | None:
        """The statement of the function's policy that allows S3 to invoke it."""
        answer = found(self.aws("lambda").get_policy, FunctionName=function)
        if answer is None:
            return None
        statements: list[dict[str, Any]] = json.loads(answer["Policy"])["Statement"]
        return next((item for item in statements if item.get("Sid") == STATEMENT), None)


def _core(configuration: dict[str, Any]) -> tuple[Any, ...]:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return (
        configuration["LambdaFunctionArn"],
        sorted(configuration["Events"]),
        sorted((rule["Name"].lower(), rule["Value"]) for rule in rules),
    )
