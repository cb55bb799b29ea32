"""AWS's models of the services, from botocore: protocols, operations, parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from moto.core.utils import get_service_model

CBOR = "rpc-v2-cbor"
"""What the header smithy-protocol says of a call in CBOR, as some SDKs make them of CloudWatch. They are refused.

https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""
# What requests are signed for → the models whose calls are signed so, where the two names differ.
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
    """An operation that is known by its method and its path."""

    name: str
    method: str
    pattern: re.Pattern[str]
    """Of the percent-encoded path; a group for each label, named by its place."""
    labels: tuple[str, ...]
    """The parameters that the labels are, as the path names them."""
    template: str
    query: str
    """What the query has: "find=LayerVersion"; empty where that doesn't matter."""


@cache
def models_of(service: str) -> tuple[Any, ...]:
    """botocore's models of what is signed for under this name; none where there is no such service."""
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
    """The protocols that a service speaks, its usual one first."""
    usual = str(model.metadata["protocol"])
    return tuple(dict.fromkeys([usual, *model.metadata.get("protocols", [])]))


@cache
def rest_operations(name: str) -> tuple[RestOperation, ...]:
    """The operations of a model that are known by method and path, in the order in which they are tried.

    Fixed and longer paths come first. A label that takes slashes comes last, since it takes the end of other paths too.
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
