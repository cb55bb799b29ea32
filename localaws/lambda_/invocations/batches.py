"""The records that a function gets for a queue's messages, and which of them it reports as failed.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import base64
import json
from typing import Any


def record_of(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    """Convert a message (as ReceiveMessage shows it, with all attributes) to a function's record."""
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
    """Return the ids in `batch` that the function reports as failed in its answer (ReportBatchItemFailures).

    An empty answer, null, and an empty or null list mean success. An answer that does not have the documented shape,
    or has an id that is empty, null or not in this batch, means that the whole batch failed.
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
