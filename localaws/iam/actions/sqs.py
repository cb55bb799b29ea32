"""SQS and SNS.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html.
"""

from __future__ import annotations

from localaws.core.call import Call
from localaws.iam.decision import Access

_BATCHES = {
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "PublishBatch": "Publish",
}


def accesses(call: Call) -> list[Access]:
    """Return what a call of SQS needs; empty if it is not about particular resources."""
    action, given = f"sqs:{_BATCHES.get(call.operation, call.operation)}", call.parameters
    if call.operation == "StartMessageMoveTask":
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
        source, target = str(given.get("SourceArn", "*")), str(given.get("DestinationArn") or "*")
        taking = ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        return [*(Access(f"sqs:{each}", source) for each in taking), Access("sqs:SendMessage", target)]
    if given.get("SourceArn"):
        return [Access(action, str(given["SourceArn"]))]
    name = given.get("QueueName") or str(given.get("QueueUrl") or "").rstrip("/").rpartition("/")[2]
    if not name:
        return []
    return [Access(action, f"arn:aws:sqs:{call.region}:{call.account_id}:{name}")]


def of_topic(call: Call) -> list[Access]:
    """Return what a call of SNS needs; empty if it is not about particular resources."""
    action = f"sns:{_BATCHES.get(call.operation, call.operation)}"
    arn = call.parameters.get("TopicArn") or call.parameters.get("TargetArn") or call.parameters.get("ResourceArn")
    if not arn and call.operation == "CreateTopic":
        arn = f"arn:aws:sns:{call.region}:{call.account_id}:{call.parameters.get('Name', '')}"
    return [Access(action, str(arn))] if arn else []
