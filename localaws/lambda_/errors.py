"""Lambda's errors that moto lacks."""

from __future__ import annotations

import json

from moto.awslambda.exceptions import LambdaClientError


class NotSupported(LambdaClientError):
    """An operation that the embedded AWS lacks."""

    code = 501

    def __init__(self, operation: str) -> None:
        super().__init__(
            "NotImplemented",
            f"The embedded AWS does not support {operation} of lambda. Nothing was changed. What it supports is listed"
            " in docs/fidelity.md.",
        )


class TooManyRequests(LambdaClientError):
    """The function's reserved concurrency is used up."""

    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        self.description = json.dumps({"Reason": reason, "Type": "User", "message": "Rate Exceeded."})


class RequestTooLarge(LambdaClientError):
    """The payload is over the limit."""

    code = 413

    def __init__(self, limit: int) -> None:
        message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        super().__init__("RequestTooLargeException", message)


class InvalidRequestContent(LambdaClientError):
    """The payload, or the client context, is not JSON."""

    def __init__(self, problem: str) -> None:
        super().__init__("InvalidRequestContentException", problem)
