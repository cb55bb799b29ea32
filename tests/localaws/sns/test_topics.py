"""Topics: messages reach the queues whose policy allows SNS, and unsupported deliveries are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.conftest import MadeQueue

Aws = Callable[..., Any]
MakeQueue = Callable[..., MadeQueue]
Unique = Callable[[str], str]


def _lets_sns_in(queue: MadeQueue, topic: str) -> None:
    statement = {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": queue.arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": document})


def _refused(code: str, text: str, call: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(ClientError, match=text) as refused:
        call(**arguments)
    assert refused.value.response["Error"]["Code"] == code


@pytest.fixture
def topic(aws: Aws, unique: Unique) -> str:
    return str(aws("sns").create_topic(Name=unique("topic"))["TopicArn"])


@pytest.mark.simplified("SNS", "messages are not signed")
def test_a_subscribed_queue_receives_published_messages(aws: Aws, queue: MakeQueue, topic: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html"""
    sns, made, raw = aws("sns"), queue(), queue()
    for each in (made, raw):
        _lets_sns_in(each, topic)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=made.arn)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=raw.arn, Attributes={"RawMessageDelivery": "true"})
    attributes = {"kind": {"DataType": "String", "StringValue": "toll"}}
    sent = sns.publish(TopicArn=topic, Subject="s", Message="text", MessageAttributes=attributes)
    told = json.loads(made.collect(1)[0]["Body"])
    assert told.pop("Timestamp")
    assert told == {
        "Type": "Notification", "MessageId": sent["MessageId"], "TopicArn": topic, "Subject": "s", "Message": "text",
        "MessageAttributes": {"kind": {"Type": "String", "Value": "toll"}},
    }  # fmt: skip
    (message,) = raw.collect(1)
    assert (message["Body"], message["MessageAttributes"]) == ("text", attributes)
    texts = json.dumps({"default": "for all", "sqs": "for queues"})
    sns.publish(TopicArn=topic, Message=texts, MessageStructure="json")
    assert json.loads(made.collect(1)[0]["Body"])["Message"] == "for queues"
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "2"


@pytest.mark.as_on_aws("SNS")
def test_a_message_that_the_queue_s_policy_rejects_goes_to_the_dead_letter_queue(
    aws: Aws, queue: MakeQueue, topic: str
) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html"""
    sns, closed, dead = aws("sns"), queue(), queue()
    _lets_sns_in(dead, topic)
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn})}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=closed.arn, Attributes=policy)
    sns.publish(TopicArn=topic, Message="lost")
    assert json.loads(dead.collect(1)[0]["Body"])["Message"] == "lost"
    assert closed.counts() == (0, 0, 0)


@pytest.mark.as_on_aws("SNS")
def test_a_filter_policy_selects_messages(aws: Aws, queue: MakeQueue, topic: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering-scope.html"""
    sns, made = aws("sns"), queue()
    _lets_sns_in(made, topic)
    policy = {"FilterPolicy": json.dumps({"kind": ["toll"]})}
    arn = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=made.arn, Attributes=policy, ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    kinds = {each: {"kind": {"DataType": "String", "StringValue": each}} for each in ("toll", "other")}
    for kind, attributes in kinds.items():
        sns.publish(TopicArn=topic, Message=kind, MessageAttributes=attributes)
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicyScope", AttributeValue="MessageBody"
    )
    sns.publish(TopicArn=topic, Message='{"kind": "other"}', MessageAttributes=kinds["toll"])
    sns.publish(TopicArn=topic, Message='{"kind": "toll"}')
    found = {json.loads(message["Body"])["Message"] for message in made.collect(2)}
    assert found == {"toll", '{"kind": "toll"}'}
    assert made.counts() == (0, 0, 0)


@pytest.mark.as_on_aws("SNS")
def test_each_message_of_a_batch_succeeds_or_fails_by_itself(aws: Aws, queue: MakeQueue, topic: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""
    sns, made = aws("sns"), queue()
    _lets_sns_in(made, topic)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=made.arn)
    entries = [{"Id": "good", "Message": "text"}, {"Id": "bad", "Message": "{}", "MessageStructure": "json"}]
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["good"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("bad", "InvalidParameter")]
    assert json.loads(made.collect(1)[0]["Body"])["Message"] == "text"


@pytest.mark.as_on_aws("SNS")
def test_an_unsubscribed_queue_receives_nothing_and_a_deleted_topic_takes_no_messages(
    aws: Aws, queue: MakeQueue, topic: str
) -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html"""
    sns, made = aws("sns"), queue()
    _lets_sns_in(made, topic)
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=made.arn)["SubscriptionArn"]
    sns.unsubscribe(SubscriptionArn=arn)
    sns.publish(TopicArn=topic, Message="unheard")
    assert made.counts() == (0, 0, 0)
    sns.delete_topic(TopicArn=topic)
    _refused("NotFound", "Topic does not exist", sns.publish, TopicArn=topic, Message="m")


@pytest.mark.as_on_aws("SNS")
def test_a_permission_of_a_topic_can_be_added_and_removed(aws: Aws, topic: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html"""
    sns = aws("sns")

    def labels() -> list[str]:
        policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
        return [each["Sid"] for each in policy["Statement"]]

    sns.add_permission(TopicArn=topic, Label="mine", AWSAccountId=["123456789012"], ActionName=["Publish"])
    assert labels()[1:] == ["mine"]
    sns.remove_permission(TopicArn=topic, Label="mine")
    assert labels()[1:] == []


