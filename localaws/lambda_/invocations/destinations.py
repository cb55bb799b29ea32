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

from localaws.core.context import Context
from localaws.lambda_.invocations.asynchronous import Event
from localaws.lambda_.invocations.spec import Result

log = logging.getLogger(__name__)


_LONGEST_MESSAGE = 1024  # characters of the error message in a dead letter's attributes


@dataclass(frozen=True)
class Deliver:
    """How outcomes are sent. `check(arn)` raises if the function's role may not send to `arn`. `invoke` invokes one."""

    check: Callable[[str], None]
    invoke: Callable[[str, bytes], Any]


class Condition(StrEnum):
    """Why a record is sent."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    AGE_EXCEEDED = "EventAgeExceeded"
    NO_CONCURRENCY = "ZeroReservedConcurrency"


@dataclass(frozen=True)
class Destinations:
    """The ARNs in a function's configuration; None if it has none."""

    on_success: str | None = None
    on_failure: str | None = None
    dead_letter: str | None = None


def send(
    context: Context,
    destinations: Destinations,
    event: Event,
    result: Result | None,
    condition: Condition,
    deliver: Deliver,
) -> None:
    """Send the record of `event` to its destination, and the event itself to the dead-letter target if it failed.

    `result` is the last attempt's result; None if the event was throttled.
    """
    failed = condition is not Condition.SUCCESS
    destination = destinations.on_failure if failed else destinations.on_success
    if destination:
        _deliver(context, destination, json.dumps(_record(event, result, condition)), {}, deliver)
    if failed and destinations.dead_letter:
        attributes = _dead_letter_attributes(event, result)
        _deliver(context, destinations.dead_letter, event.payload.decode(), attributes, deliver)


def _dead_letter_attributes(event: Event, result: Result | None) -> dict[str, dict[str, str]]:
    # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
    code, message = "429", "Rate Exceeded."
    if result is not None:
        code, message = "200", json.loads(result.payload).get("errorMessage") or ""
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": event.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": code},
    }
    if message:
        attributes["ErrorMessage"] = {"DataType": "String", "StringValue": message[:_LONGEST_MESSAGE]}
    return attributes


def _record(event: Event, result: Result | None, condition: Condition) -> dict[str, Any]:
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": iso_8601_datetime_with_milliseconds(),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": _qualified(event.function_arn),
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


def _qualified(arn: str) -> str:
    return arn if arn.count(":") > 6 else f"{arn}:$LATEST"


def _deliver(context: Context, arn: str, body: str, attributes: dict[str, dict[str, str]], deliver: Deliver) -> None:
    _, _, service, region, account_id, name = arn.split(":", 5)
    try:
        deliver.check(arn)
        if service == "lambda":
            deliver.invoke(arn, body.encode())
        elif service == "sqs":
            sqs_backends[account_id][region].send_message(
                queue_name=name, message_body=body, message_attributes=attributes
            )
        elif service == "sns":
            sns_backends[account_id][region].publish(arn=arn, message=body)
            context.state.save("sns")
        else:
            log.warning("The embedded AWS does not send the outcome of a function to %s", arn)
    except Exception as error:
        # As on AWS, the owner must notice that a destination is missing or refuses the record.
        log.warning("The outcome of a function could not be sent to %s: %s", arn, error)
