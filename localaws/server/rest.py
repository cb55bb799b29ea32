"""The REST protocols, except S3's. Method and path name the operation; path, query, headers and body its parameters.

https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
"""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass, field
from typing import Any

from localaws.core.errors import UnsupportedOperation
from localaws.iam.refusals import unclear
from localaws.server import jsons, models
from localaws.server.claims import AUTHENTICATION
from localaws.server.envelope import Envelope, decoded

_ATTRIBUTES = frozenset({*AUTHENTICATION, "x-id"})


@dataclass
class RestReading:
    """A parsed REST call: its operation, and the parts of the rebuilt request."""

    model: Any
    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)
    path: str = "/"
    """Percent-encoded."""
    query: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """None: the body as it came, since it is the operation's payload."""
    kind: str = ""


def read(service: str, envelope: Envelope) -> RestReading:
    """Read a call of a service whose operations are identified by method and path.

    Raises:
        Refused: a parameter is malformed or missing.
        UnsupportedOperation: there is no such operation, or it has no such parameter.
    """
    found = _operation(service, envelope)
    shape = found.model.operation_model(found.operation).input_shape
    members = shape.members if shape is not None else {}
    by_query = {
        m.serialization.get("name", n): n
        for n, m in members.items()
        if m.serialization.get("location") == "querystring"
    }
    maps = any(member.type_name == "map" for n, member in members.items() if n in by_query.values())
    for name, value in envelope.query.items():
        if name in _ATTRIBUTES:
            continue
        if name not in by_query and not maps:
            raise UnsupportedOperation(f"{name} of {found.operation}")
        found.query[name] = value
        found.parameters[by_query.get(name, name)] = value
    for name, member in members.items():
        header = member.serialization.get("name", name).lower()
        if member.serialization.get("location") == "header" and header in envelope.headers:
            found.parameters[name] = envelope.headers[header]
    _read_body(service, envelope, found, shape)
    if found.body is not None:
        jsons.require(shape, found.parameters)
    return found


def _operation(service: str, envelope: Envelope) -> RestReading:
    path = envelope.path.rstrip("/") or "/"
    for model in models.models_of(service):
        for operation in models.rest_operations(model.service_name):
            if operation.method != envelope.method or not (match := operation.pattern.fullmatch(path)):
                continue
            if operation.query and operation.query not in envelope.query_string.split("&"):
                continue
            found = RestReading(model, operation.name, path=operation.template)
            for label, text in zip(operation.labels, match.groups(), strict=True):
                value = decoded(text)
                if "/" in value and "+}" not in operation.template:
                    raise unclear(service, f"A name in the path can't have a slash: {value}")
                found.path = found.path.replace(f"{{{label}}}", urllib.parse.quote(value, safe=""))
                found.path = found.path.replace(f"{{{label}+}}", urllib.parse.quote(value, safe="/"))
                found.parameters[_label(model, operation.name, label)] = value
            return found
    raise UnsupportedOperation(f"{envelope.method} {envelope.path}")


def _label(model: Any, operation: str, label: str) -> str:
    """Return the parameter that a label of the path stands for."""
    for name, member in model.operation_model(operation).input_shape.members.items():
        if member.serialization.get("location") == "uri" and member.serialization.get("name", name) == label:
            return str(name)
    return label


def _read_body(service: str, envelope: Envelope, found: RestReading, shape: Any) -> None:
    payload = shape.serialization.get("payload") if shape is not None else None
    whole = shape.members[payload] if payload else None
    if found.model.metadata["protocol"] != "rest-json" or (whole is not None and whole.type_name in ("blob", "string")):
        found.kind = "application/octet-stream"
        return
    members = whole.members if whole is not None else shape.members if shape is not None else {}
    body = envelope.body()
    if not body:
        found.body = b""
        return
    if envelope.kind() not in ("application/json", "application/x-amz-json-1.1", "application/x-amz-json-1.0", ""):
        raise unclear(
            service, f"The body of {found.operation} must be JSON: its Content-Type can't be {envelope.kind()}."
        )
    given = jsons.parsed(service, body)
    if whole is None:
        members = {name: member for name, member in members.items() if "location" not in member.serialization}
    names = {member.serialization.get("name", name): name for name, member in members.items()}
    for name in given:
        if name not in names:
            raise UnsupportedOperation(f"{name} of {found.operation}")
    jsons.check(service, found.operation, whole or shape, {names[name]: value for name, value in given.items()})
    if whole is not None:
        found.parameters[str(payload)] = given
    else:
        found.parameters |= {names[name]: value for name, value in given.items()}
    found.body, found.kind = jsons.rebuilt(given), "application/json"
