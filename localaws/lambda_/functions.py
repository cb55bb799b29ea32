"""A Lambda function with its code on disk, which really runs."""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError, PreconditionFailedException
from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.core.utils import iso_8601_datetime_with_nanoseconds
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends

from localaws.core import context
from localaws.lambda_.invocations.asynchronous import MAXIMUM_AGE, MAXIMUM_RETRIES
from localaws.lambda_.invocations.code import BadZip, TooLarge, code_store
from localaws.lambda_.invocations.destinations import Destinations
from localaws.lambda_.invocations.spec import FunctionSpec
from localaws.lambda_.limits import RUNS, check_layers, check_limits

ZIP_LIMIT = 52_428_800  # bytes, uploaded directly


class InvalidRuntime(LambdaClientError):
    """The function is not in Python."""

    code = 502

    def __init__(self, runtime: str | None) -> None:
        super().__init__(
            "InvalidRuntimeException",
            f"The embedded AWS runs functions in Python ({', '.join(RUNS)}), not {runtime}.",
        )


@dataclass(frozen=True)
class AsynchronousSettings:
    """Settings of a function's asynchronous invocations. `maximum_age` is in seconds."""

    maximum_retries: int
    maximum_age: float
    destinations: Destinations


class LocalLambdaFunction(LambdaFunction):
    """moto's function, with its zip in a file and an engine that invokes it."""

    published = 0
    """The number of the last published version. Numbers are never used again."""
    layer_digests: tuple[str, ...] = ()
    """Digests of its layers' code. The function keeps the code even if a layer is deleted."""

    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        check_limits(spec)
        self.dead_letter_config: dict[str, str] = spec.get("DeadLetterConfig") or {}
        self.logging_config: dict[str, str] = spec.get("LoggingConfig") or {}
        self.revision_id = str(uuid.uuid4())
        super().__init__(account_id, spec, region, version)

    @property
    def vpc_config(self) -> dict[str, Any] | None:
        """The function's subnets and security groups, with their VPC; None if it has none."""
        return self._vpc_config

    @property
    def code_bytes(self) -> bytes:  # type: ignore[override]
        """The zip."""
        return code_store().file(self.code_digest).read_bytes()

    def _set_function_code(self, updated_spec: dict[str, Any]) -> None:
        content = self._new_code(updated_spec)
        digest = keep_code(content)
        if updated_spec is not self.code and updated_spec.get("DryRun"):
            return
        self.code_digest = digest
        self.code_size = len(content)
        self.code_sha_256 = base64.b64encode(bytes.fromhex(digest)).decode()
        self.code = {}
        self.last_modified = iso_8601_datetime_with_nanoseconds()
        self.revision_id = str(uuid.uuid4())

    def _new_code(self, spec: dict[str, Any]) -> bytes:
        if "ZipFile" in spec:
            try:
                content = base64.b64decode(spec["ZipFile"], validate=True)
            except (binascii.Error, ValueError) as error:
                raise InvalidParameterValueException("ZipFile is not base64") from error
            if len(content) > ZIP_LIMIT:
                raise LambdaClientError(
                    "RequestEntityTooLargeException", f"Request must be smaller than {ZIP_LIMIT} bytes"
                )
            return content
        if "S3Bucket" not in spec or "S3Key" not in spec:
            raise InvalidParameterValueException("Please provide a source for function code.")
        return self._from_s3(spec)

    def _from_s3(self, spec: dict[str, Any]) -> bytes:
        place = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}"
        s3 = s3_backends[self.account_id][self.partition]
        try:
            key = s3.get_object(spec["S3Bucket"], spec["S3Key"], spec.get("S3ObjectVersion"))
        except MissingBucket as error:
            problem = place.format("NoSuchBucket", "The specified bucket does not exist")
            raise InvalidParameterValueException(problem) from error
        if key is None:
            raise InvalidParameterValueException(place.format("NoSuchKey", "The specified key does not exist."))
        return bytes(key.value)

    def spec(self) -> FunctionSpec:
        """Return what the engine needs to run the function.

        Raises:
            InvalidRuntime: the function is not in Python.
        """
        if self.run_time not in RUNS:
            raise InvalidRuntime(self.run_time)
        return FunctionSpec(
            account_id=self.account_id,
            region=self.region,
            name=self.function_name,
            version=str(self.version),
            runtime=str(self.run_time),
            handler=str(self.handler),
            role=self.role,
            timeout=int(self.timeout),
            memory=int(self.memory_size),
            code=self.code_digest,
            layers=self._layer_code(),
            environment=tuple(sorted(self.environment_vars.items())),
            log_group=self.logging_config.get("LogGroup") or self.logs_group_name,
            log_format=self.logging_config.get("LogFormat", "Text"),
            log_level=self.logging_config.get("ApplicationLogLevel"),
        )

    def _get_layers_data(self, layers_versions_arns: list[str]) -> list[Any]:
        """Keep the layers' code, and return their descriptions.

        Raises:
            InvalidParameterValueException: there are too many layers, or one does not exist.
        """
        check_layers(layers_versions_arns)
        backend = lambda_backends[self.account_id][self.region]
        told, digests = [], []
        for arn in layers_versions_arns:
            if (layer := backend.layers_versions_by_arn(arn)) is None:
                raise InvalidParameterValueException(f"Layer version {arn} does not exist.")
            digests.append(code_store().add(layer.code_bytes))
            told.append({"Arn": layer.arn, "CodeSize": layer.code_size})
        self.layer_digests = tuple(digests)
        return told

    def _layer_code(self) -> tuple[str, ...]:
        if len(self.layer_digests) != len(self.layers):  # it was saved by a version that did not keep digests
            self._get_layers_data([str(layer["Arn"]) for layer in self.layers])
        return self.layer_digests

    def check_revision(self, given: dict[str, Any]) -> None:
        """Check that the function still has the RevisionId and the CodeSha256 that the caller gives.

        Raises:
            PreconditionFailedException: the function was changed since.
            InvalidParameterValueException: the function has other code.
        """
        if given.get("RevisionId") not in (None, "", self.revision_id):
            raise PreconditionFailedException(
                "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to"
                " retrieve the latest Revision Id"
            )
        if given.get("CodeSha256") not in (None, "", self.code_sha_256):
            raise InvalidParameterValueException(
                f"CodeSHA256 ({given['CodeSha256']}) is different from current CodeSHA256 in $LATEST"
                f" ({self.code_sha_256}). Please try again with the CodeSHA256 in $LATEST."
            )

    def asynchronous_settings(self) -> AsynchronousSettings:
        """Return how asynchronous invocations are retried, and where their outcomes go."""
        config = self.event_invoke_config[0].config if self.event_invoke_config else {}
        wanted = config.get("DestinationConfig") or {}
        return AsynchronousSettings(
            maximum_retries=config.get("MaximumRetryAttempts", MAXIMUM_RETRIES),
            maximum_age=config.get("MaximumEventAgeInSeconds", MAXIMUM_AGE),
            destinations=Destinations(
                on_success=(wanted.get("OnSuccess") or {}).get("Destination"),
                on_failure=(wanted.get("OnFailure") or {}).get("Destination"),
                dead_letter=self.dead_letter_config.get("TargetArn"),
            ),
        )

    def invoke(self, body: str | bytes, request_headers: Any, response_headers: Any) -> str:
        """Called by other services (SNS, EventBridge, Logs), which all invoke asynchronously."""
        payload = body.encode() if isinstance(body, str) else body
        context.current().ports.functions.invoke_async(self.function_arn, payload)
        return ""

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        """Change the given settings, all or nothing.

        Raises:
            InvalidParameterValueException: a variable's name is Lambda's own.
            ValidationException: a number is out of Lambda's bounds.
        """
        check_limits(config_updates)
        updates = dict(config_updates)
        if "Layers" in updates:
            self.layers = self._get_layers_data(updates.pop("Layers"))
        if "Environment" in updates:
            updates["Environment"] = {"Variables": updates["Environment"].get("Variables", {})}
        if "DeadLetterConfig" in updates:
            self.dead_letter_config = updates["DeadLetterConfig"] or {}
        if "LoggingConfig" in updates:
            self.logging_config = updates["LoggingConfig"] or {}
        if "EphemeralStorage" in updates:
            self.ephemeral_storage = updates["EphemeralStorage"]["Size"]
        self.last_modified = iso_8601_datetime_with_nanoseconds()
        self.revision_id = str(uuid.uuid4())
        return super().update_configuration(updates)

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        """Return moto's configuration, with the settings that moto leaves out."""
        config = super().get_configuration(on_create)
        config["RevisionId"] = self.revision_id
        config["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": self.logs_group_name, **self.logging_config}
        if self.dead_letter_config:
            config["DeadLetterConfig"] = self.dead_letter_config
        return config

    def get_code(self) -> dict[str, Any]:
        """Return moto's answer. The code's location is the zip's file, which this machine can read."""
        found = super().get_code()
        location = code_store().file(self.code_digest).as_uri()
        found["Code"] = {"RepositoryType": "S3", "Location": location}
        if self.reserved_concurrency is not None:
            found["Concurrency"] = {"ReservedConcurrentExecutions": self.reserved_concurrency}
        return found


