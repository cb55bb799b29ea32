"""Event source mappings of queues, and the checks of their settings.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction, lambda_backends

from localaws.core import context
from localaws.core.ports import QueueUnavailable
from localaws.lambda_.errors import NotSupported
from localaws.lambda_.invocations.queue_pollers import CONCURRENT_BATCHES, QueueMapping
from localaws.lambda_.roles import check_reads
from localaws.lambda_.versions import arn_asked

if TYPE_CHECKING:
    _Base = LambdaBackend
else:
    _Base = object

_DEFAULT_BATCH = 10
_REPORTS = "ReportBatchItemFailures"
_SUPPORTED = {
    "EventSourceArn",
    "FunctionName",
    "Enabled",
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "FunctionResponseTypes",
    "ScalingConfig",
    "Tags",
    "UUID",
}
_BOUNDS = {"BatchSize": (1, 10_000), "MaximumBatchingWindowInSeconds": (0, 300)}
_CONCURRENCY = (2, 1000)


class MappingNotFound(LambdaClientError):
    """No mapping has this id."""

    code = 404

    def __init__(self) -> None:
        super().__init__("ResourceNotFoundException", "The resource you requested does not exist.")


class MappingExists(LambdaClientError):
    """The function already reads the queue."""

    code = 409

    def __init__(self, mapping: LocalMapping) -> None:
        super().__init__(
            "ResourceConflictException",
            f'An event source mapping with SQS arn (" {mapping.queue_arn} ") and function'
            f' (" {mapping.function_name} ") already exists. Please update or delete the existing mapping with UUID'
            f" {mapping.uuid}",
        )


@dataclass(frozen=True)
class LocalMapping:
    """A mapping. `function_arn` includes the version or alias, if one was given. `window` is in seconds."""

    region: str
    account_id: str
    queue_arn: str
    function_arn: str
    batch_size: int = _DEFAULT_BATCH
    window: int = 0
    response_types: tuple[str, ...] = ()
    maximum_concurrency: int | None = None
    enabled: bool = True
    tags: dict[str, str] = field(default_factory=dict)
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    last_modified: float = field(default_factory=time.time)

    @property
    def arn(self) -> str:
        """The mapping's own ARN."""
        return f"arn:aws:lambda:{self.region}:{self.account_id}:event-source-mapping:{self.uuid}"

    @property
    def function_name(self) -> str:
        """The function's name, without version or alias."""
        return self.function_arn.split(":")[6]

    def get_configuration(self, state: str | None = None) -> dict[str, Any]:
        """Return the mapping as the API shows it, in `state` or its current state."""
        shown: dict[str, Any] = {
            "UUID": self.uuid,
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.window,
            "EventSourceArn": self.queue_arn,
            "EventSourceMappingArn": self.arn,
            "FunctionArn": self.function_arn,
            "FunctionResponseTypes": list(self.response_types),
            "LastModified": self.last_modified,
            "State": state or ("Enabled" if self.enabled else "Disabled"),
            "StateTransitionReason": "USER_INITIATED",
        }
        if self.maximum_concurrency is not None:
            shown["ScalingConfig"] = {"MaximumConcurrency": self.maximum_concurrency}
        return shown

    def polled(self) -> QueueMapping:
        """Convert the mapping to the engine's class."""
        return QueueMapping(
            uuid=self.uuid,
            queue_arn=self.queue_arn,
            function_arn=self.function_arn,
            batch_size=self.batch_size,
            window=self.window,
            reports_failures=_REPORTS in self.response_types,
            concurrency=min(CONCURRENT_BATCHES, self.maximum_concurrency or CONCURRENT_BATCHES),
        )


