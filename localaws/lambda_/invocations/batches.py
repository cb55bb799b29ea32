"""What a function is given of a queue's messages, and what its answer says of each.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import base64
import json
from typing import Any


def record_of(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    """A message (as ReceiveMessage shows it, with all attributes) as a function gets it."""
    record: dict[str, Any] = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {name: _attribute(value) for name, value in message["MessageAttributes"].items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    if md5 := message.get("MD5OfMessageAttributes"):
        record["md5OfMessageAttributes"] = md5
    return record


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if value.get("StringValue") is not None:
        given["stringValue"] = value["StringValue"]
    if value.get("BinaryValue") is not None:
        given["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return {**given, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def failed_items(answer: bytes, batch: set[str]) -> set[str]:
    """The ids of `batch` that the function did not finish, by its answer (ReportBatchItemFailures).

    Nothing, null, or an empty or null list stand for success; what is not of the documented shape, and an id that is
    empty, null or not of this batch, for failure of the whole batch.
    """
    try:
        answered = json.loads(answer or b"null")
    except ValueError:
        return batch
    if answered is None or answered == {} or answered == "":
        return set()
    if not isinstance(answered, dict):
        return batch
    items = answered.get("batchItemFailures")
    if items is None:
        return set()
    if not isinstance(items, list):
        return batch
    failed = {item.get("itemIdentifier") if isinstance(item, dict) else None for item in items}
    return {str(each) for each in failed} if failed <= batch else batch
