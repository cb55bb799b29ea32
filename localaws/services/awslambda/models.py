"""moto's Lambda, whose functions run."""

from __future__ import annotations

import copy
import json
import re
import uuid
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, InvalidRoleFormat
from moto.awslambda.models import (
    EventInvokeConfig,
    FunctionUrlConfig,
    LambdaBackend,
    LambdaFunction,
    lambda_backends,
)
from moto.core.exceptions import JsonRESTError
from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.sns.models import sns_backends

from localaws import engines
from localaws.authorization.trust import trusts_service
from localaws.engines.functions.engine import Throttled
from localaws.engines.functions.spec import Result
from localaws.services.awslambda.destinations import check_dead_letter_target, check_destinations
from localaws.services.awslambda.errors import InvalidRequestContent, NotSupported, RequestTooLarge, TooManyRequests
from localaws.services.awslambda.functions import LocalLambdaFunction
from localaws.services.awslambda.mappings import MappingOperations

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
SYNCHRONOUS_LIMIT = 6_291_456  # bytes, of a request and of its answer
ASYNCHRONOUS_LIMIT = 1_048_576
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
ACCOUNT_CONCURRENCY = 1000
UNRESERVED_CONCURRENCY = 100  # of it, that can't be reserved


def local_function(arn: str) -> LocalLambdaFunction:
    """The function (version, alias) that `arn` names.

    Raises:
        UnknownFunctionException: there is none.
    """
    region, account_id = arn.split(":")[3:5]
    return _local(lambda_backends[account_id][region].get_function(arn))


def deployed_code() -> set[str]:
    """The digests of the code of all functions, versions and layers."""
    digests: set[str] = set()
    for _, _, backend in lambda_backends.iter_backends():
        assert isinstance(backend, LocalLambdaBackend)
        digests.update(function.code_digest for function in backend._lambdas.all())
        for layer in backend._layers._layers.values():
            digests.update(version.code_digest for version in layer.layer_versions.values())
    return digests


