"""moto's Lambda, with functions that run."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, InvalidRoleFormat
from moto.awslambda.models import (
    EventInvokeConfig,
    FunctionUrlConfig,
    LambdaBackend,
    LambdaFunction,
    LayerVersion,
)
from moto.core.exceptions import JsonRESTError

from localaws.core import context
from localaws.iam.trust import trusts_service
from localaws.lambda_.destinations import check_dead_letter_target, check_destinations
from localaws.lambda_.errors import InvalidRequestContent, NotSupported, RequestTooLarge, TooManyRequests
from localaws.lambda_.event_source_mappings import MappingOperations
from localaws.lambda_.functions import LocalLambdaFunction, as_local, keep_code
from localaws.lambda_.invocations.engine import Throttled
from localaws.lambda_.invocations.spec import Result
from localaws.lambda_.limits import check_asynchronous, check_name, check_runtime
from localaws.lambda_.network import attached
from localaws.lambda_.versions import VersionOperations, arn_asked, qualifier_of

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
SYNCHRONOUS_LIMIT = 6_291_456  # bytes of a request, and of its answer
ASYNCHRONOUS_LIMIT = 1_048_576
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
ACCOUNT_CONCURRENCY = 1000
UNRESERVED_CONCURRENCY = 100  # the part of it that can't be reserved


class LocalLambdaBackend(MappingOperations, VersionOperations, LambdaBackend):
    """This package's Lambda backend."""

    def reset(self) -> None:
        """Forget all functions, and end their workers."""
        for function in self.list_functions():
            context.current().ports.functions.forget(self.account_id, self.region_name, function.function_name)
        super().reset()

    def create_function(self, spec: dict[str, Any]) -> LambdaFunction:
        """Create a function.

        Raises:
            InvalidParameterValueException: the code, the role or another parameter is not valid.
        """
        if not spec.get("FunctionName"):
            raise JsonRESTError("InvalidParameterValueException", "Missing FunctionName")
        if spec.get("PackageType", "Zip") == "Zip" and not (spec.get("Handler") and spec.get("Runtime")):
            raise InvalidParameterValueException(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        check_name(spec["FunctionName"])
        check_runtime(spec.get("Runtime"), "CreateFunction")
        function = LocalLambdaFunction(self.account_id, spec, self.region_name, version="$LATEST")  # type: ignore[abstract]
        self._check_role(function.role, function.function_arn)
        function._vpc_config = attached(function, spec.get("VpcConfig") or {})
        check_dead_letter_target(function, function.dead_letter_config)
        self._lambdas.put_function(function)
        if spec.get("Publish"):
            published = self.publish_version(function.function_name)
            answer = copy.copy(function)
            answer.version = published.version
            return answer
        return function

    def _check_role(self, role_arn: str, function_arn: str) -> None:
        if not re.fullmatch(InvalidRoleFormat.pattern, role_arn):
            raise InvalidRoleFormat(role_arn)
        if not trusts_service(role_arn, self.account_id, "lambda.amazonaws.com", function_arn):
            raise InvalidParameterValueException("The role defined for the function cannot be assumed by Lambda.")

    def update_function_code(self, function_name: str, qualifier: str, body: dict[str, Any]) -> dict[str, Any]:
        """Deploy new code. The next invocation runs it."""
        function = self.check_revision(function_name, body)
        architectures = body.get("Architectures")
        if architectures and not body.get("DryRun"):
            function.architectures = architectures
        changed = function.update_function_code(body)
        return self.publish_version(function_name).get_configuration() if body.get("Publish") else changed

    def update_function_configuration(self, function_name: str, qualifier: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change the configuration. The next invocation uses it."""
        function = self.check_revision(function_name, body)
        if role := body.get("Role"):
            self._check_role(role, function.function_arn)
        check_runtime(body.get("Runtime"), "UpdateFunctionConfiguration")
        check_dead_letter_target(function, body.get("DeadLetterConfig"))
        if (wanted := body.get("VpcConfig")) is not None:
            body = {**body, "VpcConfig": attached(function, wanted)}
        return function.update_configuration(body)

    def check_revision(self, name: str, given: dict[str, Any]) -> LocalLambdaFunction:
        """Check RevisionId and CodeSha256 in `given`, and return $LATEST. Versions and aliases can't be changed."""
        function = as_local(self._lambdas.get_function_by_name_or_arn_forbid_qualifier(name))
        function.check_revision(given)
        return function

    def delete_function(self, function_name: str, qualifier: str | None = None) -> None:
        """Delete a function, or one version of it, and end its workers."""
        function = self.get_function(function_name)
        super().delete_function(function_name, qualifier)
        context.current().ports.functions.forget(self.account_id, self.region_name, function.function_name)

    def invoke_and_wait(
        self, function_name: str, qualifier: str | None, payload: bytes, client_context: str | None = None
    ) -> Result:
        """Invoke a function synchronously.

        Raises:
            UnknownFunctionException, RequestTooLarge, InvalidRequestContent, TooManyRequests: as on AWS.
            InvalidRuntime: the function is not in Python.
        """
        function = self._invoked(function_name, qualifier, payload, SYNCHRONOUS_LIMIT)
        arn = arn_asked(function, function_name, qualifier)
        try:
            result: Result = context.current().ports.functions.invoke(
                function, arn, payload or b"{}", client_context=client_context
            )
        except Throttled as error:
            raise TooManyRequests() from error
        return result

    def invoke_event(self, function_name: str, qualifier: str | None, payload: bytes) -> str:
        """Accept an asynchronous invocation. Return its request id.

        Raises the same errors as `invoke_and_wait`, except TooManyRequests.
        """
        function = self._invoked(function_name, qualifier, payload, ASYNCHRONOUS_LIMIT)
        # Later attempts run the requested alias or version, too.
        return context.current().ports.functions.invoke_async(arn_asked(function, function_name, qualifier), payload)

    def check_invocation(self, function_name: str, qualifier: str | None, payload: bytes) -> None:
        """Make the checks of a dry run. Raises the same errors as `invoke_and_wait`, except TooManyRequests."""
        self._invoked(function_name, qualifier, payload, SYNCHRONOUS_LIMIT)

    def _invoked(self, name: str, qualifier: str | None, payload: bytes, limit: int) -> LocalLambdaFunction:
        function = as_local(self.get_function(name, qualifier))
        function.spec()
        if len(payload) > limit:
            raise RequestTooLarge(limit)
        try:
            json.loads(payload or b"{}")
        except ValueError as error:
            problem = f"Could not parse request body into json: Could not parse payload into json: {error}"
            raise InvalidRequestContent(problem) from error
        return function

    def put_function_concurrency(self, function_name: str, reserved_concurrency: str) -> str:
        """Reserve concurrency for a function. It is also the maximum of its concurrent invocations.

        Raises:
            InvalidParameterValueException: too little of the account's concurrency would be left for other functions.
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
        """Set how asynchronous invocations are treated. This replaces all earlier settings."""
        function = self._lambdas.get_function_by_name_or_arn_forbid_qualifier(function_name)
        check_asynchronous(config)
        check_destinations(function, config)
        made = EventInvokeConfig(function.function_arn, function.last_modified, config)
        function.event_invoke_config = [made]
        return made.response()

    def update_function_event_invoke_config(self, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
        """Change how asynchronous invocations are treated. Settings that are not given stay."""
        function = self.get_function(function_name)
        before = function.event_invoke_config[0].config if function.event_invoke_config else {}
        return self.put_function_event_invoke_config(function_name, {**before, **config})

    def publish_layer_version(self, spec: dict[str, Any]) -> LayerVersion:
        """Create a version of a layer.

        Raises:
            InvalidParameterValueException: its code is not a zip, or too large.
        """
        made = LayerVersion(spec, account_id=self.account_id, region=self.region_name)  # type: ignore[abstract]
        keep_code(made.code_bytes)
        self._layers.put_layer_version(made)
        return made

    def get_policy(self, function_name: str, qualifier: str | None = None) -> str:
        """Return the policy of a function, or of the requested version or alias."""
        function = self.get_function(function_name, qualifier)
        asked = qualifier_of(arn_asked(function, function_name, qualifier))
        policy = copy.copy(function.policy)
        policy.statements = [each for each in policy.statements if qualifier_of(str(each.get("Resource"))) == asked]
        return str(policy.wire_format())

    def create_function_url_config(self, name_or_arn: str, config: dict[str, Any]) -> FunctionUrlConfig:
        """Not supported."""
        raise NotSupported("CreateFunctionUrlConfig")
