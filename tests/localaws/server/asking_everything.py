"""Calls every operation of a service as the root user, with requests that botocore builds."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from localaws.core.operations import vouching
from localaws.core.operations.vouching import Standing
from tests.localaws.server.drafts import draft_of, model_of, signed
from tests.localaws.server.enclosure import Enclosure
from tests.localaws.server.wire import Answer
from tests.localaws.server.world import ROOT

_DEEPEST = 4
_ALSO_KNOWN_AS = {
    ("s3", "GetBucketNotification"),  # GetBucketNotificationConfiguration's old name
    ("s3", "PutBucketNotification"),
    ("s3", "ListDirectoryBuckets"),  # ListBuckets, but for the host
}
"""Operations whose requests are those of another one, which is in a table."""
_PLAIN: dict[str, Any] = {
    "boolean": True,
    "integer": 1,
    "long": 1,
    "float": 1.0,
    "double": 1.0,
    "timestamp": "2026-01-01T00:00:00Z",
    "blob": b"x",
}


_BY_PATH = re.compile(r"does not support ((GET|PUT|POST|DELETE|PATCH|HEAD) /|any operation of )")


@dataclass
class Answers:
    """What came of it."""

    refused: Counter[str] = field(default_factory=Counter)
    """Of the operations that no table has: how often each status was answered."""
    answered: list[str] = field(default_factory=list)
    """Those of them that were answered with success, or that moto was asked for."""
    unnamed: list[str] = field(default_factory=list)
    """Those of them that were refused as not supported by an answer that doesn't name them."""


def ask_everything(enclosure: Enclosure, services: list[str]) -> Answers:
    """Ask for all operations of these services, by botocore's names of them, that no table has."""
    found = Answers()
    for service in services:
        model = model_of(service)
        table = vouching.table(model.signing_name)
        for operation in model.operation_names:
            if table.standing(operation) is not Standing.REFUSED or (service, operation) in _ALSO_KNOWN_AS:
                continue
            shape = model.operation_model(operation).input_shape
            parameters = least(shape) if shape is not None else {}
            asked = enclosure.asked
            answer = enclosure.send(signed(draft_of(service, operation, parameters), ROOT))
            found.refused[str(answer.status)] += 1
            if answer.status < 400 or enclosure.asked > asked:
                found.answered.append(f"{service} {operation}: {answer.status}")
            elif answer.status == 501 and not _is_named(model.operation_model(operation), answer):
                found.unnamed.append(f"{service} {operation}: {answer.body[:200]!r}")
    return found


def _is_named(operation: Any, answer: Answer) -> bool:
    """By its name; by method and path where nothing says which of several models was meant.

    A label that takes slashes takes the end of another operation's path, too.
    """
    if "+}" in operation.http.get("requestUri", ""):
        return "does not support " in answer.text
    return operation.name in answer.text or _BY_PATH.search(answer.text) is not None


def least(shape: Any, depth: int = 0) -> Any:
    """The least that the model takes."""
    if shape.type_name == "structure":
        return {
            name: least(member, depth + 1)
            for name, member in shape.members.items()
            if name in shape.required_members and depth < _DEEPEST
        }
    if shape.type_name == "list":
        return [least(shape.member, depth + 1)]
    if shape.type_name == "map":
        return {"key": least(shape.value, depth + 1)}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "x" * max(3, shape.metadata.get("min", 0))
    return _PLAIN[shape.type_name]
