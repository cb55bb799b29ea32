"""Event source mappings from a queue to a function."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.lambda_.invocations.batches import failed_items

Deploy = Callable[..., str]
Logged = Callable[..., list[str]]
Map = Callable[..., str]

PRINTS = "import json\ndef handler(event, context):\n    print('EVENT ' + json.dumps(event))\n"
# Fails, or gives back, what its messages tell it to.
OBEYS = """
import json, time
def handler(event, context):
    print('BATCH', json.dumps(sorted(r['body'] + ' ' + r['attributes']['ApproximateReceiveCount']
                                     for r in event['Records'])))
    if any(r['body'] == 'raise' for r in event['Records']):
        raise RuntimeError('not today')
    if any(r['body'] == 'sleep' for r in event['Records']):
        time.sleep(30)
    return {'batchItemFailures': [{'itemIdentifier': r['messageId']} for r in event['Records'] if r['body'] == 'fail']}
"""


@pytest.fixture
def mapped(aws: Callable[..., Any]) -> Iterator[Map]:
    """`mapped(queue, function, BatchSize=1)` lets a function read a queue until the test ends; the mapping's UUID."""
    made: list[str] = []

    def make(queue: Any, function: str, **settings: Any) -> str:
        answer = aws("lambda").create_event_source_mapping(EventSourceArn=queue.arn, FunctionName=function, **settings)
        made.append(answer["UUID"])
        return made[-1]

    yield make
    for uuid in made:
        aws("lambda").delete_event_source_mapping(UUID=uuid)


def _events(messages: list[str], word: str = "EVENT") -> list[Any]:
    return [json.loads(message.removeprefix(f"{word} ")) for message in messages if message.startswith(f"{word} ")]


