"""S3's XML documents: a body that is malformed, or lacks what its operation requires, is refused before moto parses it.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from functools import cache
from typing import Any
from xml.etree import ElementTree

from localaws.authorization.refusals import Refused
from localaws.server.models import models_of


def check(operation: str, body: bytes) -> None:
    """Return if `body` is the document that the operation of S3 takes.

    Raises:
        Refused: it is not.
    """
    payload, required = _payload(operation)
    if payload is None:
        return
    if not body:
        if required:
            raise Refused(400, "MissingRequestBodyError", "Request Body is empty")
        return
    root = parsed(body)
    if _tag(root) != payload.serialization.get("name", payload.name):
        raise malformed()
    _require(root, payload)


def parsed(body: bytes) -> Any:
    """The root of a document.

    Raises:
        Refused: it is malformed, or has a document type, which S3's documents don't.
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
    """What S3 says of XML that is not what it expects."""
    return Refused(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


@cache
def _payload(operation: str) -> tuple[Any, bool]:
    """The shape of the document, and whether it must be there; None where the body is none."""
    (model,) = models_of("s3")[:1]
    shape = model.operation_model(operation).input_shape if operation in model.operation_names else None
    if shape is None:
        return None, False
    name = shape.serialization.get("payload")
    if name is None or shape.members[name].type_name != "structure":
        return None, False
    return shape.members[name], name in shape.required_members


def _require(element: Any, shape: Any) -> None:
    """Return if all that the structure requires is there."""
    for name, member in shape.members.items():
        how = member.serialization
        if how.get("xmlAttribute"):
            continue
        found = [child for child in element if _tag(child) == how.get("name", name)]
        if not found and name in shape.required_members:
            raise malformed()
        inner = member
        if member.type_name == "list":
            inner = member.member
            found = found if how.get("flattened") else [child for each in found for child in each]
        if inner.type_name == "structure":
            for each in found:
                _require(each, inner)


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