@pytest.mark.as_on_aws("SNS")
@pytest.mark.parametrize("document", ["no json", "{}", json.dumps({"Statement": [{"Effect": "Maybe"}]})])
def test_a_malformed_policy_of_a_topic_is_refused(aws: Aws, topic: str, unique: Unique, document: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html"""
    sns = aws("sns")
    _refused(
        "InvalidParameter", "Policy", sns.set_topic_attributes,
        TopicArn=topic, AttributeName="Policy", AttributeValue=document,
    )  # fmt: skip
    _refused("InvalidParameter", "Policy", sns.create_topic, Name=unique("topic"), Attributes={"Policy": document})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="d")
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "d"


@pytest.mark.as_on_aws("SNS")
def test_creating_a_topic_or_subscription_again_needs_the_same_attributes(
    aws: Aws, queue: MakeQueue, topic: str
) -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html"""
    sns, made, name = aws("sns"), queue(), topic.rpartition(":")[2]
    assert sns.create_topic(Name=name)["TopicArn"] == topic
    _refused(
        "InvalidParameter", "already exists with different attributes", sns.create_topic,
        Name=name, Attributes={"DisplayName": "other"},
    )  # fmt: skip
    wanted = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": made.arn}
    arn = sns.subscribe(**wanted)["SubscriptionArn"]
    assert sns.subscribe(**wanted)["SubscriptionArn"] == arn
    _refused(
        "InvalidParameter", "already exists with different attributes", sns.subscribe,
        **wanted, Attributes={"RawMessageDelivery": "true"},
    )  # fmt: skip


@pytest.mark.as_on_aws("SNS")
def test_a_subscription_with_an_invalid_attribute_is_not_created(aws: Aws, queue: MakeQueue, topic: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"""
    sns, wanted = aws("sns"), {"TopicArn": topic, "Protocol": "sqs", "Endpoint": queue().arn}
    for attributes in ({"FilterPolicy": "no json"}, {"RedrivePolicy": "{}"}, {"FilterPolicyScope": "Nowhere"}):
        _refused("InvalidParameter", next(iter(attributes)), sns.subscribe, **wanted, Attributes=attributes)
    _refused("InvalidParameter", "protocol string", sns.subscribe, TopicArn=topic, Protocol="pigeon", Endpoint="e")
    _refused("InvalidParameter", "SQS endpoint ARN", sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint="e")
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


@pytest.mark.refused("SNS")
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("subscribe", {"Protocol": "email", "Endpoint": "a@example.com"}),
        ("subscribe", {"Protocol": "https", "Endpoint": "https://example.com"}),
        ("subscribe", {"Protocol": "sms", "Endpoint": "+15550100"}),
        ("set_topic_attributes", {"AttributeName": "KmsMasterKeyId", "AttributeValue": "alias/aws/sns"}),
        ("set_topic_attributes", {"AttributeName": "DeliveryPolicy", "AttributeValue": "{}"}),
        ("set_topic_attributes", {"AttributeName": "SQSFailureFeedbackRoleArn", "AttributeValue": "arn"}),
        ("create_topic", {"Name": "t.fifo", "Attributes": {"FifoTopic": "true"}}),
        ("publish", {"Message": "m", "MessageGroupId": "g"}),
        ("confirm_subscription", {"Token": "t"}),
    ],
)
def test_unsupported_protocols_and_settings_of_sns_are_refused(
    aws: Aws, topic: str, operation: str, arguments: dict[str, Any]
) -> None:
    where = {} if operation == "create_topic" else {"TopicArn": topic}
    _refused("NotImplemented", "does not support", getattr(aws("sns"), operation), **where, **arguments)


def test_an_unknown_topic_attribute_is_refused(aws: Aws, topic: str, unique: Unique) -> None:
    sns = aws("sns")
    for name in ("Arn", "account_id", "Nonsense"):
        _refused(
            "InvalidParameter", "AttributeName", sns.set_topic_attributes,
            TopicArn=topic, AttributeName=name, AttributeValue="x",
        )  # fmt: skip
        _refused("InvalidParameter", "AttributeName", sns.create_topic, Name=unique("t"), Attributes={name: "x"})
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Owner"] == "123456789012"


@pytest.mark.as_on_aws("SNS")
def test_subscribing_to_a_missing_topic_is_refused_with_NotFound(aws: Aws) -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"""
    nowhere = "arn:aws:sns:us-east-1:123456789012:nowhere"
    _refused("NotFound", "Topic does not exist", aws("sns").subscribe, TopicArn=nowhere, Protocol="sqs", Endpoint="x")


@pytest.mark.as_on_aws("SNS")
def test_a_topic_ARN_with_too_few_elements_is_refused(aws: Aws) -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html#API_GetTopicAttributes_Errors
    (InvalidParameter)"""
    sns = aws("sns")
    for arn, elements in (("toll-events", 1), ("arn:aws:sns:us-east-1:toll-events", 5)):
        for call, more in (
            (sns.get_topic_attributes, {}),
            (sns.set_topic_attributes, {"AttributeName": "DisplayName", "AttributeValue": "x"}),
            (sns.list_subscriptions_by_topic, {}),
            (sns.subscribe, {"Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:123456789012:q"}),
            (sns.publish, {"Message": "x"}),
            (sns.delete_topic, {}),
            (sns.add_permission, {"Label": "x", "AWSAccountId": ["123456789012"], "ActionName": ["Publish"]}),
            (sns.remove_permission, {"Label": "x"}),
        ):
            _refused("InvalidParameter", f"at least 6 elements, not {elements}", call, TopicArn=arn, **more)
