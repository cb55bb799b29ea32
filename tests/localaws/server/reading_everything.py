"""Calls every operation that only reads, as the root user, and compares the state before and after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from localaws.core.operations import vouching
from localaws.core.operations.vouching import Effect
from localaws.server.models import models_of, protocols
from tests.localaws.server.asking_everything import least
from tests.localaws.server.drafts import draft_of, signed
from tests.localaws.server.world import ACCOUNT, QUEUES, REGION, ROOT, World

_THERE: dict[str, tuple[str, ...]] = {
    "Bucket": ("own-bucket",),
    "Key": ("mine",),
    "QueueUrl": (f"{QUEUES}/own-queue",),
    "QueueName": ("own-queue",),
    "UserName": ("own-other", "victim-user"),
    "RoleName": ("own-other",),
    "PolicyName": ("all",),
    "DatabaseName": ("own_db",),
    "TableName": ("people",),
    "Name": ("own_db", "people"),
    "FunctionName": ("victim-function",),
    "Resource": (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:victim-function",),
    "TopicArn": (f"arn:aws:sns:{REGION}:{ACCOUNT}:own-topic",),
    "SecretId": ("own-secret",),
    "logGroupName": ("own-group",),
    "logStreamName": ("stream",),
    "resourceArn": (f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:own-group",),
}
"""What is there to read, by the parameters that name it."""
_FORMS = frozenset({"PreflightObject"})
"""Which botocore has no model of."""


@dataclass
class Reads:
    """What came of it."""

    statuses: Counter[int] = field(default_factory=Counter)
    changed: list[str] = field(default_factory=list)
    """Calls after which the state was another one."""


def read_everything(world: World) -> Reads:
    """Call every operation that reads, of every service that has a table."""
    world.call("sns", "CreateTopic", Name="own-topic")
    found = Reads()
    for service in vouching.services():
        table, before = vouching.table(service), world.enclosure.state([service])
        for operation in sorted(set(table.effects) - _FORMS):
            if table.effect(operation) is Effect.READS:
                before = _read(world, service, operation, before, found)
    return found


def _read(world: World, service: str, operation: str, before: Any, found: Reads) -> Any:
    """Call the operation, and return the state after it."""
    model = models_of(service)[0]
    shape = model.operation_model(operation).input_shape
    parameters: dict[str, Any] = least(shape) if shape is not None else {}
    members = shape.members if shape is not None else {}
    for number in range(2):
        there = {
            member: values[min(number, len(values) - 1)] for member, values in _THERE.items() if member in parameters
        }
        protocol = "json" if "json" in protocols(model) else ""  # rather than CBOR
        draft = draft_of(model.service_name, operation, {**parameters, **there}, protocol)
        answer = world.enclosure.send(signed(draft, ROOT))
        found.statuses[answer.status] += 1
        after = world.enclosure.state([service])
        if after != before:
            found.changed.append(f"{service} {operation} {there}: {answer.status}")
        before = after
        if not any(len(_THERE.get(member, ())) > 1 for member in members):
            break
    return before