def keep_code(content: bytes) -> str:
    """Keep the zip of a function or a layer. Return its digest.

    Raises:
        InvalidParameterValueException: it is not a zip file, or too large.
    """
    try:
        return code_store().add(content)
    except TooLarge as error:
        raise InvalidParameterValueException(str(error)) from error
    except BadZip as error:
        raise InvalidParameterValueException(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from error


def local_function(arn: str) -> LocalLambdaFunction:
    """Return the function (version, alias) that `arn` names.

    Raises:
        UnknownFunctionException: it does not exist.
    """
    region, account_id = arn.split(":")[3:5]
    return as_local(lambda_backends[account_id][region].get_function(arn))


def deployed_code() -> set[str]:
    """Return the digests of the code of all functions, versions and layers."""
    digests: set[str] = set()
    backend: Any
    for _, _, backend in lambda_backends.iter_backends():
        for function in backend._lambdas.all():
            digests.update((function.code_digest, *as_local(function).layer_digests))
        for layer in backend._layers._layers.values():
            digests.update(version.code_digest for version in layer.layer_versions.values())
    return digests


def as_local(function: LambdaFunction) -> LocalLambdaFunction:
    """Return `function`, which moto types as its base class."""
    assert isinstance(function, LocalLambdaFunction)
    return function