def _policy(effect: str, actions: list[str], resource: str) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": actions, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _wait_until(holds: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.mark.as_on_aws("Lambda")
def test_a_message_invokes_the_function_as_an_sqs_record_and_is_deleted_afterwards(
    deploy: Deploy, mapped: Map, queue: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
    function, source = deploy(PRINTS), queue()
    mapped(source, function)
    attributes = {"who": {"DataType": "String", "StringValue": "me"}}
    sent = source.sqs.send_message(QueueUrl=source.url, MessageBody='{"a": "é"}', MessageAttributes=attributes)
    ((record,),) = [event["Records"] for event in _events(logged(function, "EVENT"))]
    known = record.pop("attributes")
    assert known.pop("ApproximateReceiveCount") == "1"
    assert set(known) == {"SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"}
    assert record.pop("receiptHandle")
    assert record == {
        "messageId": sent["MessageId"],
        "body": '{"a": "é"}',
        "messageAttributes": {
            "who": {"stringValue": "me", "stringListValues": [], "binaryListValues": [], "dataType": "String"}
        },
        "md5OfBody": sent["MD5OfMessageBody"],
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "eventSource": "aws:sqs",
        "eventSourceARN": source.arn,
        "awsRegion": "us-east-1",
    }
    _wait_until(lambda: source.counts() == (0, 0, 0))


@pytest.mark.as_on_aws("Lambda")
def test_a_mapping_can_name_an_alias_of_the_function(
    deploy: Deploy, mapped: Map, queue: Callable[..., Any], aws: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"""
    function, source = deploy("def handler(event, context): print('AS', context.invoked_function_arn)\n"), queue()
    aws("lambda").publish_version(FunctionName=function)
    alias = aws("lambda").create_alias(FunctionName=function, Name="live", FunctionVersion="1")["AliasArn"]
    uuid = mapped(source, f"{function}:live")
    assert aws("lambda").get_event_source_mapping(UUID=uuid)["FunctionArn"] == alias
    source.send("one")
    assert f"AS {alias}\n" in logged(function, "AS ")


@pytest.mark.as_on_aws("Lambda")
def test_waiting_messages_come_in_batches_of_at_most_the_batch_size(
    deploy: Deploy, mapped: Map, queue: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
    function, source = deploy(OBEYS), queue()
    source.send(*"abcdefg")
    mapped(source, function, BatchSize=3)
    batches = _events(logged(function, "BATCH", 3), "BATCH")
    assert sorted(len(batch) for batch in batches) == [1, 3, 3]
    assert sorted(body for batch in batches for body in batch) == [f"{letter} 1" for letter in "abcdefg"]


@pytest.mark.as_on_aws("Lambda")
def test_a_batching_window_collects_the_messages_that_arrive_within_it(
    deploy: Deploy, mapped: Map, queue: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html"""
    function, source = deploy(OBEYS), queue()
    mapped(source, function, BatchSize=100, MaximumBatchingWindowInSeconds=1)
    source.send(*"abc")
    assert _events(logged(function, "BATCH"), "BATCH") == [["a 1", "b 1", "c 1"]]


@pytest.mark.as_on_aws("Lambda")
def test_only_messages_reported_as_failed_are_retried_and_then_go_to_the_dead_letter_queue(
    deploy: Deploy, mapped: Map, queue: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"""
    dead = queue()
    function, source = deploy(OBEYS, Timeout=1), queue(dead=dead, receives=2, VisibilityTimeout=1)
    source.send("fail", "good")
    mapped(source, function, FunctionResponseTypes=["ReportBatchItemFailures"])
    (letter,) = dead.collect(1)
    assert letter["Body"] == "fail"
    assert _events(logged(function, "BATCH", 2), "BATCH") == [["fail 1", "good 1"], ["fail 2"]]
    assert source.counts() == (0, 0, 0)


@pytest.mark.as_on_aws("Lambda")
def test_a_batch_whose_function_raises_or_times_out_is_redelivered_after_the_visibility_timeout(
    deploy: Deploy, mapped: Map, queue: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"""
    ends = []
    for word in ("raise", "sleep"):
        dead = queue()
        function, source = deploy(OBEYS, Timeout=1), queue(dead=dead, receives=2, VisibilityTimeout=2)
        source.send(word, "good")
        mapped(source, function, FunctionResponseTypes=["ReportBatchItemFailures"])
        ends.append((word, function, dead))
    for word, function, dead in ends:
        assert {letter["Body"] for letter in dead.collect(2)} == {word, "good"}
        batches = _events(logged(function, "BATCH", 2), "BATCH")
        assert batches == [sorted([f"{word} {time}", f"good {time}"]) for time in (1, 2)]


@pytest.mark.as_on_aws("Lambda")
@pytest.mark.parametrize(
    ("answer", "done"),
    [
        (None, True),
        ({}, True),
        ({"batchItemFailures": None}, True),
        ({"batchItemFailures": []}, True),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, False),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, False),
        ({"batchItemFailures": [{"messageId": "x"}]}, False),
        ({"batchItemFailures": [{"itemIdentifier": "of no message"}]}, False),
        ("a text", False),
    ],
)
def test_a_response_without_failures_is_a_success_and_a_malformed_one_fails_the_whole_batch(
    answer: Any, done: bool
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting"""
    batch = {"one", "two"}
    assert failed_items(json.dumps(answer).encode(), batch) == (set() if done else batch)


@pytest.mark.simplified("Lambda", "at most 5 batches of a mapping run at once; AWS adds more while messages wait")
def test_several_batches_run_at_the_same_time_up_to_the_maximum_concurrency(
    deploy: Deploy, mapped: Map, queue: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
    source = "import time\ndef handler(event, context):\n    print('FROM', time.time())\n    time.sleep(0.7)\n"
    source += "    print('TO', time.time())\n"
    for settings, most in (({}, 5), ({"ScalingConfig": {"MaximumConcurrency": 2}}, 2)):
        function, waiting = deploy(source), queue()
        waiting.send(*"abcdef")
        mapped(waiting, function, BatchSize=1, **settings)
        lines = logged(function, "TO ", 6)
        moments = sorted(
            (float(line.split()[1]), 1 if "FROM" in line else -1) for line in lines if line.startswith(("FROM", "TO"))
        )
        running = peak = 0
        for _, change in moments:
            running += change
            peak = max(peak, running)
        assert 2 <= peak <= most


@pytest.mark.as_on_aws("Lambda")
def test_a_throttled_batch_is_retried_until_it_can_run(
    deploy: Deploy, mapped: Map, queue: Callable[..., Any], aws: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"""
    function, source = deploy(OBEYS), queue(VisibilityTimeout=30)
    aws("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    mapped(source, function)
    source.send("patient")
    _wait_until(lambda: source.counts() == (0, 1, 0))
    aws("lambda").delete_function_concurrency(FunctionName=function)
    assert _events(logged(function, "BATCH"), "BATCH") == [["patient 1"]]


@pytest.mark.as_on_aws("Lambda")
def test_a_mapping_can_be_read_listed_updated_disabled_and_deleted(
    deploy: Deploy, queue: Callable[..., Any], aws: Callable[..., Any], logged: Logged
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html"""
    client, function, source = aws("lambda"), deploy(OBEYS), queue()
    made = client.create_event_source_mapping(EventSourceArn=source.arn, FunctionName=function, Enabled=False)
    uuid = made["UUID"]
    assert (made["State"], made["BatchSize"], made["MaximumBatchingWindowInSeconds"]) == ("Creating", 10, 0)
    assert made["FunctionArn"].endswith(f":function:{function}")
    assert client.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    source.send("waits")
    changed = client.update_event_source_mapping(
        UUID=uuid, Enabled=True, BatchSize=4, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    assert changed["State"] == "Updating"
    (listed,) = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    assert (listed["State"], listed["BatchSize"], listed["UUID"]) == ("Enabled", 4, uuid)
    assert client.list_event_source_mappings(EventSourceArn=source.arn)["EventSourceMappings"] == [listed]
    logged(function, "waits")
    assert client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    with pytest.raises(ClientError, match="The resource you requested does not exist") as gone:
        client.get_event_source_mapping(UUID=uuid)
    assert gone.value.response["Error"]["Code"] == "ResourceNotFoundException"
    _wait_until(lambda: source.counts() == (0, 0, 0))
    source.send("unread")
    assert source.counts() == (1, 0, 0)


@pytest.mark.as_on_aws("Lambda")
def test_a_mapping_that_could_not_work_is_refused_with_the_message_of_lambda(
    deploy: Deploy, mapped: Map, queue: Callable[..., Any], aws: Callable[..., Any]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"""
    function, source = deploy(OBEYS, Timeout=10), queue(VisibilityTimeout=10)
    uuid = mapped(source, function)
    for settings, code, words in (
        ({}, "ResourceConflictException", f"Please update or delete the existing mapping with UUID {uuid}"),
        ({"EventSourceArn": f"{source.arn}x"}, "InvalidParameterValueException", "The specified queue does not exist"),
        ({"FunctionName": "nobody"}, "ResourceNotFoundException", "Function not found"),
        (
            {"EventSourceArn": queue(VisibilityTimeout=9).arn},
            "InvalidParameterValueException",
            "Queue visibility timeout: 9 seconds is less than Function timeout: 10 seconds",
        ),
        (
            {"BatchSize": 11},
            "InvalidParameterValueException",
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
    ):
        with pytest.raises(ClientError) as refused:
            aws("lambda").create_event_source_mapping(
                **{"EventSourceArn": source.arn, "FunctionName": function, **settings}
            )
        error = refused.value.response["Error"]
        assert (error["Code"], words in error["Message"]) == (code, True), error


@pytest.mark.refused("Lambda")
def test_event_filters_and_event_sources_other_than_standard_queues_are_refused(
    deploy: Deploy, queue: Callable[..., Any], aws: Callable[..., Any], unique: Callable[[str], str]
) -> None:
    function, source = deploy(OBEYS), queue()
    fifo = f"{unique('queue')}.fifo"
    aws("sqs").create_queue(QueueName=fifo, Attributes={"FifoQueue": "true"})
    account = "us-east-1:123456789012"
    for settings, word in (
        ({"EventSourceArn": f"arn:aws:kinesis:{account}:stream/s", "StartingPosition": "LATEST"}, "kinesis"),
        ({"EventSourceArn": f"arn:aws:dynamodb:{account}:table/t/stream/1"}, "dynamodb"),
        ({"EventSourceArn": f"arn:aws:sqs:{account}:{fifo}"}, "FIFO queue"),
        ({"EventSourceArn": source.arn, "FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, "FilterCriteria"),
    ):
        with pytest.raises(ClientError, match=f"does not support.*{word}"):
            aws("lambda").create_event_source_mapping(FunctionName=function, **settings)


@pytest.mark.as_on_aws("Lambda")
def test_a_queue_that_the_role_may_not_read_is_refused_and_no_longer_polled(
    deploy_to: Callable[..., None],
    make_role: Callable[..., str],
    mapped: Map,
    queue: Callable[..., Any],
    aws: Callable[..., Any],
    unique: Callable[[str], str],
    logged: Logged,
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
    source, name = queue(), unique("reader")
    needed = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"]
    role = make_role(aws("iam"), name)
    deploy_to(aws("lambda"), name, role, PRINTS)
    for missing in (*needed, None):
        actions = ["logs:*", *(f"sqs:{each}" for each in needed if each != missing)]
        document = _policy("Allow", actions, "*")
        aws("iam").put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=json.dumps(document))
        if missing is None:
            mapped(source, name)
            continue
        words = f"The function execution role does not have permissions to call {missing} on SQS"
        with pytest.raises(ClientError, match=words) as refused:
            mapped(source, name)
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    source.send("read")
    logged(name, "REPORT")
    document = _policy("Deny", ["sqs:DeleteMessage"], source.arn)
    aws("iam").put_role_policy(RoleName=name, PolicyName="denied", PolicyDocument=json.dumps(document))
    _wait_until(lambda: source.counts() == (0, 0, 0))
    source.send("unread")
    assert source.counts() == (1, 0, 0)
