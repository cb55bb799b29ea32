"""Queues: sending, receiving, visibility timeouts, deleting, dead letters."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

MakeQueue = Callable[..., Any]


@pytest.mark.as_on_aws("SQS")
def test_a_received_message_has_its_attributes_its_checksums_and_its_system_attributes(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html"""
    made = queue()
    attributes = {
        "who": {"DataType": "String", "StringValue": "é"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    sent = made.sqs.send_message(QueueUrl=made.url, MessageBody="toll é", MessageAttributes=attributes)
    (message,) = made.receive()
    assert message["Body"] == "toll é"
    assert message["MessageId"] == sent["MessageId"]
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"] == hashlib.md5("toll é".encode()).hexdigest()
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert abs(int(message["Attributes"]["SentTimestamp"]) / 1000 - time.time()) < 60
    assert message["Attributes"]["SenderId"] == "123456789012"
    assert set(message["Attributes"]) == {
        "SenderId",
        "SentTimestamp",
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
    }


@pytest.mark.as_on_aws("SQS")
def test_a_received_message_is_hidden_for_the_visibility_timeout_and_comes_back_unless_it_is_deleted(
    queue: MakeQueue,
) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html"""
    made = queue(VisibilityTimeout=1)
    made.send("kept", "deleted")
    for message in made.receive():
        if message["Body"] == "deleted":
            made.delete(message)
    assert made.receive() == []
    assert made.counts() == (0, 1, 0)
    (again,) = made.receive(WaitTimeSeconds=5)
    assert again["Body"] == "kept"
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


@pytest.mark.as_on_aws("SQS")
def test_a_receiver_can_extend_or_end_the_visibility_timeout_of_its_message(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html"""
    made = queue(VisibilityTimeout=1)
    made.send("one")
    (message,) = made.receive()
    hide = {"QueueUrl": made.url, "ReceiptHandle": message["ReceiptHandle"]}
    made.sqs.change_message_visibility(**hide, VisibilityTimeout=60)
    assert made.receive(WaitTimeSeconds=2) == []
    hours = 12 * 3600
    with pytest.raises(ClientError, match="Total VisibilityTimeout for the message is beyond the limit"):
        made.sqs.change_message_visibility(**hide, VisibilityTimeout=hours)
    made.sqs.change_message_visibility(**hide, VisibilityTimeout=0)
    assert len(made.receive()) == 1
    with pytest.raises(ClientError, match="Message does not exist or is not available for visibility timeout change"):
        made.sqs.change_message_visibility(**hide, VisibilityTimeout=1)
    made.send("two")
    (shown,) = made.receive(VisibilityTimeout=0)
    with pytest.raises(ClientError, match="isn't in flight") as refused:
        made.sqs.change_message_visibility(QueueUrl=made.url, ReceiptHandle=shown["ReceiptHandle"], VisibilityTimeout=1)
    assert refused.value.response["Error"]["Code"].endswith("MessageNotInflight")


@pytest.mark.as_on_aws("SQS")
def test_an_old_receipt_handle_deletes_nothing_and_a_malformed_handle_is_refused(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html"""
    made = queue()
    made.send("one")
    (first,) = made.receive(VisibilityTimeout=0)
    (second,) = made.receive()
    made.delete(first)
    assert made.counts() == (0, 1, 0)
    made.delete(second)
    assert made.counts() == (0, 0, 0)
    made.delete(second)
    with pytest.raises(ClientError, match='The input receipt handle "nonsense" is not a valid receipt handle') as no:
        made.sqs.delete_message(QueueUrl=made.url, ReceiptHandle="nonsense")
    assert no.value.response["Error"]["Code"] == "ReceiptHandleIsInvalid"


@pytest.mark.as_on_aws("SQS")
def test_a_delayed_message_cannot_be_received_before_its_time(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html"""
    made = queue(DelaySeconds=30)
    made.send("with the queue's delay")
    made.send("with its own", DelaySeconds=1)
    assert made.counts() == (0, 0, 2)
    started = time.monotonic()
    assert [message["Body"] for message in made.receive(WaitTimeSeconds=5)] == ["with its own"]
    assert 0.5 < time.monotonic() - started < 3


@pytest.mark.as_on_aws("SQS")
def test_a_long_poll_is_answered_as_soon_as_a_message_arrives(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html"""
    made = queue(ReceiveMessageWaitTimeSeconds=20)
    found: list[Any] = []
    receiver = threading.Thread(target=lambda: found.extend(made.receive()))
    receiver.start()
    made.send("here")
    receiver.join(5)
    assert [message["Body"] for message in found] == ["here"]
    started = time.monotonic()
    assert made.receive(WaitTimeSeconds=1) == []
    assert time.monotonic() - started > 0.9


@pytest.mark.as_on_aws("SQS")
def test_a_message_that_was_received_too_often_goes_to_the_dead_letter_queue(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"""
    dead = queue()
    made = queue(dead=dead, receives=2, VisibilityTimeout=0)
    (sent,) = made.send("bad")
    assert [len(made.receive()) for _ in range(3)] == [1, 1, 0]
    (letter,) = dead.receive()
    assert letter["MessageId"] == sent
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == made.arn
    assert made.counts() == (0, 0, 0)
    assert made.sqs.list_dead_letter_source_queues(QueueUrl=dead.url)["queueUrls"] == [made.url]


@pytest.mark.as_on_aws("SQS")
def test_each_entry_of_a_batch_succeeds_or_fails_by_itself(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""
    made = queue()
    entries = [{"Id": "good", "MessageBody": "a"}, {"Id": "late", "MessageBody": "b", "DelaySeconds": 901}]
    answer = made.sqs.send_message_batch(QueueUrl=made.url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["good"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("late", "InvalidParameterValue")]
    (message,) = made.receive()
    handles = [
        {"Id": "mine", "ReceiptHandle": message["ReceiptHandle"]},
        {"Id": "nobodys", "ReceiptHandle": base64.b64encode(b"x").decode()},
    ]
    answer = made.sqs.delete_message_batch(QueueUrl=made.url, Entries=handles)
    assert [each["Id"] for each in answer["Successful"]] == ["mine"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("nobodys", "ReceiptHandleIsInvalid")]
    many = [{"Id": str(number), "MessageBody": "x"} for number in range(11)]
    for wrong, code in (
        (many, "TooManyEntriesInBatchRequest"),
        ([many[0], many[0]], "BatchEntryIdsNotDistinct"),
        ([{"Id": "a b", "MessageBody": "x"}], "InvalidBatchEntryId"),
        ([{"Id": str(number), "MessageBody": "x" * 600_000} for number in range(2)], "BatchRequestTooLong"),
    ):
        with pytest.raises(ClientError) as refused:
            made.sqs.send_message_batch(QueueUrl=made.url, Entries=wrong)
        assert refused.value.response["Error"]["Code"].endswith(code)
    assert made.counts() == (0, 0, 0)


@pytest.mark.parametrize(
    ("operation", "rest"),
    [
        ("send_message_batch", {"MessageBody": "x"}),
        ("delete_message_batch", {"ReceiptHandle": "x"}),
        ("change_message_visibility_batch", {"ReceiptHandle": "x", "VisibilityTimeout": 1}),
    ],
)
def test_a_batch_with_duplicate_ids_is_refused_and_the_error_names_the_first_duplicate(
    queue: MakeQueue, operation: str, rest: dict[str, Any]
) -> None:
    made = queue()
    entries = [{"Id": each, **rest} for each in ("a", "b", "b", "a")]
    with pytest.raises(ClientError, match=r"Id b repeated\.") as refused:
        getattr(made.sqs, operation)(QueueUrl=made.url, Entries=entries)
    assert refused.value.response["Error"]["Code"].endswith("BatchEntryIdsNotDistinct")


@pytest.mark.as_on_aws("SQS")
def test_a_purged_queue_is_empty_and_can_be_purged_again_a_minute_later(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html"""
    made = queue()
    made.send("waiting", "in flight")
    made.receive(MaxNumberOfMessages=1)
    made.sqs.purge_queue(QueueUrl=made.url)
    assert made.counts() == (0, 0, 0)
    with pytest.raises(ClientError) as refused:
        made.sqs.purge_queue(QueueUrl=made.url)
    assert refused.value.response["Error"]["Code"].endswith("PurgeQueueInProgress")


@pytest.mark.as_on_aws("SQS")
def test_messages_and_settings_outside_of_the_documented_limits_are_refused(
    queue: MakeQueue, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""
    made = queue(MaximumMessageSize=1024)
    for body, code in (("é" * 513, "InvalidParameterValue"), ("\x00", "InvalidMessageContents")):
        with pytest.raises(ClientError) as refused:
            made.send(body)
        assert refused.value.response["Error"]["Code"] == code
    for attributes, code in (
        ({"VisibilityTimeout": "43201"}, "InvalidAttributeValue"),
        ({"Colour": "red"}, "InvalidAttributeName"),
        ({"RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{made.arn}x", "maxReceiveCount": 1})}, None),
        ({"RedrivePolicy": json.dumps({"deadLetterTargetArn": made.arn, "maxReceiveCount": 1001})}, None),
    ):
        with pytest.raises(ClientError) as refused:
            made.sqs.create_queue(QueueName=unique("queue"), Attributes=attributes)
        assert refused.value.response["Error"]["Code"] == (code or "InvalidParameterValue")
        with pytest.raises(ClientError):
            made.sqs.set_queue_attributes(QueueUrl=made.url, Attributes={"DelaySeconds": "9", **attributes})
    assert made.sqs.get_queue_attributes(QueueUrl=made.url, AttributeNames=["All"])["Attributes"]["DelaySeconds"] == "0"


@pytest.mark.simplified("SQS", "a deleted queue is gone and its name is free at once, not after 60 seconds")
def test_deleting_a_queue_deletes_its_messages(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html"""
    made = queue()
    made.send("lost")
    made.sqs.delete_queue(QueueUrl=made.url)
    with pytest.raises(ClientError, match="The specified queue does not exist"):
        made.receive()
    made.sqs.create_queue(QueueName=made.url.rpartition("/")[2])
    assert made.counts() == (0, 0, 0)


@pytest.mark.simplified(
    "SQS", "FIFO queues are held in memory and saved as a whole with each call, so use them for few messages"
)
def test_a_fifo_queue_keeps_the_order_within_a_group_and_drops_duplicates(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fifo-queues.html"""
    sqs = aws("sqs")
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = sqs.create_queue(QueueName=f"{unique('queue')}.fifo", Attributes=attributes)["QueueUrl"]
    for body in ("one", "two", "one"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g")
    (first,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert first["Body"] == "one"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert [each["Body"] for each in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]] == ["two"]


@pytest.mark.refused("SQS")
def test_kms_encryption_and_redrive_allow_policies_are_refused(queue: MakeQueue, unique: Callable[[str], str]) -> None:
    made = queue()
    for name, value in (("KmsMasterKeyId", "alias/aws/sqs"), ("RedriveAllowPolicy", '{"redrivePermission":"denyAll"}')):
        with pytest.raises(ClientError, match=f"does not support the attribute {name}"):
            made.sqs.create_queue(QueueName=unique("queue"), Attributes={name: value})


@pytest.mark.as_on_aws("SQS")
def test_a_message_to_a_standard_queue_cannot_have_a_group_or_deduplication_id(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""
    made = queue()
    with pytest.raises(ClientError, match="not valid for this queue type"):
        made.send("x", MessageDeduplicationId="once")
    with pytest.raises(ClientError, match="does not support MessageGroupId"):
        made.send("x", MessageGroupId="tenant")
    entries = [{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": "x", "MessageDeduplicationId": "once"}]
    answer = made.sqs.send_message_batch(QueueUrl=made.url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["a"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("b", "InvalidParameterValue")]


@pytest.mark.as_on_aws("SQS")
def test_a_queue_is_found_by_name_listed_by_prefix_and_created_only_once(
    aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"""
    sqs, name = aws("sqs"), unique("queue")
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    assert sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})["QueueUrl"] == url
    with pytest.raises(ClientError, match="QueueAlreadyExists"):
        sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "61"})
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert found["Attributes"] == {"VisibilityTimeout": "60"}
    assert sqs.list_queues(QueueNamePrefix=name)["QueueUrls"] == [url]
    sqs.delete_queue(QueueUrl=url)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=name)


@pytest.mark.as_on_aws("SQS")
def test_the_visibility_timeouts_of_several_messages_can_be_changed_in_one_batch(queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html"""
    made = queue(VisibilityTimeout=600)
    made.send("a", "b")
    received = {message["Body"]: message["ReceiptHandle"] for message in made.receive()}
    entries = [
        {"Id": "shown", "ReceiptHandle": received["a"], "VisibilityTimeout": 0},
        {"Id": "hidden", "ReceiptHandle": received["b"], "VisibilityTimeout": 900},
        {"Id": "unknown", "ReceiptHandle": "nonsense", "VisibilityTimeout": 0},
    ]
    answer = made.sqs.change_message_visibility_batch(QueueUrl=made.url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["shown", "hidden"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("unknown", "ReceiptHandleIsInvalid")]
    assert [message["Body"] for message in made.receive(WaitTimeSeconds=5)] == ["a"]


@pytest.mark.parametrize("name", ["QueueName", "region", "Region"])
def test_an_unknown_queue_attribute_is_refused(aws: Callable[..., Any], name: str) -> None:
    with pytest.raises(ClientError) as refused:
        aws("sqs").create_queue(QueueName="never", Attributes={name: "x"})
    assert refused.value.response["Error"]["Code"].endswith("InvalidAttributeName")


@pytest.mark.refused("SQS")
@pytest.mark.parametrize(
    ("attributes", "fifo"),
    [
        ({"KmsMasterKeyId": "alias/aws/sqs"}, False),
        ({"RedriveAllowPolicy": '{"redrivePermission": "denyAll"}'}, False),
        ({"DeduplicationScope": "messageGroup"}, True),
        ({"FifoThroughputLimit": "perMessageGroupId"}, True),
    ],
)
def test_queue_attributes_that_would_have_no_effect_are_refused(
    aws: Callable[..., Any], unique: Callable[[str], str], attributes: dict[str, str], fifo: bool
) -> None:
    name, own = (f"{unique('queue')}.fifo", {"FifoQueue": "true"}) if fifo else (unique("queue"), {})
    with pytest.raises(ClientError, match=f"does not support the attribute {next(iter(attributes))}"):
        aws("sqs").create_queue(QueueName=name, Attributes={**own, **attributes})
    usual = {"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"} if fifo else {}
    url = aws("sqs").create_queue(QueueName=name, Attributes={**own, **usual})["QueueUrl"]
    with pytest.raises(ClientError, match=f"does not support the attribute {next(iter(attributes))}"):
        aws("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)


@pytest.mark.as_on_aws("SQS")
def test_a_permission_of_a_queue_can_be_added_and_removed(aws: Callable[..., Any], queue: MakeQueue) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html"""
    made = queue()
    aws("sqs").add_permission(QueueUrl=made.url, Label="mine", AWSAccountIds=["123456789012"], Actions=["SendMessage"])
    (statement,) = json.loads(
        aws("sqs").get_queue_attributes(QueueUrl=made.url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    )["Statement"]
    assert (statement["Sid"], statement["Effect"], statement["Resource"]) == ("mine", "Allow", made.arn)
    aws("sqs").remove_permission(QueueUrl=made.url, Label="mine")
    with pytest.raises(ClientError, match="can't find label"):
        aws("sqs").remove_permission(QueueUrl=made.url, Label="mine")


@pytest.mark.as_on_aws("SQS")
def test_each_entry_of_a_visibility_batch_succeeds_or_fails_by_itself(
    aws: Callable[..., Any], queue: MakeQueue
) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html"""
    made = queue(VisibilityTimeout=60)
    made.send("one")
    (message,) = made.receive()
    entries = [
        {"Id": "good", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0},
        {"Id": "bad", "ReceiptHandle": "nonsense", "VisibilityTimeout": 0},
    ]
    answer = aws("sqs").change_message_visibility_batch(QueueUrl=made.url, Entries=entries)
    assert ([each["Id"] for each in answer["Successful"]], [each["Id"] for each in answer["Failed"]]) == (
        ["good"], ["bad"],
    )  # fmt: skip
    assert [each["Body"] for each in made.collect(1)] == ["one"]
