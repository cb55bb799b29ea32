"""Which destinations of asynchronous invocations a function may have.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaFunction
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from localaws.lambda_.errors import NotSupported
from localaws.lambda_.ports import find_function
from localaws.lambda_.roles import SENDS, check_dead_letters, check_destination


def check_destinations(function: LambdaFunction, config: dict[str, Any]) -> None:
    """Refuse destinations in an asynchronous configuration that don't exist, or that the role may not send to.

    Raises:
        NotSupported: this package can't send to such a service.
        InvalidParameterValueException: as on AWS.
    """
    for outcome, wanted in (config.get("DestinationConfig") or {}).items():
        arn = (wanted or {}).get("Destination")
        if not arn:
            continue
        service = arn.split(":")[2]
        if service not in SENDS:
            raise NotSupported(f"a destination in {service} as {outcome} of PutFunctionEventInvokeConfig")
        if not _exists(arn):
            raise InvalidParameterValueException(f"The destination ARN {arn} is invalid.")
        check_destination(function, arn)


def check_dead_letter_target(function: LambdaFunction, config: dict[str, str] | None) -> None:
    """Refuse a dead-letter target that doesn't exist, or that the role may not send to.

    Raises:
        InvalidParameterValueException: as on AWS.
    """
    target = (config or {}).get("TargetArn")
    if not target:
        return
    if target.split(":")[2] not in ("sqs", "sns") or target.endswith(".fifo"):
        raise InvalidParameterValueException(
            f"The dead-letter target {target} is neither a standard queue nor a topic."
        )
    if not _exists(target):
        raise InvalidParameterValueException(f"The dead-letter target {target} does not exist.")
    check_dead_letters(function, target)


def _exists(arn: str) -> bool:
    _, _, service, region, account_id, name = arn.split(":", 5)
    if service == "sqs":
        return not name.endswith(".fifo") and name in sqs_backends[account_id][region].queues
    if service == "sns":
        return arn in sns_backends[account_id][region].topics
    return find_function(account_id, arn) is not None
