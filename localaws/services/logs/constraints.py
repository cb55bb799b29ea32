"""What the model of CloudWatch Logs says of its parameters: lengths, ranges and patterns.

moto looks at few of them: a limit of 0 was no limit, and a filter pattern could have any length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.utils import get_service_model
from moto.logs.exceptions import InvalidParameterException

RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


def check(operation: str, given: Mapping[str, Any]) -> None:
    """Let the parameters of a call pass that are as the model says.

    Raises:
        InvalidParameterException: some are not.
    """
    shape = get_service_model("logs").operation_model(operation).input_shape
    found = list(_broken(shape, given, "")) if shape is not None else []
    if operation == "PutRetentionPolicy" and given.get("retentionInDays") not in RETENTION_DAYS:
        found.append(_told(given.get("retentionInDays"), "retentionInDays", _one_of(RETENTION_DAYS)))
    if found:
        errors = "error" if len(found) == 1 else "errors"
        raise InvalidParameterException(f"{len(found)} validation {errors} detected: {'; '.join(found)}")


def _broken(shape: Any, value: Any, path: str) -> Iterator[str]:
    """A sentence for each constraint of `shape` that `value` doesn't satisfy."""
    if shape.type_name == "structure":
        for name, part in value.items():
            if part is not None and name in shape.members:
                yield from _broken(shape.members[name], part, f"{path}.{name}" if path else name)
        return
    for constraint in _unsatisfied(shape, value):
        yield _told(value, path, constraint)
    if shape.type_name == "list":
        for place, part in enumerate(value, 1):
            yield from _broken(shape.member, part, f"{path}.{place}.member")
    elif shape.type_name == "map":
        for key, part in value.items():
            yield from _broken(shape.key, key, path)
            yield from _broken(shape.value, part, f"{path}.{key}.member")


def _unsatisfied(shape: Any, value: Any) -> Iterator[str]:
    rules = shape.metadata
    is_number = shape.type_name in ("integer", "long")
    size, noun = (value, "value") if is_number else (len(value) if hasattr(value, "__len__") else 0, "length")
    if "min" in rules and size < rules["min"]:
        yield f"Member must have {noun} greater than or equal to {rules['min']}"
    if "max" in rules and size > rules["max"]:
        yield f"Member must have {noun} less than or equal to {rules['max']}"
    if "pattern" in rules and re.fullmatch(rules["pattern"], value) is None:
        yield f"Member must satisfy regular expression pattern: {rules['pattern']}"
    if "enum" in rules and value not in rules["enum"]:
        yield _one_of(rules["enum"])


def _one_of(values: Any) -> str:
    return f"Member must satisfy enum value set: [{', '.join(map(str, values))}]"


def _told(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"
