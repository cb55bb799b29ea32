"""Which notifications a bucket can be configured for, and which messages arrive in a queue."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

MISSING = "arn:aws:sqs:us-east-1:123456789012:nobody"


@dataclass(frozen=True)
class Queue:
    url: str
    arn: str
    sqs: Any

    def receive(self) -> dict[str, Any]:
        """The next message's body."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for message in self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=5).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                return dict(json.loads(message["Body"]))
        raise AssertionError(f"nothing arrived in {self.url}")

    def record(self) -> dict[str, Any]:
        """The only record of the next event."""
        (record,) = self.receive()["Records"]
        return dict(record)


def _policy(arn: str, bucket: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
            "StringEquals": {"aws:SourceAccount": "123456789012"},
        },
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def queue(aws: Callable[..., Any], unique: Callable[[str], str], bucket: str) -> Queue:
    name = unique("queue")
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    url = aws("sqs").create_queue(QueueName=name, Attributes={"Policy": _policy(arn, bucket)})["QueueUrl"]
    return Queue(url, arn, aws("sqs"))


def _configure(s3: Any, bucket: str, *wanted: dict[str, Any]) -> None:
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": list(wanted)}
    )


def _queued(arn: str, *events: str, **filters: str) -> dict[str, Any]:
    rules = [{"Name": name, "Value": value} for name, value in filters.items()]
    return {"QueueArn": arn, "Events": list(events), "Filter": {"Key": {"FilterRules": rules}}}


@pytest.fixture
def notified(s3: Any, bucket: str, queue: Queue) -> Queue:
    """A queue that is told of everything in the bucket."""
    _configure(s3, bucket, _queued(queue.arn, "s3:ObjectCreated:*", "s3:ObjectRemoved:*"))
    queue.receive()
    return queue


@pytest.mark.as_on_aws("S3")
def test_a_queue_that_is_configured_for_notifications_gets_a_test_event(s3: Any, bucket: str, queue: Queue) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    _configure(s3, bucket, _queued(queue.arn, "s3:ObjectCreated:*"))
    test = queue.receive()
    assert (test["Event"], test["Bucket"], test["Service"]) == ("s3:TestEvent", bucket, "Amazon S3")
    assert "Records" not in test


@pytest.mark.as_on_aws("S3")
def test_puts_posts_copies_and_multipart_uploads_have_event_names_of_their_own(
    s3: Any, bucket: str, notified: Queue
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html"""
    s3.put_object(Bucket=bucket, Key="k", Body=b"12345")
    put = notified.record()
    assert put["eventName"] == "ObjectCreated:Put"
    assert put["s3"]["object"]["size"] == 5
    assert put["s3"]["object"]["eTag"] == "827ccb0eea8a706c4c34a16891f84e7b"
    _post(s3.generate_presigned_post(bucket, "form"), b"posted")
    post = notified.record()
    assert (post["eventName"], post["s3"]["object"]["size"]) == ("ObjectCreated:Post", 6)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    copy = notified.record()
    assert (copy["eventName"], copy["s3"]["object"]["key"]) == ("ObjectCreated:Copy", "copy")
    _upload_in_parts(s3, bucket, "large")
    completed = notified.record()
    assert (completed["eventName"], completed["s3"]["object"]["key"]) == (
        "ObjectCreated:CompleteMultipartUpload",
        "large",
    )
    assert completed["s3"]["object"]["eTag"].endswith("-1")


@pytest.mark.as_on_aws("S3")
def test_changes_of_tags_and_acls_are_events_too(s3: Any, bucket: str, queue: Queue) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html"""
    _configure(s3, bucket, _queued(queue.arn, "s3:ObjectTagging:*", "s3:ObjectAcl:Put"))
    queue.receive()
    where = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**where, Body=b"x")
    s3.put_object_tagging(**where, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert queue.record()["eventName"] == "ObjectTagging:Put"
    s3.delete_object_tagging(**where)
    assert queue.record()["eventName"] == "ObjectTagging:Delete"
    s3.put_object_acl(**where, ACL="bucket-owner-full-control")
    assert queue.record()["eventName"] == "ObjectAcl:Put"


def _post(presigned: dict[str, Any], content: bytes) -> None:
    boundary = uuid.uuid4().hex
    fields = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in presigned["fields"].items()
    )
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body = (fields + file).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    with urllib.request.urlopen(urllib.request.Request(presigned["url"], body, headers)) as answer:
        assert answer.status in (200, 204)


def _upload_in_parts(s3: Any, bucket: str, key: str) -> str:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    version = s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=parts)
    return str(version.get("VersionId", ""))


