"""AWS's models of the services, from botocore: protocols, operations, parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from moto.core.utils import get_service_model

CBOR = "rpc-v2-cbor"
"""The header smithy-protocol of a call in CBOR, which some SDKs use for CloudWatch. Such calls are refused.

https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""
# The service's name in signatures → the names of its models, where these differ.
_MODELS = {
    "monitoring": ("cloudwatch",),
    "email": ("ses", "sesv2"),
    "tagging": ("resourcegroupstaggingapi",),
    "elasticloadbalancing": ("elbv2", "elb"),
    "states": ("stepfunctions",),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "aws-marketplace": ("meteringmarketplace",),
    "elasticfilesystem": ("efs",),
    "elasticmapreduce": ("emr",),
    "es": ("opensearch", "es"),
}


@dataclass(frozen=True)
class RestOperation:
    """An operation that is identified by its method and path."""

    name: str
    method: str
    pattern: re.Pattern[str]
    """Matches the percent-encoded path, with a group for each label, in order."""
    labels: tuple[str, ...]
    """The parameters that are labels of the path, by their names there."""
    template: str
    query: str
    """What the query must have: "find=LayerVersion"; empty if nothing."""


@cache
def models_of(service: str) -> tuple[Any, ...]:
    """Return botocore's models of the services with this name in signatures; empty if there is no such service."""
    found = []
    for name in _MODELS.get(service, (service,)):
        try:
            model = get_service_model(name)
        except Exception:  # botocore's UnknownServiceError, or moto's
            continue
        if model.signing_name == service:
            found.append(model)
    return tuple(found)


def protocols(model: Any) -> tuple[str, ...]:
    """Return the protocols that a service speaks, its usual one first."""
    usual = str(model.metadata["protocol"])
    return tuple(dict.fromkeys([usual, *model.metadata.get("protocols", [])]))


@cache
def rest_operations(name: str) -> tuple[RestOperation, ...]:
    """Return the operations of a model that are identified by method and path, in the order in which they are tried.

    Fixed and longer paths come first. A label that matches slashes comes last, since it also matches the end of other
    paths.
    """
    model = get_service_model(name)
    found = []
    for operation in model.operation_names:
        http = model.operation_model(operation).http
        template = http["requestUri"].partition("?")[0].rstrip("/") or "/"
        labels = tuple(label.rstrip("+") for label in re.findall(r"\{([\w-]+\+?)\}", template))
        pattern = re.sub(r"\\\{[\w-]+\\?\+\\\}", "(.+)", re.escape(template).replace("\\-", "-"))
        pattern = re.sub(r"\\\{[\w-]+\\\}", "([^/]+)", pattern)
        query = http["requestUri"].partition("?")[2]
        found.append(RestOperation(operation, http["method"], re.compile(pattern), labels, template, query))
    return tuple(
        sorted(
            found, key=lambda each: ("+}" in each.template, each.pattern.groups, not each.query, -len(each.template))
        )
    )
