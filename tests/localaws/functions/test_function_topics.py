"""SNS topics that invoke a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Deploy = Callable[..., str]
Logged = Callable[..., list[str]]

PRINTS = "import json\ndef handler(event, context):\n    print('EVENT ' + json.dumps(event))\n"


@pytest.mark.as_on_aws("Lambda")
def test_a_function_or_alias_whose_policy_allows_sns_is_invoked_with_each_published_message(
    aws: Callable[..., Any], deploy: Deploy, logged: Logged, unique: Callable[[str], str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html"""
    sns, functions, name = aws("sns"), aws("lambda"), deploy(PRINTS)
    arn = functions.publish_version(FunctionName=name)["FunctionArn"].rpartition(":")[0]
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    topics = [sns.create_topic(Name=unique("topic"))["TopicArn"] for _ in range(3)]
    given = dict(zip(topics, ({}, {"Qualifier": "live"}), strict=False))
    for place, topic in enumerate(topics):
        endpoint = f"{arn}:live" if place == 1 else arn
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=endpoint)
        if topic in given:
            functions.add_permission(
                FunctionName=name, StatementId=f"sns{place}", Action="lambda:InvokeFunction",
                Principal="sns.amazonaws.com", SourceArn=topic, **given[topic],
            )  # fmt: skip
    attributes = {"kind": {"DataType": "String", "StringValue": "toll"}}
    sent = {
        topic: sns.publish(TopicArn=topic, Message="text", MessageAttributes=attributes)["MessageId"]
        for topic in reversed(topics)
    }
    lines = [line for line in logged(name, "EVENT", 2) if line.startswith("EVENT ")]
    told = [json.loads(line.removeprefix("EVENT "))["Records"][0]["Sns"] for line in lines]
    assert {each["TopicArn"]: each["MessageId"] for each in told} == {topic: sent[topic] for topic in given}
    assert all(each["MessageAttributes"] == {"kind": {"Type": "String", "Value": "toll"}} for each in told)
    assert all((each["Subject"], each["Message"]) == (None, "text") for each in told)
