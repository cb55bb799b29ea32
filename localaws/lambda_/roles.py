"""What a function's role allows Lambda to do for it: read queues, and send outcomes.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from __future__ import annotations

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaFunction

from localaws.iam import permits

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_READS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
SENDS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}


def allows(function: LambdaFunction, action: str, arn: str) -> bool:
    """Whether the function's role may do `action` ("sqs:SendMessage") to `arn`."""
    return permits(
        function.role,
        action,
        arn,
        session=function.function_name,
        region=function.region,
        account_id=function.account_id,
    )


def missing_to_read(function: LambdaFunction, queue_arn: str) -> str | None:
    """Return the first SQS operation that Lambda needs to read the queue but the role doesn't allow; None if none."""
    return next((each for each in _READS if not allows(function, f"sqs:{each}", queue_arn)), None)


def check_reads(function: LambdaFunction, queue_arn: str) -> None:
    """Refuse a queue that the function's role may not read.

    Raises:
        InvalidParameterValueException: with Lambda's message.
    """
    if missing := missing_to_read(function, queue_arn):
        raise InvalidParameterValueException(
            f"The function execution role does not have permissions to call {missing} on SQS"
        )


def check_dead_letters(function: LambdaFunction, target: str | None) -> None:
    """Refuse a dead-letter target that the function's role may not send to.

    Raises:
        InvalidParameterValueException: with Lambda's message.
    """
    service = target.split(":")[2] if target else ""
    if target and service in SENDS and not allows(function, SENDS[service], target):
        operation = SENDS[service].partition(":")[2]
        raise InvalidParameterValueException(
            f"The provided execution role does not have permissions to call {operation} on {service.upper()}"
        )


def check_destination(function: LambdaFunction, destination: str) -> None:
    """Refuse a destination that the function's role may not send to.

    Raises:
        InvalidParameterValueException: with Lambda's message.
    """
    action = SENDS[destination.split(":")[2]]
    if not allows(function, action, destination):
        raise InvalidParameterValueException(
            "The function's execution role does not have permissions to call"
            f" {action.partition(':')[2]} on {destination}"
        )