@pytest.mark.as_on_aws("S3")
def test_only_keys_with_the_prefix_and_the_suffix_of_a_filter_are_notified(s3: Any, bucket: str, queue: Queue) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html"""
    _configure(s3, bucket, _queued(queue.arn, "s3:ObjectCreated:Put", prefix="in/", suffix=".json"))
    queue.receive()
    for key in ("in/a.csv", "out/a.json", "in/b.JSON", "in/a.json"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    assert queue.record()["s3"]["object"]["key"] == "in/a.json"


@pytest.mark.as_on_aws("S3")
def test_keys_in_events_are_url_encoded(s3: Any, bucket: str, notified: Queue) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    key = "in/red flower+1 (ä)=2.json"
    s3.put_object(Bucket=bucket, Key=key, Body=b"")
    told = notified.record()["s3"]["object"]["key"]
    assert told == "in/red+flower%2B1+%28%C3%A4%29%3D2.json"
    assert urllib.parse.unquote_plus(told) == key


@pytest.mark.as_on_aws("S3")
def test_later_events_of_a_key_have_higher_sequencers(s3: Any, bucket: str, notified: Queue) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    for _ in range(2):
        s3.put_object(Bucket=bucket, Key="k", Body=b"")
    s3.delete_object(Bucket=bucket, Key="k")
    _upload_in_parts(s3, bucket, "k")
    records = sorted((notified.record() for _ in range(4)), key=lambda record: record["s3"]["object"]["sequencer"])
    assert [record["eventName"] for record in records] == [
        "ObjectCreated:Put",
        "ObjectCreated:Put",
        "ObjectRemoved:Delete",
        "ObjectCreated:CompleteMultipartUpload",
    ]
    assert len({record["s3"]["object"]["sequencer"] for record in records}) == 4


@pytest.mark.as_on_aws("S3")
def test_events_of_versioned_buckets_name_the_version(s3: Any, bucket: str, notified: Queue) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    made = [
        s3.put_object(Bucket=bucket, Key="k", Body=b"")["VersionId"],
        s3.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "k"}, MetadataDirective="REPLACE")[
            "VersionId"
        ],
        _upload_in_parts(s3, bucket, "k"),
        s3.delete_object(Bucket=bucket, Key="k")["VersionId"],
    ]
    records = [notified.record() for _ in made]
    assert [record["s3"]["object"]["versionId"] for record in records] == made
    assert records[-1]["eventName"] == "ObjectRemoved:DeleteMarkerCreated"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=made[0])
    gone = notified.record()
    assert (gone["eventName"], gone["s3"]["object"]["versionId"]) == ("ObjectRemoved:Delete", made[0])


def test_a_notification_configuration_is_returned_as_it_was_given(s3: Any, bucket: str, queue: Queue) -> None:
    _configure(s3, bucket, {"Id": "mine", **_queued(queue.arn, "s3:ObjectCreated:Put", PREFIX="in/", suffix=".json")})
    (told,) = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert told == {
        "Id": "mine",
        "QueueArn": queue.arn,
        "Events": ["s3:ObjectCreated:Put"],
        "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/"}, {"Name": "Suffix", "Value": ".json"}]}},
    }
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


@pytest.mark.as_on_aws("S3")
def test_overlapping_notification_filters_are_refused(s3: Any, bucket: str, queue: Queue) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html"""
    with pytest.raises(ClientError, match="Configuration is ambiguously defined") as refused:
        _configure(
            s3,
            bucket,
            _queued(queue.arn, "s3:ObjectCreated:Put", suffix=".json"),
            _queued(queue.arn, "s3:ObjectCreated:*", prefix="in/"),
        )
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    _configure(
        s3,
        bucket,
        _queued(queue.arn, "s3:ObjectCreated:Put", suffix=".json"),
        _queued(queue.arn, "s3:ObjectCreated:Put", suffix=".csv"),
        _queued(queue.arn, "s3:ObjectRemoved:*"),
    )


@pytest.mark.as_on_aws("S3")
def test_a_queue_that_does_not_exist_or_whose_policy_does_not_allow_s3_to_send_is_refused(
    s3: Any, bucket: str, queue: Queue
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html"""
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        _configure(s3, bucket, _queued(MISSING, "s3:ObjectCreated:*"))
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": _policy(queue.arn, "another-bucket")})
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        _configure(s3, bucket, _queued(queue.arn, "s3:ObjectCreated:*"))
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": _policy(queue.arn, bucket)})
    _configure(s3, bucket, _queued(queue.arn, "s3:ObjectCreated:*"))


def test_an_unknown_event_is_refused(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError, match="not supported for notifications"):
        _configure(s3, bucket, _queued(MISSING, "s3:ObjectEaten"))


@pytest.mark.refused("S3")
def test_notifications_to_eventbridge_are_refused(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError, match="EventBridgeConfiguration of PutBucketNotificationConfiguration") as refused:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
