"""Check a request's values against AWS's model: ranges, lengths, patterns and enums.

AWS's error names every value that does not fit: https://docs.aws.amazon.com/glue/latest/webapi/CommonErrors.html. For
its text see https://github.com/boto/boto3/issues/3229. Only calls of Glue and CloudWatch Logs are checked here: other
services have other texts, and check the values that they know by themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from localaws.iam.refusals import Refused
from localaws.server import models

_CODES = {"glue": "ValidationException", "logs": "InvalidParameterException"}
"""By service: the error's code."""
_SILENT = frozenset({"logs"})
"""Services whose errors name the parameter, but not its value. Source: moto's tests that were run on AWS."""
_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"  # Java's way to write the characters beyond 16 bits
_LENGTHS = {"string": "length", "list": "length", "map": "length"}


def check_constraints(service: str, operation: str, given: Mapping[str, Any]) -> None:
    """Check that a request's values fit the model.

    Raises:
        Refused: at least one doesn't.
    """
    if service not in _CODES:
        return
    (model,) = models.models_of(service)
    shape = model.operation_model(operation).input_shape
    if shape is not None and (errors := [error.told(service) for error in _errors(shape, given, "")]):
        count = f"{len(errors)} validation error{'s' if len(errors) > 1 else ''} detected"
        raise Refused(400, _CODES[service], f"{count}: {'; '.join(errors)}")


@dataclass(frozen=True)
class _Error:
    value: Any
    place: str
    reason: str

    def told(self, service: str) -> str:
        shown = "" if service in _SILENT else f" '{_shown(self.value)}'"
        return f"Value{shown} at '{self.place}' failed to satisfy constraint: {self.reason}"


def _errors(shape: Any, value: Any, place: str) -> Iterator[_Error]:
    for reason in _reasons(shape, value):
        yield _Error(value, place, reason)
    if shape.type_name == "structure":
        for name, part in value.items():
            if part is not None and name in shape.members:
                yield from _errors(shape.members[name], part, f"{place}.{_first_lower(name)}".lstrip("."))
    elif shape.type_name == "list":
        for number, part in enumerate(value, 1):
            yield from _errors(shape.member, part, f"{place}.{number}.member")
    elif shape.type_name == "map":
        for key, part in value.items():
            yield from _errors(shape.key, key, f"{place}.key")
            yield from _errors(shape.value, part, f"{place}.{key}.member")


def _reasons(shape: Any, value: Any) -> Iterator[str]:
    """Yield why a value does not fit, without checking its parts."""
    limits, kind = shape.metadata, shape.type_name
    if kind == "structure" or isinstance(value, bool):
        return
    if isinstance(value, str) and kind != "string":
        return  # a date, or NaN
    size, what = (len(value), "length") if kind in _LENGTHS else (value, "value")
    if size < limits.get("min", size):
        yield f"Member must have {what} greater than or equal to {limits['min']}"
    if size > limits.get("max", size):
        yield f"Member must have {what} less than or equal to {limits['max']}"
    if "enum" in limits and value not in limits["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]"
    if "pattern" in limits and not _pattern(limits["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {limits['pattern']}"


@cache
def _pattern(written: str) -> re.Pattern[str]:
    """Compile a pattern of the model, which is written for Java."""
    if r"\p{" in written:
        return re.compile(r"(?s:.*)")  # Unicode's classes, which Python doesn't know by name
    # DOTALL, since AWS accepts schemas and scripts of several lines where the model says .*\S.*
    return re.compile(written.replace(_SURROGATES, r"\U00010000-\U0010FFFF"), re.DOTALL)


def _shown(value: Any) -> str:
    """Return a value as Java prints it."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={_shown(part)}' for key, part in value.items())}}}"
    return f"[{', '.join(_shown(part) for part in value)}]" if isinstance(value, list) else str(value)


def _first_lower(name: str) -> str:
    return name[:1].lower() + name[1:]
