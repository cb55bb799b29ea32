"""S3's XML documents, parsed once, by AWS's model.

A document is refused if it is malformed, lacks an element that its operation requires, or has an unknown one.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.etree import ElementTree

from moto.core.utils import get_service_model

from localaws.iam.refusals import Refused

_OPEN = frozenset({"BucketLocationConstraint", "Event", "FilterRuleName"})
"""Enumerations that are not checked here: S3 answers with another error, or accepts another letter case."""


@dataclass(frozen=True)
class Document:
    """A document that is valid for its operation."""

    members: Mapping[str, Any] = field(default_factory=dict)
    """Under the names in AWS's model, as botocore takes them."""
    body: bytes = b""
    """The document rewritten without namespaces and comments."""


def read(operation: str, body: bytes) -> Document:
    """Parse the document of an operation of S3.

    Raises:
        Refused: `body` is not a valid document for the operation.
    """
    payload, required = _payload(operation)
    if payload is None:
        return Document(body=body)
    if not body:
        if required:
            raise Refused(400, "MissingRequestBodyError", "Request Body is empty")
        return Document()
    root = parsed(body)
    if _tag(root) != payload.serialization.get("name", payload.name):
        raise malformed()
    members = _structure(root, payload)
    for element in root.iter():
        element.tag, element.tail = _tag(element), None
        element.attrib = {_tag_of(name): value for name, value in element.attrib.items()}
    written = ElementTree.tostring(root, encoding="utf-8").replace(b"\r", b"&#13;")
    return Document(members, written)


def parsed(body: bytes) -> Any:
    """Return the root element of a document.

    Raises:
        Refused: it is malformed, or has a document type, which S3's documents never have.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise malformed()
    try:
        return ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise malformed() from None


def takes_one(operation: str) -> bool:
    """Whether the operation's body is a document."""
    return _payload(operation)[0] is not None


def malformed() -> Refused:
    """Return S3's error for XML that does not match its schema."""
    return Refused(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


@cache
def _payload(operation: str) -> tuple[Any, bool]:
    """The shape of the document, and whether it is required; None if the body is not a document."""
    model = get_service_model("s3")
    shape = model.operation_model(operation).input_shape if operation in model.operation_names else None
    if shape is None:
        return None, False
    name = shape.serialization.get("payload")
    if name is None or shape.members[name].type_name != "structure":
        return None, False
    return shape.members[name], name in shape.required_members


def _value(element: Any, shape: Any) -> Any:
    if shape.type_name == "structure":
        return _structure(element, shape)
    if shape.type_name == "list":
        name = shape.member.serialization.get("name", "member")
        if any(_tag(child) != name for child in element):
            raise malformed()
        return [_value(child, shape.member) for child in element]
    if len(element):
        raise malformed()
    return _scalar(element.text or "", shape)


def _structure(element: Any, shape: Any) -> dict[str, Any]:
    """Return the members of a structure. Raise Refused if one is unknown or repeated, or a required one is missing."""
    known = {
        str(member.serialization.get("name", name)): (name, member)
        for name, member in shape.members.items()
        if not member.serialization.get("xmlAttribute")
    }
    found: dict[str, Any] = {}
    for child in element:
        name, member = known.get(_tag(child), ("", None))
        if member is None:
            raise malformed()
        if member.type_name == "list" and member.serialization.get("flattened"):
            found.setdefault(name, []).append(_value(child, member.member))
        elif name in found:
            raise malformed()
        else:
            found[name] = _value(child, member)
    attributes = {name for name, member in shape.members.items() if member.serialization.get("xmlAttribute")}
    if not set(shape.required_members) - attributes <= set(found):
        raise malformed()
    return found


def _scalar(text: str, shape: Any) -> Any:
    plain = text.strip()
    if shape.type_name in ("integer", "long"):
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", plain):
            raise malformed()
        return int(plain)
    if shape.type_name == "boolean":
        if plain.lower() not in ("true", "false"):
            raise malformed()
        return plain.lower() == "true"
    if shape.type_name == "timestamp":
        return _time(plain)
    if shape.enum and plain not in shape.enum and shape.name not in _OPEN:
        raise malformed()
    return plain if shape.enum else text


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise malformed() from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _tag(element: Any) -> str:
    return _tag_of(str(element.tag))


def _tag_of(name: str) -> str:
    return name.rpartition("}")[2]
