"""The JSON protocols: a header names the operation, and the body is an object with its parameters.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from localaws.core.errors import UnsupportedOperation
from localaws.iam.refusals import Refused, missing, unclear
from localaws.server import models
from localaws.server.envelope import Envelope

_TARGET = re.compile(r"([\w.]+)\.(\w+)")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "blob": (str,), "boolean": (bool,), "integer": (int,), "long": (int,), "float": (int, float, str),
    "double": (int, float, str), "timestamp": (int, float, str), "list": (list,), "map": (dict,), "structure": (dict,),
}  # fmt: skip


def operation_of(service: str, target: str) -> tuple[Any, str]:
    """Return the model and the operation that a target names.

    Raises:
        Refused: the service has no such operation.
    """
    match = _TARGET.fullmatch(target)
    for model in models.models_of(service):
        if "json" not in models.protocols(model) or match is None:
            continue
        if match[1] == model.metadata.get("targetPrefix") and match[2] in model.operation_names:
            return model, match[2]
    raise Refused(400, "UnknownOperationException", f"{target} is not an operation of {service}.")


def parameters(service: str, envelope: Envelope) -> dict[str, Any]:
    """Return the parameters in the body.

    Raises:
        Refused: the body is not a JSON object, or a name occurs twice.
    """
    kind = envelope.kind()
    if not re.fullmatch(r"application/(x-amz-json-1\.[01]|json)", kind):
        raise unclear(
            service, f"The body of a call of {service} is JSON: its Content-Type can't be {kind or 'missing'}."
        )
    return parsed(service, envelope.body())


def parsed(service: str, body: bytes) -> dict[str, Any]:
    """Parse a JSON object. Members that are null are left out.

    Raises:
        Refused: it is malformed, or a name occurs twice.
    """
    if not body:
        return {}
    try:
        found = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise unclear(service, f"The body is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise unclear(service, "The body must be a JSON object.")
    return {name: value for name, value in found.items() if value is not None}


def check(service: str, operation: str, shape: Any, given: dict[str, Any]) -> None:
    """Check that all of `given` are parameters of the operation, and have their types.

    Raises:
        Refused: one has another type.
        UnsupportedOperation: one is unknown.
    """
    known = shape.members if shape is not None else {}
    for name, value in given.items():
        if name not in known:
            raise UnsupportedOperation(f"{name} of {operation}")
        _check_type(service, known[name], value, name)


def require(shape: Any, given: Mapping[str, Any], within: str = "") -> None:
    """Check that all required members of `shape`, a structure, are there.

    Raises:
        Refused: one is missing.
    """
    for name in shape.required_members if shape is not None else ():
        if given.get(name) is None:
            raise missing("ValidationException", f"{within}{name}")


def rebuilt(given: dict[str, Any]) -> bytes:
    """Return JSON that can't be read as anything else: no part of it looks like a form's parameter."""
    return json.dumps(given, separators=(",", ":")).replace("&", "\\u0026").encode()


def _check_type(service: str, shape: Any, value: Any, name: str) -> None:
    if value is None:
        return
    wanted = _TYPES.get(shape.type_name)
    if wanted is None or getattr(shape, "is_document_type", False):
        return
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise unclear(service, f"{name} must be a {shape.type_name}, not {type(value).__name__}.")
    if shape.type_name == "structure" and isinstance(value, dict):
        require(shape, value, f"{name}.")
    for key, part, inner in _parts(shape, value):
        _check_type(service, inner, part, f"{name}.{key}")


def _parts(shape: Any, value: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, value and shape of each part of a value that has parts."""
    if shape.type_name == "list":
        yield from ((str(place), part, shape.member) for place, part in enumerate(value))
    elif shape.type_name == "map":
        yield from ((key, part, shape.value) for key, part in value.items())
    elif shape.type_name == "structure":
        yield from ((key, part, shape.members[key]) for key, part in value.items() if key in shape.members)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is given more than once")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
