"""The policies that hang on resources: buckets', queues', functions', topics' and secrets'."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.backends import get_backend


def policies_of(arn: str, account_id: str) -> tuple[str, ...]:
    """The documents of the policies on the resource `arn`; an anonymous caller's `account_id` is empty."""
    parts = arn.split(":", 5)
    finder = _FINDERS.get(parts[2]) if len(parts) == 6 else None
    if finder is None:
        return ()
    found = finder(parts[4] or account_id, parts[3], parts[5])
    return (found,) if found else ()


def _bucket(account_id: str, _region: str, resource: str) -> str:
    from localaws.core.context import ACCOUNT_ID
    from localaws.s3.models import backend

    bucket: Any = backend(account_id or ACCOUNT_ID).buckets.get(resource.partition("/")[0])
    policy = bucket.policy if bucket is not None else None
    return policy.decode() if isinstance(policy, bytes) else policy or ""


def _queue(account_id: str, region: str, resource: str) -> str:
    backend: Any = get_backend("sqs")[account_id][region]
    queue = backend.queues.get(resource)
    return _text(queue.policy) if queue is not None else ""


def _function(account_id: str, region: str, resource: str) -> str:
    from localaws.lambda_.permissions import find_function

    if not resource.startswith("function:"):
        return ""
    function = find_function(account_id, f"arn:aws:lambda:{region}:{account_id}:{resource}")
    statements = function.policy.statements if function is not None else []
    return json.dumps({"Statement": statements}) if statements else ""


def _topic(account_id: str, region: str, resource: str) -> str:
    topic: Any = get_backend("sns")[account_id][region].topics.get(f"arn:aws:sns:{region}:{account_id}:{resource}")
    return _text(topic.policy) if topic is not None else ""


def _secret(account_id: str, region: str, resource: str) -> str:
    backend: Any = get_backend("secretsmanager")[account_id][region]
    arn = f"arn:aws:secretsmanager:{region}:{account_id}:{resource}"
    secret = next((found for found in list(backend.secrets.values()) if found.arn == arn), None)
    return _text(getattr(secret, "policy", None))


def _text(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy) if policy else ""


_FINDERS: dict[str, Callable[[str, str, str], str]] = {
    "s3": _bucket,
    "sqs": _queue,
    "lambda": _function,
    "sns": _topic,
    "secretsmanager": _secret,
}
