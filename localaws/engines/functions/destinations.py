"""Where the outcome of an asynchronous invocation is sent.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from localaws.context import Context
from localaws.engines.functions.asynchronous import Event
from localaws.engines.functions.spec import Result

log = logging.getLogger(__name__)


class Condition(StrEnum):
    """Why a record is sent."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    AGE_EXCEEDED = "EventAgeExceeded"


@dataclass(frozen=True)
class Destinations:
    """What a function's configuration names; None where it names nothing."""

    on_success: str | None = None
    on_failure: str | None = None
    dead_letter: str | None = None


def send(
    context: Context,
    destinations: Destinations,
    event: Event,
    result: Result | None,
    condition: Condition,
    invoke: Callable[[str, bytes], Any],
) -> None:
    """Send the record of `event` (and the event itself to a dead-letter target) where they belong."""
    failed = condition is not Condition.SUCCESS
    destination = destinations.on_failure if failed else destinations.on_success
    if destination:
        _deliver(context, destination, json.dumps(_record(event, result, condition)), {}, invoke)
    if failed and destinations.dead_letter:
        message = json.loads(result.payload).get("errorMessage", "") if result is not None else str(condition)
        attributes = {"RequestID": event.request_id, "ErrorCode": "200", "ErrorMessage": message[:1024]}
        _deliver(context, destinations.dead_letter, event.payload.decode(), attributes, invoke)


def _record(event: Event, result: Result | None, condition: Condition) -> dict[str, Any]:
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": iso_8601_datetime_with_milliseconds(),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": event.function_arn,
            "condition": str(condition),
            "approximateInvokeCount": event.attempts,
        },
        "requestPayload": json.loads(event.payload),
    }
    if result is not None:
        record["responseContext"] = {"statusCode": 200, "executedVersion": result.version}
        if result.failed:
            record["responseContext"]["functionError"] = "Unhandled"
        record["responsePayload"] = json.loads(result.payload or b"null")
    return record


def _deliver(
    context: Context, arn: str, body: str, attributes: dict[str, str], invoke: Callable[[str, bytes], Any]
) -> None:
    _, _, service, region, account_id, name = arn.split(":", 5)
    try:
        if service == "lambda":
            invoke(arn, body.encode())
        elif service == "sqs":
            typed = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
            sqs_backends[account_id][region].send_message(queue_name=name, message_body=body, message_attributes=typed)
            context.state.save("sqs")
        elif service == "sns":
            sns_backends[account_id][region].publish(arn=arn, message=body)
            context.state.save("sns")
            context.state.save("sqs")  # a topic's queues have it by now
        else:
            log.warning("The embedded AWS sends no outcome of a function to %s", arn)
    except Exception as error:
        # As on AWS: a destination that is missing or refuses is the owner's to notice.
        log.warning("The outcome of a function could not be sent to %s: %s", arn, error)
