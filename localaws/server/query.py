"""The query protocol: an action and flat parameters, in a form or in the URL, by the operation's model.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html and …/aws-ec2-query-protocol.html
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator
from typing import Any

from localaws.iam.refusals import Refused, missing, unclear
from localaws.server import models
from localaws.server.claims import AUTHENTICATION
from localaws.server.envelope import Envelope, form_pairs

FORM = "application/x-www-form-urlencoded"
# For a missing parameter of these, EC2's error doesn't use the model's name. moto knows the right name.
_NAMED_OTHERWISE = {("ec2", "TerminateInstances"), ("ec2", "CreateTags"), ("ec2", "DeleteTags")}
_INDEX = re.compile(r"[1-9]\d{0,4}")


def parameters(service: str, envelope: Envelope) -> dict[str, str]:
    """Return all parameters of a request, including the action. They are in the body or in the URL, not in both.

    Raises:
        Refused: they are in both, or the body is not a form.
    """
    in_url = {name: value for name, value in envelope.query.items() if name not in AUTHENTICATION and name != "x-id"}
    body = envelope.body()
    if not body:
        return in_url
    if envelope.method != "POST":
        raise unclear(service, f"A {envelope.method} call of {service} can't have a body.")
    if envelope.kind() != FORM:
        raise unclear(service, f"The body of a call of {service} must be a form, with the Content-Type {FORM}.")
    if in_url:
        raise unclear(service, "The parameters must be in the body or in the URL, not in both.")
    try:
        return form_pairs(body.decode("ascii"))
    except UnicodeDecodeError:
        raise unclear(service, "The body must be percent-encoded.") from None


def operation_of(service: str, given: dict[str, str]) -> tuple[Any, str]:
    """Return the model and the operation that the action names.

    Raises:
        Refused: there is no action, or no such operation.
    """
    action, version = given.get("Action"), given.get("Version")
    known = [model for model in models.models_of(service) if {"query", "ec2"} & set(models.protocols(model))]
    of_version = [model for model in known if version in (None, model.metadata["apiVersion"])]
    if action is None:
        raise Refused(400, "MissingAction", f"A call of {service} must contain the parameter Action.")
    for model in of_version:
        if action in model.operation_names:
            return model, action
    if known and not of_version:
        raise Refused(
            400,
            "NoSuchVersion",
            f"Version {version} of {service} is not known, only {known[0].metadata['apiVersion']}.",
        )
    raise Refused(400, "InvalidAction", f"Could not find operation {action} for version {version}")


def check(service: str, model: Any, operation: str, given: dict[str, str]) -> None:
    """Check that all of `given` are the operation's parameters, as its model writes them, and none is missing.

    Raises:
        Refused: one is unknown, or a required one is missing.
    """
    shape = model.operation_model(operation).input_shape
    ec2 = model.metadata["protocol"] == "ec2"
    for name in given:
        if name in ("Action", "Version") or (service == "ec2" and name == "DryRun"):
            continue
        if shape is None or not _fits(shape, name.split("."), ec2):
            code = "UnknownParameter" if ec2 else "ValidationError"
            raise Refused(400, code, f"The parameter {name} is not recognized: {operation} doesn't have it.")
    if (service, operation) in _NAMED_OTHERWISE:
        return
    for name in shape.required_members if shape is not None else ():
        written = wire_name(name, shape.members[name], ec2)
        if not any(each == written or each.startswith(f"{written}.") for each in given):
            if service in ("ec2", "sqs"):
                raise Refused(400, "MissingParameter", f"The request must contain the parameter {written}")
            raise missing("ValidationError", written)


def rebuilt(given: dict[str, str]) -> bytes:
    """Return a form of exactly these parameters."""
    return urllib.parse.urlencode(given).encode()


def _fits(shape: Any, parts: list[str], ec2: bool) -> bool:
    """Whether the parts of a name lead through `shape` to a value, or name an empty list."""
    if shape.type_name == "structure":
        return bool(parts) and any(
            parts[: len(name)] == name and _fits(member, parts[len(name) :], ec2)
            for name, member in _members(shape, ec2)
        )
    if shape.type_name == "list":
        if not parts:
            return True  # `Names=` is an empty list
        if not _is_flat(shape, ec2):
            if parts[0] != _written(shape.member, "member"):
                return False
            parts = parts[1:]
        return bool(parts) and bool(_INDEX.fullmatch(parts[0])) and _fits(shape.member, parts[1:], ec2)
    if shape.type_name == "map":
        if not parts:
            return True
        if not _is_flat(shape, ec2):
            if parts[0] != "entry":
                return False
            parts = parts[1:]
        if len(parts) < 2 or not _INDEX.fullmatch(parts[0]):
            return False
        key, value = _written(shape.key, "key"), _written(shape.value, "value")
        return parts[1:] == [key] or (parts[1] == value and _fits(shape.value, parts[2:], ec2))
    return not parts


def _is_flat(shape: Any, ec2: bool) -> bool:
    return ec2 or bool(shape.serialization.get("flattened"))


def _members(shape: Any, ec2: bool) -> Iterator[tuple[list[str], Any]]:
    for name, member in shape.members.items():
        yield [wire_name(name, member, ec2)], member


def wire_name(name: str, member: Any, ec2: bool) -> str:
    """Return the name of a structure's member in a request, as botocore's serializers find it."""
    how = member.serialization
    if ec2:
        if "queryName" in how:
            return str(how["queryName"])
        own = str(how.get("name", name))
        return own[0].upper() + own[1:]
    if member.type_name in ("list", "map") and how.get("flattened"):
        inner = member.member if member.type_name == "list" else member
        return _written(inner, _written(member, name))
    return _written(member, name)


def _written(shape: Any, name: str) -> str:
    """Return the name of a shape in a request. SQS's model is for JSON, but also has the query protocol's names."""
    how = shape.serialization
    return str(how.get("name") or how.get("locationNameForQueryCompatibility") or name)