class MappingOperations(_Base):
    """CreateEventSourceMapping and similar operations."""

    _event_source_mappings: dict[str, LocalMapping]  # type: ignore[assignment]

    def create_event_source_mapping(self, spec: dict[str, Any]) -> LocalMapping:  # type: ignore[override]
        """Create a mapping, so that a function reads a queue.

        Raises:
            NotSupported: the source is not a standard queue, or a setting is not implemented.
            InvalidParameterValueException, UnknownFunctionException, MappingExists: as on AWS.
        """
        source = spec.get("EventSourceArn")
        if not source or ":sqs:" not in source:
            raise NotSupported(f"{_kind_of(spec)} as a source of CreateEventSourceMapping")
        _check_settings(spec, "CreateEventSourceMapping")
        function = self._function_named(str(spec.get("FunctionName", "")))
        arn = arn_asked(function, str(spec["FunctionName"]), None)
        mapping = _changed(LocalMapping(self.region_name, self.account_id, source, arn), spec)
        self._check_mapping(mapping, function)
        for known in self._event_source_mappings.values():
            if (known.queue_arn, known.function_arn) == (mapping.queue_arn, mapping.function_arn):
                raise MappingExists(known)
        self._event_source_mappings[mapping.uuid] = mapping
        context.current().ports.functions.refresh_mappings()
        return mapping

    def update_event_source_mapping(self, uuid: str, spec: dict[str, Any]) -> LocalMapping:  # type: ignore[override]
        """Change the settings in `spec`. Running batches finish with the old settings."""
        known = self.get_event_source_mapping(uuid)
        _check_settings(spec, "UpdateEventSourceMapping")
        if name := spec.get("FunctionName"):
            known = replace(known, function_arn=arn_asked(self._function_named(name), name, None))
        mapping = _changed(known, spec)
        self._check_mapping(mapping, self._function_named(mapping.function_arn))
        self._event_source_mappings[uuid] = mapping
        context.current().ports.functions.refresh_mappings()
        return mapping

    def get_event_source_mapping(self, uuid: str) -> LocalMapping:  # type: ignore[override]
        """Return the mapping `uuid`.

        Raises:
            MappingNotFound: there is none.
        """
        if (mapping := self._event_source_mappings.get(uuid)) is None:
            raise MappingNotFound()
        return mapping

    def delete_event_source_mapping(self, uuid: str) -> LocalMapping:  # type: ignore[override]
        """Delete a mapping. Messages that are being handled are not affected."""
        mapping = self.get_event_source_mapping(uuid)
        del self._event_source_mappings[uuid]
        context.current().ports.functions.refresh_mappings()
        return mapping

    def list_event_source_mappings(  # type: ignore[override]
        self, event_source_arn: str | None, function_name: str | None
    ) -> list[LocalMapping]:
        """Return the mappings of a queue, of a function (version, alias), or all."""
        wanted = arn_asked(self._function_named(function_name), function_name, None) if function_name else None
        return [
            mapping
            for mapping in self._event_source_mappings.values()
            if event_source_arn in (None, mapping.queue_arn) and wanted in (None, mapping.function_arn)
        ]

    def _function_named(self, name: str) -> LambdaFunction:
        return self.get_function(name)

    def _check_mapping(self, mapping: LocalMapping, function: LambdaFunction) -> None:
        if mapping.batch_size > 10 and not mapping.window:
            raise InvalidParameterValueException(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
            )
        if mapping.queue_arn.endswith(".fifo"):
            raise NotSupported("a FIFO queue as a source of CreateEventSourceMapping")
        try:
            if mapping.queue_arn.split(":")[4] != self.account_id:
                raise QueueUnavailable
            hidden = context.current().ports.queues.visibility_timeout(mapping.queue_arn)
        except QueueUnavailable:
            raise InvalidParameterValueException(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue."
                " SQS Error Message: The specified queue does not exist."
            ) from None
        check_reads(function, mapping.queue_arn)
        timeout = int(function.timeout)
        if hidden < timeout:
            raise InvalidParameterValueException(
                f"Queue visibility timeout: {hidden} seconds is less than Function timeout: {timeout} seconds"
            )


def enabled_mappings() -> list[QueueMapping]:
    """Return the enabled mappings of all regions."""
    return [
        mapping.polled()
        for _, _, backend in lambda_backends.iter_backends()
        if isinstance(backend, MappingOperations)
        for mapping in backend._event_source_mappings.values()
        if mapping.enabled
    ]


def _kind_of(spec: dict[str, Any]) -> str:
    arn = str(spec.get("EventSourceArn") or "")
    return f"{arn.split(':')[2]} ({arn})" if arn.count(":") > 4 else "what is no queue"


def _check_settings(spec: dict[str, Any], operation: str) -> None:
    for name, value in spec.items():
        if name not in _SUPPORTED and value not in (None, {}, []):
            raise NotSupported(f"{name} of {operation}")
    for name, (least, most) in _BOUNDS.items():
        if (value := spec.get(name)) is not None and not least <= int(value) <= most:
            raise InvalidParameterValueException(f"{name} must be between {least} and {most}")
    types = spec.get("FunctionResponseTypes") or []
    if any(each != _REPORTS for each in types):
        raise InvalidParameterValueException(f"FunctionResponseTypes can only be {_REPORTS}")
    concurrency = (spec.get("ScalingConfig") or {}).get("MaximumConcurrency")
    if concurrency is not None and not _CONCURRENCY[0] <= int(concurrency) <= _CONCURRENCY[1]:
        raise InvalidParameterValueException(
            f"MaximumConcurrency must be between {_CONCURRENCY[0]} and {_CONCURRENCY[1]}"
        )


def _changed(mapping: LocalMapping, spec: dict[str, Any]) -> LocalMapping:
    changes: dict[str, Any] = {"last_modified": time.time()}
    for name, attribute in {
        "BatchSize": "batch_size",
        "MaximumBatchingWindowInSeconds": "window",
        "Enabled": "enabled",
        "Tags": "tags",
    }.items():
        if spec.get(name) is not None:
            changes[attribute] = spec[name]
    if spec.get("FunctionResponseTypes") is not None:
        changes["response_types"] = tuple(spec["FunctionResponseTypes"])
    if spec.get("ScalingConfig") is not None:
        changes["maximum_concurrency"] = spec["ScalingConfig"].get("MaximumConcurrency")
    return replace(mapping, **changes)