class LocalLambdaBackend(MappingOperations, LambdaBackend):
    """Lambda as this package has it."""

    def reset(self) -> None:
        """Forget all functions, and end their workers."""
        for function in self.list_functions():
            engines.running().functions.forget(self.account_id, self.region_name, function.function_name)
        super().reset()

    def create_function(self, spec: dict[str, Any]) -> LambdaFunction:
        """Make a function.

        Raises:
            InvalidParameterValueException: the code, the role or another parameter won't do.
        """
        if not spec.get("FunctionName"):
            raise JsonRESTError("InvalidParameterValueException", "Missing FunctionName")
        if spec.get("PackageType", "Zip") == "Zip" and not (spec.get("Handler") and spec.get("Runtime")):
            raise InvalidParameterValueException(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        function = LocalLambdaFunction(self.account_id, spec, self.region_name, version="$LATEST")  # type: ignore[abstract]
        self._check_role(function.role, function.function_arn)
        check_dead_letter_target(function, function.dead_letter_config)
        self._lambdas.put_function(function)
        if spec.get("Publish"):
            published = self.publish_version(function.function_name)
            answer = copy.copy(function)
            answer.version = published.version  # type: ignore[union-attr]
            return answer
        return function

    def _check_role(self, role_arn: str, function_arn: str) -> None:
        if not re.match(InvalidRoleFormat.pattern, role_arn):
            raise InvalidRoleFormat(role_arn)
        if not trusts_service(role_arn, self.account_id, "lambda.amazonaws.com", function_arn):
            raise InvalidParameterValueException("The role defined for the function cannot be assumed by Lambda.")

    def update_function_code(self, function_name: str, qualifier: str, body: dict[str, Any]) -> dict[str, Any]:
        """Deploy new code; the next invocation runs it."""
        function = self.get_function(function_name)
        changed = function.update_function_code(body)
        if body.get("Publish"):
            published = self.publish_version(function_name)
            changed = published.get_configuration() if published is not None else changed
        return changed

    def update_function_configuration(self, function_name: str, qualifier: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change the configuration; the next invocation has it."""
        if role := body.get("Role"):
            self._check_role(role, self.get_function(function_name).function_arn)
        check_dead_letter_target(self.get_function(function_name), body.get("DeadLetterConfig"))
        return self.get_function(function_name).update_configuration(body)

    def delete_function(self, function_name: str, qualifier: str | None = None) -> None:
        """Delete a function, or one version of it, and end its workers."""
        function = self.get_function(function_name)
        super().delete_function(function_name, qualifier)
        engines.running().functions.forget(self.account_id, self.region_name, function.function_name)

    def invoke_and_wait(
        self, function_name: str, qualifier: str | None, payload: bytes, client_context: str | None = None
    ) -> Result:
        """Invoke a function synchronously.

        Raises:
            UnknownFunctionException, RequestTooLarge, InvalidRequestContent, TooManyRequests: as on AWS.
            InvalidRuntime: it is not in Python.
        """
        function = self._invoked(function_name, qualifier, payload, SYNCHRONOUS_LIMIT)
        try:
            return engines.running().functions.invoke(function, payload or b"{}", client_context=client_context)
        except Throttled as error:
            raise TooManyRequests() from error

    def invoke_event(self, function_name: str, qualifier: str | None, payload: bytes) -> str:
        """Accept an asynchronous invocation; its request id. Raises as `invoke_and_wait` does, throttling aside."""
        function = self._invoked(function_name, qualifier, payload, ASYNCHRONOUS_LIMIT)
        arn = function.function_arn
        # An alias or a version that was asked for is what later attempts run, too.
        wanted = f"{arn}:{qualifier}" if qualifier and not arn.endswith(f":{qualifier}") else arn
        return engines.running().functions.invoke_async(wanted, payload)

    def check_invocation(self, function_name: str, qualifier: str | None, payload: bytes) -> None:
        """What a dry run finds out; raises as `invoke_and_wait` does, throttling aside."""
        self._invoked(function_name, qualifier, payload, SYNCHRONOUS_LIMIT)

    def _invoked(self, name: str, qualifier: str | None, payload: bytes, limit: int) -> LocalLambdaFunction:
        function = _local(self.get_function(name, qualifier))
        function.spec()
        if len(payload) > limit:
            raise RequestTooLarge(limit)
        try:
            json.loads(payload or b"{}")
        except ValueError as error:
            raise InvalidRequestContent(str(error)) from error
        return function

    def put_function_concurrency(self, function_name: str, reserved_concurrency: str) -> str:
        """Reserve concurrency for a function: so many of its invocations may run at once, and no more.

        Raises:
            InvalidParameterValueException: too little of the account's would be left for the others.
        """
        function = self.get_function(function_name)
        others = (each for each in self.list_functions() if each.function_name != function.function_name)
        reserved = sum(int(each.reserved_concurrency or 0) for each in others) + int(reserved_concurrency)
        if ACCOUNT_CONCURRENCY - reserved < UNRESERVED_CONCURRENCY:
            raise InvalidParameterValueException(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution"
                f" below its minimum value of [{UNRESERVED_CONCURRENCY}]."
            )
        return super().put_function_concurrency(function_name, reserved_concurrency)

    def put_function_event_invoke_config(self, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
        """Set how asynchronous invocations are treated, in the place of what was set."""
        function = self.get_function(function_name)
        check_destinations(function, config)
        made = EventInvokeConfig(function.function_arn, function.last_modified, config)
        function.event_invoke_config = [made]
        return made.response()

    def update_function_event_invoke_config(self, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
        """Change how asynchronous invocations are treated; what isn't named stays."""
        function = self.get_function(function_name)
        before = function.event_invoke_config[0].config if function.event_invoke_config else {}
        return self.put_function_event_invoke_config(function_name, {**before, **config})

    def send_sns_message(
        self, function_name: str, message: str, subject: str | None = None, qualifier: str | None = None
    ) -> None:
        """Called by moto's SNS, which does not say for which topic: that is found by the function's subscription.

        Raises:
            NotSupported: the function is subscribed to several topics.
        """
        function = self.get_function(function_name, qualifier)
        arn = f"{function.function_arn}:{qualifier}" if qualifier else function.function_arn
        subscriptions = [
            subscription
            for subscription in sns_backends[self.account_id][self.region_name].subscriptions.values()
            if subscription.protocol == "lambda" and subscription.endpoint == arn
        ]
        if len(subscriptions) != 1:
            raise NotSupported("Publish to a function that several topics invoke")
        # https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html; there is nothing here that could sign a message.
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscriptions[0].arn,
            "Sns": {
                "Type": "Notification",
                "MessageId": str(uuid.uuid4()),
                "TopicArn": subscriptions[0].topic.arn,
                "Subject": subject,
                "Message": message,
                "Timestamp": iso_8601_datetime_with_milliseconds(),
                "MessageAttributes": {},
            },
        }
        engines.running().functions.invoke_async(arn, json.dumps({"Records": [record]}).encode())

    def create_function_url_config(self, name_or_arn: str, config: dict[str, Any]) -> FunctionUrlConfig:
        """Not supported."""
        raise NotSupported("CreateFunctionUrlConfig")


def _local(function: LambdaFunction) -> LocalLambdaFunction:
    assert isinstance(function, LocalLambdaFunction)
    return function
