"""Limits of a function's configuration: names, numbers, variables, layers.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, ValidationException

from localaws.lambda_.errors import NotSupported

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
RESERVED_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)
RUNS = tuple(f"python3.{minor}" for minor in range(9, 15))
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html: seconds and MB
BOUNDS = {"Timeout": (1, 900), "MemorySize": (128, 10_240)}
_STORAGE = (512, 10_240)  # MB of /tmp
# https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html: the age in seconds
_ASYNCHRONOUS = {"MaximumRetryAttempts": (0, 2), "MaximumEventAgeInSeconds": (60, 21_600)}
_LAYERS = 5
VARIABLES_LIMIT = 4096  # bytes of all names and values, as JSON
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")


def check_name(name: str) -> None:
    """Refuse a name that a function can't have.

    Raises:
        ValidationException: the name is not valid.
    """
    if not _NAME.fullmatch(name):
        raise ValidationException(
            name, "functionName", f"Member must satisfy regular expression pattern: {_NAME.pattern}"
        )


def check_runtime(runtime: Any, operation: str) -> None:
    """Refuse a runtime that is not supported here.

    Raises:
        NotSupported: it is not one of AWS's Python runtimes.
    """
    if runtime is not None and runtime not in RUNS:
        raise NotSupported(f"Runtime {runtime} (other than {', '.join(RUNS)}) in {operation}")


def check_layers(arns: list[str]) -> None:
    """Refuse more layers than a function can have, and two versions of the same layer.

    Raises:
        InvalidParameterValueException: as on AWS.
    """
    if len(arns) > _LAYERS:
        raise InvalidParameterValueException(f"Cannot reference more than {_LAYERS} layers.")
    known: dict[str, str] = {}
    for arn in arns:
        layer = arn.rpartition(":")[0]
        if layer in known:
            raise InvalidParameterValueException(
                "Two different versions of the same layer are not allowed to be referenced in the same function."
                f" {known[layer]} and {arn}."
            )
        known[layer] = arn


def check_asynchronous(config: dict[str, Any]) -> None:
    """Refuse numbers for retries of asynchronous invocations that are out of Lambda's bounds.

    Raises:
        ValidationException: a number is out of bounds.
    """
    for name, bounds in _ASYNCHRONOUS.items():
        _check_number(name, config.get(name), *bounds)


def check_limits(configuration: dict[str, Any]) -> None:
    """Refuse variables that Lambda reserves, variables that are too large together, and numbers out of its bounds.

    Raises:
        InvalidParameterValueException: a variable is reserved, or the variables are over 4 KB.
        ValidationException: a number is out of bounds, or a variable's name is not valid.
    """
    for name, bounds in BOUNDS.items():
        _check_number(name, configuration.get(name), *bounds)
    _check_number("EphemeralStorage.Size", (configuration.get("EphemeralStorage") or {}).get("Size"), *_STORAGE)
    variables = (configuration.get("Environment") or {}).get("Variables") or {}
    measured = json.dumps(variables, ensure_ascii=False, separators=(",", ":"))
    if len(measured.encode()) > VARIABLES_LIMIT:
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment variables you have"
            f" provided exceeded the 4KB limit. String measured: {measured}"
        )
    if bad := next((name for name in variables if not _VARIABLE.fullmatch(name)), None):
        raise ValidationException(
            bad, "environment.variables", f"Map keys must satisfy constraint: [{_VARIABLE.pattern}]"
        )
    reserved = sorted(RESERVED_VARIABLES & set(variables))
    if reserved:
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment variables you have"
            " provided contains reserved keys that are currently not supported for modification. Reserved keys used"
            f" in this request: {', '.join(reserved)}"
        )


def _check_number(name: str, value: Any, least: int, most: int) -> None:
    if value is not None and not least <= int(value) <= most:
        raise ValidationException(
            str(value), name[0].lower() + name[1:], f"Member must have value between {least} and {most}"
        )
