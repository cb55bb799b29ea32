"""boto3 clients that raise the lab's errors.

botocore lets a session add base classes to its clients (its event `creating-client-class`). The lab adds one that
translates the errors of failed calls. So this happens in one place, whether a step, a paginator, a waiter or a notebook
made the call. The same base class reports each call to the session's recorder (`labkit.recorder`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    ResponseStreamingError,
    SSOError,
    TokenRetrievalError,
    WaiterError,
)
from botocore.response import StreamingBody

from labkit.config import LabConfig, Target
from labkit.errors import AwsRefused, LabError, NotRunning
from labkit.recorder import Recorder, without_secrets

R = TypeVar("R")

NO_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
NOT_REACHED = (ConnectionClosedError, EndpointConnectionError, ResponseStreamingError)


Advise = Callable[[Mapping[str, Any], str], str]
"""(the call's parameters, AWS's error message) → what to do about a missing resource; empty if unknown."""


@dataclass(frozen=True)
class Translator:
    """Turns boto3's errors into the lab's."""

    config: LabConfig
    advise: Advise

    def error(
        self, error: ClientError | BotoCoreError, operation: str, asked: Mapping[str, Any] | None = None
    ) -> LabError:
        """Turn boto3's error into the lab's, which says what to do."""
        if isinstance(error, ClientError):
            refused = AwsRefused.of(error, asked=asked)
            if not refused.means_missing or not asked:
                return refused
            return AwsRefused.of(error, asked=asked, fix=self.advise(asked, refused.message))
        if isinstance(error, NO_CREDENTIALS):
            return LabError(
                f"There are no usable AWS credentials: {error}",
                fix="Log in with the AWS CLI (aws configure, aws sso login), or use the local target: "
                "LABKIT_TARGET=local",
            )
        if isinstance(error, NOT_REACHED):
            if self.config.target is Target.LOCAL:
                return NotRunning(self.config.home)
            return LabError(f"AWS can't be reached: {error}", fix="Check the network and the region.")
        if isinstance(error, ReadTimeoutError):
            return LabError(f"{operation} got no answer in time: {error}", fix="Look at: labkit status · labkit logs")
        if isinstance(error, WaiterError):
            return LabError(str(error), fix="Look at the resource, then run it again.")
        if isinstance(error, ParamValidationError):
            return LabError(f"The call {operation} is wrong, so it was not sent. {error}")
        return LabError(f"The call {operation} failed: {error}", fix="Look at: labkit doctor")

    def around(
        self, call: Callable[..., R], operation: str, asked: Mapping[str, Any] | None = None
    ) -> Callable[..., R]:
        """Return a function that does what `call` does, and translates its errors."""

        @functools.wraps(call)
        def translated(*arguments: Any, **named: Any) -> R:
            try:
                return call(*arguments, **named)
            except (ClientError, BotoCoreError) as error:
                raise self.error(error, operation, asked) from error

        return translated


def translate_and_record(session: boto3.Session, translator: Translator, recorder: Recorder) -> None:
    """Make every client that `session` creates from now on raise the lab's errors and report its calls."""

    class Translating:
        """A base class of the clients, before botocore's BaseClient in their method resolution order."""

        def _make_api_call(self, operation: str, parameters: dict[str, Any]) -> Any:
            call = super()._make_api_call  # type: ignore[misc]
            model = self.meta.service_model.operation_model(operation)  # type: ignore[attr-defined]
            sent = without_secrets(model, parameters)  # before the call, because botocore adds to the parameters
            outcome = "interrupted"
            try:
                answer = translator.around(call, operation, parameters)(operation, parameters)
                outcome = ""
            except LabError as error:
                outcome = _outcome(error)
                raise
            finally:
                recorder.add(model, sent, outcome)
            bodies = {name: part for name, part in answer.items() if isinstance(part, StreamingBody)}
            return answer | {name: _Body(body, translator, operation) for name, body in bodies.items()}

        def get_waiter(self, waiter_name: str) -> Any:
            return _Waiter(super().get_waiter(waiter_name), translator)  # type: ignore[misc]

    def add_base_class(base_classes: list[type], **_others: Any) -> None:
        base_classes.insert(0, Translating)

    session.events.register("creating-client-class", add_base_class)


def _outcome(error: LabError) -> str:
    if isinstance(error, AwsRefused):
        return error.code
    return "not sent" if isinstance(error.__cause__, ParamValidationError) else "no answer"


class _Body(StreamingBody):  # type: ignore[misc]  # botocore has no types
    """The body of a response. It is read after the call, and reading it can fail."""

    def __init__(self, body: Any, translator: Translator, operation: str) -> None:
        super().__init__(body._raw_stream, body._content_length)
        self._translator, self._operation = translator, operation

    def read(self, amt: int | None = None) -> Any:
        return self._translator.around(super().read, self._operation)(amt)

    def readinto(self, b: Any) -> Any:
        return self._translator.around(super().readinto, self._operation)(b)


class _Waiter:
    """A botocore waiter. Its calls go through the client, and if it gives up, it raises the lab's error too."""

    def __init__(self, waiter: Any, translator: Translator) -> None:
        self.name = waiter.name
        self.config = waiter.config
        self.wait = translator.around(waiter.wait, waiter.name)
